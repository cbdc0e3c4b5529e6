"""Views of a circular scan on one upright detector through the axis: what rows of it are filtered along.

Filters run across the axis of rotation. A detector that is turned in its plane, or does not face the axis, is resampled
to one that is upright there; all others are taken as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from invrender.cameras.orbit import Orbit, circular_orbit
from invrender.cameras.rays import index_places, pixel_rays
from invrender.errors import InputError
from invrender.nouns import Cameras

Tensor = torch.Tensor

STRAIGHT = 0.05  # pixels by which a detector may be off an upright one and is not resampled
OBLIQUE = 1e-3  # slope of parallel rays towards the axis
REMEDY = "use a solver that takes any views, such as --solver fista or sirt"


@dataclass(frozen=True)
class Rows:
    """The detector of all views at the axis.

    Attributes:
        orbit: on which they lie.
        order: [N,L] int64, which views of the input make a view: L of a fan beam with so many rows, else 1.
        corner: u and v, world units from the axis and up from the plane of the source, where pixels begin.
        pitch: steps of u and v from a column, a row, to the next; either sign.
        size: (H, W).
        resampled: [N,3,3] float64, from (u, v, 1) to a view's (column w, row w, w), or None: pixels are taken as
            they are.
        fan: whether rows lie in planes of their own.
    """

    orbit: Orbit
    order: Tensor
    corner: tuple[float, float]
    pitch: tuple[float, float]
    size: tuple[int, int]
    resampled: Tensor | None
    fan: bool

    @property
    def columns(self) -> Tensor:
        """[W] float64: u of the columns' middles."""
        return self.corner[0] + (torch.arange(self.size[1], dtype=torch.float64) + 0.5) * self.pitch[0]

    @property
    def rows(self) -> Tensor:
        """[H] float64: v of the rows' middles."""
        return self.corner[1] + (torch.arange(self.size[0], dtype=torch.float64) + 0.5) * self.pitch[1]

    @property
    def angles(self) -> Tensor:
        """[N] float64 radians."""
        return self.orbit.angles[self.order[:, 0]]

    def views(self, images: Tensor, which: slice) -> Tensor:
        """Some views [n,H,W] of images [N,h,w] of the input's views."""
        order = self.order[which]
        if self.fan:
            return images[order.reshape(-1), 0].reshape(*order.shape, -1)
        taken = images[order[:, 0]]
        return taken if self.resampled is None else _resampled(taken, self, self.resampled[which])

    def places(self, shape: tuple[int, int, int], bounds: Tensor, cameras: Cameras) -> Tensor:
        """[N,4,4]: where voxels lie in the views; see `kernels.Backproject`. Depths count from the source."""
        if self.resampled is None and not self.fan:
            return index_places(shape, bounds, cameras[self.order[:, 0]])
        orbit, first = self.orbit, self.order[:, 0]
        low, high = bounds.cpu().double()
        world = torch.eye(4, dtype=torch.float64)
        world[:3, :3] = torch.diag((high - low) / (torch.tensor(shape[::-1]) - 1).clamp(min=1))
        world[:3, 3] = low - orbit.centre
        frame = torch.zeros(len(first), 3, 4, dtype=torch.float64)
        frame[:, :, :3] = orbit.frames()[first]
        across, up, near = (frame @ world).unbind(1)
        if not self.fan:
            up[:, 3] -= orbit.heights[first]
        one = torch.zeros_like(across)
        one[:, 3] = 1
        far = one if orbit.parallel else orbit.radius * one - near
        across, up = (across, up) if orbit.parallel else (orbit.radius * across, up if self.fan else orbit.radius * up)
        beside = one if self.fan else far
        column = (across - self.corner[0] * far) / self.pitch[0]
        row = (up - self.corner[1] * beside) / self.pitch[1]
        return torch.stack([column, row, beside, far], 1)


def upright_rows(cameras: Cameras) -> Rows:
    """The rows of views on a circle.

    Raises:
        InputError: the views do not lie on a circle, or rays are parallel and slanted to its axis.
    """
    fan = cameras.size[0] == 1 and not bool(cameras.parallel[0])
    orbit = circular_orbit(cameras, helix=fan)
    if orbit is None:
        raise InputError("filtered back-projection needs views from one circle, and these do not lie on one", REMEDY)
    to_plane = _to_plane(cameras, orbit)
    middle = to_plane.mean(0)
    height, width = cameras.size
    corner, pitch = _grid(middle, height, width)
    if fan:
        order, levels = _levels(orbit)
        step = float(levels.diff().mean()) if len(levels) > 1 else abs(pitch[1])
        below = float(levels[0]) - step / 2
        return Rows(orbit, order, (corner[0], below), (pitch[0], step), (len(levels), width), None, True)
    order = torch.arange(len(cameras))[:, None]
    if _straight(middle, corner, pitch, height, width):
        return Rows(orbit, order, corner, pitch, cameras.size, None, False)
    low, high = _box(middle, height, width)
    steps = abs(pitch[0]), abs(pitch[1])
    counts = [max(1, math.ceil((b - a) / step)) for a, b, step in zip(low, high, steps, strict=True)]
    begin = low[0], low[1]
    return Rows(orbit, order, begin, steps, (counts[1], counts[0]), torch.linalg.inv(to_plane), False)


