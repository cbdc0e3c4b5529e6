"""`invrender render` from cameras that are told by eye, target and up, by files and by paths; and in any shape."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from invrender.cli.app import run
from invrender.io.datasets.dataset import read_cameras, read_dataset
from invrender.io.volumes.write import write_volume
from invrender.samples import VOLUMES

PATH = {
    "fps": 2,
    "keys": [
        {"time": 0, "eye": [0, 0, 4], "target": [0, 0, 0]},
        {"time": 1, "eye": [4, 0, 0], "target": [0, 0, 0]},
    ],
}


@pytest.fixture
def render(monkeypatch, tmp_path):
    """`invrender render ARGUMENTS...` in tmp_path, beside box.ply (1 x 1 x 1, about the origin) and path.json."""
    trimesh.creation.box(extents=[1.0, 1.0, 1.0]).export(tmp_path / "box.ply")
    (tmp_path / "path.json").write_text(json.dumps(PATH))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: run(["render", *arguments, "--backend", "torch", "-q"])


def picture(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_a_camera_stands_where_it_is_told(render):
    where = ("--eye", "0,3,0", "--target", "0,0,0", "--up", "0,0,-1", "--size", "32,24")
    assert render("box.ply", "-o", "d.npy", "--mode", "depth", *where) == 0
    depth = np.load("d.npy")
    assert depth.shape == (24, 32)
    assert depth[12, 16] == pytest.approx(2.5)
    assert np.isinf(depth[0, 0])
    assert render("box.ply", "-o", "n.npy", "--mode", "normal", *where) == 0
    assert np.load("n.npy")[12, 16] == pytest.approx([0, 1, 0])


def test_a_saved_camera_sees_the_same(render):
    assert render("box.ply", "-o", "a.png", "--azimuth", "40", "--save-camera", "view.json", "--size", "24") == 0
    assert json.loads(Path("view.json").read_text())["up"] == [0, 1, 0]
    assert render("box.ply", "-o", "b.png", "--camera", "view.json", "--size", "24") == 0
    assert np.abs(picture("a.png").astype(int) - picture("b.png")).max() <= 1


def test_a_turntable_turns_about_up_from_its_eye(render):
    shot = ("--eye", "3,0,1", "--up", "0,0,1", "--views", "4", "--size", "16")
    assert render("box.ply", "--dataset", "d", *shot) == 0
    places = read_cameras("d", (16, 16)).position.numpy()
    assert places == pytest.approx(np.array([[3, 0, 1], [0, 3, 1], [-3, 0, 1], [0, -3, 1]]), abs=1e-6)
    assert render("box.ply", "--dataset", "e", "--up", "0,0,1", "--views", "3", "--size", "16") == 0
    tall = read_cameras("e", (16, 16)).position
    assert np.ptp(tall[:, 2].numpy()) == pytest.approx(0, abs=1e-6)
    assert float(tall[0, 2]) > 0


def test_a_path_is_followed_by_films_and_datasets(render):
    assert render("box.ply", "-o", "a.gif", "--path", "path.json", "--size", "24,16") == 0
    with Image.open("a.gif") as film:
        assert (film.n_frames, film.size, film.info["duration"]) == (3, (24, 16), 500)
    assert render("box.ply", "--dataset", "d", "--path", "path.json", "--views", "5", "--size", "24,16") == 0
    views = read_dataset("d")
    assert views.masks.shape == (5, 16, 24)
    assert views.cameras.position[[0, 4]].numpy() == pytest.approx(np.array([[0, 0, 4], [4, 0, 0]]), abs=1e-6)


def test_volumes_and_scenes_have_the_same_cameras(render, tmp_path):
    write_volume(tmp_path / "cloud.npz", VOLUMES["double-sphere"](8))
    shot = ("--eye", "0,0,3", "--target", "0,0,0", "--size", "24,16")
    assert render("cloud.npz", "-o", "v.png", *shot) == 0
    assert picture("v.png").shape[:2] == (16, 24)
    (tmp_path / "room.toml").write_text("background = [1, 1, 1]\n[[plane]]\ncenter = [0, 0, 0]\nsize = [4, 4]\n")
    code = render("room.toml", "-o", "s.png", "--spp", "1", *shot)
    assert code == 0
    assert picture("s.png").shape == (16, 24, 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--eye", "0,0,0", "--target", "0,0,0"), "is its target"),
        (("--eye", "0,3,0"), "along its up direction"),
        (("--eye", "1,2"), "three numbers"),
        (("--eye", "1,2,3", "--azimuth", "30"), "--azimuth"),
        (("--eye", "1,2,3", "--path", "path.json"), "--path"),
        (("--eye", "1,2,3", "--cameras", "sphere"), "--cameras sphere"),
        (("--camera", "view.json", "--fov", "30"), "--camera"),
        (("--save-camera", "view.txt"), ".json"),
        (("--size", "12,x"), "W,H"),
        (("--size", "12,0"), "--size"),
        (("--light", "studio", "--mode", "path"), "--light studio has no effect"),
        (("--light", "studio", "--turn", "light"), "goes with the camera"),
        (("--ground", "--light", "camera"), "--ground"),
        (("--colormap", "magma"), "--colormap has no effect"),
        (("--mode", "depth", "--colormap", "magna"), "magna"),
    ],
)
def test_what_makes_no_camera_is_told(render, capsys, arguments, words):
    assert render("box.ply", "-o", "a.png", *arguments) == 2
    assert words in capsys.readouterr().err


def test_datasets_keep_the_light_that_a_method_may_be_told(render):
    shot = ("--views", "2", "--size", "24")
    assert render("box.ply", "--dataset", "plain", *shot) == 0
    assert render("box.ply", "--dataset", "told", "--light", "camera", *shot) == 0
    assert render("box.ply", "--dataset", "studio", "--light", "studio", *shot) == 0
    plain, told, studio = (read_dataset(name).images for name in ("plain", "told", "studio"))
    assert np.array_equal(plain, told)
    assert not np.allclose(plain, studio, atol=0.02)


def test_the_ground_shows_through_transparent_pictures(render):
    shot = ("--background", "transparent", "--elevation", "25", "--size", "48")
    assert render("box.ply", "-o", "a.png", *shot) == 0
    assert render("box.ply", "-o", "b.png", "--ground", *shot) == 0
    alone, grounded = picture("a.png"), picture("b.png")
    shadow = grounded[alone[..., 3] == 0]
    assert shadow[:, 3].max() > 40
    assert shadow[:, :3].max() == 0
