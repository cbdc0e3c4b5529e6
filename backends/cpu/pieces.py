"""The pieces of one view's contour, by pixel; see `invrender.backends.torch.pieces`.

Everything here runs inside a kernel, so arrays may be allocated.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from invrender.backends.bodies.contour import cut_point
from invrender.backends.bodies.pieces import COLUMNS, complete, count_crossings, cut_at_pixels, cut_mutually, room_for
from invrender.backends.bodies.target import device
from invrender.backends.cpu.contour import Contour, Floats, Ints

Pieces: TypeAlias = tuple[Ints, Ints, Ints, Ints, Floats]
"""head [H*W], following [K], pixel [K], segment [K] and values [K, COLUMNS]; see the bodies."""


@device
def view_pieces(outline: Contour, clip: Floats, height: int, width: int) -> Pieces:
    """All pieces of a view's contour inside its image; their depth is known, what is seen is not (see `sight`)."""
    x, y, ends, coefficient, parents = outline
    room = 0
    for s in range(len(ends)):
        a, b = ends[s, 0], ends[s, 1]
        room += room_for(x[a], y[a], x[b], y[b], height, width)
    head, following, pixel, segment, values = _room(room, height * width)
    count = 0
    for s in range(len(ends)):
        a, b = ends[s, 0], ends[s, 1]
        count = cut_at_pixels(
            s, x[a], y[a], x[b], y[b], height, width, count, head, following, pixel, segment, values
        )  # fmt: skip
    extra = 0
    for k in range(count):
        extra += count_crossings(k, head[pixel[k]], following, values)
    if extra > 0:
        old_head, old_following, old_pixel, old_segment, old_values = head, following, pixel, segment, values
        head, following, pixel, segment, values = _room(count + extra, height * width)
        at = 0
        for k in range(count):
            at = cut_mutually(
                k, at, old_head[old_pixel[k]], old_following, old_pixel, old_segment, old_values,
                head, following, pixel, segment, values,
            )  # fmt: skip
        count += extra
    for k in range(count):
        s = segment[k]
        a, b = ends[s, 0], ends[s, 1]
        complete(
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
        np.empty((pieces, COLUMNS), np.float64),
    )  # fmt: skip


@device
def _point_depth(clip: Floats, parents: Ints, point: int) -> float:
    """NDC depth of a vertex or of a point cut at the near plane."""
    if point < len(clip):
        return np.float64(clip[point, 2]) / np.float64(clip[point, 3])
    _, _, z, w = cut_point(clip, parents[point - len(clip), 0], parents[point - len(clip), 1])
    return z / w
