"""Pictures of distorted lenses as a pinhole would have taken them.

The pinhole keeps the focal lengths. Its picture is the largest one whose sides the distorted picture covers whole, at
most twice as long as that one's, which is what COLMAP's image_undistorter does (colmap.github.io/faq.html). What it
lacks nevertheless, and where the lens folds back on itself, is unknown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.datasets.distortion import camera_of
from invrender.io.datasets.posed import Lens

Array = NDArray[np.float32]
Size = tuple[int, int]
WIDEST = math.radians(80)
"""Half the angle of view of a pinhole's picture at most: its pixels at 80 degrees are 33 times those in the middle."""

_DIRECTIONS, _STEPS = 256, 512
_LONGEST, _SHORTEST = 2.0, 0.2  # sides of the pinhole's picture, in those of the distorted one; COLMAP's limits


@dataclass(frozen=True)
class Straight:
    """A distorted lens and the pinhole in its place.

    Attributes:
        lens: the distorted one, its width and height told.
        pinhole: the other, its width and height told.
        reach: the distance from the axis at depth 1 up to which the lens does not fold back on itself.
    """

    lens: Lens
    pinhole: Lens
    reach: float

    @property
    def size(self) -> Size:
        """(H, W) of the pinhole's picture."""
        assert self.pinhole.width is not None and self.pinhole.height is not None
        return int(self.pinhole.height), int(self.pinhole.width)


@lru_cache(maxsize=256)
def straight(lens: Lens, size: Size, where: str) -> Straight:
    """The pinhole for a distorted lens.

    Args:
        lens: with a distortion.
        size: (H, W) of its picture.
        where: the dataset, for messages.

    Raises:
        InputError: pycolmap is missing or does not know the model, or the lens maps nothing into its picture.
    """
    fx, fy, cx, cy = lens.at(size)
    told = replace(lens, fx=fx, fy=fy, cx=cx, cy=cy, width=size[1], height=size[0], angle_x=None, angle_y=None)
    ways, radii = _rays()
    rays = np.concatenate([(ways[:, None] * radii[:, None]).reshape(-1, 2), np.ones((ways.shape[0] * _STEPS, 1))], 1)
    seen = _project(told, size, rays, where).reshape(len(ways), _STEPS, 2)
    reach = _reach(seen, ways * (fx, fy), radii)
    if reach <= 0:
        raise InputError(
            f"{where}: the distortion of a lens ({lens.distortion}) is impossible: it folds the middle of the picture",
            "check the coefficients, and the order that the model has them in",
        )
    left, top, right, bottom = _margins(seen, ways, radii, reach, (fx, fy, cx, cy), size)
    width, height = max(1, math.floor(left + right)), max(1, math.floor(top + bottom))
    return Straight(told, Lens(fx, fy, left, top, width, height), reach)


