"""Pictures and gradients where contours cross pixels, against pictures drawn many times as large and averaged."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import trimesh

from invrender import ops
from invrender.backends import select
from invrender.cameras.projection import perspective
from invrender.cameras.rigs import rig
from invrender.nouns.topology import topology

SIZE, FINER = 64, 6
BACKEND = select("cpu")


def scene(noise, one_colour):
    """A ball, smooth or bumpy, and its colours."""
    ball = trimesh.creation.icosphere(2 if noise else 3)
    radii = 0.6 * (1 + noise * np.random.default_rng(0).normal(size=(len(ball.vertices), 1)))
    vertices, faces = torch.from_numpy(ball.vertices * radii), torch.from_numpy(np.asarray(ball.faces)).long()
    return vertices, faces, 0.5 + 0.4 * torch.sin(3 * vertices * (not one_colour) + torch.arange(3.0).double())


def draw(vertices, faces, colours, finer=1, blend=True):
    """Two pictures [2,H,W,3], averaged over blocks of finer^2 pixels."""
    size = (SIZE * finer, SIZE * finer)
    matrix = perspective(45.0, size, 0.2, 10.0) @ rig("sphere", 2, [0.0, 0, 0], 1.0, size).world_to_camera
    clip = torch.cat([vertices, torch.ones_like(vertices[:, :1])], 1) @ matrix.transpose(1, 2)
    face_id, depth = ops.rasterize(BACKEND, clip, faces, size)
    image = ops.interpolate(BACKEND, colours, faces, face_id, clip)
    if blend:
        image = ops.antialias(BACKEND, image, face_id, depth, clip, faces, topology(faces))
    return image.reshape(2, SIZE, finer, SIZE, finer, 3).mean((2, 4))


def motions(vertices, kind, count=4):
    for seed in range(count):
        generator = np.random.default_rng(seed)
        waves, phase = torch.from_numpy(generator.normal(size=(3, 3))), torch.from_numpy(generator.normal(size=3))
        noise = torch.from_numpy(generator.normal(size=tuple(vertices.shape)))
        yield torch.sin(2 * vertices @ waves + phase) if kind == "smooth" else noise


def misfit(image):
    y, x = torch.meshgrid(*[(torch.arange(SIZE).double() + 0.5) / SIZE] * 2, indexing="ij")
    wanted = torch.stack([0.5 + 0.3 * torch.sin(7 * x + 3 * y), 0.4 + 0.3 * torch.cos(6 * y), 0.3 + 0.2 * x * y], -1)
    return (image - wanted).square().sum() / SIZE**2


def error(noise, one_colour, kind, step, finer):
    """Root mean square over motions of the adjoint less the slope over a step, relative to that of the slope."""
    vertices, faces, colours = scene(noise, one_colour)
    moving = vertices.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(misfit(draw(moving, faces, colours)), moving)
    pairs = []
    for way in motions(vertices, kind):
        ends = [misfit(draw(vertices + sign * step * way, faces, colours, finer)) for sign in (1, -1)]
        pairs.append([float((gradient * way).sum()), float(ends[0] - ends[1]) / (2 * step)])
    adjoint, slope = np.array(pairs).T
    return float(np.linalg.norm(adjoint - slope) / np.linalg.norm(slope))


def test_the_picture_is_the_supersampled_one():
    vertices, faces, colours = scene(0.06, False)
    plain, true = draw(vertices, faces, colours, blend=False), draw(vertices, faces, colours, 16, blend=False)
    near = (plain - true).abs().amax(-1) > 0.01
    found = draw(vertices, faces, colours)
    assert float((found - true)[near].square().mean()) < 0.006 * float((plain - true)[near].square().mean())


@pytest.mark.parametrize("kind", ["smooth", "random"])
def test_the_adjoint_is_that_of_the_picture(kind):
    assert error(0.0, False, kind, 1e-7, 1) < 1e-6
    assert error(0.06, False, kind, 1e-7, 1) < 0.03  # where pieces of a pixel part different samples it is an estimate


@pytest.mark.parametrize(("kind", "bar"), [("smooth", 0.01), ("random", 0.05)])
def test_gradients_of_one_colour_are_the_supersampled_ones(kind, bar):
    assert error(0.0, True, kind, 1e-4, FINER) < bar


@pytest.mark.parametrize(
    ("noise", "kind", "bar"), [(0, "smooth", 0.01), (0, "random", 0.07), (0.06, "smooth", 0.16), (0.06, "random", 0.08)]
)
def test_gradients_of_colours_that_vary_are_near_the_supersampled_ones(noise, kind, bar):
    assert error(noise, False, kind, 1e-4, FINER) < bar


def test_gradients_add_up_to_what_plain_samples_show():
    # Nothing but the rasterizer decides what is true here: over a wide path, as pixels change one by one.
    vertices, faces, colours = scene(0.0, False)
    span, steps, found = 0.04, 20, []
    for way in motions(vertices, "smooth", 3):
        ends = [misfit(draw(vertices + sign * span * way, faces, colours, 10, False)) for sign in (1, -1)]
        total = 0.0
        for k in range(steps):
            at = torch.tensor(span * ((2 * k + 1) / steps - 1)).double().requires_grad_()
            (slope,) = torch.autograd.grad(misfit(draw(vertices + at * way, faces, colours)), at)
            total += float(slope) * 2 * span / steps
        found.append([total, float(ends[0] - ends[1])])
    adjoint, expected = np.array(found).T
    assert float(np.linalg.norm(adjoint - expected) / np.linalg.norm(expected)) < 0.02
