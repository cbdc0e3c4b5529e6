"""`invrender reconstruct` where something is wrong: every cause and remedy is named, and nothing is left behind."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from invrender.cameras.rigs import rig
from invrender.cli.app import run
from invrender.io.datasets.dataset import write_dataset
from invrender.io.images import write_png
from invrender.io.meshes.read import read_mesh
from invrender.io.meshes.write import write_mesh
from invrender.nouns import Mesh, Views
from invrender.samples import SAMPLES

TINY = ("--views", "6", "--size", "40", "--iterations", "9", "--set", "smoothness=1", "--set", "gif_frames=4")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """tmp_path as the working folder, with a small ball in it."""
    monkeypatch.chdir(tmp_path)
    write_mesh(tmp_path / "ball.ply", Mesh(SAMPLES["sphere"]().vertices, SAMPLES["sphere"]().faces))
    return tmp_path


def write_obj(path: Path, text: str) -> None:
    path.write_text(text)


CORNERS = "v 0 0 0\nv 1 0 0\nv 0 1 0\n"
BAD_FILES = {
    "plan.dwg": "x",
    "points.obj": CORNERS,
    "nan.obj": CORNERS.replace("v 1 0 0", "v nan 0 0") + "f 1 2 3\n",
    "empty.obj": "# nothing\n",
    "torn.glb": "glTF but not really",
    "bar.obj": "v 0 0 0\nv 60 0 0\nv 60 .7 0\nv 0 .7 0\nv 0 .35 -.6\nv 60 .35 -.6\n"
    "f 1 2 3 4\nf 4 3 6 5\nf 5 6 2 1\nf 1 4 5\nf 2 6 3\n",
}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("bal.ply",), 3, ["bal.ply", "ball.ply"]),
        (("plan.dwg",), 3, [".dwg", ".obj", ".glb", ".ply", ".stl"]),
        (("points.obj",), 3, ["points.obj", "face"]),
        (("nan.obj",), 3, ["nan.obj", "NaN"]),
        (("empty.obj",), 3, ["empty.obj"]),
        (("torn.glb",), 3, ["torn.glb"]),
        (("bar.obj", "--size", "32"), 3, ["thinner than a pixel", "larger --size (now 32)"]),
        (("folder",), 3, ["transforms.json", "render --dataset"]),
        (("ball.ply", "--views", "1"), 2, ["--views", "12"]),
        (("ball.ply", "--size", "0"), 2, ["--size"]),
        (("ball.ply", "--size", "4"), 2, ["--size"]),
        (("ball.ply", "--method", "silhouete"), 2, ["silhouette"]),
        (("ball.ply", "--cameras", "nowhere.json"), 3, ["nowhere.json"]),
        (("ball.ply", "--init", "nothing.ply"), 3, ["nothing.ply"]),
        (("ball.ply", "--masks", "folder"), 2, ["--masks"]),
        (("ball.ply", "--preset", "drft"), 2, ["draft"]),
        (("ball.ply", "--set", "smothness=2"), 2, ["smoothness"]),
        (("ball.ply", "--set", "rate=0"), 2, ["rate"]),
        (("ball.ply", "--config", "no.toml"), 3, ["no.toml"]),
        (("ball.ply", "--device", "tpu"), 2, ["cuda"]),
        (("ball.ply", "--distance", "0.5"), 3, ["fills the image", "--distance"]),
        (("ball.ply", "--distance", "900", "--size", "8"), 3, ["cannot be seen", "--distance"]),
        ((), 2, ["INPUT"]),
    ],
)  # fmt: skip
def test_bad_input_names_the_remedy_and_leaves_nothing(here, capsys, arguments, code, words):
    for name, text in BAD_FILES.items():
        (here / name).write_text(text)
    (here / "folder").mkdir()
    before = sorted(here.rglob("*"))
    assert run(["reconstruct", *arguments, "-o", "out"]) == code
    said = capsys.readouterr()
    assert said.out == ""
    for word in words:
        assert word in said.err
    assert "Traceback" not in said.err
    assert said.err.startswith("error: ")
    assert "try: " in said.err
    assert len(said.err.splitlines()) <= 6
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize("place", ["ball.ply", "ball.ply/deeper", "mine"])
def test_output_places_that_cannot_be_used(here, capsys, place):
    (here / "mine").mkdir()
    (here / "mine" / "thesis.txt").write_text("words")
    before = sorted(here.rglob("*"))
    assert run(["reconstruct", "ball.ply", "-o", place, *TINY]) == (6 if place == "mine" else 2)
    assert "-o" in capsys.readouterr().err
    assert sorted(here.rglob("*")) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(here, capsys):
    (here / "locked").mkdir(mode=0o500)
    assert run(["reconstruct", "ball.ply", "-o", "locked/out", *TINY]) == 2
    assert "cannot write" in capsys.readouterr().err


@pytest.fixture
def dataset(here) -> Path:
    """Six posed discs."""
    cameras = rig("orbit", 6, torch.zeros(3).double(), 1.0, (32, 32))
    y, x = np.mgrid[:32, :32] + 0.5
    disc = torch.from_numpy(((x - 16) ** 2 + (y - 16) ** 2 < 80).astype(np.float32))
    write_dataset(here / "views", Views(cameras, disc.expand(6, 32, 32), torch.full((6, 32, 32, 3), 0.5)))
    return here / "views"


def paint(path: Path, alpha: float, channels: int = 4) -> None:
    write_png(path, np.concatenate([np.ones((32, 32, 3)), np.full((32, 32, 1), alpha)], 2)[:, :, :channels])


def break_json(folder: Path) -> None:
    text = (folder / "transforms.json").read_text()
    (folder / "transforms.json").write_text(text[: len(text) // 2])


def disjoint(folder: Path) -> None:
    """Discs high in the images of one side, low in those of the other."""
    y, x = np.mgrid[:32, :32] + 0.5
    for index in range(6):
        row = 5 if index % 2 else 27
        alpha = ((x - 16) ** 2 + (y - row) ** 2 < 9).astype(float)[..., None]
        write_png(folder / f"view_{index:03d}.png", np.concatenate([np.ones((32, 32, 3)), alpha], 2))


FAULTS = {
    "an image is missing": (lambda d: (d / "view_003.png").unlink(), ["view_003"]),
    "another camera": (lambda d: write_png(d / "view_002.png", np.ones((20, 28, 4))), ["view_002", "28 x 20"]),
    "all black": (lambda d: paint(d / "view_001.png", 0.0), ["view_001", "black"]),
    "all white": (lambda d: paint(d / "view_001.png", 1.0), ["view_001", "white"]),
    "no alpha": (lambda d: [paint(p, 1, channels=3) for p in d.glob("*.png")], ["alpha", "--masks"]),
    "broken json": (break_json, ["transforms.json", "line"]),
    "not an image": (lambda d: (d / "view_004.png").write_text("no"), ["view_004"]),
    "nothing in common": (disjoint, ["inspect"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_datasets_are_explained(here, dataset, capsys, fault):
    harm, words = FAULTS[fault]
    harm(dataset)
    before = sorted(here.rglob("*"))
    assert run(["reconstruct", "views", "-o", "out"]) == 3
    shown = capsys.readouterr().err
    for word in words:
        assert word in shown
    assert "Traceback" not in shown
    if fault == "nothing in common":  # found by the work itself: the run folder tells
        assert json.loads((here / "out" / "run.json").read_text())["status"] == "failed"
        shutil.rmtree(here / "out")
    assert sorted(here.rglob("*")) == before


def test_a_dataset_with_everything_right_is_accepted(here, dataset):
    """The faults above are the only thing wrong with it."""
    assert run(["reconstruct", "views", "-o", "out", "--iterations", "0", "--set", "gif_frames=0", "-q"]) == 0
    assert read_mesh(here / "out" / "mesh.ply").faces.shape[1] == 3
