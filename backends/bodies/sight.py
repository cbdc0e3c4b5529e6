"""Bodies that find which pieces of the contour are seen, and what lies behind them.

The rules are those of `invrender.backends.torch.sight`; the arrays are those of `pieces`.
"""

from __future__ import annotations

import math

from .contour import screen_x, screen_y
from .pieces import (
    AX,
    AY,
    BEHIND,
    BX,
    BY,
    OUT_X,
    OUT_Y,
    OWN,
    PROBE_X,
    PROBE_Y,
    REACH,
    Floats,
    Ints,
    X,
    Y,
)
from .target import device, lower_cell

DEPTH_MARGIN = 1e-7  # NDC
TOGETHER = 1e-6  # pixels: pieces whose ends are nearer than this are the same


@device
def count_in(sums: Ints, top: int, left: int, bottom: int, right: int, width: int) -> int:
    """Number of pixels with pieces in a box, its last row and column included.

    `sums` holds, for every corner of pixels [(H+1) * (W+1)], how many there are above it and to its left (Crow 1984,
    "Summed-Area Tables for Texture Mapping").
    """
    upper, lower = top * (width + 1), (bottom + 1) * (width + 1)
    return int(sums[lower + right + 1] - sums[lower + left] - sums[upper + right + 1] + sums[upper + left])


@device
def hold(
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
    if count_in(sums, top, left, bottom, right, width) == 0:
        return
    for row in range(top, bottom + 1):
        if count_in(sums, row, left, row, right, width) == 0:
            continue
        for column in range(left, right + 1):
            k, before = head[row * width + column], -1
            while k >= 0:
                _compare(k, ax, ay, az, bx, by, bz, cx, cy, cz, values)
                # Hidden pieces leave the list. Threads that do so at once may put one back, but never lose a seen one.
                if values[k, OWN] > -math.inf:
                    before = k
                elif before >= 0:
                    following[before] = following[k]
                else:
                    head[row * width + column] = following[k]
                k = following[k]


@device
def hold_cut(
    work: Floats, count: int, sums: Ints, height: int, width: int, head: Ints, following: Ints, values: Floats
) -> None:
    """The same for the triangles work[1, :count] that are left of a face which was cut (see `clip.cut`)."""
    half_width, half_height = 0.5 * width, 0.5 * height
    for k in range(count):
        wa, wb, wc = work[1, k, 0, 3], work[1, k, 1, 3], work[1, k, 2, 3]
        hold(
            screen_x(work[1, k, 0, 0], wa, half_width), screen_y(work[1, k, 0, 1], wa, half_height),
            work[1, k, 0, 2] / wa,
            screen_x(work[1, k, 1, 0], wb, half_width), screen_y(work[1, k, 1, 1], wb, half_height),
            work[1, k, 1, 2] / wb,
            screen_x(work[1, k, 2, 0], wc, half_width), screen_y(work[1, k, 2, 1], wc, half_height),
            work[1, k, 2, 2] / wc,
            sums, height, width, head, following, values,
        )  # fmt: skip


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
        lower_cell(values, k, BEHIND, z)


@device
def triangle_at(
    ax: float, ay: float, az: float, bx: float, by: float, bz: float, cx: float, cy: float, cz: float,
    probe_x: float, probe_y: float, x: float, y: float,
) -> tuple[bool, float]:  # fmt: skip
    """Whether a screen triangle covers a probe, and the depth of its plane at (x, y)."""
    x1, y1, x2, y2 = bx - ax, by - ay, cx - ax, cy - ay
    area = x1 * y2 - x2 * y1
    if area == 0.0:
        return False, 0.0
    px, py = probe_x - ax, probe_y - ay
    v, w = px * y2 - x2 * py, x1 * py - px * y1
    if area < 0.0:
        v, w = -v, -w
    if not (v >= 0.0 and w >= 0.0 and v + w <= abs(area)):
        return False, 0.0
    px, py = x - ax, y - ay
    return True, az + ((bz - az) * (px * y2 - x2 * py) + (cz - az) * (x1 * py - px * y1)) / area


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
    same = _coincide(a[AX], a[AY], a[BX], a[BY], b[AX], b[AY], b[BX], b[BY])
    return bool(same and a[OUT_X] * b[OUT_X] + a[OUT_Y] * b[OUT_Y] > 0.0)


@device
def _coincide(
    ax: float, ay: float, bx: float, by: float, cx: float, cy: float, dx: float, dy: float
) -> bool:  # fmt: skip
    """Whether the pieces from a to b and from c to d have the same ends."""
    forth = max(abs(ax - cx), abs(ay - cy), abs(bx - dx), abs(by - dy))
    back = max(abs(ax - dx), abs(ay - dy), abs(bx - cx), abs(by - cy))
    return min(forth, back) < TOGETHER


@device
def mean_normal(first: int, following: Ints, values: Floats) -> tuple[float, float, bool]:
    """Sum of the normals of a pixel's seen pieces, and whether they agree."""
    x, y, length = 0.0, 0.0, 0.0
    j = first
    while j >= 0:
        if values[j, OWN] > -math.inf:
            x, y = x + values[j, OUT_X], y + values[j, OUT_Y]
            length += math.sqrt(values[j, OUT_X] * values[j, OUT_X] + values[j, OUT_Y] * values[j, OUT_Y])
        j = following[j]
    return x, y, math.sqrt(x * x + y * y) >= 0.5 * length
