"""A shape from silhouettes gets the colours of the pictures, and keeps its geometry."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from invrender.cli.app import run
from invrender.io.meshes.read import read_mesh
from invrender.io.meshes.write import write_mesh
from invrender.nouns import Mesh
from invrender.samples import SAMPLES

QUICK = ("--method", "silhouette", "--iterations", "6", "--set", "hull_resolution=20", "--set", "gif_frames=0", "-q")


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ball that is red above and blue below."""
    monkeypatch.chdir(tmp_path)
    ball = SAMPLES["sphere"]()
    above = (ball.vertices[:, 1:2] > 0).double()
    colours = above * torch.tensor([0.8, 0.1, 0.1]) + (1 - above) * torch.tensor([0.1, 0.1, 0.8])
    write_mesh("ball.glb", Mesh(ball.vertices, ball.faces, colours=colours.float()))
    looks = ["--mode", "color", "--views", "6", "--size", "40", "--backend", "torch", "-q"]
    assert run(["render", "ball.glb", *looks, "--cameras", "sphere", "--dataset", "views"]) == 0
    return tmp_path


def test_vertices_get_the_colours_of_the_pictures_and_stay_where_they_are(dataset: Path) -> None:
    for colours in ("auto", "off"):
        call = ["reconstruct", "views", "-o", colours, "--colours", colours, "--backend", "torch", *QUICK]
        assert run(call) == 0
    painted, plain = (read_mesh(f"{name}/mesh.glb") for name in ("auto", "off"))
    assert torch.equal(painted.vertices, plain.vertices)
    assert torch.equal(painted.faces, plain.faces)
    assert plain.colours is None
    assert painted.colours is not None
    assert painted.material.unlit
    y = painted.vertices[:, 1]
    far = 0.35 * float(y.max())
    for side, expected in ((y > far, (0.8, 0.1, 0.1)), (y < -far, (0.1, 0.1, 0.8))):
        assert (painted.colours[side].double() - torch.tensor(expected)).abs().max() < 0.12
    assert read_mesh("auto/mesh.ply").colours is not None


def test_silhouettes_alone_give_no_colours(dataset: Path) -> None:
    looks = ["--mode", "silhouette", "--views", "6", "--size", "40", "--backend", "torch", "-q"]
    assert run(["render", "ball.glb", *looks, "--dataset", "masks"]) == 0
    assert run(["reconstruct", "masks", "-o", "out", "--faces", "120", "--backend", "torch", *QUICK]) == 0
    found = read_mesh("out/mesh.ply")
    assert found.colours is None
    assert len(found.faces) == 120
