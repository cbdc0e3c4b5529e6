"""Bodies that cut a contour into pieces, each in one pixel and crossed by no other, and measure what they hide.

The formulas are those of `invrender.backends.torch.pieces`. Pieces are rows of arrays, in a list for each pixel:

    head [H*W]: the first piece of a pixel, -1 for none; following [K]: the next one, -1 after the last;
    pixel [K]: -1 for rows that hold no piece; segment [K]; values [K, COLUMNS].
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .target import device, push

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int32]

OWN, BEHIND, PROBE_X, PROBE_Y, X, Y, BEGIN, END, AX, AY, BX, BY, OUT_X, OUT_Y, AREA = range(15)
COLUMNS = 16
"""Of `values`: NDC depth of the piece (-inf once it is known to be hidden) and of the nearest face behind it; the point
beside its middle at which faces are looked for; the middle on the screen; where it begins and ends on the segment; both
ends relative to the pixel's centre; outward normal; hidden area. What every face asks for fills one line of a cache."""

REACH = 1e-3  # pixels from a piece to its probe
APART = 1e-9  # of two pieces: nearer to an end they touch and do not cross


@device
def first_line(a: float, b: float, lines: int) -> int:
    """First of the pixel borders 0 ... lines between two coordinates."""
    return int(math.ceil(min(max(min(a, b), 0.0), lines + 1.0)))  # noqa: RUF046 - CUDA's ceil gives a float


@device
def last_line(a: float, b: float, lines: int) -> int:
    """Last of the pixel borders 0 ... lines between two coordinates; before the first where there is none."""
    return int(math.floor(min(max(a, b, -1.0), float(lines))))  # noqa: RUF046 - CUDA's floor gives a float


@device
def line_t(line: int, begin: float, rise: float) -> float:
    """The parameter in [0, 1] at which a segment from `begin` to `begin + rise` crosses the border of a pixel."""
    return min(max((line - begin) / rise, 0.0), 1.0)


@device
def within(value: float) -> float:
    """A coordinate relative to a pixel's centre, kept in the pixel."""
    return min(max(value, -0.5), 0.5)


@device
def border(x: float, y: float) -> float:
    """Where the ray along (x, y) leaves the square about the origin, along its border; from -1/2."""
    if abs(x) >= abs(y):
        ratio = 0.5 * (y / (x if x != 0.0 else 1.0))
        return ratio if x >= 0.0 else 2.0 + ratio
    return (1.0 if y >= 0.0 else 3.0) - 0.5 * (x / y)


@device
def hidden_area(ax: float, ay: float, bx: float, by: float) -> float:
    """The part of the square that a piece from a to b hides from its centre; negative where it turns from +y to +x."""
    turn = border(bx, by) - border(ax, ay)
    if turn > 2.0:
        turn -= 4.0
    elif turn < -2.0:
        turn += 4.0
    return 0.25 * turn - 0.5 * (ax * by - ay * bx)


@device
def cone_moment(x: float, y: float) -> tuple[float, float]:
    """Integral of position over the part of the square from +x to the ray along (x, y)."""
    if abs(x) >= abs(y):
        side, ratio = 1.0 if x >= 0.0 else -1.0, 0.5 * (y / (x if x != 0.0 else 1.0))
        return side * ratio / 12.0, side * ratio * ratio / 12.0 + (1.0 - side) / 16.0
    side, ratio = 1.0 if y >= 0.0 else -1.0, -0.5 * (x / y)
    return side / 16.0 - side * ratio * ratio / 12.0, side * ratio / 12.0 + 1.0 / 16.0


@device
def hidden_moment(ax: float, ay: float, bx: float, by: float) -> tuple[float, float]:
    """Integral of position over what `hidden_area` measures."""
    ux, uy = cone_moment(ax, ay)
    vx, vy = cone_moment(bx, by)
    part = (ax * by - ay * bx) / 6.0
    return vx - ux - part * (ax + bx), vy - uy - part * (ay + by)


@device
def crossing_of(
    ax: float, ay: float, bx: float, by: float, cx: float, cy: float, dx: float, dy: float
) -> float:  # fmt: skip
    """Where on the piece from a to b the one from c to d crosses it, in (0, 1); -1 where it does not."""
    px, py, qx, qy = bx - ax, by - ay, dx - cx, dy - cy
    cross = px * qy - py * qx
    if cross == 0.0:
        return -1.0
    gx, gy = cx - ax, cy - ay
    s, r = (gx * qy - gy * qx) / cross, (gx * py - gy * px) / cross
    return s if APART < s < 1.0 - APART and APART < r < 1.0 - APART else -1.0


@device
def room_for(ax: float, ay: float, bx: float, by: float, height: int, width: int) -> int:
    """The most pieces that the segment from a to b has between borders of pixels."""
    if not math.isfinite(bx - ax + by - ay):
        return 0
    across = max(last_line(ax, bx, width) - first_line(ax, bx, width) + 1, 0)
    return 1 + across + max(last_line(ay, by, height) - first_line(ay, by, height) + 1, 0)


