"""Volumes as people bring them, through the commands: frames, raw files, colours that are none, extreme values."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from invrender.cli.app import run
from invrender.samples import VOLUMES

QUICK = ("--preset", "draft", "--views", "6", "--size", "24", "--iterations", "3", "--set", "gif_frames=0")


@pytest.fixture
def ball(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return VOLUMES["double-sphere"](12).numpy()[0]


def picture(path):
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


def test_a_frame_is_drawn_and_reconstructed(ball, tmp_path, capsys):
    np.save("series.npy", np.stack([0 * ball, 0 * ball, ball, 0 * ball, 0 * ball]))
    np.save("one.npy", ball)
    for command in (["render", "series.npy", "-o", "x.png"], ["reconstruct", "series.npy", "-o", "x", *QUICK]):
        assert run(command) == 3
        assert "--frame N, from 0 to 4" in capsys.readouterr().err
    assert run(["render", "series.npy", "--frame", "2", "--size", "24", "-o", "series.png"]) == 0
    assert run(["render", "one.npy", "--size", "24", "-o", "one.png"]) == 0
    assert np.array_equal(picture("series.png"), picture("one.png"))
    capsys.readouterr()
    assert run(["reconstruct", "series.npy", "--frame", "2", "-o", "run", *QUICK]) == 0
    said = capsys.readouterr().err
    assert "volume.npz, volume.vti, metrics.json" in said
    assert "gif" not in said  # none was asked for
    assert "frame = 2" in (tmp_path / "run" / "config.toml").read_text()
    assert run(["reconstruct", "series.npy", "--frame", "0", "-o", "nothing", *QUICK]) == 3
    assert "no camera sees anything" in capsys.readouterr().err


def test_a_raw_file_is_reconstructed(ball, capsys):
    ball.astype("<f4").tofile("v.raw")
    assert run(["reconstruct", "v.raw", "-o", "x", *QUICK]) == 2
    assert "--shape 12,12,12 --dtype float32" in capsys.readouterr().err
    assert run(["reconstruct", "v.raw", "--shape", "12,12,12", "--dtype", "float32", "-o", "run", *QUICK, "-q"]) == 0


@pytest.mark.parametrize("unit", [1e-18, 1e18, 1e36])
def test_pictures_and_runs_do_not_depend_on_the_unit(ball, tmp_path, capsys, unit):
    values = np.where(ball > 0.05, ball, 0).astype(np.float64)
    np.save("one.npy", values)
    np.save("other.npy", values * unit)
    psnr = []
    for name in ("one", "other"):
        assert run(["render", f"{name}.npy", "--size", "24", "-o", f"{name}.png"]) == 0
        assert run(["reconstruct", f"{name}.npy", "-o", name, *QUICK, "-q"]) == 0
        psnr.append(json.loads((tmp_path / name / "metrics.json").read_text())["psnr"])
    assert picture("one.png").std() > 5
    assert np.abs(picture("one.png") - picture("other.png")).max() <= 1
    assert psnr[1] == pytest.approx(psnr[0], abs=0.1)


def test_values_at_the_end_of_float32_are_drawn_but_not_reconstructed(ball, capsys):
    np.save("v.npy", np.where(ball > 0.05, ball, 0).astype(np.float64) * 1e-40)
    assert run(["render", "v.npy", "--size", "24", "-o", "v.png"]) == 0
    assert picture("v.png").std() > 5
    assert run(["reconstruct", "v.npy", "-o", "run", *QUICK]) == 3
    assert "scale them up" in capsys.readouterr().err


def test_what_shows_nothing_or_no_colours_is_refused(ball, capsys):
    np.save("zero.npy", 0 * ball)
    np.save("times.npy", np.stack([ball * 300] * 4))
    for name, word in (("zero", "no camera sees anything"), ("times", "not extinction and linear RGB")):
        for target in (["-o", "x.png"], ["--dataset", "set"]):
            assert run(["render", f"{name}.npy", "--size", "16", *target]) == 3
            assert word in capsys.readouterr().err
    assert run(["reconstruct", "times.npy", "--method", "volume", "-o", "x", *QUICK]) == 3
    assert "choose one with --frame N" in capsys.readouterr().err
    np.save("two.npy", np.stack([ball, ball]))
    assert run(["render", "two.npy", "--size", "16", "-o", "x.png"]) == 3
    assert "--frame N takes one" in capsys.readouterr().err
