"""`invrender render`: once through its real entry point in a subprocess, else in this process."""

from __future__ import annotations

import json

import numpy as np
import pytest
import trimesh
from PIL import Image

from invrender.cli.app import run
from invrender.io.datasets.dataset import read_dataset


@pytest.fixture
def box(tmp_path):
    trimesh.creation.box(extents=[1.0, 1.0, 1.0]).export(tmp_path / "box.ply")
    return "box.ply"


def pixels(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.fixture
def render(monkeypatch, tmp_path, box):
    """`invrender render box.ply ARGUMENTS...` in this process, in tmp_path; returns the exit code."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: run(["render", box, *arguments])


def test_stills_of_every_mode(render, tmp_path, capsys):
    shots = {"shaded": 3, "color": 3, "silhouette": 0, "depth": 0, "normal": 3}
    for mode, channels in shots.items():
        shot = ("-o", f"{mode}.png", "--mode", mode, "--size", "48", "--elevation", "0", "--distance", "5")
        assert render(*shot) == 0
        said = capsys.readouterr()
        assert said.out == ""
        assert f"wrote {mode}.png (48 x 48" in said.err
        picture = pixels(tmp_path / f"{mode}.png")
        assert picture.shape == ((48, 48, channels) if channels else (48, 48))
    assert pixels(tmp_path / "silhouette.png")[24, 24] == 255
    assert pixels(tmp_path / "silhouette.png")[0, 0] == 0
    assert pixels(tmp_path / "depth.png")[24, 24] == 255
    assert pixels(tmp_path / "normal.png")[24, 24].tolist() == [128, 128, 255]  # the side that faces +Z


def test_a_turntable_and_facts_as_json(run_cli, tmp_path, box):
    outcome = run_cli("render", box, "-o", "turn.gif", "--size", "32", "--views", "5", "--json", "-q")
    assert (outcome.code, outcome.stderr) == (0, "")
    assert json.loads(outcome.stdout) == {"mode": "shaded", "files": ["turn.gif"]}
    with Image.open(tmp_path / "turn.gif") as image:
        assert (image.size, image.n_frames) == ((32, 32), 5)


def test_a_dataset_reads_back_as_views(render, tmp_path, capsys):
    assert render("--dataset", "views", "--views", "3", "--size", "40", "--cameras", "sphere") == 0
    views = read_dataset(tmp_path / "views")
    assert views.masks.shape == (3, 40, 40)
    assert float(views.masks.amax()) == 1.0
    assert render("--dataset", "views", "--views", "3", "--size", "40") == 6
    assert "--overwrite" in capsys.readouterr().err
    assert render("-o", "sheet.png", "--cameras", "views", "--views", "9", "--size", "20") == 0
    assert pixels(tmp_path / "sheet.png").shape == (40, 40, 3)


def test_a_transparent_background_and_a_turn_about_the_axis(render, tmp_path):
    shot = ("--size", "32", "--background", "transparent", "--azimuth", "90", "--mode", "normal", "--distance", "5")
    assert render("-o", "clear.png", *shot, "--elevation", "0") == 0
    picture = pixels(tmp_path / "clear.png")
    assert picture[0, 0].tolist() == [0, 0, 0, 0]
    assert picture[16, 16].tolist() == [255, 128, 128, 255]  # from azimuth 90 the camera sees the side towards +X


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("box.ply",), 2, "--dataset"),
        (("box.ply", "-o", "a.jpg"), 2, ".png"),
        (("box.ply", "-o", "a.png", "--mode", "shade"), 2, "shaded"),
        (("box.ply", "-o", "a.png", "--size", "0"), 2, "--size"),
        (("box.ply", "-o", "a.png", "--background", "#12"), 2, "--background"),
        (("box.ply", "-o", "a.gif", "--background", "transparent"), 2, "transparent"),
        (("box.ply", "--dataset", "d", "--mode", "depth"), 2, "depth"),
        (("bax.ply", "-o", "a.png"), 3, "box.ply"),
        (("box.ply", "-o", "a.png", "--light", "0,0,0"), 2, "direction 0,0,0"),
        (("box.ply", "-o", "a.png", "--light", "1,1,1", "--mode", "color"), 2, "--light has no effect in mode color"),
        (("box.ply", "-o", "a.png", "--light", "sky.json"), 3, "sky.json"),
        (("box.ply", "-o", "a.png", "--turn", "lights"), 2, "did you mean light?"),
        (("box.ply", "--dataset", "d", "--turn", "both"), 2, "one dataset for each --light"),
        (("box.ply", "-o", "a.png", "--backend", "cuda", "--device", "cpu"), 4, "--device cuda"),
        (("box.ply", "-o", "box.ply/a.png"), 2, "cannot write"),
    ],
)
def test_bad_input_names_the_remedy_and_leaves_nothing(monkeypatch, capsys, tmp_path, box, arguments, code, words):
    monkeypatch.chdir(tmp_path)
    assert run(["render", *arguments]) == code
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == [box]


def test_a_picture_is_not_overwritten_unless_asked(render, tmp_path):
    (tmp_path / "a.png").write_bytes(b"mine")
    assert render("-o", "a.png", "--size", "8") == 6
    assert (tmp_path / "a.png").read_bytes() == b"mine"
    assert render("-o", "a.png", "--size", "8", "--overwrite") == 0
    assert pixels(tmp_path / "a.png").shape == (8, 8, 3)


def test_light_comes_from_where_it_is_said(render, tmp_path):
    shot = ("--size", "32", "--elevation", "0", "--background", "black")
    assert render("-o", "left.png", "--light", "-1,0,0.2,0.8", *shot) == 0
    assert render("-o", "front.png", "--light", "0,0,1,0.6", "--reflection", "lambertian", *shot) == 0
    (tmp_path / "sky.json").write_text('{"ambient": [0.5, 0.25, 0.0]}')
    assert render("-o", "sky.png", "--light", "sky.json", *shot) == 0
    left, front, sky = (pixels(tmp_path / f"{name}.png")[16, 16].tolist() for name in ("left", "front", "sky"))
    assert left[0] < front[0] and front[0] == front[2]
    assert sky[2] == 0 < sky[1] < sky[0]
    assert render("-o", "turn.gif", "--turn", "light", "--views", "2", *shot) == 0
    with Image.open(tmp_path / "turn.gif") as image:
        assert image.n_frames == 2
