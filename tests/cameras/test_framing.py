"""Default cameras hold the whole object, whatever its shape, and stand no farther off than before where that did."""

from __future__ import annotations

import math

import pytest
import torch

from invrender.cameras.around import around
from invrender.nouns import Cameras, Mesh, Volume
from invrender.samples import SAMPLES

FACES = torch.tensor([[0, 1, 2], [1, 3, 2], [4, 5, 6], [5, 7, 6]])


def box(*size: float) -> Mesh:
    """The corners of a box away from the origin."""
    corners = torch.cartesian_prod(*(torch.tensor([-s, s], dtype=torch.float64) / 2 for s in size))
    return Mesh(corners + torch.tensor([3.0, -2.0, 7.0]), FACES)


def nearest_border(cameras: Cameras, points: torch.Tensor) -> float:
    """The least distance of a projected point from the border of its image, in pixels; negative outside."""
    clip = torch.cat([points, torch.ones(len(points), 1)], 1).double() @ cameras.clip_from_world.transpose(1, 2)
    assert float(clip[..., 3].min()) > 0
    height, width = cameras.size
    ndc = clip[..., :2] / clip[..., 3:]
    return float(((1 - ndc.abs()) * torch.tensor([width / 2, height / 2])).min())


@pytest.mark.parametrize("size", [(1, 1, 1), (1, 1, 0.01), (0.2, 3, 0.2), (4, 1, 2)])
@pytest.mark.parametrize("pixels", [(64, 64), (48, 96), (96, 48)])
@pytest.mark.parametrize("view", [{"kind": "orbit", "count": 7}, {"kind": "sphere", "count": 40},
                                  {"count": 1, "azimuth": 45.0, "elevation": 35.0}, {"fov": 20.0, "count": 3},
                                  {"fov": 100.0, "count": 5, "elevation": -80.0}])  # fmt: skip
def test_the_corners_of_boxes_stay_in_the_picture(size, pixels, view):
    mesh = box(*size)
    assert nearest_border(around(mesh, size=pixels, **view), mesh.vertices) > 1.9


def test_cameras_stand_as_near_as_the_object_allows():
    """A cube seen level with the ground: the nearest vertical edge is what touches first, over the corner."""
    mesh = box(2, 2, 2)
    cameras = around(mesh, "orbit", 8, 400, elevation=0.0)
    assert nearest_border(cameras, mesh.vertices) == pytest.approx(2.0, abs=0.01)
    tangent = math.tan(math.radians(22.5)) * (1 - 4 / 400)
    beside, above = math.sqrt(2) * math.sqrt(1 + 1 / tangent**2), math.sqrt(2) + 1 / tangent
    centre = torch.tensor([3.0, -2.0, 7.0]).double()
    assert float((cameras.position - centre).norm(dim=1).mean()) == pytest.approx(max(beside, above), rel=1e-6)


@pytest.mark.parametrize("name", ["sphere", "mug", "figure", "torus-knot", "blobby"])
def test_what_was_in_view_is_shown_no_smaller(name):
    mesh = SAMPLES[name]()
    used = mesh.vertices
    half = float((used.amax(0) - used.amin(0)).max()) / 2
    cameras = around(mesh, "orbit", 3, 256)
    distance = (cameras.position - (used.amax(0) + used.amin(0)) / 2).norm(dim=1)
    assert torch.allclose(distance, torch.full((3,), 3 * half / 0.9).double())


def test_a_distance_that_is_given_is_kept():
    mesh = box(1, 1, 1)
    cameras = around(mesh, "orbit", 3, 64, distance=3.0)
    assert nearest_border(cameras, mesh.vertices) < 0
    assert float((cameras.position - torch.tensor([3.0, -2, 7])).norm(dim=1).mean()) == pytest.approx(3 * 0.5 / 0.9)


def full(*shape: int) -> Volume:
    high = torch.tensor(shape[::-1], dtype=torch.float64)
    return Volume(torch.ones(1, *shape), torch.stack([-high, high]))


@pytest.mark.parametrize("shape", [(8, 8, 8), (4, 12, 6), (20, 3, 3)])
@pytest.mark.parametrize("kind", ["orbit", "sphere"])
def test_a_volume_that_fills_its_box_stays_in_the_picture(shape, kind):
    volume = full(*shape)
    corners = torch.cartesian_prod(*volume.bounds.T)
    assert nearest_border(around(volume, kind, 12, 96), corners) > 1.9


def test_what_a_volume_does_not_show_does_not_push_cameras_away():
    values = torch.zeros(1, 16, 16, 16)
    values[0, 6:10, 6:10, 6:10] = 1
    empty = Volume(values, torch.tensor([[-1.0, -1, -1], [1, 1, 1]]))
    assert torch.allclose(around(empty, "sphere", 4, 64).position.norm(dim=1), torch.full((4,), 4.0).double())
    dark = Volume(torch.zeros(1, 4, 4, 4), empty.bounds)
    assert float(around(dark, "sphere", 4, 64).position.norm(dim=1).min()) > 4.5
