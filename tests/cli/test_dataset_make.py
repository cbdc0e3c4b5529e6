"""`invrender dataset make`: the same files however they were made, what is refused, and what stays after a stop."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from invrender.cli.app import run
from invrender.io.meshes.write import write_mesh
from invrender.io.pairs.dataset import decoded, read_pairs
from invrender.io.scenes.shapes import ball, box
from invrender.nouns import Material, Mesh
from tests.conftest import cli_environment

SMALL = ("--resolution", "16", "--size", "16")
EYE = np.eye(3)


def make(folder: Path, *more: str) -> int:
    return run(["dataset", "make", "-o", str(folder), "--processes", "1", "-q", *SMALL, *more])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "pairs"
    assert make(folder, "primitives", "--count", "40") == 0
    return folder


def test_the_data_set_is_what_was_asked_for(whole):
    pairs = read_pairs(whole)
    assert pairs.counts == {"train": 33, "validation": 2, "test": 5}
    assert pairs.meta.stage is not None
    assert pairs.meta.made["kind"] == "primitives" and pairs.meta.made["seed"] == 0
    batch = pairs.split("test").read([0, 1])
    assert batch.voxels.shape == (2, 1, 16, 16, 16) and batch.pictures.shape == (2, 16, 16, 1)
    assert 0.1 < float(decoded(batch.voxels).mean()) < 0.7
    sets = [set(pairs.split(name).objects) for name in pairs.counts]
    assert sum(map(len, sets)) == len(set.union(*sets)) == 40


def test_processes_make_the_same_files(whole, tmp_path, run_cli):
    done = run_cli("dataset", "make", "primitives", "-o", "two", "--count", 40, "--processes", 2, *SMALL, "--json")
    assert done.code == 0, done.stderr
    assert json.loads(done.stdout)["samples"] == {"train": 33, "validation": 2, "test": 5}
    assert contents(tmp_path / "two") == contents(whole)


@pytest.mark.parametrize(
    ("sign", "processes", "code"), [(signal.SIGINT, 2, 130), (signal.SIGTERM, 1, 75), (signal.SIGKILL, 1, -9)]
)
def test_after_a_stop_the_same_command_goes_on_to_the_same_files(tmp_path, capsys, whole, sign, processes, code):
    folder = tmp_path / "pairs"
    options = ["primitives", "--count", "40"]
    given = ["dataset", "make", *options, "-o", str(folder), "--processes", str(processes), *SMALL]
    started = subprocess.Popen(
        [sys.executable, "-m", "invrender.cli.app", *given], env=cli_environment(), stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 120
    while not list(folder.glob("*.pictures.npy")) and started.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    started.send_signal(sign)
    _, said = started.communicate(timeout=60)
    assert started.returncode == code, said
    if code > 0:
        assert "same command again" in said
        assert not [path.name for path in folder.iterdir() if ".tmp" in path.name]
    assert not (folder / "meta.json").exists() and (folder / "making.json").is_file()
    kept = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.npy")}

    assert make(folder, "primitives", "--count", "40", "--gloss", "0.5") == 6
    assert "begun with other gloss" in capsys.readouterr().err
    assert make(folder, *options) == 0
    assert contents(folder) == contents(whole)
    whole_pairs = [name for name in kept if name.replace("pictures", "voxels") in kept and "pictures" in name]
    assert all((folder / name).stat().st_mtime_ns == kept[name] for name in whole_pairs)


def test_damaged_shards_of_an_unfinished_data_set_are_made_again(whole, tmp_path):
    folder = tmp_path / "pairs"
    assert make(folder, "--count", "3", "--split", "1,0,0") == 0
    before = contents(folder)
    made = json.loads((folder / "meta.json").read_text())["made"]
    (folder / "meta.json").unlink()
    (folder / "making.json").write_text(json.dumps(made))
    shard = folder / "train-00000.voxels.npy"
    shard.write_bytes(shard.read_bytes()[:-100])
    assert make(folder, "--count", "3", "--split", "1,0,0") == 0
    assert contents(folder) == before


def test_a_finished_data_set_is_replaced_on_demand_alone(tmp_path, capsys):
    folder = tmp_path / "pairs"
    assert make(folder, "--count", "3", "--split", "1,0,0") == 0
    assert make(folder, "--count", "3", "--split", "1,0,0") == 6
    assert "--overwrite" in capsys.readouterr().err
    assert make(folder, "--count", "4", "--seed", "2", "--overwrite") == 0
    assert read_pairs(folder).counts == {"train": 2, "validation": 1, "test": 1}
    assert len(list(folder.iterdir())) == 7


def test_other_things_in_the_folder_stay(tmp_path, capsys):
    (tmp_path / "letter.txt").write_text("dear")
    for more in ([], ["--overwrite"]):
        assert make(tmp_path, "--count", "4", *more) == 6
        assert "letter.txt" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_full_disk_is_said_and_what_is_written_stays(tmp_path, capsys, monkeypatch):
    save, calls = np.save, []

    def full(*arguments, **named):
        calls.append(1)
        if len(calls) > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        save(*arguments, **named)

    monkeypatch.setattr(np, "save", full)
    assert make(tmp_path / "pairs", "--count", "3") == 2
    assert "free some space" in capsys.readouterr().err
    monkeypatch.undo()
    names = sorted(path.name for path in (tmp_path / "pairs").iterdir())
    assert names == ["making.json", "train-00000.pictures.npy", "train-00000.voxels.npy"]
    assert make(tmp_path / "pairs", "--count", "3") == 0


def test_meshes_of_a_folder_are_split_and_unusable_ones_named(tmp_path, capsys):
    meshes = tmp_path / "meshes"
    meshes.mkdir()
    for k in range(4):
        write_mesh(meshes / f"ball{k}.ply", ball(np.zeros(3), 1 + k, EYE, Material(), 1))
    cube = box(np.zeros(3), np.ones(3), EYE, Material())
    write_mesh(meshes / "open.ply", Mesh(cube.vertices, cube.faces[1:]))
    (meshes / "torn.obj").write_text("v 1 2\n")
    (meshes / "notes.txt").write_text("hello")
    assert make(tmp_path / "pairs", "--from", str(meshes), "--count", "8") == 0
    said = capsys.readouterr().err
    assert "open.ply is left out" in said and "not closed" in said
    assert "torn.obj is left out" in said and "notes" not in said
    made = read_pairs(tmp_path / "pairs").meta.made
    names = [name for some in made["meshes_by_split"].values() for name in some]
    assert sorted(names) == [f"ball{k}.ply" for k in range(4)]
    assert [len(names) for names in made["meshes_by_split"].values()] == [2, 1, 1]

    for k in range(4):
        (meshes / f"ball{k}.ply").unlink()
    assert make(tmp_path / "none", "--from", str(meshes), "--count", "8") == 3
    assert "none of open.ply, torn.obj can be used" in capsys.readouterr().err
    assert make(tmp_path / "none", "--from", str(tmp_path / "gone"), "--count", "8") == 3
    assert not (tmp_path / "none").exists()


def test_a_single_number_of_voxels_follows_the_proportions_of_the_pictures(tmp_path):
    assert run(["dataset", "make", "-o", str(tmp_path / "p"), "--count", "3", "--resolution", "16", "--size", "48,24",
                "--processes", "1", "-q", "--voxels", "density", "--no-ground"]) == 0  # fmt: skip
    layout = read_pairs(tmp_path / "p").meta.layout
    assert layout.voxels == (1, 16, 16, 32) and layout.pictures == (24, 48, 1)
    assert layout.voxel_type == "float16"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["cubes"], "the kind is 'cubes'"),
        (["meshes"], "needs a folder of meshes"),
        (["primitives", "--from", "."], "takes no folder"),
        (["--resolution", "60"], "--resolution is 60 x 60 x 60"),
        (["--resolution", "16,16"], "--resolution is '16,16'"),
        (["--resolution", "16,16,24"], "do not lie behind pictures"),
        (["--size", "big"], "--size is 'big'"),
        (["--split", "0.5,0.5"], "--split is '0.5,0.5'"),
        (["--split", "0.5,0.1,0.1"], "--split is 0.5,0.1,0.1"),
        (["--light", "0,-1,0"], "--light"),
        (["--voxels", "cubes"], "--voxels is 'cubes'"),
        (["--count", "2"], "2 scenes do not make 3 splits"),
        (["--gloss", "2"], "--gloss"),
        (["--gloss", "nan"], "--gloss"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(tmp_path, capsys, options, says):
    assert make(tmp_path / "pairs", *options) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "pairs").exists()


def test_help_lists_the_commands_of_the_group(capsys):
    assert run(["dataset", "--help"]) == 0
    assert "make" in capsys.readouterr().out
    assert run(["dataset", "make", "--help"]) == 0
    assert "--resolution" in capsys.readouterr().out
