"""Shading shows what silhouettes cannot: a dent in a ball, its albedo and the light; and shadows are the shape's own."""

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
from invrender.methods.photometric.objective import Stage, Unknowns, pictures_of
from invrender.methods.photometric.occlusion import traced_occlusion
from invrender.methods.photometric.shaded import Shading
from invrender.methods.silhouette.target import Shape, Target
from invrender.nouns.topology import topology
from invrender.shading.spherical_harmonics import ambient, directional
from invrender.solve.loop import Loop

LIGHT = ambient(torch.full((3,), 0.3)).double() + directional(torch.tensor([0.6, 0.5, 1.0]).double(), 0.6)
STAGES = (
    Stage(40, 0.16, 0.020, 0.02, 0.05, 2.0, 0.2),
    Stage(40, 0.11, 0.010, 0.01, 0.03, 4.0, 0.05),
)


def ball(subdivisions=4):
    from trimesh.creation import icosphere

    mesh = icosphere(subdivisions=subdivisions, radius=0.8)
    return Shape(np.array(mesh.vertices), np.array(mesh.faces, dtype=np.int64))


def dented(shape):
    """The shape pushed in at its front, with steep flanks."""
    x, y, z = shape.vertices.T
    depth = 0.2 * np.exp(-((x**2 + y**2) / 0.12)) * (z > 0)
    return Shape(shape.vertices - np.stack([0 * x, 0 * y, depth], 1), shape.faces)


@pytest.fixture(scope="module")
def cpu():
    return select("torch")


@pytest.fixture(scope="module")
def task(cpu):
    """The dented ball, its pictures in white, and what they are compared with."""
    true = dented(ball())
    cameras = rig("sphere", 6, [0, 0, 0], 1.0, (48, 48))
    clip, faces = cameras.clip_from_world, torch.from_numpy(true.faces)
    vertices = torch.from_numpy(true.vertices)
    points = vertices @ clip[:, :3, :3].transpose(1, 2) + clip[:, None, :3, 3]
    w = vertices @ clip[:, 3:, :3].transpose(1, 2) + clip[:, None, 3:, 3]
    points = torch.cat([points, w], -1)
    masks = cpu.silhouette(points, faces, topology(faces), (48, 48)).float()
    colours = Appearance(torch.full_like(vertices, 0.7), LIGHT).colours(smooth_normals(vertices, faces))
    images = cpu.interpolate(colours, faces, cpu.rasterize(points, faces, (48, 48))[0], points).float()
    pixel = torch.full((6,), 2 * 3 * np.tan(np.radians(22.5)) / 48, dtype=torch.float64)
    return true, pictures_of(Target(clip, masks, pixel), images)


def depth(shape):
    """How far in front of the middle the surface lies on the axis of the dent."""
    near = np.hypot(*shape.vertices[:, :2].T) < 0.12
    return float(shape.vertices[near & (shape.vertices[:, 2] > 0), 2].min())


def reconstruct(task, cpu, unknowns, look, shadows=False):
    schedule = Shading(ball(3), look, task[1], unknowns, cpu, shadows, STAGES)
    loop = Loop(schedule.following)
    steps = list(loop)
    return schedule.result(loop.state.finished), steps


def test_a_dent_that_no_silhouette_shows_comes_out_under_a_known_light(task, cpu):
    start = ball(3)
    look = Appearance(torch.full(start.vertices.shape, 0.7, dtype=torch.float64), LIGHT)
    (shape, found), steps = reconstruct(task, cpu, Unknowns("known", "known"), look)
    assert is_closed_manifold(shape.faces)
    assert depth(ball()) == pytest.approx(0.8, abs=0.02)
    assert depth(shape) == pytest.approx(depth(task[0]), abs=0.08)
    assert steps[-1].terms["colours"] < 0.2 * steps[0].terms["colours"]
    assert torch.equal(found.light, LIGHT)


def test_constant_albedo_and_light_are_found_up_to_their_product(task, cpu):
    look = plain(len(ball(3).vertices), 0.4)
    (shape, found), _ = reconstruct(task, cpu, Unknowns("constant", "free"), look)
    assert depth(shape) < 0.7
    product, true = found.light * found.albedo[0], LIGHT * 0.7
    assert float((product - true).norm() / true.norm()) < 0.1
    assert bool((found.albedo == found.albedo[0]).all())


def test_the_same_seed_takes_the_same_steps(task, cpu):
    look = plain(len(ball(3).vertices), 0.4)
    first, second = (reconstruct(task, cpu, Unknowns("free", "free"), look)[0] for _ in range(2))
    assert np.array_equal(first[0].vertices, second[0].vertices)
    assert torch.equal(first[1].albedo, second[1].albedo)


def test_a_convex_shape_casts_no_shadow_on_itself_and_a_dent_does(cpu):
    assert float(traced_occlusion(ball(), LIGHT, cpu).min()) > 0.99
    shape = dented(ball())
    share = traced_occlusion(shape, LIGHT, cpu)[:, 0].numpy()
    centre = (np.hypot(*shape.vertices[:, :2].T) < 0.1) & (shape.vertices[:, 2] > 0)
    assert share[centre].mean() < 0.9
    assert share[shape.vertices[:, 2] < -0.3].min() > 0.99


def test_gradients_follow_the_loss(task, cpu):
    from invrender.methods.photometric.objective import objective

    shape = ball(3)
    look = Appearance(torch.full(shape.vertices.shape, 0.7, dtype=torch.float64), LIGHT)
    loss = objective(shape, task[1], look, dataclasses.replace(STAGES[0], colours=0.0), Unknowns("known", "known"),
                     cpu, 6.0)  # fmt: skip
    params = {"u": loss.map.encode(torch.from_numpy(shape.vertices))}
    direction = loss.map.encode(torch.from_numpy(shape.vertices))  # the shape grows
    gradient = loss.value_and_grad(params, torch.Generator().manual_seed(0))[1]["u"]

    def at(step):
        return loss.value_and_grad({"u": params["u"] + step * direction}, torch.Generator().manual_seed(0))[0]["loss"]

    assert (at(1e-4) - at(-1e-4)) / 2e-4 == pytest.approx(float((gradient * direction).sum()), rel=0.01)