@device
def cut_at_pixels(
    s: int, ax: float, ay: float, bx: float, by: float, height: int, width: int, k: int,
    head: Ints, following: Ints, pixel: Ints, segment: Ints, values: Floats,
) -> int:  # fmt: skip
    """Store the pieces of segment s between borders of pixels from row k on, in order; the row after the last."""
    run, rise = bx - ax, by - ay
    if not math.isfinite(run + rise):
        return k
    low_x, high_x = first_line(ax, bx, width), last_line(ax, bx, width)
    low_y, high_y = first_line(ay, by, height), last_line(ay, by, height)
    left_x = high_x - low_x + 1 if run != 0.0 else 0
    left_y = high_y - low_y + 1 if rise != 0.0 else 0
    begin = 0.0
    while begin < 1.0:
        t_x = line_t(low_x if run > 0.0 else high_x, ax, run) if left_x > 0 else 1.0
        t_y = line_t(low_y if rise > 0.0 else high_y, ay, rise) if left_y > 0 else 1.0
        end = min(t_x, t_y)
        if left_x > 0 and t_x <= t_y:
            left_x -= 1
            low_x, high_x = (low_x + 1, high_x) if run > 0.0 else (low_x, high_x - 1)
        elif left_y > 0 and t_y <= t_x:
            left_y -= 1
            low_y, high_y = (low_y + 1, high_y) if rise > 0.0 else (low_y, high_y - 1)
        if end > begin:
            column, row = math.floor(ax + 0.5 * (begin + end) * run), math.floor(ay + 0.5 * (begin + end) * rise)
            if 0 <= column < width and 0 <= row < height:
                _store(k, int(row) * width + int(column), s, begin, end, head, following, pixel, segment, values)
                _measure(values[k], pixel[k], ax, ay, run, rise, width)
                k += 1
            begin = end
        elif left_x <= 0 and left_y <= 0 and end >= 1.0:
            begin = 1.0
    return k


@device
def _store(
    k: int, at: int, s: int, begin: float, end: float, head: Ints, following: Ints, pixel: Ints, segment: Ints,
    values: Floats,
) -> None:  # fmt: skip
    pixel[k], segment[k], values[k, BEGIN], values[k, END] = at, s, begin, end
    following[k] = push(head, at, k)


@device
def _measure(piece: Floats, pixel: int, ax: float, ay: float, run: float, rise: float, width: int) -> None:
    column, row = pixel % width, pixel // width
    piece[AX], piece[AY] = _relative(piece[BEGIN], ax, run, column), _relative(piece[BEGIN], ay, rise, row)
    piece[BX], piece[BY] = _relative(piece[END], ax, run, column), _relative(piece[END], ay, rise, row)


@device
def _relative(t: float, begin: float, run: float, cell: int) -> float:
    return within(begin + t * run - cell - 0.5)


@device
def _crossing(k: int, j: int, values: Floats) -> float:
    return crossing_of(
        values[k, AX], values[k, AY], values[k, BX], values[k, BY],
        values[j, AX], values[j, AY], values[j, BX], values[j, BY],
    )  # fmt: skip


@device
def count_crossings(k: int, first: int, following: Ints, values: Floats) -> int:
    """Number of pieces that cross piece k among those of its pixel, whose list begins with `first`."""
    number, j = 0, first
    while j >= 0:
        number += int(_crossing(k, j, values) > 0.0)
        j = following[j]
    return number


@device
def cut_mutually(
    k: int, at: int, first: int, following: Ints, pixel: Ints, segment: Ints, values: Floats,
    new_head: Ints, new_following: Ints, new_pixel: Ints, new_segment: Ints, new_values: Floats,
) -> int:  # fmt: skip
    """Store piece k again from row `at` on, cut where others of its pixel cross it; the row after the last."""
    last, j = at, first
    new_values[at, BEGIN] = 0.0
    while j >= 0:
        s = _crossing(k, j, values)
        if s > 0.0:
            last += 1
            i = last
            while new_values[i - 1, BEGIN] > s:  # row `at` holds 0
                new_values[i, BEGIN] = new_values[i - 1, BEGIN]
                i -= 1
            new_values[i, BEGIN] = s
        j = following[j]
    begin, length = values[k, BEGIN], values[k, END] - values[k, BEGIN]
    for i in range(at, last + 1):
        low = begin + new_values[i, BEGIN] * length
        high = values[k, END] if i == last else begin + new_values[i + 1, BEGIN] * length
        _store(i, pixel[k], segment[k], low, high, new_head, new_following, new_pixel, new_segment, new_values)
    return last + 1


@device
def complete(
    piece: Floats, pixel: int, ax: float, ay: float, bx: float, by: float, za: float, zb: float, forwards: bool,
    width: int,
) -> None:  # fmt: skip
    """Fill in all that follows from where a piece begins and ends on its segment from a to b, with depths za and zb."""
    run, rise = bx - ax, by - ay
    _measure(piece, pixel, ax, ay, run, rise, width)
    half = 0.5 * (piece[BEGIN] + piece[END])
    piece[X], piece[Y] = ax + half * run, ay + half * rise
    sign = 1.0 if forwards else -1.0
    piece[AREA] = sign * hidden_area(piece[AX], piece[AY], piece[BX], piece[BY])
    piece[OUT_X], piece[OUT_Y] = sign * (piece[AY] - piece[BY]), sign * (piece[BX] - piece[AX])
    piece[OWN], piece[BEHIND] = za + half * (zb - za), math.inf
    if not math.isfinite(piece[OWN]):
        piece[OWN] = -math.inf
    reach = REACH / max(math.sqrt(piece[OUT_X] * piece[OUT_X] + piece[OUT_Y] * piece[OUT_Y]), 1e-300)
    piece[PROBE_X], piece[PROBE_Y] = piece[X] + reach * piece[OUT_X], piece[Y] + reach * piece[OUT_Y]
