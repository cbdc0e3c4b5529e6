"""Small reconstruction problems with known answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
import torch

from invrender.backends import select
from invrender.cameras.rigs import rig
from invrender.kernels import Backend
from invrender.methods.silhouette.refine import Regulariser, Stage, remeshed, shape_of, stage_phase, steps_before
from invrender.methods.silhouette.target import Shape, Target
from invrender.nouns import Mesh, Scene, Views
from invrender.render.raster import render
from invrender.samples import SAMPLES
from invrender.solve.loop import Loop, Step
from invrender.solve.phase import Finished, Phase


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


@pytest.fixture(scope="session")
def refined(backend):
    """The steps of stages in a row, without trials before them and repair behind."""

    def run(
        shape: Shape, target: Target, stages: Sequence[Stage], ready: bool = False, by: Backend = backend
    ) -> Iterator[Step]:
        def following(finished: tuple[Finished, ...]) -> Phase | None:
            if len(finished) == len(stages):
                return None
            stage = stages[len(finished)]
            begin = shape_of(finished[-1].result) if finished else shape
            begin = begin if ready and not finished else remeshed(begin, stage.edge_length)
            phase = stage_phase(begin, target, stage, by, Regulariser())
            before = steps_before(stages, len(finished))
            return dataclasses.replace(phase, first=before, total=steps_before(stages, len(stages)))

        return iter(Loop(following))

    return run
