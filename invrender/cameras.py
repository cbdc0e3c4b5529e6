"""Cameras: looking at a point, perspective projections and the rigs that stand around an object.

All matrices are float64 torch tensors on the CPU. Axes are OpenGL's: +X right, +Y up, the camera looks down its -Z.
A point in clip space (x, y, z, w) lands on the pixel ((x/w + 1)/2 W, (1 - y/w)/2 H); pixel centres lie at +0.5.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import torch

from invrender.errors import InputError, UsageError
from invrender.nouns import Cameras

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Points = torch.Tensor | NDArray[np.floating] | Sequence[float] | Sequence[Sequence[float]]

RigKind = Literal["orbit", "sphere"]
MARGIN = 0.9  # an object scaled by 1 / scale fills [-0.9, 0.9] along its longest axis
HALF_DIAGONAL = math.sqrt(3.0)


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


def intrinsics(cameras: Cameras) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """(fx, fy, cx, cy), each [N] float64 in pixels: what `perspective_intrinsics` takes."""
    (height, width), p = cameras.size, cameras.projection
    return p[:, 0, 0] * width / 2, p[:, 1, 1] * height / 2, (1 - p[:, 0, 2]) * width / 2, (1 + p[:, 1, 2]) * height / 2


def orbit(n: int, elevation: float = 10.0) -> torch.Tensor:
    """[n,3] float64 unit directions at equal azimuths; the first over +Z, the next towards +X.

    Args:
        n: how many.
        elevation: degrees above the XZ plane, -90 to 90.

    Raises:
        UsageError: n < 1, or the elevation is out of range.
    """
    _check_count(n)
    if not -90 <= elevation <= 90:
        raise UsageError(f"an elevation of {elevation:g} degrees is impossible", "use -90 <= elevation <= 90")
    azimuth = torch.arange(n, dtype=torch.float64) * (2 * math.pi / n)
    height = torch.full_like(azimuth, math.sin(math.radians(elevation)))
    radius = math.cos(math.radians(elevation))
    return torch.stack([radius * azimuth.sin(), height, radius * azimuth.cos()], dim=1)


def fibonacci(n: int, phase: float = 0.0) -> torch.Tensor:
    """[n,3] float64 unit directions spread evenly over the sphere on a golden-angle spiral from top to bottom.

    Args:
        n: how many.
        phase: turns the spiral about Y, in radians.

    Raises:
        UsageError: n < 1.
    """
    _check_count(n)
    i = torch.arange(n, dtype=torch.float64)
    y = 1 - 2 * (i + 0.5) / n
    radius = (1 - y * y).sqrt()
    azimuth = i * (math.pi * (3 - math.sqrt(5))) + phase
    return torch.stack([radius * azimuth.sin(), y, radius * azimuth.cos()], dim=1)


def mesh_frame(vertices: Points, faces: torch.Tensor | NDArray[np.integer] | None = None) -> tuple[torch.Tensor, float]:
    """Centre and scale that bring a mesh into the cube [-0.9, 0.9]^3: x -> (x - centre) / scale.

    Args:
        vertices: [V,3] in world units.
        faces: [F,3]; where given, vertices that no face uses are left out.

    Returns:
        The centre of the bounding box, [3] float64, and max |coordinate - centre| / 0.9.

    Raises:
        InputError: there are no vertices, or all of them coincide.
    """
    points = _points(vertices)
    if faces is not None:
        used = torch.zeros(len(points), dtype=torch.bool)
        used[torch.as_tensor(faces, dtype=torch.int64, device="cpu")] = True
        points = points[used]
    if not len(points):
        raise InputError("the mesh has no vertices", "use a mesh with at least one face")
    low, high = points.amin(dim=0), points.amax(dim=0)
    scale = float((high - low).max()) / 2 / MARGIN
    if not scale > 0:
        raise InputError("all vertices of the mesh coincide", "use a mesh that has an extent")
    return (low + high) / 2, scale


def rig(
    kind: RigKind,
    n: int,
    centre: Points,
    scale: float,
    size: tuple[int, int],
    distance: float = 3.0,
    fov: float = 45.0,
    elevation: float = 10.0,
) -> Cameras:
    """N cameras around an object, all of which look at its centre.

    Args:
        kind: 'orbit' (equal azimuths at one elevation) or 'sphere' (Fibonacci).
        n: how many.
        centre: [3] what they look at, in world units.
        scale: what `mesh_frame` returns.
        size: (H, W) in pixels.
        distance: of the cameras from the centre, in multiples of `scale`.
        fov: degrees, across the smaller side of the image.
        elevation: degrees above the XZ plane; the orbit's alone.

    Raises:
        UsageError: a number is out of range, or the kind unknown.
    """
    if kind not in get_args(RigKind):
        raise UsageError(f"there is no camera rig '{kind}'", f"use one of: {', '.join(get_args(RigKind))}")
    if not distance > 0 or not scale > 0:
        raise UsageError(f"a camera distance of {distance * scale:g} is impossible", "use a distance > 0")
    direction = orbit(n, elevation) if kind == "orbit" else fibonacci(n)
    target = _points(centre)
    near = max(distance - HALF_DIAGONAL, 0.01 * distance) * scale
    projection = perspective(_vertical_fov(fov, size), size, near, (distance + HALF_DIAGONAL) * scale)
    return Cameras(look_at(target + direction * distance * scale, target), projection.repeat(n, 1, 1), size)


def _vertical_fov(fov: float, size: tuple[int, int]) -> float:
    """Vertical angle in degrees such that `fov` spans the smaller side of an image of `size` (H, W)."""
    if not 0 < fov < 180:
        raise UsageError(f"a field of view of {fov:g} degrees is impossible", "use 0 < fov < 180")
    height, width = size
    if height < 1 or width < 1:
        raise UsageError(f"an image of {width} x {height} pixels is empty", "use a size of at least 1")
    return math.degrees(2 * math.atan(math.tan(math.radians(fov) / 2) * max(1.0, height / width)))


def common_point(cameras: Cameras) -> tuple[torch.Tensor, float]:
    """The point nearest to all viewing axes (least squares), and how far they pass by it.

    Returns:
        The point, [3] float64, and the root mean square distance of the axes from it, in world units. Where all the
        axes are parallel, the point among the nearest ones that lies closest to the mean camera position.
    """
    origin = cameras.position
    axis = -cameras.world_to_camera[:, 2, :3]
    across = torch.eye(3, dtype=torch.float64) - axis[:, :, None] * axis[:, None, :]
    middle = origin.mean(dim=0)  # solved relative to it, so that large offsets cost no digits
    offset = origin - middle
    right = (across @ offset[:, :, None]).sum(dim=0)[:, 0]
    local = torch.linalg.pinv(across.sum(dim=0), hermitian=True, rtol=1e-9) @ right
    miss = (across @ (local - offset)[:, :, None])[:, :, 0]
    return local + middle, float(miss.square().sum(dim=1).mean().sqrt())


def _check_count(n: int) -> None:
    if n < 1:
        raise UsageError(f"{n} cameras are too few", "ask for at least one view")


def _points(values: Points) -> torch.Tensor:
    """[N,3] float64 on the CPU."""
    return torch.as_tensor(values, dtype=torch.float64, device="cpu").reshape(-1, 3)


def evenly(total: int, count: int | None) -> list[int]:
    """`count` numbers below `total`, evenly spread; all where count is None or too large."""
    return list(range(total)) if count is None or count >= total else [i * total // count for i in range(count)]
