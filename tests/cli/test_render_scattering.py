"""`invrender render --mode scattering` of scenes and of volume files, its datasets, and `inspect` of media."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import torch

from invrender.cli.app import run
from invrender.io.datasets.dataset import read_dataset
from invrender.io.datasets.lighting import lighting_of
from invrender.io.exr import write_exr
from invrender.io.volumes.write import write_volume
from invrender.nouns import DirectionalLight, Volume
from tests.cli.test_render_scene import floats, pixels

SCENE = """
[environment]
colour = [0.25, 0.5, 0.75]

[[camera]]
position = [0, 0, 5]
target = [0, 0, 0]
extent = 0.5
size = [12, 8]

[[camera]]
name = "wide"
position = [0, 0, 5]
target = [0, 0, 0]
fov = 30
size = [12, 8]

[medium]
name = "fog"
extinction = 0.5
box = [[-1, -1, -1], [1, 1, 1]]
albedo = 0.0
"""
SURFACE = "[[sphere]]\ncenter = [0, 0, -3]\nradius = 0.5\n"


@pytest.fixture
def render(tmp_path, monkeypatch):
    """Runs `invrender render` in a folder with fog and a small cloud, and returns its exit code."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fog.toml").write_text(SCENE)
    random = torch.Generator().manual_seed(0)
    write_volume(tmp_path / "cloud.npz", Volume.from_numpy(torch.rand(6, 6, 6, generator=random).numpy()))
    return lambda *words: run(["render", *words, "--backend", "torch"])


def test_fog_is_drawn_by_the_law_of_lambert_and_beer(render, tmp_path, capsys):
    assert render("fog.toml", "-o", "a.exr", "--spp", "32", "--json") == 0  # the mode of scenes with a medium
    facts = json.loads(capsys.readouterr().out)
    assert (facts["mode"], facts["spp"]) == ("scattering", 32)
    expected = np.exp(-1) * np.array([0.25, 0.5, 0.75])
    np.testing.assert_allclose(floats(tmp_path / "a.exr").mean((0, 1)), expected, rtol=0.1)
    assert render("fog.toml", "-o", "b.exr", "--mode", "path", "--spp", "32") == 0
    assert np.array_equal(floats(tmp_path / "a.exr"), floats(tmp_path / "b.exr"))
    assert render("fog.toml", "-o", "c.png", "--background", "#ff0000", "--spp", "8") == 0
    red, green, blue = pixels(tmp_path / "c.png").reshape(-1, 3).mean(0)
    assert red > 100 and green == blue == 0
    assert render("fog.toml", "-o", "d.exr", "--background", "transparent", "--spp", "32") == 0
    assert floats(tmp_path / "d.exr")[..., 3].mean() == pytest.approx(1 - np.exp(-1), abs=0.06)


def test_a_volume_file_is_a_cloud_under_a_sky(render, tmp_path, capsys):
    assert render("cloud.npz", "--mode", "scattering", "-o", "a.png", "--size", "5", "--spp", "1") == 0
    assert "the greatest optical depth along the axes is 20" in " ".join(capsys.readouterr().err.split())
    assert pixels(tmp_path / "a.png").shape == (5, 5, 3)
    lit = ("--mode", "scattering", "--size", "5", "--spp", "2", "--depth", "2", "--extinction", "3", "--albedo", "1")
    assert render("cloud.npz", "-o", "b.exr", *lit, "--environment", "grey", "--phase-g", "-0.3") == 0
    assert 0 < floats(tmp_path / "b.exr").mean() <= 0.5
    assert render("cloud.npz", "-o", "c.exr", *lit, "--environment", "#000000", "--sun", "0,1,0") == 0
    assert floats(tmp_path / "c.exr").mean() > 0
    write_exr(tmp_path / "sky.exr", np.full((2, 4, 3), 2.0, np.float32))
    assert render("cloud.npz", "-o", "d.exr", *lit, "--environment", "sky.exr") == 0
    np.testing.assert_allclose(floats(tmp_path / "d.exr")[0, 0], 2, rtol=1e-5)  # past the cloud


