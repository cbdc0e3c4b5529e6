"""The normalised frame: there and back without loss, wherever the object is and whatever its units are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from invrender.cameras.rigs import rig
from invrender.parameters.frame import frame_of

POINTS = np.random.default_rng(0).uniform(-1, 1, (200, 3)) * [3.0, 1.0, 2.0]
PLACES = [(1.0, 0.0), (1.0, 1e6), (1e-6, 0.0), (1e-6, 3.0), (1e7, -2e9)]


@pytest.mark.parametrize(("scale", "offset"), PLACES)
def test_normalised_points_fill_the_cube_and_come_back(scale, offset):
    world = POINTS * scale + offset
    frame = frame_of(world)
    inside = frame.normalise(world)
    assert np.abs(inside).max() == pytest.approx(0.9, rel=1e-6)
    assert inside.min(0) == pytest.approx(-inside.max(0), abs=1e-6)
    step = np.spacing(abs(offset) + 3 * scale)
    assert np.abs(frame.restore(inside) - world).max() <= 4 * step


@pytest.mark.parametrize(("scale", "offset"), PLACES)
def test_clip_positions_are_those_of_the_world(scale, offset):
    """In float32 even a million lengths from the origin: the offset cancels in the matrix, which is float64."""
    world = torch.from_numpy(POINTS * scale + offset)
    frame = frame_of(world.numpy())
    cameras = rig("orbit", 5, torch.from_numpy(frame.centre), frame.scale, (48, 64))
    points = torch.from_numpy(frame.normalise(world.numpy()))
    clip = torch.einsum("nij,vj->nvi", frame.clip_matrices(cameras), torch.cat([points, torch.ones(200, 1)], 1))
    near = torch.einsum("nij,vj->nvi", cameras.clip_from_world, torch.cat([world, torch.ones(200, 1)], 1))
    slack = 1e-9 + 50 * np.spacing(abs(offset) / scale)
    assert torch.allclose(clip[..., :2] / clip[..., 3:], near[..., :2] / near[..., 3:], atol=slack)


def test_the_size_of_a_pixel():
    frame = frame_of(POINTS * 7 + 100)
    cameras = rig("orbit", 3, torch.from_numpy(frame.centre), frame.scale, (50, 50), distance=3.0, fov=90.0)
    assert frame.pixel(cameras).tolist() == pytest.approx([2 * 3.0 / 50] * 3)  # half the image sees 3 at distance 3
