"""How far pixels of a mask are from the nearest pixel of the other kind: the exact Euclidean distance transform.

Source: Felzenszwalb and Huttenlocher, Distance Transforms of Sampled Functions, Theory of Computing 8 (2012): first
along columns, then along rows as the lower envelope of parabolas. Both kinds of pixels are done at once, and every
square is a whole number, so that nothing is rounded before the root.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from invrender.geometry.vectors import Bools
from invrender.jit import body, kernel

Squares: TypeAlias = NDArray[np.int64]

FAR = 1 << 40  # the square of a distance that no image has


def distance_to_others(inside: Bools) -> NDArray[np.float64]:
    """Distance [H,W] from the centre of each pixel to the nearest centre of the other kind, in pixels.

    Args:
        inside: [H,W], which kind a pixel is of; there is one of each at least.
    """
    square = np.empty(inside.shape, np.int64)
    _squares(np.ascontiguousarray(inside), square)
    return np.sqrt(square)


@kernel
def _squares(inside: Bools, square: Squares) -> None:
    height, width = inside.shape
    down = np.empty((2, height, width), np.int64)  # squares along columns, to pixels outside and inside
    for column in range(width):
        _along_column(inside[:, column], down[:, :, column])
    apex, begins = np.empty(width, np.int64), np.empty(width, np.float64)
    row_squares = np.empty(width, np.int64)
    for row in range(height):
        for kind in range(2):
            _along_row(down[kind, row], apex, begins, row_squares)
            for column in range(width):
                if inside[row, column] == (kind == 0):
                    square[row, column] = row_squares[column]


@body
def _along_column(inside: Bools, down: Squares) -> None:
    """Squared distances [2,H] to the nearest pixel of the column that is outside, and that is inside."""
    height = len(inside)
    for kind in range(2):
        near = FAR
        for i in range(height):
            near = i if inside[i] == (kind == 1) else near
            down[kind, i] = FAR if near == FAR else (i - near) ** 2
        near = FAR
        for i in range(height - 1, -1, -1):
            near = i if inside[i] == (kind == 1) else near
            if near != FAR:
                down[kind, i] = min(down[kind, i], (near - i) ** 2)


@body
def _along_row(heights: Squares, apex: Squares, begins: NDArray[np.float64], found: Squares) -> None:
    """The lower envelope of parabolas that stand on each pixel of a row, at its pixels.

    Args:
        heights: [W], of the parabolas; FAR: there is none.
        apex, begins: [W], room for the parabolas of the envelope and where they become the lowest.
        found: [W], the result.
    """
    count = 0
    for q in range(len(heights)):
        if heights[q] == FAR:
            continue
        meets = -np.inf
        while count > 0:
            v = apex[count - 1]
            meets = ((heights[q] + q * q) - (heights[v] + v * v)) / (2.0 * (q - v))
            if meets > begins[count - 1]:
                break
            count -= 1
            meets = -np.inf
        apex[count], begins[count] = q, meets
        count += 1
    k = 0
    for q in range(len(heights)):
        while k + 1 < count and begins[k + 1] < q:
            k += 1
        found[q] = FAR if count == 0 else (q - apex[k]) ** 2 + heights[apex[k]]