def test_a_dataset_tells_its_light_and_not_how_dense_it_is(render, tmp_path):
    words = ("fog.toml", "--dataset", "views", "--camera", "wide", "--views", "3", "--spp", "4")
    assert render(*words, "--floats") == 0
    names = {file.name for file in (tmp_path / "views").iterdir()}
    assert names == {"transforms.json", "scene.toml", "view_000.exr", "view_001.exr", "view_002.exr"}
    light = lighting_of(tmp_path / "views")
    assert light is not None and light.environment is not None and light.lights == () and light.cameras == ()
    assert light.environment.colour == (0.25, 0.5, 0.75)
    (medium,) = light.media
    assert (medium.name, medium.albedo, medium.asymmetry) == ("fog", 0, 0)
    assert medium.extinction.bounds.tolist() == [[-1, -1, -1], [1, 1, 1]]
    assert not medium.extinction.values.any()
    views = read_dataset(tmp_path / "views")
    assert views.images is not None
    assert not bool((views.images * views.masks[..., None]).any())  # black fog
    assert 0.2 < float(views.masks.mean()) < 0.9
    assert render(*words) == 6
    assert render(*words, "--overwrite") == 0
    names = {file.name for file in (tmp_path / "views").iterdir()}
    assert names == {"transforms.json", "scene.toml", "view_000.png", "view_001.png", "view_002.png"}
    assert lighting_of(tmp_path) is None


def test_datasets_of_skies_hold_their_picture_and_go_when_they_are_replaced(render, tmp_path, caplog):
    words = ("cloud.npz", "--mode", "scattering", "--dataset", "views", "--views", "2", "--size", "8", "--spp", "1")
    assert render(*words, "-q") == 0
    light = lighting_of(tmp_path / "views")
    assert light is not None and light.environment is not None and light.environment.picture is not None
    assert light.environment.picture.shape == (64, 128, 3)
    (sun,) = light.lights
    assert isinstance(sun, DirectionalLight) and sun.name == "sun"
    read_dataset(tmp_path / "views")
    assert "have no camera" not in caplog.text
    plain = ("cloud.npz", "--mode", "volume", "--dataset", "views", "--views", "2", "--size", "8", "--overwrite", "-q")
    assert render(*plain) == 0
    assert {file.name for file in (tmp_path / "views").iterdir()} == {"transforms.json", "view_000.png", "view_001.png"}


def test_somebodys_scene_file_is_not_replaced(render, tmp_path, capsys):
    (tmp_path / "scene.toml").write_text(SCENE)
    assert render("scene.toml", "--dataset", ".", "--camera", "wide", "--spp", "1", "--overwrite") == 2
    assert "scene.toml is no dataset's" in capsys.readouterr().err
    assert (tmp_path / "scene.toml").read_text() == SCENE


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("fog.toml", "--mode", "raytraced"), 2, "--mode scattering"),
        (("fog.toml", "--mode", "depth"), 2, "--mode scattering"),
        (("ball.toml", "--mode", "scattering"), 2, "holds no medium"),
        (("cloud.npz", "--albedo", "0.5"), 2, "--albedo has no effect in mode volume"),
        (("fog.toml", "--albedo", "0.5"), 2, "--albedo goes with volume files"),
        (("cloud.npz", "--mode", "scattering", "--albedo", "1.5"), 2, "albedo"),
        (("cloud.npz", "--mode", "scattering", "--phase-g", "1"), 2, "between -1 and 1"),
        (("cloud.npz", "--mode", "scattering", "--phase-g", "nan"), 2, "phase-g"),
        (("cloud.npz", "--mode", "scattering", "--sun", "0,-1,0"), 3, "below the horizon"),
        (("cloud.npz", "--mode", "scattering", "--sun", "up"), 2, "--sun is 'up'"),
        (("cloud.npz", "--mode", "scattering", "--environment", "skye"), 2, "use sky, grey"),
        (("cloud.npz", "--mode", "scattering", "--environment", "none.exr"), 3, "there is no file none.exr"),
        (("cloud.npz", "--mode", "scattering", "--environment", "black.npy"), 3, "black everywhere"),
        (("cloud.npz", "--mode", "scattering", "--environment", "nan.npy"), 3, "NaN"),
        (("cloud.npz", "--mode", "scattering", "--environment", "#000000"), 3, "no light"),
        (("negative.npz", "--mode", "scattering"), 3, "extinction of the medium 'density' is -"),
        (("four.npz", "--mode", "scattering"), 3, "4 channels"),
        (("cloud.npz", "--mode", "path"), 2, "does not fit"),
        (("ball.toml", "--depth", "65"), 2, "takes 64 at most"),
    ],
)
def test_what_cannot_be_is_refused(render, tmp_path, capsys, words, code, said):
    (tmp_path / "ball.toml").write_text(SURFACE)
    np.save(tmp_path / "black.npy", np.zeros((2, 4, 3), np.float32))
    np.save(tmp_path / "nan.npy", np.full((2, 4, 3), np.nan, np.float32))
    write_volume(tmp_path / "negative.npz", Volume.from_numpy(-np.ones((3, 3, 3), np.float32)))
    write_volume(tmp_path / "four.npz", Volume.from_numpy(np.ones((4, 3, 3, 3), np.float32)))
    assert render(*words, "-o", "a.png", "--size", "4") == code
    assert said in " ".join(capsys.readouterr().err.split())


