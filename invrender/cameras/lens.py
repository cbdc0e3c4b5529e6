"""Rays of a scene's cameras: perspective, orthographic and through a thin lens; and the same cameras as matrices.

All of it is differentiable in a camera's pose, angle of view, extent, aperture and focus, in reverse and forward mode.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from invrender.errors import UsageError
from invrender.nouns import Camera, Cameras, Rays

Tensor = torch.Tensor

_RIGID = 1e-4  # how far a pose may be from a rotation
_PER_HEIGHT = 1e-6  # how far fx and fy, or a principal point from the middle, may differ, in heights of the picture


def lens_rays(
    camera: Camera,
    size: tuple[int, int],
    pixels: Tensor | None = None,
    within: Tensor | None = None,
    on_lens: Tensor | None = None,
) -> Rays:
    """One ray for each pixel, in the world, float64 with unit directions.

    A thin lens sends the rays of one point of the picture from all over its disc to one point of the plane in focus
    (Cook, Porter and Carpenter 1984, "Distributed ray tracing").

    Args:
        camera: of any kind.
        size: (H, W) of the picture.
        pixels: [P] int64, numbers of pixels row by row from the top; None: all H W of them.
        within: [P,2] column and row in [0, 1) within each pixel; None: its centre.
        on_lens: [P,2] in [0, 1), which become places on the lens; None: its centre.

    Returns:
        P rays, from the lens; of an orthographic camera from its plane.
    """
    pose = camera.pose.double()
    x, y = _plane(size, pixels, within, pose.device)
    axis = torch.full_like(x, -1.0)
    start = torch.zeros(len(x), 3, dtype=torch.float64, device=pose.device)
    if camera.extent is None:
        slope = torch.tan(torch.deg2rad(_number(camera.fov, pose)) / 2)
        way = torch.stack([x * slope, y * slope, axis], 1)
    else:
        half = _number(camera.extent, pose) / 2
        start, way = torch.stack([x * half, y * half, 0 * axis], 1), torch.stack([0 * x, 0 * y, axis], 1)
    if on_lens is not None and has_lens(camera):
        focus = _number(camera.focus, pose)
        shift = _number(camera.aperture, pose) * on_disc(on_lens.to(pose))
        shift = torch.nn.functional.pad(shift, (0, 1))
        start, way = start + shift, way * focus - shift
    turn = pose[:3, :3].T
    return Rays(start @ turn + pose[:3, 3], torch.nn.functional.normalize(way @ turn, dim=1))


def check_camera(camera: Camera) -> None:
    """
    Raises:
        UsageError: the pose is no rotation and shift, or a number of the camera is out of its range.
    """
    pose = camera.pose.detach().double()
    turn = pose[:3, :3] @ pose[:3, :3].T - torch.eye(3, dtype=torch.float64, device=pose.device)
    if not bool(turn.abs().max() < _RIGID) or not bool(torch.isfinite(pose).all()) or float(pose[:3, :3].det()) < 0:
        raise UsageError(
            f"the pose of the camera {camera.name!r} is no rigid matrix, camera to world",
            "take scaling and mirroring out of it",
        )
    numbers = {"fov": (camera.fov, 180.0)} if camera.extent is None else {"extent": (camera.extent, math.inf)}
    if has_lens(camera):
        numbers |= {"focus": (camera.focus, math.inf)}
    for name, (value, end) in numbers.items():
        number = float(value.detach() if isinstance(value, Tensor) else value)
        if not 0 < number < end:
            raise UsageError(
                f"the {name} of the camera {camera.name!r} is {number:g}", f"use a number above 0 and below {end:g}"
            )


def has_lens(camera: Camera) -> bool:
    """Whether things out of focus are blurred."""
    return isinstance(camera.aperture, Tensor) or camera.aperture > 0


def on_disc(square: Tensor) -> Tensor:
    """Points [P,2] of the unit disc for points [P,2] of the unit square, areas in proportion.

    The concentric map of Shirley and Chiu 1997, which keeps neighbours together.
    """
    x, y = (2 * square - 1).unbind(1)
    wide = x.abs() > y.abs()
    radius = torch.where(wide, x, y)
    share = torch.where(wide, y, x) / torch.where(radius == 0, 1, radius) * (math.pi / 4)
    angle = torch.where(wide, share, math.pi / 2 - share)
    return torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], 1)


def cameras_of(cameras: Camera | Sequence[Camera], size: tuple[int, int], near: float, far: float) -> Cameras:
    """Cameras as matrices, for pictures of one size; lenses become pinholes.

    Args:
        cameras: one or several.
        size: (H, W) in pixels.
        near, far: distances along the viewing axis between which things are seen; near > 0 but for orthographic ones.
    """
    several = [cameras] if isinstance(cameras, Camera) else list(cameras)
    views = torch.stack([_world_to_camera(camera.pose.double()) for camera in several])
    return Cameras(views, torch.stack([_projection(camera, size, near, far) for camera in several]), size)


def camera_of(cameras: Cameras, number: int, name: str = "camera") -> Camera:
    """One of some cameras given as matrices.

    Raises:
        UsageError: its pixels are not square, or its principal point is not in the middle of the picture.
    """
    height, width = cameras.size
    projection = cameras.projection[number]
    across = float((projection[0, 0] * width / height - projection[1, 1]).detach().abs() / projection[1, 1].detach())
    off = float(projection[:2, 2:].detach().abs().max()) if bool(projection[3, 3] == 0) else 0.0
    if max(across, off) > _PER_HEIGHT:
        raise UsageError(
            f"camera {number} has pixels that are not square, or its principal point is not in the picture's middle",
            "undistort and crop its picture to a plain pinhole camera",
        )
    pose = torch.linalg.inv(cameras.world_to_camera[number])
    if bool(projection[3, 3] != 0):
        return Camera(pose, extent=2 / projection[1, 1], size=cameras.size, name=name)
    return Camera(pose, torch.rad2deg(2 * torch.atan(1 / projection[1, 1])), size=cameras.size, name=name)


def _plane(
    size: tuple[int, int], pixels: Tensor | None, within: Tensor | None, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Where points of pixels [P] lie, right and up of the picture's middle, in halves of its height."""
    height, width = size
    number = torch.arange(height * width, device=device) if pixels is None else pixels.to(device)
    column, row = number % width, torch.div(number, width, rounding_mode="floor")
    inside = torch.full((2,), 0.5, dtype=torch.float64) if within is None else within
    right, down = inside.to(device, torch.float64).unbind(-1)
    return (2 * (column + right) - width) / height, 1 - 2 * (row + down) / height


