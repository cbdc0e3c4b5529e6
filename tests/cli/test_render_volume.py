"""`invrender render` of volumes through its entry point."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from invrender.backends import select
from invrender.cameras.around import around
from invrender.cli.app import run
from invrender.io.datasets.dataset import read_dataset
from invrender.io.datasets.transmittance import read_transmittance
from invrender.io.volumes.read import read_volume
from invrender.io.volumes.write import write_volume
from invrender.nouns import Volume
from invrender.render.emission import VolumeStyle, render_volume
from invrender.render.transfer import transfer_function
from invrender.samples import VOLUMES
from invrender.shading.density_gradient import Lighting


@pytest.fixture
def ball(tmp_path, monkeypatch):
    write_volume(tmp_path / "ball.npz", VOLUMES["double-sphere"](16))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "ball.npz"


def test_a_still_shows_the_ball_in_the_middle(ball, capsys):
    arguments = ["render", "ball.npz", "-o", "still.png", "--size", "32", "--background", "transparent", "--json"]
    assert run(arguments) == 0
    assert json.loads(capsys.readouterr().out) == {"mode": "volume", "files": ["still.png"]}
    with Image.open(ball.parent / "still.png") as image:
        alpha = np.asarray(image)[..., 3]
    assert alpha[16, 16] > 200
    assert alpha[0].max() == 0
    assert run(arguments) == 6


def test_transmittance_and_its_dataset(ball, capsys):
    arguments = ["render", "ball.npz", "--mode", "transmittance", "--size", "24", "-o", "light.png", "--dataset"]
    assert run([*arguments, "bytes", "--views", "3", "--json"]) == 0
    extinction = json.loads(capsys.readouterr().out)["extinction"]
    with Image.open(ball.parent / "light.png") as image:
        assert image.size == (48, 48)
    found = read_transmittance(ball.parent / "bytes")
    assert found.extinction == pytest.approx(extinction)
    assert found.grid == (16, 16, 16)
    assert found.bounds.tolist() == read_volume(ball).bounds.tolist()
    assert float(found.images[:, 12, 12].max()) < 0.2
    assert float(found.images[:, 0, 0].min()) == 1
    assert run([*arguments, "floats", "--views", "3", "--floats", "--overwrite", "-q"]) == 0
    floats = read_transmittance(ball.parent / "floats")
    assert float((floats.images - found.images).abs().max()) <= 0.5 / 255 + 1e-6
    assert not floats.eight_bit


def test_a_turntable_and_a_dataset_of_colours(ball):
    arguments = ["-o", "turn.gif", "--dataset", "set", "--views", "3", "--size", "24", "--quality", "draft"]
    assert run(["render", "ball.npz", *arguments]) == 0
    with Image.open(ball.parent / "turn.gif") as image:
        assert image.n_frames == 3
    assert len(read_dataset(ball.parent / "set").cameras) == 3


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_pictures_are_on_black_and_filled_by_what_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = np.zeros((24, 24, 24), np.float32)
    values[14:18, 13:19, 15:19] = VOLUMES["volume-sphere"](8).values[0].numpy()[2:6, 1:7, 2:6]
    write_volume(tmp_path / "off.npz", Volume.from_numpy(values))
    common = ["render", "off.npz", "--size", "48", "-q"]
    assert run([*common, "-o", "default.png"]) == 0
    assert run([*common, "-o", "grid.png", "--framing", "grid", "--background", "white"]) == 0
    seen, small = pixels("default.png").max(-1) > 20, pixels("grid.png").min(-1) < 235
    assert not seen[0].any()
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    assert abs(rows.mean() - 23.5) < 2 > abs(columns.mean() - 23.5)
    assert np.ptp(rows) > 24  # of five samples across and the next ones beside
    assert 0 < small.sum() < 0.25 * seen.sum()
    assert run([*common, "-o", "far.png", "--distance", "2"]) == 0  # in longest axes of the grid
    assert (pixels("far.png").max(-1) > 20).sum() < 0.4 * seen.sum()


def test_a_transfer_function_is_saved_drawn_and_taken_again(ball):
    common = ["render", "ball.npz", "--size", "24", "-q"]
    assert run([*common, "-o", "one.png", "--look", "shells", "--save-transfer", "t.json"]) == 0
    assert run([*common, "-o", "two.png", "--transfer", "t.json", "--save-transfer", "t.png"]) == 0
    assert np.abs(pixels("one.png") - pixels("two.png")).max() < 12
    assert pixels("t.png").shape == (360, 640, 3)
    assert run([*common, "-o", "three.png", "--save-transfer", "t.json"]) == 6
    assert run([*common, "-o", "three.png", "--window", "10%,90%", "--opacity", "peaks:0.3,0.6", "--save-transfer",
                "p.json", "--volume-light", "three-point"]) == 0  # fmt: skip
    low, high = (float(part) for part in json.loads((ball.parent / "p.json").read_text())["window"].split(","))
    assert 0 < low < high < 1


def test_datasets_have_colours_that_do_not_depend_on_looks(ball):
    assert run(["render", "ball.npz", "--dataset", "set", "--views", "2", "--size", "24", "-q"]) == 0
    found, volume = read_dataset(ball.parent / "set"), read_volume(ball)
    style = VolumeStyle(transfer_function(volume, "inferno", "linear", 0.5), Lighting())
    expected = render_volume(volume, around(volume, "orbit", 2, 24), style, select("torch", needs=("volumes",)))
    assert float((found.masks - expected[..., 3]).abs().max()) < 1 / 255
    assert run(["render", "ball.npz", "--dataset", "other", "--look", "solid", "--views", "2", "--size", "24"]) == 0
    assert float((read_dataset(ball.parent / "other").masks - found.masks).abs().max()) > 0.2


def test_three_lights_are_the_mean_of_their_pictures(ball):
    common = ["render", "ball.npz", "--size", "24", "-q", "--look", "solid"]
    assert run([*common, "-o", "one.png"]) == 0
    assert run([*common, "-o", "three.png", "--volume-light", "three-point"]) == 0
    one, three = pixels("one.png"), pixels("three.png")
    assert ((one.max(-1) > 20) == (three.max(-1) > 20)).mean() > 0.97  # the same shape
    assert np.abs(one - three).max() > 10


def test_mip_of_bytes_has_no_rings_on_the_default_background(tmp_path, monkeypatch):
    """Values of a long faint tail, rounded to whole numbers as 8-bit files have them."""
    monkeypatch.chdir(tmp_path)
    line = np.linspace(-1, 1, 32)
    radius = np.sqrt(line[:, None, None] ** 2 + line[:, None] ** 2 + line**2)
    values = np.round(255 * np.exp(-4.5 * radius)).astype(np.float32)
    write_volume(tmp_path / "tail.npz", Volume.from_numpy(values))
    assert run(["render", "tail.npz", "-o", "mip.png", "--compositing", "mip", "--size", "96", "-q"]) == 0
    row = pixels("mip.png")[48, :49].sum(-1)  # from the edge to the middle
    steps = np.diff(row)
    assert steps.min() >= -6  # it rises all the way,
    assert steps.max() < 60  # without jumps


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["--mode", "shaded"], 2, "use one of volume, transmittance"),
        (["--compositing", "sequental"], 2, "did you mean sequential?"),
        (["--quality", "best"], 2, "draft, standard, fine"),
        (["--colormap", "virdis"], 2, "did you mean viridis?"),
        (["--window", "5"], 2, "--window 0,255"),
        (["--window", "5%,101%"], 2, "1%,99%"),
        (["--look", "bones"], 2, "did you mean bone?"),
        (["--opacity", "bell:2,0"], 2, "number from 0 to 1"),
        (["--volume-light", "three"], 2, "three-point"),
        (["--volume-light", "camera", "--no-lighting"], 2, "no effect without lighting"),
        (["--framing", "all"], 2, "occupied, grid"),
        (["--transfer", "none.json"], 3, "there is no file none.json"),
        (["--transfer", "none.json", "--window", "0,1"], 2, "leave --window out"),
        (["--save-transfer", "t.txt"], 2, "t.json"),
        (["--mode", "transmittance", "--extinction", "much"], 2, "use auto, or the factor"),
        (["--shape", "2,2,2"], 2, "go with .raw files"),
    ],
)
def test_slips(ball, capsys, arguments, code, word):
    assert run(["render", "ball.npz", "-o", "x.png", *arguments]) == code
    assert word in capsys.readouterr().err
    assert not (ball.parent / "x.png").exists()


def test_raw_files_and_meshes_in_volume_modes(ball, capsys):
    write_volume(ball.parent / "ball.raw", read_volume(ball))
    shape = ["--shape", "16,16,16", "--dtype", "float32"]
    assert run(["render", "ball.raw", "-o", "raw.png", "--size", "16", *shape]) == 0
    assert run(["render", "ball.raw", "-o", "no.png"]) == 2
    assert "--shape 16,16,16 --dtype float32" in capsys.readouterr().err
    assert run(["render", "mug.glb", "-o", "no.png", "--mode", "volume"]) == 2
    assert "no volume" in capsys.readouterr().err


@pytest.mark.parametrize("estimator", ["march", "delta", "ratio", "residual-ratio"])
def test_estimators_of_transmittance(ball, capsys, estimator):
    common = ["render", "ball.npz", "--mode", "transmittance", "--size", "16", "--views", "1", "--extinction", "8"]
    assert run([*common, "-o", "exact.png", "-q"]) == 0
    by_chance = ["--spp", "40", "--seed", "3"] if estimator != "march" else []
    arguments = [*common, "--estimator", estimator, *by_chance]
    assert run([*arguments, "-o", "found.png", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["estimator"] == estimator
    with Image.open("exact.png") as exact, Image.open("found.png") as found:
        error = np.asarray(exact).astype(float) / 255 - np.asarray(found).astype(float) / 255
    if by_chance:
        mean = float(np.asarray(Image.open("exact.png")).mean()) / 255
        rms = float(np.sqrt(np.square(error).mean()))
        assert facts["spp"] == 40
        assert facts["noise"] * mean == pytest.approx(rms, rel=0.3)
        assert run([*arguments, "-o", "again.png", "-q"]) == 0
        assert (ball.parent / "again.png").read_bytes() == (ball.parent / "found.png").read_bytes()
        assert "40 rays a pixel, standard error" in capsys.readouterr().out
    else:
        assert np.abs(error).max() < 0.02


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--mode", "volume", "--estimator", "ratio"], "--estimator has no effect in mode volume"),
        (["--mode", "transmittance", "--estimator", "rato"], "did you mean ratio"),
        (["--mode", "transmittance", "--spp", "4"], "--spp has no effect"),
        (["--mode", "transmittance", "--estimator", "march", "--spp", "4"], "--spp has no effect"),
    ],
)
def test_estimators_that_make_no_sense(ball, capsys, arguments, words):
    assert run(["render", "ball.npz", "-o", "light.png", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_dataset_of_estimates(ball):
    arguments = ["--mode", "transmittance", "--estimator", "ratio", "--spp", "8", "--dataset", "set", "--floats"]
    assert run(["render", "ball.npz", *arguments, "--views", "2", "--size", "12", "--extinction", "8"]) == 0
    found = read_transmittance(ball.parent / "set")
    assert found.extinction == 8
    assert found.images.shape == (2, 12, 12)
    assert 0 < float(found.images.min()) < 0.5
