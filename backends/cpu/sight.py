"""Which pieces of one view's contour are seen, and what lies behind them; see `invrender.backends.torch.sight`.

Everything here runs inside a kernel, so arrays may be allocated.
"""

from __future__ import annotations

import math

import numpy as np

from invrender.backends.bodies.blend import DEPTH_MARGIN, REACH, coincide, triangle_at
from invrender.backends.bodies.clip import GUARD_PIXELS, PIECES, cut, is_safe
from invrender.backends.bodies.contour import screen_x, screen_y
from invrender.backends.bodies.target import device
from invrender.backends.cpu.contour import Contour, Floats, Ints, Signs
from invrender.backends.cpu.pieces import AX, AY, BEHIND, BX, BY, OUT_X, OUT_Y, OWN, PROBE_X, PROBE_Y, Pieces, X, Y


@device
def look(outline: Contour, clip: Floats, faces: Ints, height: int, width: int, pieces: Pieces) -> None:
    """Hold every face against the pieces in its way: fills in which are hidden, and what lies behind the others."""
    x, y, _, _, _ = outline
    head, following, _, _, values = pieces
    sums = _sums(head, height, width)
    depth, safe = _depths(x, y, clip, height, width)
    work = np.empty((2, PIECES, 3, 4), np.float64)
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        if safe[a] and safe[b] and safe[c]:
            _hold(
                x[a], y[a], depth[a], x[b], y[b], depth[b], x[c], y[c], depth[c],
                sums, height, width, head, following, values,
            )  # fmt: skip
        else:
            _hold_cut(clip, faces[f], work, sums, height, width, head, following, values)


@device
def _sums(head: Ints, height: int, width: int) -> Ints:
    """Number of pixels with pieces above and to the left of every corner of pixels [(H+1) * (W+1)].

    Four of them tell how many there are in a box (Crow 1984, "Summed-Area Tables for Texture Mapping").
    """
    across = width + 1
    sums = np.zeros((height + 1) * across, np.int32)
    for row in range(height):
        total = 0
        for column in range(width):
            total += int(head[row * width + column] >= 0)
            sums[(row + 1) * across + column + 1] = sums[row * across + column + 1] + total
    return sums


@device
def _count(sums: Ints, top: int, left: int, bottom: int, right: int, width: int) -> int:
    """Number of pixels with pieces in a box, its last row and column included."""
    upper, lower = top * (width + 1), (bottom + 1) * (width + 1)
    return int(sums[lower + right + 1] - sums[lower + left] - sums[upper + right + 1] + sums[upper + left])


@device
def _depths(x: Floats, y: Floats, clip: Floats, height: int, width: int) -> tuple[Floats, Signs]:
    """NDC depth of every vertex [V], and whether its faces need not be cut for its sake [V]."""
    depth, safe = np.empty(len(clip), np.float64), np.empty(len(clip), np.int8)
    right, top = 2 * GUARD_PIXELS / width, 2 * GUARD_PIXELS / height
    for i in range(len(clip)):
        z, w = np.float64(clip[i, 2]), np.float64(clip[i, 3])
        inside = x[i] >= 0.0 and y[i] >= 0.0 and x[i] < width and y[i] < height and w > 0.0 and z + w > 0.0
        inside = inside and z < math.inf
        safe[i] = inside or is_safe(np.float64(clip[i, 0]), np.float64(clip[i, 1]), z, w, right, top)
        depth[i] = z / w
    return depth, safe


@device
def _hold_cut(
    clip: Floats, face: Ints, work: Floats, sums: Ints, height: int, width: int, head: Ints, following: Ints,
    values: Floats,
) -> None:  # fmt: skip
    """The same as `_hold` for what is left of a face after cutting it at the near plane and the guard band."""
    for k in range(3):
        for axis in range(4):
            work[0, 0, k, axis] = clip[face[k], axis]
    screen = np.empty((3, 3), np.float64)
    for piece in range(cut(work, height, width)):
        for k in range(3):
            w = work[1, piece, k, 3]
            screen[k, 0] = screen_x(work[1, piece, k, 0], w, 0.5 * width)
            screen[k, 1] = screen_y(work[1, piece, k, 1], w, 0.5 * height)
            screen[k, 2] = work[1, piece, k, 2] / w
        _hold(
            screen[0, 0], screen[0, 1], screen[0, 2], screen[1, 0], screen[1, 1], screen[1, 2],
            screen[2, 0], screen[2, 1], screen[2, 2], sums, height, width, head, following, values,
        )  # fmt: skip


