"""Datasets of opaque pictures of a ball before a grey backdrop: `auto` finds the masks that they lack."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from invrender.cameras.projection import look_at, perspective
from invrender.cameras.rigs import fibonacci
from invrender.cli.app import run
from invrender.errors import InputError
from invrender.io.datasets.dataset import read_dataset, write_dataset
from invrender.io.images import write_png
from invrender.io.meshes.read import read_mesh
from invrender.nouns import Cameras, Views

SIZE, VIEWS = 64, 8


@pytest.fixture(scope="module")
def disc() -> torch.Tensor:
    """Coverage [H,W] of a ball of radius 0.8 seen from 4 away."""
    at = (torch.arange(4 * SIZE) + 0.5) / 4 - SIZE / 2
    radius = SIZE / 2 * np.tan(np.arcsin(0.2)) / np.tan(np.radians(20))
    fine = (torch.hypot(at[:, None], at) < radius).float()
    return torch.nn.functional.avg_pool2d(fine[None, None], 4)[0, 0]


@pytest.fixture
def folder(tmp_path, disc):
    cameras = Cameras(
        look_at(4.0 * fibonacci(VIEWS), (0.0, 0.0, 0.0)),
        perspective(40.0, (SIZE, SIZE), 0.5, 12.0).expand(VIEWS, 4, 4),
        (SIZE, SIZE),
    )
    picture = disc[..., None] * torch.tensor([0.7, 0.1, 0.05]) + (1 - disc[..., None]) * 0.3
    opaque = torch.ones(VIEWS, SIZE, SIZE)
    write_dataset(tmp_path, Views(cameras, opaque, picture.expand(VIEWS, -1, -1, -1)))
    return tmp_path


def test_masks_are_found_where_there_are_none(folder, disc, caplog):
    with pytest.raises(InputError, match="no mask"):
        read_dataset(folder)
    views = read_dataset(folder, "auto")
    assert float((views.masks - disc).abs().mean()) < 0.004
    assert float(views.confidence.min()) == 1
    assert views.images.shape == (VIEWS, SIZE, SIZE, 3)
    assert read_dataset(folder, "auto", images=False).images is None
    assert "masks found in 8 pictures: grey" in caplog.text


def test_masks_that_are_there_stay(folder, disc):
    write_png(folder / "masks" / "view_003.png", disc.flip(0).roll(9, 1))
    views = read_dataset(folder, "auto")
    assert float((views.masks[3] - disc.roll(9, 1)).abs().mean()) < 0.004
    assert float((views.masks[2] - disc).abs().mean()) < 0.004


def test_masks_are_sought_in_the_box_of_the_object(folder, disc):
    half = torch.tensor([[-0.8, -0.8, -0.8], [0.0, 0.8, 0.8]]).double()
    views = read_dataset(folder, "auto", bounds=half)
    assert float(views.masks.sum()) < 0.95 * VIEWS * float(disc.sum())
    assert torch.equal(views.bounds, half)


def test_a_mesh_comes_from_pictures_without_masks(folder, tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    given = ["reconstruct", str(folder), "--masks", "auto", "--set", "mask_refine=grabcut", "--iterations", "0"]
    given += ["--method", "silhouette"]
    given += ["--set", "gif_frames=0", "--set", "hull_resolution=24"]
    assert run([*given, "-o", "out", "--bounds", "-1,-1,-1,1,0.1,1"]) == 0
    assert "masks found in 8 pictures" in caplog.text
    assert read_mesh(tmp_path / "out" / "mesh.glb").vertices[:, 1].max() == pytest.approx(0.1, abs=0.02)
    assert run([*given, "-o", "no", "--bounds", "1,0,0"]) == 2
