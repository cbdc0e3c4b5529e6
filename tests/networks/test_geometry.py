"""The geometry buffer against what is known of slabs and slopes, and its gradient against finite differences."""

from __future__ import annotations

import math

import pytest
import torch

from invrender.networks.geometry import EXTINCTION, channels, geometry_buffer


def slab(first: int, depth: int = 16, side: int = 8) -> torch.Tensor:
    """Full from a slice on."""
    voxels = torch.zeros(1, 1, depth, side, side, dtype=torch.float64)
    voxels[:, :, first:] = 1
    return voxels


@pytest.mark.parametrize("first", [0, 3, 9, 15])
def test_a_slab_is_where_it_begins_and_faces_the_camera(first: int) -> None:
    coverage, depth, *normal = geometry_buffer(slab(first))[0]
    left = math.exp(-EXTINCTION / 16)
    behind = [left ** max(0, k - first + 1) for k in range(16)]
    assert coverage.numpy() == pytest.approx(1 - behind[-1], abs=1e-12)
    assert depth.numpy() == pytest.approx(sum(behind) / 16, abs=1e-12)
    if first:
        assert [float(part.mean()) for part in normal] == pytest.approx([0, 0, -1], abs=1e-3)


def test_nothing_is_far_and_faces_nowhere() -> None:
    empty = geometry_buffer(torch.zeros(2, 1, 8, 8, 16))
    assert empty.shape == (2, 5, 8, 16)
    assert empty[:, 0].abs().max() == 0
    assert (empty[:, 1] == 1).all()
    assert empty[:, 2:].abs().max() == 0


@pytest.mark.parametrize(("axis", "part"), [(4, 2), (3, 3)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_face_along_the_picture_is_turned_outwards(axis: int, part: int, sign: int) -> None:
    voxels = torch.zeros(1, 1, 16, 16, 16)
    voxels.narrow(axis, 0 if sign > 0 else 8, 8).fill_(1)
    found = geometry_buffer(voxels)[0, part]
    beside = found.narrow(axis - 3, 7 if sign > 0 else 8, 1)
    assert (sign * beside > 0.5).all()


def test_albedo_is_that_of_what_is_in_front() -> None:
    voxels = torch.zeros(1, 4, 16, 8, 8)
    voxels[:, 0, 4:6], voxels[:, 0, 12:] = 1, 1
    voxels[:, 1, 4:6], voxels[:, 2, 12:] = 0.7, 0.9
    found = geometry_buffer(voxels)[0]
    assert found.shape[0] == channels(4) == 8
    assert found[5].numpy() == pytest.approx(0.7, abs=1e-3)
    assert found[6].abs().max() < 1e-3


def test_its_gradient_is_that_of_differences() -> None:
    random = torch.Generator().manual_seed(0)
    voxels = 0.05 * torch.rand(1, 2, 8, 4, 5, generator=random, dtype=torch.float64)
    assert torch.autograd.gradcheck(geometry_buffer, voxels.requires_grad_(), eps=1e-7, atol=1e-5)
