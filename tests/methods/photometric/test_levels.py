"""A painted ball from a first shape of the wrong size, level by level."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from invrender.backends import select
from invrender.geometry.intersections import self_intersections
from invrender.methods.photometric.levels import ladder, level_phase
from invrender.methods.photometric.refine import Stage, objective, stage_phase
from invrender.methods.silhouette.refine import DIFFUSED, shape_of
from invrender.methods.silhouette.target import Shape
from invrender.photometry.photos import Photos
from invrender.solve.loop import Loop
from invrender.solve.phase import Phase
from tests.photometry.painted_ball import ball, taken


def first(scale: float, subdivisions: int = 4) -> Shape:
    vertices, faces = ball(subdivisions)
    return Shape(scale * vertices.numpy(), faces.numpy())


def ran(phase: Phase) -> Shape:
    for _ in (loop := Loop(lambda finished: None if finished else phase)):
        pass
    return shape_of(loop.state.finished[-1].result)


def off(shape: Shape) -> float:
    return float(np.abs(np.linalg.norm(shape.vertices, axis=1) - 1).mean())


def without_outlines(photos: Photos) -> Photos:
    return dataclasses.replace(photos, confidence=torch.zeros_like(photos.confidence))


def test_a_level_finds_the_surface_and_keeps_it_embedded() -> None:
    photos = taken(20)
    level = dataclasses.replace(ladder(photos)[1], edge_length=0.08)
    found = ran(level_phase(first(1.07), photos, level, select("cpu")))
    assert off(found) < float(photos.pixel.max())
    assert not len(self_intersections(found.vertices, found.faces))


def test_photographs_alone_move_the_surface_where_no_outline_is_known() -> None:
    photos = without_outlines(taken(20))
    stage = Stage(25, 0.02, membrane=0.0, bending=0.1, zncc=8.0, colour=8.0, batch=6)
    assert off(ran(stage_phase(first(1.05, 3), photos, stage, select("cpu")))) < 0.025


def test_batches_depend_on_the_random_numbers_that_are_handed_in() -> None:
    photos, shape = taken(20), first(1.05, 2)
    loss = objective(shape, photos, Stage(1, 0.01, zncc=1.0, batch=2), select("cpu"))
    params = {DIFFUSED: loss.map.encode(torch.from_numpy(shape.vertices))}
    values = [loss.value_and_grad(params, torch.Generator().manual_seed(seed))[0]["loss"] for seed in (1, 1, 2)]
    assert values[0] == values[1] != values[2]


def test_finer_photographs_get_finer_triangles_down_to_a_limit() -> None:
    photos = taken(2)
    edges = [
        [level.edge_length for level in ladder(dataclasses.replace(photos, pixel=photos.pixel * 0 + pixel))]
        for pixel in (0.01, 0.003, 0.0001)
    ]
    for row in edges:
        assert row == sorted(row, reverse=True)
    assert edges[1][-1] < edges[0][-1]
    assert edges[2][-1] > 0.5 * edges[1][-1]


def test_coarse_photographs_get_triangles_of_about_a_pixel_and_no_longer_reach() -> None:
    photos = taken(2)
    small, coarse = (ladder(dataclasses.replace(photos, pixel=photos.pixel * 0 + pixel)) for pixel in (0.012, 0.05))
    assert all(level.edge_length > 0.05 for level in coarse)
    for one, other in zip(small, coarse, strict=True):
        assert (one.search.inward, one.search.outward) == (other.search.inward, other.search.outward)
