"""The field of a visual hull at points of a grid: for each, all views at once, from projection to minimum."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.jit import body, kernel

Floats = NDArray[np.float64]
TOGETHER = 512  # points that are read in one view before the next, so that its pixels stay near


@kernel
def least_distances(
    points: NDArray[np.int64], lower: Floats, spacing: float, counts: NDArray[np.int64],
    distances: NDArray[Any], unit: float, matrices: Floats, sizes: Floats, far: float, found: NDArray[np.float32],
) -> None:  # fmt: skip
    """The least over the views of the signed distance in world units, read between pixels' centres.

    Args:
        points: [P] numbers of points, counted with z fastest.
        lower, spacing, counts: [3], of the grid.
        distances: [N,H,W] signed distances, positive inside; what lies outside the image is far outside.
        unit: of the distances, in pixels.
        matrices: [N,3,4], from the world to x w, y w and w in clip space; all points lie before the cameras.
        sizes: [N] of a pixel where w is 1.
        far: less than minus this need not be exact.
        found: [P], written.
    """
    room = min(TOGETHER, len(points))
    at, waiting, least = np.empty((room, 3)), np.empty(room, np.int64), np.empty(room)
    for begin in range(0, len(points), TOGETHER):
        count = min(TOGETHER, len(points) - begin)
        for k in range(count):
            number: Any = points[begin + k]
            at[k, 0] = lower[0] + spacing * (number // (counts[1] * counts[2]))
            at[k, 1] = lower[1] + spacing * (number // counts[2] % counts[1])
            at[k, 2] = lower[2] + spacing * (number % counts[2])
            waiting[k], least[k] = k, np.inf
        left = count
        for view in range(len(distances)):
            left = _read(distances[view], unit, matrices[view], sizes[view], far, at, waiting, left, least)
        for k in range(count):
            found[begin + k] = least[k]


@body
def _read(
    image: NDArray[Any], unit: float, m: Floats, size: float, far: float, at: Floats, waiting: NDArray[np.int64],
    count: int, least: Floats,
) -> int:  # fmt: skip
    """One view read at the points [K,3] whose numbers are the first of `waiting`; how many of them still wait then."""
    height, width = image.shape
    kept = 0
    for n in range(count):
        k = waiting[n]
        x, y, z = at[k, 0], at[k, 1], at[k, 2]
        w = m[2, 0] * x + m[2, 1] * y + m[2, 2] * z + m[2, 3]
        column = ((m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3]) / w + 1.0) * 0.5 * width
        row = (1.0 - (m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3]) / w) * 0.5 * height
        if column < 0.0 or row < 0.0 or column > width or row > height:
            read = -float(height + width)
        else:
            column, row = min(max(column - 0.5, 0.0), width - 1.0), min(max(row - 0.5, 0.0), height - 1.0)
            left, top = int(column), int(row)
            right, below = min(left + 1, width - 1), min(top + 1, height - 1)
            u, v = column - left, row - top
            upper = (1.0 - u) * image[top, left] + u * image[top, right]
            under = (1.0 - u) * image[below, left] + u * image[below, right]
            read = unit * ((1.0 - v) * upper + v * under)
        least[k] = min(least[k], read * w * size)
        if not least[k] < -far:
            waiting[kept] = k
            kept += 1
    return kept
