"""Which pieces of one view's contour are seen, and what lies behind them; see `invrender.backends.torch.sight`.

Everything here runs inside a kernel, so arrays may be allocated.
"""

from __future__ import annotations

import numpy as np

from invrender.backends.bodies.clip import GUARD_PIXELS, PIECES, cut, is_safe
from invrender.backends.bodies.pieces import REACH
from invrender.backends.bodies.sight import hold, hold_cut
from invrender.backends.bodies.target import device
from invrender.backends.cpu.contour import Floats, Ints
from invrender.backends.cpu.pieces import Pieces

TILE = 2  # pixels on a side


@device
def look(
    x: Floats, y: Floats, z: Floats, clip: Floats, faces: Ints, height: int, width: int, pieces: Pieces
) -> None:  # fmt: skip
    """Hold every face against the pieces in its way: fills in which are hidden, and what lies behind the others."""
    head, following, _, _, values = pieces
    sums = _sums(head, height, width)
    free = _free_room(x, y, clip, head, height, width)
    work = np.empty((2, PIECES, 3, 4), np.float64)
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        room = free[a]
        if abs(x[b] - x[a]) < room and abs(y[b] - y[a]) < room and abs(x[c] - x[a]) < room and abs(y[c] - y[a]) < room:
            continue
        if room >= 0.0 and free[b] >= 0.0 and free[c] >= 0.0:
            hold(
                x[a], y[a], z[a], x[b], y[b], z[b], x[c], y[c], z[c], sums, height, width, head, following, values
            )  # fmt: skip
        else:
            for k in range(3):
                for axis in range(4):
                    work[0, 0, k, axis] = clip[faces[f, k], axis]
            hold_cut(work, cut(work, height, width), sums, height, width, head, following, values)


@device
def _sums(head: Ints, height: int, width: int) -> Ints:
    """Number of pixels with pieces above and to the left of every corner of pixels, as `count_in` takes it."""
    across = width + 1
    sums = np.zeros((height + 1) * across, np.int32)
    for row in range(height):
        total = 0
        for column in range(width):
            total += int(head[row * width + column] >= 0)
            sums[(row + 1) * across + column + 1] = sums[row * across + column + 1] + total
    return sums


@device
def _free_room(x: Floats, y: Floats, clip: Floats, head: Ints, height: int, width: int) -> Floats:
    """For every vertex how far from it there are no pieces in either direction [V]; -1 where its faces must be cut."""
    free = np.empty(len(clip), np.float64)
    tiles = _distances(head, height, width)
    right, top = 2 * GUARD_PIXELS / width, 2 * GUARD_PIXELS / height
    for i in range(len(clip)):
        z, w = np.float64(clip[i, 2]), np.float64(clip[i, 3])
        inside = x[i] >= 0.0 and y[i] >= 0.0 and x[i] < width and y[i] < height and w > 0.0 and z + w > 0.0
        if inside and z < np.inf:
            free[i] = max((tiles[int(y[i]) // TILE, int(x[i]) // TILE] - 1) * TILE - REACH, 0.0)
        else:
            free[i] = 0.0 if is_safe(np.float64(clip[i, 0]), np.float64(clip[i, 1]), z, w, right, top) else -1.0
    return free


@device
def _distances(head: Ints, height: int, width: int) -> Ints:
    """From every tile of pixels the larger of rows and columns to the nearest one with pieces.

    One pass each way (Rosenfeld and Pfaltz 1966, "Sequential Operations in Digital Picture Processing").
    """
    rows, columns = (height - 1) // TILE + 1, (width - 1) // TILE + 1
    found = np.empty((rows + 2, columns + 2), np.int32)
    found[:] = rows + columns
    for row in range(height):
        for column in range(width):
            if head[row * width + column] >= 0:
                found[row // TILE + 1, column // TILE + 1] = 0
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            before = min(found[i - 1, j - 1], found[i - 1, j], found[i - 1, j + 1], found[i, j - 1])
            found[i, j] = min(found[i, j], before + 1)
    for i in range(rows, 0, -1):
        for j in range(columns, 0, -1):
            before = min(found[i + 1, j - 1], found[i + 1, j], found[i + 1, j + 1], found[i, j + 1])
            found[i, j] = min(found[i, j], before + 1)
    return found[1:-1, 1:-1]
