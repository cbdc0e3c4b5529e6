"""Viewpoints: where a camera stands, what it looks at, which way is up; and how they become cameras."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from invrender.cameras.parallel import check_extent, extents, parallel_like, with_extent
from invrender.cameras.projection import look_at, perspective, vertical_fov
from invrender.errors import UsageError
from invrender.nouns import Cameras

Tensor = torch.Tensor
Triple = tuple[float, float, float]

UP: Triple = (0.0, 1.0, 0.0)
FOV = 45.0
_ALONG = math.sin(math.radians(0.05))  # a view this near to straight up or down has no upright picture
_LEVEL = 1e-6  # how far the side of a level camera may rise
_NEAREST = 1e-3  # of the farthest: what is nearer than this to the camera is cut off


@dataclass(frozen=True)
class Viewpoint:
    """A camera as people tell it.

    Attributes:
        eye: where it stands, in world units.
        target: the point that it looks at.
        up: the direction that is upwards in the picture, of any length.
        fov: degrees, across the smaller side of the picture.
        extent: world units across the smaller side of what a parallel camera sees, in place of the fov; None: it is a
            perspective one.
    """

    eye: Triple
    target: Triple
    up: Triple = UP
    fov: float = FOV
    extent: float | None = None

    def __post_init__(self) -> None:
        """
        Raises:
            UsageError: a number is not finite, the extent not above 0, the eye lies on the target, or `up` is no
                direction across the view.
        """
        for name, values in (("eye", self.eye), ("target", self.target), ("up", self.up)):
            if not all(math.isfinite(value) for value in values):
                raise UsageError(f"the {name} of a camera is {_told(values)}", "give three finite numbers")
        if not 0 < self.fov < 180:
            raise UsageError(f"the fov of a camera is {self.fov:g} degrees", "use 0 < fov < 180")
        if self.extent is not None:
            check_extent(self.extent)
        if self.eye == self.target:
            raise UsageError(
                f"the eye of a camera is its target, {_told(self.eye)}", "move one of them: a view needs a direction"
            )
        if not any(self.up):
            raise UsageError("the up direction of a camera is 0,0,0", "give a direction such as 0,1,0")
        view = torch.tensor(self.target, dtype=torch.float64) - torch.tensor(self.eye, dtype=torch.float64)
        up = torch.tensor(self.up, dtype=torch.float64)
        across = torch.linalg.cross(view / view.norm(), up / up.norm()).norm()
        if float(across) < _ALONG:
            raise UsageError(
                f"the camera at {_told(self.eye)} looks along its up direction {_told(self.up)}",
                "give another up, such as 0,0,1 for a view from above",
            )


def cameras_at(viewpoints: Sequence[Viewpoint], size: tuple[int, int], points: Tensor) -> Cameras:
    """A camera for each viewpoint, clipped so that all points are seen that lie before it.

    Args:
        viewpoints: N of them, N >= 1.
        size: (H, W) in pixels.
        points: [P,3] of what there is to see, such as the corners of its box.
    """
    pieces = [_camera(view, size, points) for view in viewpoints]
    places, projections = zip(*pieces, strict=True)
    return Cameras(torch.cat(places), torch.cat(projections), size)


def _camera(view: Viewpoint, size: tuple[int, int], points: Tensor) -> tuple[Tensor, Tensor]:
    """The matrices [1,4,4] of one of `cameras_at`."""
    matrix = look_at([view.eye], view.target, view.up)
    corners = points.detach().double().cpu()
    depth = -(matrix[0, 2, :3] @ corners.T + matrix[0, 2, 3])
    farthest, reach = float(depth.max()), math.dist(view.eye, view.target)
    far = 1.01 * farthest if farthest > 0 else 2 * reach
    near = max(0.99 * float(depth.min()), _NEAREST * far)
    cameras = Cameras(matrix, perspective(vertical_fov(view.fov, size), size, near, far)[None], size)
    if view.extent is not None:
        target = torch.tensor(view.target, dtype=torch.float64)
        cameras = with_extent(parallel_like(cameras, target), view.extent)
    return cameras.world_to_camera, cameras.projection


def viewpoint_of(cameras: Cameras, number: int, about: Tensor) -> Viewpoint:
    """One of some cameras as a viewpoint; its target is the point of its axis next to `about` [3].

    Its `up` is the axis +Y or +Z of the world that the camera is held level to, else the camera's own.
    """
    matrix = cameras.world_to_camera[number].detach()
    eye = cameras.position[number].detach()
    forward = -matrix[2, :3]
    ahead = float((about.to(eye) - eye) @ forward)
    if not ahead > 0:
        ahead = float((about.to(eye) - eye).norm()) or 1.0
    place, target, up = _triple(eye), _triple(eye + ahead * forward), _up_of(matrix)
    if bool(cameras.parallel[number]):
        return Viewpoint(place, target, up, extent=float(extents(cameras)[number].detach()))
    least = float(torch.maximum(cameras.projection[number, 0, 0], cameras.projection[number, 1, 1]).detach())
    return Viewpoint(place, target, up, _fov(least))


def turned_about(view: Viewpoint, count: int) -> list[Viewpoint]:
    """`count` viewpoints on a full circle about the axis along `up` through the target; the first is the given one.

    They go counter-clockwise seen from above, as an orbit's cameras do.
    """
    target, eye = (torch.tensor(each, dtype=torch.float64) for each in (view.target, view.eye))
    axis = torch.nn.functional.normalize(torch.tensor(view.up, dtype=torch.float64), dim=0)
    offset = eye - target
    along = (offset @ axis) * axis
    front, side = offset - along, torch.linalg.cross(axis, offset)
    places = [view.eye]
    for k in range(1, count):
        angle = 2 * math.pi * k / count
        places.append(_triple(target + along + math.cos(angle) * front + math.sin(angle) * side))
    return [replace(view, eye=place) for place in places]


def parallel_viewpoint(view: Viewpoint, extent: float | None) -> Viewpoint:
    """The parallel camera that stands where a viewpoint does, with an extent; None: what it sees at its target."""
    if extent is None and view.extent is None:
        extent = 2 * math.dist(view.eye, view.target) * math.tan(math.radians(view.fov) / 2)
    return replace(view, extent=view.extent if extent is None else extent)


def _up_of(matrix: Tensor) -> Triple:
    """Up of a camera [4,4], which it is held level to."""
    right, up = matrix[0, :3].tolist(), matrix[1, :3].tolist()
    for axis in (1, 2):
        if abs(right[axis]) < _LEVEL and up[axis] > _ALONG:
            return (0.0, 1.0, 0.0) if axis == 1 else (0.0, 0.0, 1.0)
    return _triple(matrix[1, :3])


def _fov(scale: float) -> float:
    """Degrees across a side of the picture whose scale in the projection matrix is given."""
    return math.degrees(2 * math.atan(1 / scale))


def _triple(values: Tensor) -> Triple:
    x, y, z = (float(value) for value in values.tolist())
    return x, y, z


def _told(values: Sequence[float]) -> str:
    return ",".join(f"{value:g}" for value in values)
