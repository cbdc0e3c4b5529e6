"""Voxels of meshes against volumes and places that are known from geometry."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from invrender.errors import InputError
from invrender.io.scenes.shapes import ball, box
from invrender.nouns import Material, Mesh
from invrender.nouns.stage import Stage
from invrender.stages.crossings import crossings
from invrender.stages.solids import KINDS, solid
from invrender.stages.voxelise import check_closed, voxelised

STAGE = Stage()
EYE = np.eye(3)


def volumes(shape: tuple[int, int, int], stage: Stage = STAGE) -> torch.Tensor:
    """Of the voxels of each slice, [D,1,1]: pieces of a pyramid."""
    right, up = stage.half_extents(shape[1:])
    edges = torch.linspace(stage.near, stage.far, shape[0] + 1, dtype=torch.float64)
    return (4 * right * up / (shape[1] * shape[2]) * (edges[1:] ** 3 - edges[:-1] ** 3) / 3)[:, None, None]


def a_ball(centre: tuple[float, float, float] = (0.03, 0.02, -0.05), radius: float = 0.15) -> Mesh:
    return ball(np.array(centre), radius, EYE, Material(), 4)


def a_box(centre: tuple[float, float, float], side: float) -> Mesh:
    return box(np.array(centre), np.full(3, side), EYE, Material())


@pytest.mark.parametrize("shape", [(32, 32, 32), (16, 24, 48)])
def test_the_volume_of_a_ball_is_that_of_the_formula(shape):
    found = (voxelised([a_ball()], STAGE, shape, ground=False).double() * volumes(shape)).sum()
    assert float(found) == pytest.approx(4 / 3 * math.pi * 0.15**3, rel=6e-3)  # whose triangles cut 0.2 % off


def test_each_voxel_of_a_ball_holds_the_share_of_fine_samples_within_it():
    coarse = voxelised([a_ball()], STAGE, (16, 16, 16), ground=False)
    points = STAGE.points((128, 128, 128)) - torch.tensor([0.03, 0.02, -0.05])
    inside = (points.norm(dim=-1) < 0.15).float().reshape(16, 8, 16, 8, 16, 8).mean((1, 3, 5))
    assert float((coarse - inside).abs().max()) < 0.09
    assert float((coarse - inside).abs().mean()) < 1e-3


def test_a_box_along_the_axes_is_exact_along_depth():
    stage = Stage(elevation=0.0, ground=None)
    shape = (32, 32, 32)
    found = voxelised([a_box((0.0, 0.0, 0.0), 0.2)], stage, shape)
    middle = found[:, 16, 16]
    edges = torch.linspace(stage.near, stage.far, 33, dtype=torch.float64)
    low, high = edges[:-1].clamp(min=1.3), edges[1:].clamp(max=1.5)  # the camera is at 1.4
    share = ((high**3 - low**3) / (edges[1:] ** 3 - edges[:-1] ** 3)).clamp(min=0)
    assert float((middle - share).abs().max()) < 1e-6
    assert float((found.double() * volumes(shape, stage)).sum()) == pytest.approx(0.008, rel=2e-3)


def test_what_lies_in_two_meshes_counts_once():
    one, two = a_box((0.0, 0.0, 0.0), 0.2), a_box((0.1, 0.0, 0.0), 0.2)
    found = (voxelised([one, two], STAGE, (32, 32, 32), ground=False).double() * volumes((32, 32, 32))).sum()
    assert float(found) == pytest.approx(0.3 * 0.2 * 0.2, rel=3e-3)


def test_a_mesh_seen_from_inside_is_the_same():
    mesh = a_ball()
    flipped = Mesh(mesh.vertices, mesh.faces.flip(1))
    there = voxelised([mesh], STAGE, (16, 16, 16))
    assert torch.allclose(there, voxelised([flipped], STAGE, (16, 16, 16)), atol=1e-6)
    assert there[8, 8, 8] == 1


def test_the_ground_is_filled_from_its_plane_down():
    found = voxelised([], STAGE, (32, 32, 32))
    height = STAGE.points((32, 32, 32))[..., 1]
    assert bool((found[height < STAGE.ground - 0.04] == 1).all())
    assert bool((found[height > STAGE.ground + 0.04] == 0).all())
    assert float((found - (height < STAGE.ground).float()).mean()) == pytest.approx(
        0, abs=3e-3
    )  # centres of voxels, not of their volumes
    assert not voxelised([], STAGE, (8, 8, 8), ground=False).any()


def test_no_ray_slips_through_shared_edges():
    # An odd number of rays: the middle ones meet edges and corners exactly.
    stage = Stage(elevation=0.0, ground=None)
    cube = a_box((0.0, 0.0, 0.0), 0.25)
    for turn in np.linspace(0, 2 * math.pi, 25):
        c, s = math.cos(turn), math.sin(turn)
        linear = torch.tensor([[c, -s, 0], [s, c, 0], [0, 0, 1]], dtype=torch.float64)
        found = crossings(Mesh(cube.vertices @ linear.T, cube.faces), stage, (33, 33))
        times, sums = np.bincount(found.ray), np.bincount(found.ray, found.turn)
        assert set(times.tolist()) == {0, 2}  # of a convex body: in and out
        assert not sums.any()
        assert times[16 * 33 + 16] == 2


@pytest.mark.parametrize("kind", KINDS)
def test_solids_are_closed_and_wound_outwards(kind):
    vertices, faces = solid(kind, (0.7, 0.9, 0.6))
    check_closed(Mesh.from_numpy(vertices, faces), kind)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    assert (a * np.cross(b, c)).sum() > 0
    assert np.linalg.norm(vertices, axis=1).max() == pytest.approx(1)


def test_open_meshes_are_refused_by_name():
    mesh = a_box((0.0, 0.0, 0.0), 0.2)
    with pytest.raises(InputError, match=r"mesh 0 .* is not closed: 3 of its 18 edges"):
        voxelised([Mesh(mesh.vertices, mesh.faces[1:])], STAGE, (8, 8, 8))
    turned = torch.cat([mesh.faces[:1].flip(1), mesh.faces[1:]])
    with pytest.raises(InputError, match="wound the other way"):
        voxelised([Mesh(mesh.vertices, turned)], STAGE, (8, 8, 8))


def test_what_is_behind_the_camera_is_refused():
    with pytest.raises(InputError, match="behind the camera"):
        voxelised([a_box((0.0, 0.0, 0.0), 4.0)], STAGE, (8, 8, 8))