def test_an_exr_without_its_reader_is_told(render, tmp_path, monkeypatch, capsys):
    write_exr(tmp_path / "sky.exr", np.ones((2, 4, 3), np.float32))
    monkeypatch.setitem(sys.modules, "OpenEXR", None)
    words = ("cloud.npz", "--mode", "scattering", "--environment", "sky.exr", "-o", "a.png", "--spp", "1")
    assert render(*words) == 3
    assert "pip install OpenEXR" in capsys.readouterr().err


def test_an_empty_medium_is_drawn_with_a_word(render, tmp_path, capsys):
    write_volume(tmp_path / "nothing.npz", Volume.from_numpy(np.zeros((3, 3, 3), np.float32)))
    words = ("nothing.npz", "--mode", "scattering", "--environment", "grey", "-o", "a.exr", "--spp", "1", "--size", "4")
    assert render(*words) == 0
    assert "is empty: its extinction is 0 everywhere" in " ".join(capsys.readouterr().err.split())
    assert floats(tmp_path / "a.exr") == pytest.approx(0.5)


def test_surfaces_in_a_scene_with_a_medium_are_rasterized_with_a_word(render, tmp_path, capsys):
    (tmp_path / "both.toml").write_text(SCENE + SURFACE)
    assert render("both.toml", "--mode", "silhouette", "-o", "a.png", "--camera", "wide") == 0
    assert "leaves the medium out" in " ".join(capsys.readouterr().err.split())


def test_what_scenes_are_made_of_is_not_looked_for_through_a_medium(render, tmp_path, capsys):
    (tmp_path / "both.toml").write_text(SCENE + SURFACE)
    assert render("both.toml", "-o", "a.png", "--spp", "1") == 0
    words = ("both.toml", "--method", "scene", "--target", "a.png", "--optimize", "material.default.Kd", "-o", "run")
    assert run(["reconstruct", *words]) == 3
    assert "--method scattering" in capsys.readouterr().err


def test_inspect_tells_a_medium(render, tmp_path, capsys):
    assert run(["inspect", "fog.toml"]) == 0
    text = capsys.readouterr().out
    assert "grid           2 x 2 x 2" in text
    assert "extinction     0.5 per unit, 0.0% of the samples are empty" in text
    assert "along x, y, z up to (1, 1, 1), on average (1, 1, 1)" in text
    assert run(["inspect", "fog.toml", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["medium"]["depth_greatest"] == [1, 1, 1] and found["medium"]["albedo"] == [0, 0]
    assert found["meshes"] == [] and (found["low"], found["high"]) == ([-1, -1, -1], [1, 1, 1])


def test_an_interrupt_leaves_the_picture_so_far(render, tmp_path, monkeypatch, capsys):
    passes = []

    def check() -> None:
        passes.append(1)
        if len(passes) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("invrender.run.stop.check", check)
    assert render("fog.toml", "-o", "a.exr", "--spp", "1000000", "--size", "8") == 130
    said = capsys.readouterr().err
    assert "wrote a.exr" in said and "stopped after" in said and "--overwrite" in said
    assert floats(tmp_path / "a.exr").shape[2] == 3
    assert len(passes) == 3
