"""Pieces of one view's contour, by pixel, and which of them are seen; see `invrender.backends.torch.pieces`, `sight`.

Everything here runs inside a kernel, so arrays may be allocated.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np

from invrender.backends.bodies.blend import (
    DEPTH_MARGIN,
    REACH,
    coincide,
    crossing_of,
    first_line,
    hidden_area,
    last_line,
    line_t,
    triangle_at,
    within,
)
from invrender.backends.bodies.clip import GUARD_PIXELS, PIECES, cut, is_safe
from invrender.backends.bodies.contour import cut_point, screen_x, screen_y
from invrender.backends.bodies.target import device
from invrender.backends.cpu.contour import Contour, Floats, Ints, Signs

TILE = 4  # pixels on a side: faces are held against pieces by tiles first
OUTSIDE, UNSAFE = -1, -2
BEGIN, END, AX, AY, BX, BY, X, Y, AREA, OUT_X, OUT_Y, OWN, BEHIND = range(13)
COLUMNS = 13
"""Of `values`: where on the segment; both ends relative to the pixel's centre; the middle on the screen; hidden area;
outward normal; NDC depth of the piece (-inf once it is known to be hidden) and of the nearest face behind it."""

Pieces: TypeAlias = tuple[Ints, Ints, Ints, Ints, Floats]
"""head [H*W]: first piece of a pixel, -1 for none; following [K]: the next one of the same pixel; pixel [K];
segment [K]; values [K, COLUMNS]."""


@device
def view_pieces(outline: Contour, clip: Floats, height: int, width: int) -> Pieces:
    """All pieces of a view's contour inside its image; their depth is known, what is seen is not (see `look`)."""
    x, y, ends, coefficient, parents = outline
    room = 0
    for s in range(len(ends)):
        a, b = ends[s, 0], ends[s, 1]
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


@device
def _point_depth(clip: Floats, parents: Ints, point: int) -> float:
    """NDC depth of a vertex or of a point cut at the near plane."""
    if point < len(clip):
        return np.float64(clip[point, 2]) / np.float64(clip[point, 3])
    _, _, z, w = cut_point(clip, parents[point - len(clip), 0], parents[point - len(clip), 1])
    return z / w


@device
def look(outline: Contour, clip: Floats, faces: Ints, height: int, width: int, pieces: Pieces) -> None:
    """Hold every face against the pieces in its way: fills in which are hidden, and what lies behind the others."""
    x, y, _, _, _ = outline
    head, following, pixel, _, values = pieces
    tiles = _marked_tiles(pixel, values, height, width)
    tile = _tiles_of(x, y, clip, height, width)
    work = np.empty((2, PIECES, 3, 4), np.float64)
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ta, tb, tc = tile[a], tile[b], tile[c]
        if min(ta, tb, tc) == UNSAFE:
            _hold_cut(clip, faces[f], work, tiles, height, width, head, following, values)
        elif not (ta == tb == tc and ta >= 0 and tiles[ta] == 0):
            _hold(
                x[a], y[a], _depth(clip, a), x[b], y[b], _depth(clip, b), x[c], y[c], _depth(clip, c),
                tiles, height, width, head, following, values,
            )  # fmt: skip


@device
def _marked_tiles(pixel: Ints, values: Floats, height: int, width: int) -> Signs:
    """Tiles in which there are pieces or their probes."""
    across = width // TILE + 1
    tiles = np.zeros((height // TILE + 1) * across, np.int8)
    for k in range(len(pixel)):
        row, column = pixel[k] // width, pixel[k] % width
        tiles[row // TILE * across + column // TILE] = 1
        # A probe may lie in a neighbouring tile, and the face that covers it in that tile alone.
        dx, dy = values[k, X] - column, values[k, Y] - row
        if min(dx, dy) < REACH or max(dx, dy) > 1.0 - REACH:
            for i in range(max(row - 1, 0) // TILE, min(row + 1, height - 1) // TILE + 1):
                for j in range(max(column - 1, 0) // TILE, min(column + 1, width - 1) // TILE + 1):
                    tiles[i * across + j] = 1
    return tiles


@device
def _tiles_of(x: Floats, y: Floats, clip: Floats, height: int, width: int) -> Ints:
    """Tile of every vertex [V]; OUTSIDE the image, or UNSAFE where faces must be cut."""
    across = width // TILE + 1
    tile = np.empty(len(clip), np.int32)
    right, top = 2 * GUARD_PIXELS / width, 2 * GUARD_PIXELS / height
    for i in range(len(clip)):
        w = np.float64(clip[i, 3])
        if x[i] >= 0.0 and y[i] >= 0.0 and x[i] < width and y[i] < height and w > 0.0 and clip[i, 2] + w > 0.0:
            tile[i] = int(y[i]) // TILE * across + int(x[i]) // TILE
        elif is_safe(np.float64(clip[i, 0]), np.float64(clip[i, 1]), np.float64(clip[i, 2]), w, right, top):
            tile[i] = OUTSIDE
        else:
            tile[i] = UNSAFE
    return tile


@device
def _depth(clip: Floats, vertex: int) -> float:
    return np.float64(clip[vertex, 2]) / np.float64(clip[vertex, 3])


@device
def _hold_cut(
    clip: Floats, face: Ints, work: Floats, tiles: Signs, height: int, width: int, head: Ints, following: Ints,
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
            screen[2, 0], screen[2, 1], screen[2, 2], tiles, height, width, head, following, values,
        )  # fmt: skip


@device
def _hold(
    ax: float, ay: float, az: float, bx: float, by: float, bz: float, cx: float, cy: float, cz: float,
    tiles: Signs, height: int, width: int, head: Ints, following: Ints, values: Floats,
) -> None:  # fmt: skip
    """Hold one screen triangle against the pieces in the tiles that its box touches."""
    low_x, high_x = min(ax, bx, cx) - REACH, max(ax, bx, cx) + REACH
    low_y, high_y = min(ay, by, cy) - REACH, max(ay, by, cy) + REACH
    if not (high_x >= 0.0 and low_x <= width and high_y >= 0.0 and low_y <= height):
        return
    left, right = int(max(low_x, 0.0)), int(min(high_x, width - 1.0))
    top, bottom = int(max(low_y, 0.0)), int(min(high_y, height - 1.0))
    across = width // TILE + 1
    for i in range(top // TILE, bottom // TILE + 1):
        for j in range(left // TILE, right // TILE + 1):
            if tiles[i * across + j] == 0:
                continue
            for row in range(max(top, i * TILE), min(bottom, i * TILE + TILE - 1) + 1):
                for column in range(max(left, j * TILE), min(right, j * TILE + TILE - 1) + 1):
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
    x, y, out_x, out_y = values[k, X], values[k, Y], values[k, OUT_X], values[k, OUT_Y]
    scale = REACH / max(math.sqrt(out_x * out_x + out_y * out_y), 1e-300)
    px, py = x + scale * out_x, y + scale * out_y
    covers, z = triangle_at(ax, ay, az, bx, by, bz, cx, cy, cz, px, py, x, y)
    if covers and z <= values[k, OWN] + DEPTH_MARGIN:
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
