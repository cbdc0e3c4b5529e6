"""Small reconstruction problems with known answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from invrender.backends import select
from invrender.cameras.rigs import rig
from invrender.kernels import Backend
from invrender.nouns import Mesh, Scene, Views
from invrender.render.raster import render
from invrender.samples import SAMPLES


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def backend() -> Backend:
    return select("torch")


@pytest.fixture(scope="session")
def egg() -> Mesh:
    """An ellipsoid with half axes 0.6, 0.9, 0.7."""
    ball = SAMPLES["sphere"]()
    vertices, faces = ball.numpy()
    centred = vertices - (vertices.max(0) + vertices.min(0)) / 2
    return Mesh.from_numpy(centred / np.abs(centred).max() * [0.6, 0.9, 0.7], faces)


@pytest.fixture(scope="session")
def views_of(backend):
    """Own views of a mesh on a ring or a sphere."""

    def make(mesh: Mesh, count: int = 8, size: int = 56, kind: str = "orbit") -> Views:
        vertices = mesh.numpy()[0]
        centre = (vertices.max(0) + vertices.min(0)) / 2
        scale = float(np.abs(vertices - centre).max()) / 0.9
        cameras = rig(kind, count, torch.from_numpy(centre), scale, (size, size))
        return Views(cameras, render(Scene(mesh), cameras, "silhouette", backend, 3)[..., 0].clamp(0, 1))

    return make
