"""Finding out how voxels stand to their pictures, where nobody says: the way is taken in which they explain them best.

From each of the six sides that the camera may look at, voxels are composited into maps of opacity, depth and normals;
turned and mirrored in the picture's plane these are all 48 ways. Pictures that a fixed light shades are close to a
linear function of such maps (with products of normals: Ramamoorthi and Hanrahan, "An Efficient Representation for
Irradiance Environment Maps", 2001), so the share of the pictures' variance that one such function explains tells how
well a way fits. What cannot be told apart, such as balls or pictures of something else, fits equally well in several.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.io.pairs.axes import EVERY, to_ours

Array = NDArray[Any]

SIDE = 32  # samples along each side that are compared
ENOUGH = 0.2  # of the variance is the least that the best way has to explain
CLEAR = 0.06  # share of what the next best leaves unexplained by which the best has to be better
APART = 0.01  # of the variance that the best has to explain beyond the next: sampling makes as much
MANY = 8  # samples for which that is enough: chance makes larger differences among fewer
_OPAQUE = 4.0  # optical depth of the densest voxel of a sample
_FLOOR = 1e-9


@dataclass(frozen=True)
class Fit:
    """How well ways fit.

    Attributes:
        axes: the best; `explained`: share of the pictures' variance that it explains, at most 1.
        second: the next best; `second_explained`: its share.
        samples: that were looked at.
    """

    axes: str
    explained: float
    second: str
    second_explained: float
    samples: int

    @property
    def clear(self) -> bool:
        """Whether the best is far enough ahead to be believed."""
        left, next_left = 1 - self.explained, 1 - self.second_explained
        if self.explained < ENOUGH or self.explained - self.second_explained < APART:
            return False
        return next_left - left > CLEAR * max(1, MANY / self.samples) * next_left


def best_axes(voxels: Sequence[Array], pictures: Sequence[Array]) -> Fit:
    """The axes in which voxels fit their pictures best.

    Args:
        voxels: [a,b,c] each, finite.
        pictures: [H,W] each, grey, as many.
    """
    density = np.stack([_density(each) for each in voxels])
    normals = _normals(density)
    target = np.stack([_smooth(resized(each, (SIDE, SIDE))) for each in pictures]).ravel()
    sides: dict[tuple[int, bool], Array] = {}
    fits = []
    for axes in EVERY:
        along = axes[1::2].index("z")
        side = along, axes[2 * along] == "+"
        if side not in sides:
            sides[side] = _maps(density, normals, *side)
        fits.append((_explained(to_ours(sides[side], axes)[:, :, 0], target), axes))
    fits.sort(reverse=True)
    return Fit(fits[0][1], fits[0][0], fits[1][1], fits[1][0], len(voxels))


def resized(values: Array, shape: tuple[int, ...]) -> Array:
    """An array averaged over cells down to a shape, or repeated where that has more samples, float32."""
    result: Array = np.asarray(values, np.float32)
    for axis, wanted in enumerate(shape):
        found = result.shape[axis]
        edges = np.arange(wanted) * found // wanted
        widths = np.maximum(np.diff([*edges, found]), 1)
        spread = [-1 if other == axis else 1 for other in range(result.ndim)]
        if found >= wanted:
            result = np.add.reduceat(result, edges, axis) / widths.astype(np.float32).reshape(spread)
        else:
            result = np.take(result, edges, axis)
    return result


def _density(volume: Array) -> Array:
    """[SIDE]*3, at most 1."""
    small = np.maximum(resized(volume, (SIDE,) * 3), 0)
    return small / max(float(small.max()), _FLOOR)


def _normals(density: Array) -> Array:
    """[K,3,a,b,c], of length 1 or less where there is no surface."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(density, (0, 1, 1, 1))
    slopes: Array = -np.stack(np.gradient(smooth, axis=(1, 2, 3)), 1)
    return np.asarray(slopes / (np.linalg.norm(slopes, axis=1, keepdims=True) + 1e-3))


def _maps(density: Array, normals: Array, along: int, from_end: bool) -> Array:
    """What is seen along an array's axis, [K,F,a,b,c] with one sample along it: opacity, depth, normals and products.

    Args:
        density: [K,a,b,c]; `normals`: [K,3,a,b,c].
        along: which of a, b, c.
        from_end: whether the camera is on the side of that axis' last samples.
    """
    axis = along + 1
    alpha = 1 - np.exp(-_OPAQUE * density)
    alpha = np.flip(alpha, axis) if from_end else alpha
    clear = np.cumprod(1 - alpha, axis)
    before = np.concatenate([np.ones_like(clear.take([0], axis)), clear.take(range(SIDE - 1), axis)], axis)
    weights = alpha * before
    weights = np.flip(weights, axis) if from_end else weights
    place = np.linspace(0, 1, SIDE, dtype=np.float32).reshape([SIDE if a == along else 1 for a in range(3)])
    n = normals
    shown = [np.ones_like(weights), np.broadcast_to(place, weights.shape), n[:, 0], n[:, 1], n[:, 2]]
    shown += [n[:, 0] * n[:, 1], n[:, 0] * n[:, 2], n[:, 1] * n[:, 2], n[:, 0] ** 2, n[:, 1] ** 2]
    return np.stack([(weights * each).sum(axis, keepdims=True) for each in shown], 1)


def _smooth(picture: Array) -> Array:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(picture, 0.7))


def _explained(maps: Array, target: Array) -> float:
    """The share of the variance of `target` [K*H*W] that one linear function of maps [K,F,H,W] explains."""
    features = np.moveaxis(maps, 1, -1).reshape(target.size, -1).astype(np.float64)
    features = features - features.mean(0)
    wanted = target.astype(np.float64) - target.mean()
    products = features.T @ features
    towards = features.T @ wanted
    products[np.diag_indices_from(products)] += 1e-6 * target.size
    return float(towards @ np.linalg.solve(products, towards) / max(float(wanted @ wanted), _FLOOR))
