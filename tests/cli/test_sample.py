"""`invrender sample` through its entry point."""

from __future__ import annotations

import json

import pytest

from invrender.cli.app import run
from invrender.io.images import read_image
from invrender.io.meshes.read import read_mesh
from invrender.io.volumes.read import read_volume
from invrender.samples import PICTURES, SAMPLES, SCENES, VOLUMES


def test_lists_what_there_is(capsys):
    assert run(["sample"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line and line[0] != " "] == ["Meshes", "Volumes", "Scenes", "Environments"]
    assert [line.split()[0] for line in lines if line[:2] == "  "] == [*SAMPLES, *VOLUMES, *SCENES, *PICTURES]


def test_writes_a_sky(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["sample", "sky", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"name": "sky", "file": "sky.exr", "pixels": "128 x 64"}
    picture = read_image(tmp_path / "sky.exr")[0]
    assert picture.shape == (64, 128, 3) and (picture > 0).all()
    assert picture[0, :, 2].mean() > 1.2 * picture[0, :, 0].mean()  # blue above
    assert run(["sample", "sky", "-o", "sky.png"]) == 2
    assert "sky.exr" in capsys.readouterr().err


def test_writes_the_file_and_never_replaces_it_unasked(run_cli, tmp_path, capsys):
    done = run_cli("sample", "torus-knot", "-o", "deep/knot.ply", "--json")
    assert done.code == 0, done.stderr
    file = tmp_path / "deep" / "knot.ply"
    mesh = read_mesh(file)
    counts = {"vertices": len(mesh.vertices), "faces": len(mesh.faces)}
    assert json.loads(done.stdout) == {"name": "torus-knot", "file": "deep/knot.ply", **counts}
    assert run(["sample", "sphere", "-o", str(file)]) == 6
    assert "--overwrite" in capsys.readouterr().err
    assert len(read_mesh(file).faces) == counts["faces"]
    assert run(["sample", "sphere", "-o", str(file), "--overwrite", "-q"]) == 0
    assert capsys.readouterr().err == ""
    assert len(read_mesh(file).faces) == 5120


def test_a_folder_takes_the_name_of_the_sample(tmp_path, capsys):
    assert run(["sample", "sphere", "-o", str(tmp_path)]) == 0
    assert "sphere.glb (2562 vertices, 5120 faces)" in capsys.readouterr().err
    assert (tmp_path / "sphere.glb").is_file()


def test_a_volume(tmp_path, capsys):
    assert run(["sample", "double-sphere", "-o", str(tmp_path / "two.vti"), "--resolution", "16"]) == 0
    assert "(16 x 16 x 16 samples)" in capsys.readouterr().err
    assert read_volume(tmp_path / "two.vti").values.shape == (1, 16, 16, 16)


def test_a_scene_and_its_files(tmp_path, capsys):
    assert run(["sample", "table-top", "-o", str(tmp_path / "new")]) == 2
    assert "name a .toml file: new.toml" in capsys.readouterr().err
    assert run(["sample", "table-top", "-o", str(tmp_path / "new" / "table.toml"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == 4
    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert names[:3] == ["table-chequers.png", "table-pot.mtl", "table-pot.obj"]
    assert run(["inspect", str(tmp_path / "new" / "table.toml"), "--strict"]) == 0
    assert run(["sample", "table-top", "-o", str(tmp_path / "new" / "table.toml")]) == 6


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["mugg"], "did you mean mug?"),
        (["mug", "-o", "mug.gltf2"], "known extensions"),
        (["clod"], "did you mean cloud?"),
        (["cloud", "-o", "cloud.glb"], ".npz, .npy, .vti"),
        (["lit-tre"], "did you mean lit-tree?"),
        (["cornell-box", "-o", "box.glb"], "name a .toml file: box.toml"),
    ],
)
def test_slips_are_usage_errors(tmp_path, monkeypatch, capsys, arguments, word):
    monkeypatch.chdir(tmp_path)
    assert run(["sample", *arguments]) == 2
    assert word in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
