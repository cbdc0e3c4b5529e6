"""`invrender render SCENE`: once through its real entry point, else in this process."""

from __future__ import annotations

import json
import math

import numpy as np
import OpenEXR
import pytest
import trimesh
from PIL import Image

from invrender.cli.app import run
from invrender.io.datasets.dataset import read_dataset

FLOOR = """
background = [0.25, 0.5, 0.75]
[[camera]]
name = "above"
position = [0, 4, 0]
target = [0, 0, 0]
up = [0, 0, -1]
extent = 4
size = [24, 16]
[[camera]]
name = "aside"
position = [0, 2, 6]
target = [0, 0, 0]
[[light]]
name = "lamp"
type = "point"
position = [0, 2, 0]
intensity = 10
[[plane]]
center = [0, 0, 0]
size = [4, 4]
material = "grey"
[material.grey]
Kd = 0.5
"""
GLASS_BALL = """
[[sphere]]
center = [0, 2, 0]
radius = 0.5
material = "shell"
[material.shell]
Kd = 0.5
"""


@pytest.fixture
def render(monkeypatch, tmp_path):
    """`invrender render ARGUMENTS...` in this process, in tmp_path, where floor.toml is; returns the exit code."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "floor.toml").write_text(FLOOR)
    return lambda *arguments: run(["render", *arguments])


def pixels(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


def floats(path) -> np.ndarray:
    with OpenEXR.File(str(path)) as file:
        (name,) = file.channels()
        return file.channels()[name].pixels


def linear(levels: float) -> float:
    """sRGB of 8 bits decoded (IEC 61966-2-1)."""
    value = levels / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def test_the_real_command_writes_a_linear_picture_and_its_noise(run_cli, render, tmp_path):
    outcome = run_cli("render", "floor.toml", "--mode", "path", "-o", "a.exr", "--spp", "4", "--backend", "torch")
    assert outcome.code == 0
    assert "a.exr: 4 rays a pixel, standard error" in outcome.stdout
    assert "path 4/4" in outcome.stderr
    assert "wrote a.exr (24 x 16, linear floats)" in outcome.stderr
    found = floats(tmp_path / "a.exr")
    assert (found.dtype, found.shape) == (np.float32, (16, 24, 3))
    # Below the lamp: Kd / pi I / h^2. At the edge the cosine and the distance count: h / (h^2 + x^2)^1.5.
    assert found[7:9, 11:13].mean() == pytest.approx(0.5 / math.pi * 10 / 4, rel=0.02)
    edge = 0.5 / math.pi * 10 * 2 / (4 + 1.875**2) ** 1.5
    assert found[7:9, 4].mean() == pytest.approx(edge, rel=0.02)
    assert found[0, 0].tolist() == [0.25, 0.5, 0.75]


def test_scenes_are_ray_traced_by_their_first_camera_unless_told_otherwise(render, tmp_path, capsys):
    assert render("floor.toml", "-o", "a.png", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["mode"], facts["spp"], facts["files"]) == ("raytraced", 16, ["a.png"])
    assert 0 <= facts["noise"] < 0.05
    assert pixels(tmp_path / "a.png").shape == (16, 24, 3)
    assert render("floor.toml", "-o", "b.png", "--camera", "aside", "--size", "20", "--spp", "1") == 0
    assert pixels(tmp_path / "b.png").shape == (20, 20, 3)
    assert render("floor.toml", "-o", "c.png", "--size", "12", "--spp", "1", "-q") == 0
    assert pixels(tmp_path / "c.png").shape == (8, 12, 3)
    assert render("floor.toml", "-o", "d.png", "--size", "12", "--spp", "1", "--elevation", "45") == 0
    assert pixels(tmp_path / "d.png").shape == (12, 12, 3)


def test_exposure_doubles_and_tones_are_told_when_they_clip(render, tmp_path, capsys):
    shown = {}
    for stops in ("-1", "0", "2"):
        assert render("floor.toml", "-o", f"{stops}.png", "--exposure", stops, "--spp", "1") == 0
        shown[stops] = linear(pixels(tmp_path / f"{stops}.png")[8, 12, 0])
    assert shown["0"] == pytest.approx(2 * shown["-1"], rel=0.02)
    assert shown["2"] == 1
    assert "clipped to white: --exposure 1 or --tonemap filmic" in " ".join(capsys.readouterr().err.split())
    assert render("floor.toml", "-o", "f.png", "--exposure", "2", "--tonemap", "filmic", "--spp", "1") == 0
    assert linear(pixels(tmp_path / "f.png")[8, 12, 0]) < 1
    assert "clipped" not in capsys.readouterr().err


def test_a_noise_target_ends_a_picture_early(render, capsys):
    assert render("floor.toml", "-o", "a.png", "--noise-target", "0.5", "--json") == 0
    assert json.loads(capsys.readouterr().out)["spp"] == 8
    assert render("floor.toml", "-o", "b.png", "--noise-target", "1e-7", "--spp", "9", "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["spp"] == 9
    assert "the noise is not yet" in said.err


def test_equal_seeds_write_equal_files(render, tmp_path):
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert render("floor.toml", "-o", f"{name}.exr", "--mode", "path", "--spp", "2", "--seed", seed) == 0
    one, same, other = (floats(tmp_path / f"{name}.exr") for name in "abc")
    assert (one == same).all()
    assert (one != other).any()


def test_transparent_pictures_are_premultiplied_in_exr_and_straight_in_png(render, tmp_path):
    shot = ("--background", "transparent", "--spp", "64")
    assert render("floor.toml", "-o", "a.exr", *shot) == 0
    assert render("floor.toml", "-o", "a.png", *shot) == 0
    found, shown = floats(tmp_path / "a.exr"), pixels(tmp_path / "a.png")
    assert found[0, 0].tolist() == [0, 0, 0, 0]
    assert found[8, 12, 3] == shown[8, 12, 3] / 255 == 1
    border = (found[..., 3] > 0.1) & (found[..., 3] < 0.9)
    assert linear(shown[8, 12, 0]) == pytest.approx(found[8, 12, 0], rel=0.02)
    straight = found[border][:, 0] / found[border][:, 3]
    np.testing.assert_allclose([linear(each) for each in shown[border][:, 0]], straight, rtol=0.05)


def test_turntables_rasters_and_datasets_of_scenes(render, tmp_path):
    small = ("--camera", "aside", "--size", "12")
    assert render("floor.toml", "-o", "a.gif", "--spp", "1", "--views", "3", *small) == 0
    with Image.open(tmp_path / "a.gif") as image:
        assert (image.size, image.n_frames) == ((12, 12), 3)
    for mode in ("silhouette", "normal", "color", "depth", "shaded"):
        assert render("floor.toml", "-o", f"{mode}.png", "--mode", mode, *small) == 0
    assert pixels(tmp_path / "normal.png")[6, 6].tolist() == pytest.approx([128, 255, 128], abs=1)
    assert pixels(tmp_path / "silhouette.png")[6, 6] == 255
    assert pixels(tmp_path / "color.png")[0, 0].tolist() == [137, 188, 225]  # the scene's background
    assert render("floor.toml", "--dataset", "views", "--spp", "1", "--views", "2", "--mode", "path", *small) == 0
    assert read_dataset(tmp_path / "views").images.shape == (2, 12, 12, 3)


def test_mesh_files_go_by_paths_and_plain_ones_stay_with_plain_rays(render, tmp_path, capsys):
    trimesh.creation.box(extents=[1.0, 1.0, 1.0]).export(tmp_path / "box.ply")
    for mode, more in (("path", ("--spp", "2")), ("raytraced", ("--spp", "2")), ("raytraced", ())):
        assert render("box.ply", "-o", "a.png", "--mode", mode, "--size", "16", "--overwrite", "--json", *more) == 0
        assert ("noise" in json.loads(capsys.readouterr().out)) == bool(more)


def test_glass_in_a_mesh_file_is_followed_as_a_scene(render, tmp_path, capsys):
    (tmp_path / "a.obj").write_text("mtllib a.mtl\nusemtl pane\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    (tmp_path / "a.mtl").write_text("newmtl pane\nKd 0.5 0.5 0.5\nd 0.5\n")
    assert render("a.obj", "-o", "a.png", "--mode", "raytraced", "--size", "8", "--json") == 0
    assert json.loads(capsys.readouterr().out)["spp"] == 16


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (GLASS_BALL, "the light 'lamp' is inside the object 'shell'"),
        ("[[plane]]\ncenter = [0, 1, 0]\nmaterial = 'pane'\n[material.pane]\ntransmission = 1", "'pane' is open"),
    ],
)
def test_what_looks_wrong_is_told(render, tmp_path, capsys, change, warning):
    (tmp_path / "odd.toml").write_text(FLOOR + change)
    assert render("odd.toml", "-o", "a.png", "--size", "8", "--spp", "1") == 0
    assert warning in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--camera", "abov"), 2, "did you mean above?"),
        (("--camera", "above", "--azimuth", "3"), 2, "exclude each other"),
        (("--noise-target", "0"), 2, "above 0"),
        (("--noise-target", "nan"), 2, "--noise-target"),
        (("--spp", "0"), 2, "--spp"),
        (("--tonemap", "film"), 2, "did you mean filmic?"),
        (("--samples", "2"), 2, "use --spp"),
        (("--turn", "light"), 2, "--turn has no effect"),
        (("--occlusion", "8", "--mode", "path"), 2, "--occlusion has no effect"),
        (("--mode", "shaded", "--spp", "2"), 2, "--spp has no effect in mode shaded"),
        (("-o", "a.exr", "--exposure", "1"), 2, "no effect on .exr"),
        (("-o", "a.exr", "--mode", "color"), 2, "writes no .exr"),
    ],
)
def test_options_that_do_not_fit_are_refused(render, tmp_path, capsys, arguments, code, words):
    arguments = arguments if "-o" in arguments else ("-o", "a.png", *arguments)
    assert render("floor.toml", *arguments) == code
    said = " ".join(capsys.readouterr().err.split())
    assert words in said
    assert "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["floor.toml"]


@pytest.mark.parametrize("mode", ["raytraced", "path"])
def test_a_scene_in_the_dark_is_refused(render, tmp_path, capsys, mode):
    (tmp_path / "dark.toml").write_text(FLOOR.replace("intensity = 10", "intensity = 0"))
    assert render("dark.toml", "-o", "a.png", "--mode", mode) == 3
    assert "no light" in capsys.readouterr().err
