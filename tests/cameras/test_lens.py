"""Rays of perspective, orthographic and thin-lens cameras, and the same cameras as matrices."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from invrender.cameras.lens import camera_of, cameras_of, check_camera, lens_rays, on_disc
from invrender.cameras.projection import look_at, perspective_intrinsics
from invrender.cameras.rays import camera_rays
from invrender.errors import UsageError
from invrender.nouns import Camera, Cameras

SIZE = (5, 8)


def pose() -> torch.Tensor:
    return torch.linalg.inv(look_at([[3.0, 2.0, 4.0]], [0.5, 0.0, -1.0]))[0]


def test_rays_of_a_pinhole_are_those_of_its_matrices():
    camera = Camera(pose(), 50.0)
    rays, other = lens_rays(camera, SIZE), camera_rays(cameras_of(camera, SIZE, 0.1, 10.0))
    torch.testing.assert_close(rays.origin, other.origin)
    torch.testing.assert_close(rays.direction, other.direction)
    some = torch.tensor([39, 0, 11])
    torch.testing.assert_close(lens_rays(camera, SIZE, some).direction, rays.direction[some])


def test_the_field_of_view_is_vertical_and_the_first_pixel_at_the_top_left():
    corners = torch.tensor([[0.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    rays = lens_rays(Camera(torch.eye(4, dtype=torch.float64), 90.0), SIZE, torch.tensor([0, 39]), corners)
    slopes = rays.direction / -rays.direction[:, 2:]
    torch.testing.assert_close(slopes[:, :2], torch.tensor([[-1.6, 1.0], [1.6, -1.0]], dtype=torch.float64))


def test_an_orthographic_camera_sees_its_extent_by_parallel_rays():
    rays = lens_rays(Camera(pose(), extent=2.0), SIZE)
    torch.testing.assert_close(rays.direction, -pose()[:3, 2].expand(40, 3))
    local = (rays.origin - pose()[:3, 3]) @ pose()[:3, :3]
    assert local[:, 2].abs().max() < 1e-12
    torch.testing.assert_close(local[:, 1].max(), torch.tensor(0.8, dtype=torch.float64))  # 4/5 of the half height
    torch.testing.assert_close(local[:, 0].max(), torch.tensor(1.4, dtype=torch.float64))  # 7/8 of 1.6


@pytest.mark.parametrize("kind", [{}, {"extent": 3.0}])
def test_a_thin_lens_is_sharp_in_its_plane_of_focus(kind):
    camera = Camera(pose(), aperture=0.3, focus=4.0, **kind)
    on_lens = torch.rand(40, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rays, sharp = lens_rays(camera, SIZE, None, None, on_lens), lens_rays(replace(camera, aperture=0.0), SIZE)
    back = pose()[:3, 2]
    meet = [each.origin + (4.0 / -(each.direction @ back))[:, None] * each.direction for each in (rays, sharp)]
    torch.testing.assert_close(meet[0], meet[1])
    apart = (rays.origin - sharp.origin).norm(dim=1)
    assert 0.25 < float(apart.max()) <= 0.3


def test_places_on_the_lens_fill_its_disc_evenly():
    side = (torch.arange(200, dtype=torch.float64) + 0.5) / 200
    disc = on_disc(torch.cartesian_prod(side, side))
    radius = disc.norm(dim=1)
    assert float((radius < 0.5).double().mean()) == pytest.approx(0.25, abs=2e-3)
    assert float(((disc[:, 0] > 0) & (disc[:, 1] > disc[:, 0])).double().mean()) == pytest.approx(0.125, abs=5e-3)
    assert float(radius.max()) <= 1


@pytest.mark.parametrize("mode", ["perspective", "orthographic"])
def test_rays_are_differentiable_in_both_modes(mode):
    on_lens = torch.rand(3, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def rays(place: torch.Tensor, number: torch.Tensor, aperture: torch.Tensor, focus: torch.Tensor) -> torch.Tensor:
        given = {"fov": number} if mode == "perspective" else {"extent": number}
        seen = lens_rays(Camera(place, aperture=aperture, focus=focus, **given), SIZE, torch.arange(3), None, on_lens)
        return torch.cat([seen.origin, seen.direction])

    numbers = [torch.tensor(value, dtype=torch.float64) for value in (40.0, 0.2, 3.0)]
    inputs = [each.requires_grad_() for each in (pose(), *numbers)]
    assert torch.autograd.gradcheck(rays, inputs, check_forward_ad=True)


@pytest.mark.parametrize("camera", [Camera(pose(), 35.0), Camera(pose(), extent=2.5)])
def test_matrices_and_cameras_are_the_same(camera):
    found = camera_of(cameras_of([camera, camera], SIZE, 0.1, 9.0), 1)
    torch.testing.assert_close(found.pose, camera.pose)
    assert found.size == SIZE
    for one, other in ((found.fov, camera.fov), (found.extent, camera.extent)):
        assert other is None or float(one) == pytest.approx(float(other), rel=1e-12) or camera.extent is not None


def test_matrices_clip_where_they_are_told():
    for camera in (
        Camera(torch.eye(4, dtype=torch.float64), 60.0),
        Camera(torch.eye(4, dtype=torch.float64), extent=2),
    ):
        projection = cameras_of(camera, SIZE, 0.5, 8.0).projection[0]
        for distance, depth in ((0.5, -1.0), (8.0, 1.0)):
            clip = projection @ torch.tensor([0.0, 0.0, -distance, 1.0], dtype=torch.float64)
            assert float(clip[2] / clip[3]) == pytest.approx(depth)


@pytest.mark.parametrize("intrinsics", [(5.0, 6.0, 4.0, 2.5), (5.0, 5.0, 4.1, 2.5)])
def test_cameras_that_are_no_plain_pinholes_are_refused(intrinsics):
    projection = perspective_intrinsics(*intrinsics, SIZE, 0.1, 9.0)[None]
    with pytest.raises(UsageError, match="pinhole"):
        camera_of(Cameras(torch.eye(4, dtype=torch.float64)[None], projection, SIZE), 0)


def test_a_wide_angle_keeps_its_tangent():
    direction = lens_rays(Camera(torch.eye(4, dtype=torch.float64), 120.0), (1, 1), None, torch.zeros(1, 2)).direction
    assert float(direction[0, 1] / -direction[0, 2]) == pytest.approx(math.tan(math.radians(60)))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"pose": 2 * pose()}, "rigid"),
        ({"pose": pose() @ torch.diag(torch.tensor([-1.0, 1, 1, 1]).double())}, "rigid"),
        ({"pose": torch.full((4, 4), math.nan)}, "rigid"),
        ({"fov": 180.0}, "fov"),
        ({"fov": math.nan}, "fov"),
        ({"extent": 0.0}, "extent"),
        ({"aperture": 0.1, "focus": -1.0}, "focus"),
    ],
)
def test_cameras_that_cannot_be_are_refused(wrong, words):
    check_camera(Camera(pose()))
    with pytest.raises(UsageError, match=words):
        check_camera(replace(Camera(pose()), **wrong))
