"""Cameras: looking at a point, perspective projections and intrinsics.

All matrices are float64 torch tensors on the CPU. Axes are OpenGL's: +X right, +Y up, the camera looks down its -Z.
A point in clip space (x, y, z, w) lands on the pixel ((x/w + 1)/2 W, (1 - y/w)/2 H); pixel centres lie at +0.5.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from invrender.cameras.rays import pixel_rays
from invrender.errors import UsageError
from invrender.nouns import Cameras

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Points = torch.Tensor | NDArray[np.floating] | Sequence[float] | Sequence[Sequence[float]]


def look_at(eye: Points, target: Points, up: Sequence[float] = (0.0, 1.0, 0.0)) -> torch.Tensor:
    """World-to-camera matrices of cameras at `eye` that look at `target` with `up` upwards in the image.

    A camera that looks straight along `up` takes the orientation that a camera reaches when it climbs (or sinks) there
    from the front (+Z for up = +Y), so the result is always a rotation.

    Args:
        eye: [N,3] positions in world units.
        target: [3], or [N,3] for one each.
        up: [3], any length but zero.

    Returns:
        [N,4,4] float64, rigid.

    Raises:
        UsageError: an eye lies on its target, or `up` is zero.
    """
    position = _points(eye)
    forward = _points(target) - position
    length = forward.norm(dim=1, keepdim=True)
    if not bool((length > 0).all()):
        raise UsageError("a camera stands on the point that it looks at", "move the camera away: use a distance > 0")
    forward = forward / length
    right = torch.linalg.cross(forward, _up_vectors(forward, up))
    right = right / right.norm(dim=1, keepdim=True)
    upward = torch.linalg.cross(right, forward)
    rotation = torch.stack([right, upward, -forward], dim=1)
    matrix = torch.eye(4, dtype=torch.float64).repeat(len(position), 1, 1)
    matrix[:, :3, :3] = rotation
    matrix[:, :3, 3] = -(rotation @ position[:, :, None])[:, :, 0]
    return matrix


def _up_vectors(forward: torch.Tensor, up: Sequence[float]) -> torch.Tensor:
    """[N,3] up directions that are never parallel to `forward`."""
    axis = torch.as_tensor(up, dtype=torch.float64)
    if not float(axis.norm()) > 0:
        raise UsageError("the up direction is zero", "give a direction such as 0,1,0")
    axis = axis / axis.norm()
    height = -(forward @ axis)  # sine of the elevation the camera stands at
    front = torch.zeros(3, dtype=torch.float64)
    front[2 - int(axis.flip(0).abs().argmin())] = 1.0  # +Z where up is X or Y
    front = front - (front @ axis) * axis
    steep = (1 - height.abs()) < 1e-12
    return torch.where(steep[:, None], -height.sign()[:, None] * front, axis.expand_as(forward))


def perspective(fov_y_degrees: float, size: tuple[int, int], near: float, far: float) -> torch.Tensor:
    """The [4,4] float64 OpenGL projection with square pixels and the principal point in the middle.

    Args:
        fov_y_degrees: full vertical angle of view, between 0 and 180.
        size: (H, W) in pixels.
        near, far: distances along the viewing axis, 0 < near < far.

    Raises:
        UsageError: any of them is out of range.
    """
    if not 0 < fov_y_degrees < 180:
        raise UsageError(f"a field of view of {fov_y_degrees:g} degrees is impossible", "use 0 < fov < 180")
    focal = size[0] / 2 / math.tan(math.radians(fov_y_degrees) / 2)
    return perspective_intrinsics(focal, focal, size[1] / 2, size[0] / 2, size, near, far)


def vertical_fov(fov: float, size: tuple[int, int]) -> float:
    """Vertical angle in degrees such that `fov` spans the smaller side of an image of `size` (H, W)."""
    if not 0 < fov < 180:
        raise UsageError(f"a field of view of {fov:g} degrees is impossible", "use 0 < fov < 180")
    height, width = size
    if height < 1 or width < 1:
        raise UsageError(f"an image of {width} x {height} pixels is empty", "use a size of at least 1")
    return math.degrees(2 * math.atan(math.tan(math.radians(fov) / 2) * max(1.0, height / width)))


def perspective_intrinsics(
    fx: float, fy: float, cx: float, cy: float, size: tuple[int, int], near: float, far: float
) -> torch.Tensor:
    """The [4,4] float64 OpenGL projection of a pinhole camera given in pixels.

    Args:
        fx, fy: focal lengths in pixels.
        cx, cy: principal point in pixels, from the top left corner of the image (the middle is W/2, H/2).
        size: (H, W) in pixels.
        near, far: distances along the viewing axis, 0 < near < far.

    Raises:
        UsageError: any of them is out of range.
    """
    height, width = size
    if height < 1 or width < 1:
        raise UsageError(f"an image of {width} x {height} pixels is empty", "use a size of at least 1")
    if not (fx > 0 and fy > 0):
        raise UsageError(f"focal lengths must be positive, not {fx:g}, {fy:g}", "give fl_x and fl_y in pixels")
    if not 0 < near < far:
        raise UsageError(f"clipping distances {near:g} .. {far:g} are impossible", "use 0 < near < far")
    matrix = torch.zeros(4, 4, dtype=torch.float64)
    matrix[0, 0], matrix[0, 2] = 2 * fx / width, 1 - 2 * cx / width
    matrix[1, 1], matrix[1, 2] = 2 * fy / height, 2 * cy / height - 1
    matrix[2, 2], matrix[2, 3] = (far + near) / (near - far), 2 * far * near / (near - far)
    matrix[3, 2] = -1.0
    return matrix


def parallel_projection(
    pitch: float | tuple[float, float], cx: float, cy: float, size: tuple[int, int], near: float, far: float
) -> torch.Tensor:
    """The [4,4] float64 OpenGL projection of a parallel (orthographic) camera.

    Args:
        pitch: world units from one pixel to the next, or those of columns and of rows.
        cx, cy: the pixel on which the camera's position lands, from the top left corner (the middle is W/2, H/2).
        size: (H, W) in pixels.
        near, far: distances along the viewing axis, near < far; what lies behind the position may be seen, too.

    Raises:
        UsageError: any of them is out of range.
    """
    across, down = pitch if isinstance(pitch, tuple) else (pitch, pitch)
    height, width = size
    if height < 1 or width < 1:
        raise UsageError(f"an image of {width} x {height} pixels is empty", "use a size of at least 1")
    if not (0 < across < math.inf and 0 < down < math.inf):
        raise UsageError(f"a pixel of {across:g} x {down:g} is impossible", "give its width in world units")
    if not near < far:
        raise UsageError(f"clipping distances {near:g} .. {far:g} are impossible", "use near < far")
    matrix = torch.zeros(4, 4, dtype=torch.float64)
    matrix[0, 0], matrix[0, 3] = 2 / (across * width), 2 * cx / width - 1
    matrix[1, 1], matrix[1, 3] = 2 / (down * height), 1 - 2 * cy / height
    matrix[2, 2], matrix[2, 3] = -2 / (far - near), -(far + near) / (far - near)
    matrix[3, 3] = 1.0
    return matrix


def intrinsics(cameras: Cameras) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """(fx, fy, cx, cy), each [N] float64 in pixels: what `perspective_intrinsics` takes.

    Of parallel cameras fx and fy are pixels per world unit.
    """
    (height, width), p = cameras.size, cameras.projection
    shift = torch.where(cameras.parallel[:, None], -p[:, :2, 3], p[:, :2, 2])
    return (
        p[:, 0, 0] * width / 2,
        p[:, 1, 1] * height / 2,
        (1 - shift[:, 0]) * width / 2,
        (1 + shift[:, 1]) * height / 2,
    )


def common_point(cameras: Cameras) -> tuple[torch.Tensor, float]:
    """The point nearest to all viewing axes (least squares), and how far they pass by it.

    Returns:
        The point, [3] float64, and the root mean square distance of the axes from it, in world units. Where all the
        axes are parallel, the point among the nearest ones that lies closest to the mean camera position. The axis of
        a parallel camera is the ray through the middle of its picture: of those it has no other is special.
    """
    origin = cameras.position
    axis = -cameras.world_to_camera[:, 2, :3]
    if bool(cameras.parallel.any()):
        middle = torch.tensor([cameras.size[1] / 2, cameras.size[0] / 2, 1.0], dtype=torch.float64)
        start, way = (matrix @ middle for matrix in pixel_rays(cameras))
        flat = cameras.parallel[:, None]
        origin = torch.where(flat, start, origin)
        axis = torch.where(flat, torch.nn.functional.normalize(way, dim=1), axis)
    across = torch.eye(3, dtype=torch.float64) - axis[:, :, None] * axis[:, None, :]
    middle = origin.mean(dim=0)  # solved relative to it, so that large offsets cost no digits
    offset = origin - middle
    right = (across @ offset[:, :, None]).sum(dim=0)[:, 0]
    local = torch.linalg.pinv(across.sum(dim=0), hermitian=True, rtol=1e-9) @ right
    miss = (across @ (local - offset)[:, :, None])[:, :, 0]
    return local + middle, float(miss.square().sum(dim=1).mean().sqrt())


def _points(values: Points) -> torch.Tensor:
    """[N,3] float64 on the CPU."""
    return torch.as_tensor(values, dtype=torch.float64, device="cpu").reshape(-1, 3)