def _to_plane(cameras: Cameras, orbit: Orbit) -> Tensor:
    """[N,3,3]: from (column, row, 1) to (u w, v w, w) on the plane through the axis across r."""
    origin, direction = pixel_rays(cameras)
    frames = orbit.frames()
    start, towards = frames @ origin, frames @ direction
    if orbit.parallel:
        if float((towards[:, :2, 2].norm(dim=1) / towards[:, 2, 2].abs()).max()) > OBLIQUE:
            raise InputError("filtered back-projection needs rays across the axis, and these are slanted to it", REMEDY)
        shift = (frames @ orbit.centre[:, None])[:, :, 0]
        plane = start.clone()
        plane[:, :, 2] -= shift
        plane[:, 1, 2] -= orbit.heights
        plane[:, 2] = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
        return plane
    plane = orbit.radius * towards
    plane[:, 2] = -towards[:, 2]
    return plane


def _at(plane: Tensor, column: float, row: float) -> tuple[float, float]:
    u, v, w = (plane @ torch.tensor([column, row, 1.0], dtype=torch.float64)).tolist()
    return u / w, v / w


def _grid(plane: Tensor, height: int, width: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Corner and pitch of the pixels, read in the middle row and the middle column."""
    left, right = _at(plane, 0, height / 2), _at(plane, width, height / 2)
    top, bottom = _at(plane, width / 2, 0), _at(plane, width / 2, height)
    return (left[0], top[1]), ((right[0] - left[0]) / width, (bottom[1] - top[1]) / height)


def _straight(plane: Tensor, corner: tuple[float, float], pitch: tuple[float, float], height: int, width: int) -> bool:
    """Whether pixels form a grid along u and v, to a small part of one."""
    for column in (0.0, width / 2, float(width)):
        for row in (0.0, height / 2, float(height)):
            u, v = _at(plane, column, row)
            if abs((u - corner[0]) / pitch[0] - column) > STRAIGHT or abs((v - corner[1]) / pitch[1] - row) > STRAIGHT:
                return False
    return True


def _box(plane: Tensor, height: int, width: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    corners = [_at(plane, column, row) for column in (0, width) for row in (0, height)]
    return tuple(map(min, zip(*corners, strict=True))), tuple(map(max, zip(*corners, strict=True)))


def _levels(orbit: Orbit) -> tuple[Tensor, Tensor]:
    """Views [A,L] of a fan beam by angle and height, and the heights [L]."""
    order = orbit.heights.argsort(stable=True)
    heights = orbit.heights[order]
    fresh = torch.cat([torch.tensor([True]), heights.diff() > 1e-6 * orbit.radius])
    count = int(fresh.sum())
    if len(order) % count:
        raise InputError("the rows of a fan beam do not have the same angles", REMEDY)
    grouped = order.reshape(count, -1)
    grouped = torch.stack([group[orbit.angles[group].argsort(stable=True)] for group in grouped])
    angles = orbit.angles[grouped]
    if bool((fresh.reshape(count, -1)[:, 1:]).any()) or float((angles - angles[0]).abs().max()) > 1e-6:
        raise InputError("the rows of a fan beam do not have the same angles", REMEDY)
    return grouped.T.contiguous(), orbit.heights[grouped[:, 0]]


def _resampled(images: Tensor, rows: Rows, back: Tensor) -> Tensor:
    """Images [n,h,w] at the places of an upright detector's pixels [n,H,W], by cubic convolution."""
    v, u = torch.meshgrid(rows.rows, rows.columns, indexing="ij")
    at = torch.einsum("nij,hwj->nhwi", back, torch.stack([u, v, torch.ones_like(u)], -1))
    size = torch.tensor([images.shape[2], images.shape[1]], dtype=torch.float64)
    place = (at[..., :2] / at[..., 2:] / size * 2 - 1).to(images.dtype)
    grid = torch.nn.functional.grid_sample(
        images[:, None], place, mode="bicubic", padding_mode="border", align_corners=False
    )
    return grid[:, 0]
