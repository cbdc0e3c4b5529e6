"""Cameras against projections worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from invrender.cameras.projection import common_point, intrinsics, look_at, perspective, perspective_intrinsics
from invrender.cameras.rigs import fibonacci, mesh_frame, orbit, rig
from invrender.errors import InputError, UsageError
from invrender.nouns import Cameras


def pixels(cameras: Cameras, points: torch.Tensor) -> torch.Tensor:
    """[N,P,2] pixel coordinates of world points [P,3], after the contract of clip space."""
    homogeneous = torch.cat([points, torch.ones(len(points), 1, dtype=torch.float64)], dim=1)
    clip = homogeneous @ cameras.clip_from_world.transpose(1, 2)
    ndc = clip[..., :2] / clip[..., 3:]
    height, width = cameras.size
    return torch.stack([(ndc[..., 0] + 1) / 2 * width, (1 - ndc[..., 1]) / 2 * height], dim=-1)


def test_camera_on_z_sees_right_and_up_where_they_belong():
    cameras = Cameras(look_at([[0.0, 0, 5]], [0.0, 0, 0]), perspective(90, (100, 200), 1, 10)[None], (100, 200))
    points = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=torch.float64)
    # focal length 50 px at fov 90 over 100 rows; depth 5
    assert torch.allclose(pixels(cameras, points)[0], torch.tensor([[100.0, 50], [110, 50], [100, 40]]).double())


def test_w_is_the_depth_and_clipping_planes_map_to_unit_ndc():
    matrix = perspective(40, (64, 64), 2.0, 7.0)
    for depth, ndc in ((2.0, -1.0), (7.0, 1.0)):
        clip = matrix @ torch.tensor([0.3, -0.2, -depth, 1.0], dtype=torch.float64)
        assert math.isclose(clip[3], depth)
        assert math.isclose(clip[2] / clip[3], ndc, abs_tol=1e-12)


@pytest.mark.parametrize("eye", [(0, 3, 0), (0, -3, 0), (1e-9, 3, 0), (2, 1, -3), (1e6, 2e6, 1e6 + 1)])
@pytest.mark.parametrize("up", [(0, 1, 0), (0, 0, 2), (1, 0, 0)])
def test_look_at_is_a_rotation_that_centres_the_target(eye, up):
    matrix = look_at([eye], (0, 0, 0), up)[0]
    rotation = matrix[:3, :3]
    assert torch.allclose(rotation @ rotation.T, torch.eye(3, dtype=torch.float64), atol=1e-12)
    assert math.isclose(torch.linalg.det(rotation), 1.0, abs_tol=1e-12)
    distance = math.dist(eye, (0, 0, 0))
    assert torch.allclose(matrix[:3, 3], torch.tensor([0, 0, -distance]).double(), atol=1e-9 * distance)


def test_looking_straight_down_continues_the_climb_from_the_front():
    climbing = look_at([[0, 3.0, 1e-6]], [0.0, 0, 0])
    assert torch.allclose(climbing, look_at([[0, 3.0, 0]], [0.0, 0, 0]), atol=1e-5)
    sinking = look_at([[0, -3.0, 1e-6]], [0.0, 0, 0])
    assert torch.allclose(sinking, look_at([[0, -3.0, 0]], [0.0, 0, 0]), atol=1e-5)


def test_intrinsics_round_trip():
    matrix = perspective_intrinsics(311.5, 290.25, 120.5, 70.75, (150, 260), 0.1, 50)
    cameras = Cameras(torch.eye(4, dtype=torch.float64)[None], matrix[None], (150, 260))
    assert [round(float(x), 9) for x in intrinsics(cameras)] == [311.5, 290.25, 120.5, 70.75]
    # OpenCV's projection: fx X/Z + cx with Y and Z flipped
    point = torch.tensor([[0.4, -0.3, -2.0]], dtype=torch.float64)
    assert torch.allclose(
        pixels(cameras, point)[0, 0], torch.tensor([311.5 * 0.2 + 120.5, 290.25 * 0.15 + 70.75]).double()
    )


def test_orbit_starts_on_z_and_turns_towards_x():
    directions = orbit(4, 30)
    root = math.sqrt(3) / 2
    expected = torch.tensor([[0, 0.5, root], [root, 0.5, 0], [0, 0.5, -root], [-root, 0.5, 0]]).double()
    assert torch.allclose(directions, expected, atol=1e-7)


def test_fibonacci_is_even():
    directions = fibonacci(200)
    assert torch.allclose(directions.norm(dim=1), torch.ones(200).double())
    assert float(directions.mean(dim=0).norm()) < 0.01
    second_moment = directions.T @ directions / 200
    assert torch.allclose(second_moment, torch.eye(3).double() / 3, atol=0.01)


def test_mesh_frame_ignores_unreferenced_vertices():
    vertices = torch.tensor([[10.0, 0, 0], [12, 0, 0], [10, 1, 0], [999, 999, 999]])
    centre, scale = mesh_frame(vertices, torch.tensor([[0, 1, 2]]))
    assert centre.tolist() == [11, 0.5, 0]
    assert math.isclose(scale, 1 / 0.9)
    assert mesh_frame(vertices.numpy())[1] > 400
    with pytest.raises(InputError, match="coincide"):
        mesh_frame(torch.ones(3, 3))
    with pytest.raises(InputError, match="no vertices"):
        mesh_frame(torch.ones(0, 3))


@pytest.mark.parametrize("kind", ["orbit", "sphere"])
@pytest.mark.parametrize("size", [(64, 64), (48, 96), (96, 48)])
def test_rig_frames_the_object(kind, size):
    centre, scale = torch.tensor([1e6, -5.0, 3.0]).double(), 20.0
    cameras = rig(kind, 7, centre, scale, size)
    assert len(cameras) == 7
    offset = cameras.position - centre
    assert torch.allclose(offset.norm(dim=1), torch.full((7,), 60.0).double(), atol=1e-6)
    # the fov spans the smaller side: a point at its edge at the depth of the centre
    reach = 60 * math.tan(math.radians(22.5))
    side = cameras.world_to_camera[0, 0 if size[1] <= size[0] else 1, :3]
    edge = pixels(cameras[:1], torch.stack([centre, centre + reach * side]))[0]
    assert torch.allclose(edge[0], torch.tensor([size[1] / 2, size[0] / 2]).double(), atol=1e-5)
    assert math.isclose((edge[1] - edge[0]).norm(), min(size) / 2, rel_tol=1e-6)


def test_common_point_of_a_rig_is_its_centre():
    centre = torch.tensor([3.0, -2.0, 1e5]).double()
    point, miss = common_point(rig("orbit", 5, centre, 2.0, (8, 8)))
    assert torch.allclose(point, centre, atol=1e-7)
    assert miss < 1e-7
    parallel = Cameras(
        look_at([[0.0, 0, 5], [2, 0, 5]], [[0.0, 0, 0], [2, 0, 0]]), torch.zeros(2, 4, 4).double(), (8, 8)
    )
    point, miss = common_point(parallel)
    assert torch.allclose(point, torch.tensor([1.0, 0, 5]).double())
    assert math.isclose(miss, 1.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: rig("orbit", 0, (0, 0, 0), 1, (8, 8)),
        lambda: rig("sphere", 4, (0, 0, 0), 1, (0, 8)),
        lambda: rig("sphere", 4, (0, 0, 0), 1, (8, 8), distance=0),
        lambda: rig("sphere", 4, (0, 0, 0), 1, (8, 8), fov=180),
        lambda: rig("orbit", 4, (0, 0, 0), 1, (8, 8), elevation=91),
        lambda: rig("ring", 4, (0, 0, 0), 1, (8, 8)),
        lambda: look_at([[1, 1, 1]], (1, 1, 1)),
        lambda: look_at([[1, 1, 1]], (0, 0, 0), (0, 0, 0)),
        lambda: perspective(45, (8, 8), 2, 1),
    ],
)
def test_impossible_numbers_are_usage_errors(call):
    with pytest.raises(UsageError) as error:
        call()
    assert error.value.remedy
