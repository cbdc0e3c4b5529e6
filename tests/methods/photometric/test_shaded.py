"""Shading shows what silhouettes cannot: a dent in a ball, its albedo and the light; shadows are the shape's own."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from invrender.backends import select
from invrender.cameras.rigs import rig
from invrender.geometry.connectivity import is_closed_manifold
from invrender.methods.photometric.appearance import Appearance, plain
from invrender.methods.photometric.normals import smooth_normals
from invrender.methods.photometric.objective import Stage, Unknowns, objective, pictures_of
from invrender.methods.photometric.occlusion import traced_occlusion
from invrender.methods.photometric.shaded import Shading
from invrender.methods.silhouette.refine import DIFFUSED, MISFIT_WEIGHT
from invrender.methods.silhouette.target import Shape, Target
from invrender.nouns.topology import topology
from invrender.shading.spherical_harmonics import ambient, directional
from invrender.solve.loop import Loop

LIGHT = ambient(torch.full((3,), 0.3)).double() + directional(torch.tensor([0.6, 0.5, 1.0]).double(), 0.6)
STAGES = (Stage(40, 0.16, 0.020, 0.02, 0.05, 2.0, 0.2),)
SIZE = (36, 36)


def ball(subdivisions=4):
    from trimesh.creation import icosphere

    mesh = icosphere(subdivisions=subdivisions, radius=0.8)
    return Shape(np.array(mesh.vertices), np.array(mesh.faces, dtype=np.int64))


def dented(shape, by=0.2, area=0.12):
    """The shape pushed in at its front."""
    x, y, z = shape.vertices.T
    push = by * np.exp(-((x**2 + y**2) / area)) * (z > 0)
    return Shape(shape.vertices - np.stack([0 * x, 0 * y, push], 1), shape.faces)


@pytest.fixture(scope="module")
def backend():
    return select("torch")


@pytest.fixture(scope="module")
def task(backend):
    """The dented ball, its pictures in white, and what they are compared with."""
    true = dented(ball())
    cameras = rig("sphere", 6, [0, 0, 0], 1.0, SIZE)
    clip, faces = cameras.clip_from_world, torch.from_numpy(true.faces)
    vertices = torch.from_numpy(true.vertices)
    points = vertices @ clip[:, :3, :3].transpose(1, 2) + clip[:, None, :3, 3]
    w = vertices @ clip[:, 3:, :3].transpose(1, 2) + clip[:, None, 3:, 3]
    points = torch.cat([points, w], -1)
    masks = backend.silhouette(points, faces, topology(faces), SIZE).float()
    colours = Appearance(torch.full_like(vertices, 0.7), LIGHT).colours(smooth_normals(vertices, faces))
    images = backend.interpolate(colours, faces, backend.rasterize(points, faces, SIZE)[0], points).float()
    pixel = torch.full((6,), 2 * 3 * np.tan(np.radians(22.5)) / SIZE[0], dtype=torch.float64)
    return true, pictures_of(Target(clip, masks, pixel), images)


def depth(shape):
    """How far in front of the middle the surface lies on the axis of the dent."""
    near = np.hypot(*shape.vertices[:, :2].T) < 0.12
    return float(shape.vertices[near & (shape.vertices[:, 2] > 0), 2].min())


def reconstruct(task, backend, unknowns, look, shadows=False, stages=STAGES):
    schedule = Shading(ball(3), look, task[1], unknowns, backend, shadows, stages)
    loop = Loop(schedule.following)
    steps = list(loop)
    return schedule.result(loop.state.finished), steps


def test_a_dent_that_no_silhouette_shows_comes_out_under_a_known_light(task, backend):
    start = ball(3)
    look = Appearance(torch.full(start.vertices.shape, 0.7, dtype=torch.float64), LIGHT)
    (shape, found), steps = reconstruct(task, backend, Unknowns("known", "known"), look)
    assert is_closed_manifold(shape.faces)
    assert depth(ball()) == pytest.approx(0.8, abs=0.02)
    assert depth(shape) == pytest.approx(depth(task[0]), abs=0.11)
    assert steps[-1].terms["colours"] < 0.6 * steps[0].terms["colours"]
    assert torch.equal(found.light, LIGHT)


def test_constant_albedo_and_light_are_found_up_to_their_product(task, backend):
    look = plain(len(ball(3).vertices), 0.4)
    (shape, found), _ = reconstruct(task, backend, Unknowns("constant", "free"), look)
    assert depth(shape) < 0.7
    product, true = found.light * found.albedo[0], LIGHT * 0.7
    assert float((product - true).norm() / true.norm()) < 0.1
    assert bool((found.albedo == found.albedo[0]).all())


def test_the_same_seed_takes_the_same_steps(task, backend):
    look = plain(len(ball(3).vertices), 0.4)
    few = (dataclasses.replace(STAGES[0], iterations=5),)
    first, second = (reconstruct(task, backend, Unknowns("free", "free"), look, False, few)[0] for _ in range(2))
    assert np.array_equal(first[0].vertices, second[0].vertices)
    assert torch.equal(first[1].albedo, second[1].albedo)


def test_a_convex_shape_casts_no_shadow_on_itself_and_a_dent_does(backend):
    assert float(traced_occlusion(ball(), LIGHT, backend).min()) > 0.99
    shape = dented(ball(), 0.8, 0.05)
    share = traced_occlusion(shape, LIGHT, backend)[:, 0].numpy()
    centre = (np.hypot(*shape.vertices[:, :2].T) < 0.1) & (shape.vertices[:, 2] > 0)
    assert share[centre].mean() < 0.9
    assert share[shape.vertices[:, 2] < -0.3].min() > 0.99


def test_the_gradient_of_the_colours_is_a_central_difference_where_outlines_lie_outside_the_masks(task, backend):
    shape = Shape(1.2 * ball(3).vertices, ball(3).faces)
    look = Appearance(torch.full(shape.vertices.shape, 0.7, dtype=torch.float64), LIGHT)
    x, y, z = shape.vertices.T

    def evaluated(weight, step):
        stage = dataclasses.replace(STAGES[0], colours=weight)
        loss = objective(shape, task[1], look, stage, Unknowns("known", "known"), backend, 6.0)
        direction = loss.map.encode(torch.from_numpy(np.stack([y * z, x * z, np.cos(2 * x)], 1)))
        at = loss.map.encode(torch.from_numpy(shape.vertices)) + step * direction
        terms, gradient = loss.value_and_grad({DIFFUSED: at}, torch.Generator().manual_seed(0))
        return terms["colours"], float((gradient[DIFFUSED] * direction).sum())

    slope = (evaluated(2.0, 0.0)[1] - evaluated(0.0, 0.0)[1]) / (2.0 * MISFIT_WEIGHT)
    assert (evaluated(2.0, 1e-4)[0] - evaluated(2.0, -1e-4)[0]) / 2e-4 == pytest.approx(slope, rel=0.01)
