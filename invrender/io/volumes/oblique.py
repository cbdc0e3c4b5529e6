"""Grids whose axes are turned or sheared against the world's.

Turned ones stay as they are, in a frame of their own. Sheared ones are resampled onto upright axes, as turned ones are
where they have to stand among other things of the world, and that is said.
"""

from __future__ import annotations

import logging
import math
from itertools import permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from invrender.io.files.memory import check_room

log = logging.getLogger(__name__)
Matrix = NDArray[np.float64]

_UPRIGHT = 1e-5  # of an axis's length: directions are stored with six digits at times
_SQUARE = 1e-4  # cosine between two axes: what rounding of the directions adds up to, and gantries that sag
_KEEP = 1e-3  # what another order of the axes must be better by than the file's own
_SPARE = 1e-3  # of a sample: what float32 headers add to an extent, or take from it, is no sample more or less
_MOST = 1 - 1e-3  # share of the greatest part along an axis that counts as greatest too


def is_upright(axes: Matrix) -> bool:
    """Whether each column of axes [3,3] runs along another axis of the world, in either direction."""
    along = np.abs(axes / np.linalg.norm(axes, axis=0))
    return sorted(along.argmax(0)) == [0, 1, 2] and bool((np.sort(along, axis=0)[:2] <= _UPRIGHT).all())


def is_turned(axes: Matrix) -> bool:
    """Whether the columns of axes [3,3] are at right angles to each other."""
    directions = axes / np.linalg.norm(axes, axis=0)
    return bool((np.abs(directions.T @ directions - np.eye(3)) <= _SQUARE).all())


def sorted_axes(axes: Matrix) -> tuple[list[int], Matrix]:
    """For each axis of the world the grid axis (0: i) that runs most along it, and the direction [3]: 1 or -1.

    At 45 degrees, where rounding would decide, the order is the file's.
    """
    directions = axes / np.linalg.norm(axes, axis=0)

    def along(order: tuple[int, ...]) -> float:
        return float(sum(abs(directions[axis, column]) for axis, column in enumerate(order)))

    best = max(permutations(range(3)), key=along)
    kept = (0, 1, 2)
    order = list(kept if along(kept) > along(best) - _KEEP else best)
    signs = np.array([-1.0 if directions[axis, column] < 0 else 1.0 for axis, column in enumerate(order)])
    return order, signs


def resample_upright(
    values: NDArray[np.float32], axes: Matrix, origin: Matrix, path: Path
) -> tuple[NDArray[np.float32], Matrix, Matrix]:
    """Values [C,k,j,i] on the smallest upright grid that holds the turned one, trilinear between the samples.

    Each axis of the world takes the spacing of the grid axis that runs most along it, the finer where two do. Outside
    of what was sampled there is 0, or the least value where that is negative (air, in Hounsfield units).

    Returns:
        values, axes [3,3] (diagonal) and the origin [3] of the new grid.

    Raises:
        MemoryLimitError: it would not fit.
    """
    from scipy.ndimage import affine_transform

    counts = np.array(values.shape[:0:-1])
    ends = axes * (counts - 1)
    low = origin + np.minimum(ends, 0).sum(1)
    sides = np.abs(ends).sum(1)
    lengths = np.linalg.norm(axes, axis=0)
    along = np.abs(axes / lengths)
    steps = np.where(along >= _MOST * along.max(1, keepdims=True), lengths, np.inf).min(1)
    shape = [int(n) for n in np.ceil(sides / steps - _SPARE) + 1]
    check_room(path, (3 * 4 * len(values) + 16) * math.prod(shape))
    inverse = np.linalg.inv(axes)
    matrix = (inverse * steps)[::-1, ::-1]
    offset = (inverse @ (low - origin))[::-1]
    outside = min(0.0, float(values.min()))
    size = tuple(shape[::-1])
    found = np.stack([affine_transform(channel, matrix, offset, size, order=1, mode="nearest") for channel in values])
    found[:, ~_sampled(matrix, offset, size, values.shape[1:])] = outside
    log.warning(
        "%s: the grid is turned by %.3g degrees against its world; resampled to %s upright samples, %g outside",
        path.name,
        _angle(axes / lengths),
        " x ".join(map(str, shape)),
        outside,
    )
    return found, np.diag(steps), low


def _sampled(matrix: Matrix, offset: Matrix, size: tuple[int, ...], counts: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which samples of the new grid [D,H,W] lie within the old one; on its faces within rounding."""
    inside = np.ones(size, np.bool_)
    indices = np.ogrid[tuple(slice(n) for n in size)]
    for row, start, count in zip(matrix, offset, counts, strict=True):
        place = start + sum(factor * index for factor, index in zip(row, indices, strict=True))
        inside &= (place >= -_SPARE) & (place <= count - 1 + _SPARE)
    return inside


def _angle(directions: Matrix) -> float:
    """The greatest angle between an axis of the grid and the nearest of the world, in degrees."""
    return math.degrees(math.acos(min(1.0, float(np.abs(directions).max(0).min()))))