def _number(value: float | Tensor, like: Tensor) -> Tensor:
    return torch.as_tensor(value).to(like)


def _world_to_camera(pose: Tensor) -> Tensor:
    """The inverse [4,4] of a rigid matrix."""
    turn = pose[:3, :3].T
    last = pose.new_tensor([[0.0, 0.0, 0.0, 1.0]])
    return torch.cat([torch.cat([turn, -(turn @ pose[:3, 3:])], 1), last])


def _projection(camera: Camera, size: tuple[int, int], near: float, far: float) -> Tensor:
    """[4,4] float64 to OpenGL's clip space."""
    height, width = size
    if camera.extent is None:
        scale = 1 / torch.tan(torch.deg2rad(_number(camera.fov, camera.pose.double())) / 2)
        depth, last = ((far + near) / (near - far), 2 * far * near / (near - far)), (-1.0, 0.0)
    else:
        scale = 2 / _number(camera.extent, camera.pose.double())
        depth, last = (2 / (near - far), (far + near) / (near - far)), (0.0, 1.0)
    zero = torch.zeros_like(scale)
    one = torch.ones_like(scale)
    rows = [
        [scale * (height / width), zero, zero, zero],
        [zero, scale, zero, zero],
        [zero, zero, one * depth[0], one * depth[1]],
        [zero, zero, one * last[0], one * last[1]],
    ]
    return torch.stack([torch.stack(row) for row in rows])
