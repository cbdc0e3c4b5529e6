"""Rigs: cameras that stand around an object."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import torch

from invrender.cameras.projection import _points, look_at, perspective, vertical_fov
from invrender.errors import InputError, UsageError
from invrender.nouns import Cameras

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Points = torch.Tensor | NDArray[np.floating] | Sequence[float] | Sequence[Sequence[float]]

RigKind = Literal["orbit", "sphere"]

DISTANCE, FOV = 3.0, 45.0  # in multiples of the scale, and in degrees
MARGIN = 0.9  # an object scaled by 1 / scale fills [-0.9, 0.9] along its longest axis
HALF_DIAGONAL = math.sqrt(3.0)


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
        phase: rotation of the spiral about Y, in radians.

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
    """Centre and scale that bring a mesh into the cube [-0.9, 0.9]^3: x -> (x - centre) / scale; no gradient.

    Args:
        vertices: [V,3] in world units.
        faces: [F,3]; where given, vertices that no face uses are left out.

    Returns:
        The centre of the bounding box, [3] float64, and max |coordinate - centre| / 0.9.

    Raises:
        InputError: there are no vertices, or all of them coincide.
    """
    points = _points(vertices).detach()
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
    distance: float = DISTANCE,
    fov: float = FOV,
    elevation: float = 10.0,
) -> Cameras:
    """N cameras around an object, all of which look at its centre.

    Args:
        kind: 'orbit' (equal azimuths at one elevation) or 'sphere' (Fibonacci).
        n: how many.
        centre: [3] what they look at, in world units.
        scale: what `mesh_frame` returns.
        size: (H, W) in pixels.
        distance: of the cameras from the centre, in multiples of `scale`; see `framing.fitting_distance` for how far
            they must stand to hold an object.
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
    projection = perspective(vertical_fov(fov, size), size, near, (distance + HALF_DIAGONAL) * scale)
    return Cameras(look_at(target + direction * distance * scale, target), projection.repeat(n, 1, 1), size)


def rotated(cameras: Cameras, centre: Points, degrees: float) -> Cameras:
    """Cameras rotated about a vertical axis through `centre` [3], from +Z towards +X."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    axis = _points(centre)[0]
    back = torch.eye(4, dtype=torch.float64)  # the inverse rotation of the world moves the cameras forward
    back[0, 0], back[0, 2], back[2, 0], back[2, 2] = cosine, -sine, sine, cosine
    back[:3, 3] = axis - back[:3, :3] @ axis
    return Cameras(cameras.world_to_camera @ back, cameras.projection, cameras.size)


def onto(up: Sequence[float]) -> torch.Tensor:
    """The shortest rotation [3,3] float64 that takes +Y to the direction `up` (of any length but zero)."""
    y = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    to = torch.nn.functional.normalize(torch.as_tensor(up, dtype=torch.float64), dim=0)
    axis, cosine = torch.linalg.cross(y, to), float(y @ to)
    if cosine < -1 + 1e-12:  # half a turn, about X
        return torch.diag(torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64))
    cross = torch.zeros(3, 3, dtype=torch.float64)  # Rodrigues' formula, with sin / (1 + cos) in place of the angle
    cross[0, 1], cross[0, 2], cross[1, 2] = -axis[2], axis[1], -axis[0]
    cross = cross - cross.T
    turn: torch.Tensor = torch.eye(3, dtype=torch.float64) + cross + cross @ cross / (1 + cosine)
    return turn


def _check_count(n: int) -> None:
    if n < 1:
        raise UsageError(f"{n} cameras are too few", "ask for at least one view")


def evenly(total: int, count: int | None) -> list[int]:
    """`count` numbers below `total`, evenly spread; all where count is None or too large."""
    return list(range(total)) if count is None or count >= total else [i * total // count for i in range(count)]
