"""`invrender reconstruct --method volume` through its entry point."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from invrender.cli.app import run
from invrender.io.volumes.field import read_field
from invrender.io.volumes.read import read_volume
from invrender.io.volumes.write import write_volume
from invrender.samples import VOLUMES

QUICK = ["--method", "volume", "--iterations", "40", "--set", "rays=2048", "--set", "rate=0.2", "--set", "gif_frames=4"]


@pytest.fixture
def ball(tmp_path, monkeypatch):
    write_volume(tmp_path / "ball.npz", VOLUMES["double-sphere"](16))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_density_and_colour_of_an_asset(ball, capsys):
    arguments = ["reconstruct", "ball.npz", "-o", "out", *QUICK, "--views", "10", "--size", "24"]
    assert run([*arguments, "--json"]) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert metrics["sought"] == "density and colour"
    assert metrics["heldout_psnr"] > 25
    assert {entry.name for entry in (ball / "out").iterdir()} >= {
        "config.toml", "run.json", "metrics.json", "losses.csv", "volume.npz", "volume.vti", "progress.gif",
    }  # fmt: skip
    found = read_volume(ball / "out" / "volume.npz")
    assert found.values.shape == (4, 16, 16, 16)
    assert found.bounds.tolist() == read_volume(ball / "ball.npz").bounds.tolist()
    with Image.open(ball / "out" / "progress.gif") as image:
        assert image.size[0] > 3 * 256  # view, estimate and difference
        assert image.n_frames > 4 + 24  # while it forms, then a full turn
    assert run(arguments) == 6
    assert run(["reconstruct", "--config", "out/config.toml", "-o", "again", "-q"]) == 0
    assert read_volume(ball / "again" / "volume.npz").values.equal(found.values)
    assert run(["render", "out/volume.npz", "-o", "own.png", "--size", "16"]) == 0


def test_a_field_is_kept_and_drawn_like_the_volume(ball, capsys):
    quick = [*QUICK[:-4], "--set", "gif_frames=2", "--field", "neural", "--grid", "12"]
    assert run(["reconstruct", "ball.npz", "-o", "out", *quick, "--views", "10", "--size", "24"]) == 0
    assert "volume.npz, volume.vti, field.npz, progress.gif" in " ".join(capsys.readouterr().err.split())
    assert read_field("out").field.outputs == ("positive", "share", "share", "share")
    for name in ("field", "volume"):
        assert run(["render", f"out/{name}.npz", "--mode", "volume", "-o", f"{name}.png", "--size", "16"]) == 0
    with Image.open("field.png") as field, Image.open("volume.png") as volume:
        assert np.abs(np.asarray(field).astype(int) - np.asarray(volume)).max() <= 1
        assert np.asarray(field).min() < 200


def test_the_transfer_function_from_a_dataset(ball, capsys):
    look = ["--colormap", "viridis", "--strength", "0.3", "--no-lighting", "--cameras", "sphere"]
    assert run(["render", "ball.npz", "--dataset", "set", "--views", "17", "--size", "24", *look]) == 0
    assert run(["reconstruct", "set", "-o", "out", *QUICK, "--known", "ball.npz", "--json"]) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert (metrics["sought"], metrics["views"], metrics["heldout_views"]) == ("transfer function", 15, 2)
    assert metrics["heldout_psnr"] > 25
    table = json.loads((ball / "out" / "transfer.json").read_text())
    options = [f"--{name}={value}" for name, value in table.items()]
    assert run(["render", "ball.npz", "-o", "as_found.png", "--size", "16", *options]) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["ball.npz", "--method", "volume", "--solver", "fista"], 2, "--solver does not go with --method volume"),
        (["ball.npz", "--method", "volume", "--bounds", "0,0,0,1,1,1"], 2, "--bounds goes with a dataset"),
        (["ball.npz", "--method", "volume", "--grid", "1"], 2, "give --grid from 2"),
        (["ball.npz", "--method", "volume", "--known", "bal.npz"], 3, "did you mean ball.npz?"),
        (["ball.npz", "--known", "ball.npz"], 2, "--known does not go with --method transmittance"),
        (["ball.npz", "--method", "volume", "--known", "ball.npz", "--field", "neural"], 2, "leave --field neural out"),
        (["nowhere", "--method", "volume"], 3, "neither a volume file nor a dataset"),
    ],
)
def test_slips(ball, capsys, arguments, code, word):
    assert run(["reconstruct", *arguments, "-o", "out"]) == code
    assert word in capsys.readouterr().err
    assert not (ball / "out").exists()
