"""`invrender inspect` and `evaluate` of volumes through their entry points."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from invrender.cli.app import run
from invrender.io.volumes.write import write_volume
from invrender.nouns import Volume
from invrender.samples import VOLUMES


@pytest.fixture
def ball(tmp_path, monkeypatch):
    volume = VOLUMES["double-sphere"](16)
    write_volume(tmp_path / "ball.npz", volume)
    monkeypatch.chdir(tmp_path)
    return volume


def test_inspect_a_volume(ball, capsys):
    assert run(["inspect", "ball.npz"]) == 0
    out = capsys.readouterr().out
    for words in ("16 x 16 x 16", "(-0.5, -0.5, -0.5) to (0.5, 0.5, 0.5)", "1 x 1 x 1", "border"):
        assert words in out
    assert run(["inspect", "ball.npz", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["kind"], facts["samples"], facts["negative"]) == ("volume", [16, 16, 16], 0)
    assert facts["spacing"] == pytest.approx([1 / 15] * 3)
    assert facts["greatest"] == pytest.approx(float(ball.values.max()))
    assert run(["inspect", "ball.npz", "--masks", "m"]) == 2
    assert "goes with a dataset of pictures" in capsys.readouterr().err


def test_inspect_tells_where_things_are(tmp_path, capsys):
    values = torch.zeros(1, 4, 5, 6)
    values[0, 1, 2, 3], values[0, 2, 2, 5] = 2.0, -1.0
    bounds = torch.tensor([[10.0, 0, 0], [15, 8, 9]], dtype=torch.float64)
    write_volume(tmp_path / "v.mha", Volume(values, bounds))
    assert run(["inspect", str(tmp_path / "v.mha")]) == 0
    out = capsys.readouterr().out
    for words in ("6 x 5 x 4", "spacing      1 x 2 x 3", "1 of the samples are negative", "(13, 4, 3) to (15, 4, 6)"):
        assert words in out


def test_inspect_a_transmittance_dataset(ball, capsys):
    assert (
        run(["render", "ball.npz", "--mode", "transmittance", "--dataset", "set", "--size", "16", "--views", "3"]) == 0
    )
    capsys.readouterr()
    assert run(["inspect", "set"]) == 0
    out = capsys.readouterr().out
    for words in ("3 of 16 x 16 pixels", "transmittance, 8 bits", "16 x 16 x 16", "times the density"):
        assert words in out


def test_evaluate_a_run_folder_with_a_volume(ball, tmp_path, capsys):
    peak = float(ball.values.max())
    (tmp_path / "run").mkdir()
    write_volume(tmp_path / "run" / "volume.npz", Volume(ball.values + 0.1 * peak, ball.bounds))
    assert run(["evaluate", "run", "ball.npz", "--json", "--size", "16"]) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert metrics["psnr"] == pytest.approx(20, abs=0.01)
    assert 0 < metrics["ssim"] < 1
    assert metrics["heldout_psnr"] > 5
    assert run(["evaluate", "run", "ball.npz", "--size", "16"]) == 0
    assert "SSIM, 3-D" in capsys.readouterr().out


def test_a_volume_is_not_compared_with_a_mesh(ball, capsys):
    assert run(["evaluate", "ball.npz", "mug.glb"]) == 2
    assert "compare two volumes" in capsys.readouterr().err
    assert run(["evaluate", "mug.glb", "ball.npz"]) == 2
    assert "mug.glb is a mesh, and ball.npz is a volume" in capsys.readouterr().err


def test_frames_and_keys_of_a_reference(ball, tmp_path, capsys):
    frames = np.stack([0 * ball.numpy()[0]] * 5 + [ball.numpy()[0]])
    np.savez(tmp_path / "series.npz", first=frames, other=frames[::-1], bounds=ball.bounds.numpy())
    assert run(["inspect", "series.npz"]) == 3
    assert "--key: first, other" in capsys.readouterr().err
    assert run(["evaluate", "ball.npz", "series.npz", "--key", "first"]) == 3
    assert "choose one with --frame N, from 0 to 5" in capsys.readouterr().err
    arguments = ["--key", "first", "--frame", "5", "--size", "16", "--json"]
    (tmp_path / "run").mkdir()
    write_volume(tmp_path / "run" / "volume.npz", ball)
    assert run(["evaluate", "run", "series.npz", *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["relative_l2"] == 0
    chosen = ["--result-key", "other", "--result-frame", "0", "--size", "16", "--json"]
    assert run(["evaluate", "series.npz", "run", *chosen]) == 0
    assert json.loads(capsys.readouterr().out)["relative_l2"] == 0
    assert run(["inspect", "series.npz", "--key", "other", "--frame", "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["greatest"] == pytest.approx(float(ball.values.max()))


def test_volumes_in_formats_that_are_not_read(tmp_path, capsys):
    for name, way in (
        ("a.h5", "h5py"),
        ("a.mrc", "mrcfile"),
        ("a.czi", "Fiji"),
        ("a.vtk", "pyvista"),
    ):
        (tmp_path / name).write_bytes(b"something")
        for command in (
            ["inspect"],
            ["render", "-o", str(tmp_path / "x.png")],
            ["reconstruct", "-o", str(tmp_path / "o")],
        ):
            assert run([*command, str(tmp_path / name)]) == 3
            said = capsys.readouterr().err
            assert ".npz, .npy, .vti, .nrrd" in said
            assert way in said
    (tmp_path / "scan").mkdir()
    (tmp_path / "scan" / "IM0001").write_bytes(bytes(128) + b"DICM" + bytes(100))
    for command in (["inspect"], ["render", "-o", "x.png"], ["reconstruct", "-o", "o"]):
        assert run([*command, str(tmp_path / "scan")]) == 3
        assert "cannot be read" in capsys.readouterr().err


def test_a_folder_of_slices_is_a_volume(tmp_path, capsys):
    (tmp_path / "scan").mkdir()
    for k in range(3):
        Image.fromarray(np.full((4, 5), 1000 * k, np.uint16)).save(tmp_path / "scan" / f"{k}.tif")
    (tmp_path / "scan" / "notes.txt").write_text("a scan")
    assert run(["inspect", str(tmp_path / "scan"), "--json"]) == 0
    assert '"samples": [' in capsys.readouterr().out
    assert run(["render", str(tmp_path / "scan"), "--size", "16", "-o", str(tmp_path / "x.png")]) == 0
    Image.fromarray(np.zeros((4, 5, 3), np.uint8)).save(tmp_path / "scan" / "3.tif")  # photographs without poses
    assert run(["inspect", str(tmp_path / "scan")]) == 0
    assert "photographs without cameras" in capsys.readouterr().out


def test_a_key_for_a_file_without_names(ball, tmp_path, capsys):
    write_volume(tmp_path / "ball.nrrd", ball)
    assert run(["inspect", "ball.nrrd", "--key", "other"]) == 2
    assert "leave --key out" in capsys.readouterr().err
