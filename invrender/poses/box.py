"""The box of the object: from masks where there are any, else from where cameras look together and points are dense."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from invrender.poses.model import Model

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_INSIDE = 0.9  # of the masks that a point of the object lies in: single masks may be wrong
_CELLS = 40  # along each side of the grid that is carved
_MARGIN = 0.05  # of the box, added on each side
_SHOWN = 0.7  # of the most pictures that show any point
_REACH = 0.6  # of the cameras' distance from what they look at
_SOLID_ERROR = 2.0  # pixels


def object_bounds(model: Model) -> Floats:
    """The box [2,3] that holds the object, in the model's frame."""
    solid = (model.seen >= 3) & (model.errors < _SOLID_ERROR)
    solid = solid if solid.sum() >= 20 else np.ones(len(model.points), bool)
    points = model.points[solid]
    masked = sum(picture.mask is not None for picture in model.pictures) >= 3
    if masked:
        inside = points[_within_masks(model, points)]
        if len(inside) >= 10:
            return _widened(_carved(model, inside))
    return _widened(_spread(points[_looked_at(model, points)], 2.0))


def _spread(points: Floats, cut: float) -> Floats:
    """The box of points [P,3] without `cut` percent at either end of each axis."""
    return np.asarray(np.percentile(points, [cut, 100 - cut], axis=0))


def _widened(bounds: Floats) -> Floats:
    side = bounds[1] - bounds[0]
    margin = np.maximum(_MARGIN * side, 0.02 * side.max())
    return np.stack([bounds[0] - margin, bounds[1] + margin])


def _within_masks(model: Model, points: Floats) -> Bools:
    """[P] whether points lie in nearly all masks of the pictures that show them, and at least two show them."""
    hits, shown = np.zeros(len(points)), np.zeros(len(points))
    for view, picture in enumerate(model.pictures):
        if picture.mask is not None:
            hit, there = model.in_mask(view, points)
            hits, shown = hits + hit, shown + there
    return np.asarray((shown >= 2) & (hits >= _INSIDE * shown))


def _carved(model: Model, inside: Floats) -> Floats:
    """The box of a coarse hull around points of the object, which are never all over it; it holds the points."""
    low, high = _spread(inside, 0.5)
    reach = 0.5 * float((high - low).max())
    axes = [np.linspace(a - reach, b + reach, _CELLS) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    cells = grid[_within_masks(model, grid) & _shown_to_most(model, grid)]
    if not len(cells):
        return np.stack([low, high])
    step = np.array([axis[1] - axis[0] for axis in axes]) / 2
    return np.stack([np.minimum(cells.min(0) - step, low), np.maximum(cells.max(0) + step, high)])


def _shown_to_most(model: Model, points: Floats) -> Bools:
    """[P] whether nearly as many pictures show a point as show any."""
    shown = sum(model.projected(view, points)[1].astype(np.int64) for view in range(len(model.pictures)))
    counts = np.asarray(shown)
    return np.asarray(counts >= _SHOWN * counts.max())


def _looked_at(model: Model, points: Floats) -> Bools:
    """[P] whether points are in most pictures and near where the cameras look together."""
    common = _shown_to_most(model, points)
    places, forward = model.camera_to_world[:, :3, 3], -model.camera_to_world[:, :3, 2]
    middle = _meeting_point(places, forward, points[common])
    distance = float(np.median(np.linalg.norm(places - middle, axis=1)))
    near = common & (np.linalg.norm(points - middle, axis=1) < _REACH * distance)
    return near if near.sum() >= 10 else common


def _meeting_point(places: Floats, forward: Floats, points: Floats) -> Floats:
    """Where the axes of cameras come nearest to each other; the median of the points where they are parallel."""
    across = np.eye(3) - forward[:, :, None] * forward[:, None, :]
    system = across.sum(0)
    if np.linalg.eigvalsh(system)[0] < 0.02 * len(places):
        return np.asarray(np.median(points, axis=0))
    return np.asarray(np.linalg.solve(system, (across @ places[:, :, None]).sum(0)[:, 0]))
