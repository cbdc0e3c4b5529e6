"""Pieces of one view's contour, by pixel; see `invrender.backends.torch.pieces`.

Everything here runs inside a kernel, so arrays may be allocated.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np

from invrender.backends.bodies.blend import REACH, crossing_of, first_line, hidden_area, last_line, line_t, within
from invrender.backends.bodies.contour import cut_point
from invrender.backends.bodies.target import device
from invrender.backends.cpu.contour import Contour, Floats, Ints

BEGIN, END, AX, AY, BX, BY, X, Y, AREA, OUT_X, OUT_Y, OWN, BEHIND, PROBE_X, PROBE_Y = range(15)
COLUMNS = 15
"""Of `values`: where on the segment; both ends relative to the pixel's centre; the middle on the screen; hidden area;
outward normal; NDC depth of the piece (-inf once it is known to be hidden) and of the nearest face behind it;
the point beside its middle at which faces are looked for."""

Pieces: TypeAlias = tuple[Ints, Ints, Ints, Ints, Floats]
"""head [H*W]: first piece of a pixel, -1 for none; following [K]: the next one of the same pixel; pixel [K];
segment [K]; values [K, COLUMNS]."""


@device
def view_pieces(outline: Contour, clip: Floats, height: int, width: int) -> Pieces:
    """All pieces of a view's contour inside its image; their depth is known, what is seen is not (see `sight`)."""
    x, y, ends, coefficient, parents = outline
    room = 0
    for s in range(len(ends)):
        a, b = ends[s, 0], ends[s, 1]
        if not math.isfinite(x[b] - x[a] + y[b] - y[a]):
            continue
        room += 1 + max(last_line(x[a], x[b], width) - first_line(x[a], x[b], width) + 1, 0)
        room += max(last_line(y[a], y[b], height) - first_line(y[a], y[b], height) + 1, 0)
    head, following, pixel, segment, values = _room(room, height * width)
    count = 0
    for s in range(len(ends)):
        count = _cut_at_pixels(s, x, y, ends, height, width, count, head, following, pixel, segment, values)
    extra, most = 0, 0
    for k in range(count):
        number = _crossings(k, head, following, pixel, values, values[0, :0])
        extra, most = extra + number, max(most, number)
    if extra > 0:
        head, following, pixel, segment, values = _cut_mutually(
            count, extra, most, head, following, pixel, segment, values
        )
        count += extra
    for k in range(count):
        s = segment[k]
        a, b = ends[s, 0], ends[s, 1]
        _complete(
            values[k], pixel[k], x[a], y[a], x[b], y[b], _point_depth(clip, parents, a), _point_depth(clip, parents, b),
            coefficient[s] > 0, width,
        )  # fmt: skip
    return head, following[:count], pixel[:count], segment[:count], values[:count]


@device
def _room(pieces: int, pixels: int) -> Pieces:
    head = np.empty(pixels, np.int32)
    head[:] = -1
    return (
        head, np.empty(pieces, np.int32), np.empty(pieces, np.int32), np.empty(pieces, np.int32),
        np.empty((pieces + 1, COLUMNS), np.float64),
    )  # fmt: skip


@device
def _cut_at_pixels(
    s: int, x: Floats, y: Floats, ends: Ints, height: int, width: int, count: int,
    head: Ints, following: Ints, pixel: Ints, segment: Ints, values: Floats,
) -> int:  # fmt: skip
    """Append the pieces between borders of pixels, in order along the segment; the new number of pieces."""
    ax, ay, bx, by = x[ends[s, 0]], y[ends[s, 0]], x[ends[s, 1]], y[ends[s, 1]]
    run, rise = bx - ax, by - ay
    if not math.isfinite(run + rise):
        return count
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
            column = math.floor(ax + 0.5 * (begin + end) * run)
            row = math.floor(ay + 0.5 * (begin + end) * rise)
            if 0 <= column < width and 0 <= row < height:
                at = int(row) * width + int(column)
                _append(count, at, s, begin, end, head, following, pixel, segment, values)
                values[count, AX], values[count, AY] = _ends(begin, ax, run, column), _ends(begin, ay, rise, row)
                values[count, BX], values[count, BY] = _ends(end, ax, run, column), _ends(end, ay, rise, row)
                count += 1
            begin = end
        elif left_x <= 0 and left_y <= 0 and end >= 1.0:
            begin = 1.0
    return count


@device
def _ends(t: float, begin: float, run: float, cell: float) -> float:
    return within(begin + t * run - cell - 0.5)


@device
def _append(
    k: int, at: int, s: int, begin: float, end: float, head: Ints, following: Ints, pixel: Ints, segment: Ints,
    values: Floats,
) -> None:  # fmt: skip
    pixel[k], segment[k], following[k] = at, s, head[at]
    head[at] = k
    values[k, BEGIN], values[k, END] = begin, end


@device
def _crossings(k: int, head: Ints, following: Ints, pixel: Ints, values: Floats, found: Floats) -> int:
    """Number of other pieces that cross piece k; where on it goes, in order, into `found` as far as that has room."""
    number = 0
    ax, ay, bx, by = values[k, AX], values[k, AY], values[k, BX], values[k, BY]
    j = head[pixel[k]]
    while j >= 0:
        s = crossing_of(ax, ay, bx, by, values[j, AX], values[j, AY], values[j, BX], values[j, BY])
        if s > 0.0:
            i = number
            if i < len(found):
                while i > 0 and found[i - 1] > s:
                    found[i] = found[i - 1]
                    i -= 1
                found[i] = s
            number += 1
        j = following[j]
    return number


@device
def _cut_mutually(
    count: int, extra: int, most: int, head: Ints, following: Ints, pixel: Ints, segment: Ints, values: Floats
) -> Pieces:
    """The same pieces, cut where they cross."""
    made = _room(count + extra, len(head))
    new_head, new_following, new_pixel, new_segment, new_values = made
    found = np.empty(most, np.float64)
    kept = 0
    for k in range(count):
        number = _crossings(k, head, following, pixel, values, found)
        length = values[k, END] - values[k, BEGIN]
        for i in range(number + 1):
            low, high = 0.0 if i == 0 else found[i - 1], 1.0 if i == number else found[i]
            begin = values[k, BEGIN] + low * length
            end = values[k, END] if i == number else values[k, BEGIN] + high * length
            _append(kept, pixel[k], segment[k], begin, end, new_head, new_following, new_pixel, new_segment, new_values)
            kept += 1
    return made


@device
def _complete(
    piece: Floats, pixel: int, ax: float, ay: float, bx: float, by: float, za: float, zb: float, forwards: bool,
    width: int,
) -> None:  # fmt: skip
    """Fill in all that follows from where a piece begins and ends on its segment from a to b."""
    column, row = pixel % width, pixel // width
    run, rise = bx - ax, by - ay
    piece[AX], piece[AY] = _ends(piece[BEGIN], ax, run, column), _ends(piece[BEGIN], ay, rise, row)
    piece[BX], piece[BY] = _ends(piece[END], ax, run, column), _ends(piece[END], ay, rise, row)
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


@device
def _point_depth(clip: Floats, parents: Ints, point: int) -> float:
    """NDC depth of a vertex or of a point cut at the near plane."""
    if point < len(clip):
        return np.float64(clip[point, 2]) / np.float64(clip[point, 3])
    _, _, z, w = cut_point(clip, parents[point - len(clip), 0], parents[point - len(clip), 1])
    return z / w