@device
def _hold(
    ax: float, ay: float, az: float, bx: float, by: float, bz: float, cx: float, cy: float, cz: float,
    sums: Ints, height: int, width: int, head: Ints, following: Ints, values: Floats,
) -> None:  # fmt: skip
    """Hold one screen triangle against the pieces in the pixels that its box touches."""
    low_x, high_x = min(ax, bx, cx) - REACH, max(ax, bx, cx) + REACH
    low_y, high_y = min(ay, by, cy) - REACH, max(ay, by, cy) + REACH
    if not (high_x >= 0.0 and low_x < width and high_y >= 0.0 and low_y < height):
        return
    left, right = int(max(low_x, 0.0)), int(min(high_x, width - 1.0))
    top, bottom = int(max(low_y, 0.0)), int(min(high_y, height - 1.0))
    if _count(sums, top, left, bottom, right, width) == 0:
        return
    for row in range(top, bottom + 1):
        if _count(sums, row, left, row, right, width) == 0:
            continue
        for column in range(left, right + 1):
            k = head[row * width + column]
            while k >= 0:
                _compare(k, ax, ay, az, bx, by, bz, cx, cy, cz, values)
                k = following[k]


@device
def _compare(
    k: int, ax: float, ay: float, az: float, bx: float, by: float, bz: float, cx: float, cy: float, cz: float,
    values: Floats,
) -> None:  # fmt: skip
    """Note in piece k what a triangle means for it."""
    own = values[k, OWN]
    if own == -math.inf:
        return
    covers, z = triangle_at(
        ax, ay, az, bx, by, bz, cx, cy, cz, values[k, PROBE_X], values[k, PROBE_Y], values[k, X], values[k, Y]
    )  # fmt: skip
    if covers and z <= own + DEPTH_MARGIN:
        values[k, OWN] = -math.inf
    elif covers:
        values[k, BEHIND] = min(values[k, BEHIND], z)


@device
def hide_doubled(first: int, following: Ints, values: Floats) -> None:
    """Of the seen pieces of a pixel that lie on each other and end surfaces on the same side, hide all but the nearest.

    The pixel's list starts with the piece `first`.
    """
    i = first
    while i >= 0:
        depth, hidden, j = values[i, OWN], False, first
        while j >= 0 and depth > -math.inf:
            nearer = values[j, OWN] < depth or (values[j, OWN] == depth and j < i)
            if nearer and values[j, OWN] > -math.inf and _is_double(values[i], values[j]):
                hidden = True
            j = following[j]
        if hidden:
            values[i, OWN] = -math.inf
        i = following[i]


@device
def _is_double(a: Floats, b: Floats) -> bool:
    same = coincide(a[AX], a[AY], a[BX], a[BY], b[AX], b[AY], b[BX], b[BY])
    return bool(same and a[OUT_X] * b[OUT_X] + a[OUT_Y] * b[OUT_Y] > 0.0)


@device
def mean_normal(first: int, following: Ints, values: Floats) -> tuple[float, float, bool]:
    """Sum of the normals of a pixel's seen pieces, and whether they agree."""
    x, y, length = 0.0, 0.0, 0.0
    j = first
    while j >= 0:
        if values[j, OWN] > -np.inf:
            x, y = x + values[j, OUT_X], y + values[j, OUT_Y]
            length += np.sqrt(values[j, OUT_X] * values[j, OUT_X] + values[j, OUT_Y] * values[j, OUT_Y])
        j = following[j]
    return x, y, np.sqrt(x * x + y * y) >= 0.5 * length