def _rays() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Directions [D,2] around the axis, and distances [S] from it at depth 1."""
    angles = (np.arange(_DIRECTIONS) + 0.5) * 2 * np.pi / _DIRECTIONS
    return np.stack([np.cos(angles), np.sin(angles)], axis=1), np.tan(np.linspace(0, WIDEST, _STEPS))


def _project(lens: Lens, size: Size, points: NDArray[np.float64], where: str) -> NDArray[np.float64]:
    """Pixels [P,2] of points [P,3] in front of a camera (OpenCV axes), in a picture of `size`; NaN for none."""
    assert lens.distortion is not None
    fx, fy, cx, cy = lens.at(size)
    pixels = camera_of(lens.distortion, (fx, fy), (cx, cy), size, where).img_from_cam(points)
    return np.asarray(pixels, np.float64)


def _reach(seen: NDArray[np.float64], ahead: NDArray[np.float64], radii: NDArray[np.float64]) -> float:
    """The distance up to which pixels [D,S,2] move on in their directions [D,2], all of them."""
    progress = ((seen - seen[:, :1]) * ahead[:, None]).sum(axis=2)
    grows = (np.isfinite(progress[:, 1:]) & (np.diff(progress, axis=1) > 0)).all(axis=0)
    return float(radii[-1] if grows.all() else radii[grows.argmin()])


def _margins(
    seen: NDArray[np.float64], ways: NDArray[np.float64], radii: NDArray[np.float64], reach: float,
    intrinsics: tuple[float, float, float, float], size: Size,
) -> tuple[float, float, float, float]:  # fmt: skip
    """How far the pinhole's picture goes to the left, top, right and bottom of its principal point, in pixels."""
    fx, fy, cx, cy = intrinsics
    old = (cx, cy, size[1] - cx, size[0] - cy)
    if min(old) <= 0:  # the axis passes by the picture: keep its frame
        return old
    sides, exits = _exits(seen, ways, radii, reach, size)
    found = []
    for side in range(4):
        focal = (fx, fy)[side % 2]
        along = np.abs(exits[sides == side, side % 2])
        margin = focal * float(along.min() if len(along) else reach)
        found.append(min(max(margin, _SHORTEST * old[side]), _LONGEST * old[side]))
    return found[0], found[1], found[2], found[3]


def _exits(
    seen: NDArray[np.float64], ways: NDArray[np.float64], radii: NDArray[np.float64], reach: float, size: Size
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """By which side (0 left, 1 top, 2 right, 3 bottom; -1 none) rays leave the picture, and where [D,2] at depth 1."""
    # how far beyond each of the four sides, [D,S,4]
    beyond = np.concatenate([-seen, seen - (size[1], size[0])], axis=2)
    outside = (beyond > 0).any(axis=2) & (radii <= reach)
    last = outside.argmax(axis=1)
    rays = np.arange(len(ways))
    before, after = beyond[rays, last - 1], beyond[rays, last]
    share = np.where(after > 0, before / np.where(after > 0, before - after, 1), np.inf)
    sides = share.argmin(axis=1)
    part = np.where(outside.any(axis=1), share.min(axis=1), 0)
    distance = radii[last - 1] + part * (radii[last] - radii[last - 1])
    return np.where(outside.any(axis=1), sides, -1), ways * distance[:, None]


def warp(planes: Sequence[Array], straightened: Straight, size: Size, where: str) -> list[Array]:
    """Planes [H,W] of a distorted picture, or of a scaled copy, as the pinhole sees them; 0 beyond the picture.

    Linear between pixels. Planes are to be such that averages mean something: linear light times coverage.

    Args:
        planes: [H,W] each, of one size.
        straightened: the lens and its pinhole.
        size: (H, W) of the result, a scaled copy of the pinhole's picture.
        where: the dataset, for messages.
    """
    grid = _grid(straightened, (planes[0].shape[0], planes[0].shape[1]), size, where)
    stack = torch.from_numpy(np.stack(planes))[None]
    sampled = torch.nn.functional.grid_sample(stack, grid[None], align_corners=False)
    return list(sampled[0].numpy())


@lru_cache(maxsize=1)
def _grid(straightened: Straight, source: Size, size: Size, where: str) -> torch.Tensor:
    """Where each pixel of the result lies in the source, [H,W,2] float32 from -1 to 1 over the picture's borders."""
    fx, fy, cx, cy = straightened.pinhole.at(size)
    x = (np.arange(size[1]) + 0.5 - cx) / fx
    grid = np.empty((*size, 2), np.float32)
    for row in range(size[0]):
        y = (row + 0.5 - cy) / fy
        points = np.stack([x, np.full_like(x, y), np.ones_like(x)], axis=1)
        places = _project(straightened.lens, source, points, where) / (source[1], source[0]) * 2 - 1
        places[~(np.hypot(x, y) <= straightened.reach)] = -3
        grid[row] = np.nan_to_num(places, nan=-3)
    return torch.from_numpy(grid)
