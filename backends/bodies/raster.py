"""Bodies of the rasterizer: exact integer edge functions on vertices snapped to 1/256 pixel.

The rules and formulas, down to the order of floating-point operations, are those of
`invrender.backends.torch.rasterize`, so that all backends draw the same face in every pixel.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .target import device, lower, product

Floats: TypeAlias = NDArray[np.float64]
Keys: TypeAlias = NDArray[np.int64]

SUBPIXEL = 256
HALF_PIXEL = 128
ID_BITS = 31
ID_MASK = 2**31 - 1
DEPTH_STEPS = 2**32 - 1
EMPTY = 2**63 - 1
ROUNDER = 1.5 * 2.0**52  # added and taken away again, it leaves the nearest integer (ties to even) below 2^51
NARROW = 8  # columns up to which testing every centre is cheaper than three divisions per row


@device
def nearest(value: float) -> float:
    """The nearest integer; ties go to the even one."""
    return (value + ROUNDER) - ROUNDER


@device
def snap_x(x: float, w: float, half_width: float) -> int:
    """Position to the right in 1/256 pixel."""
    return int(nearest((x / w + 1.0) * half_width * SUBPIXEL))


@device
def snap_y(y: float, w: float, half_height: float) -> int:
    """Position downwards in 1/256 pixel."""
    return int(nearest((1.0 - y / w) * half_height * SUBPIXEL))


@device
def draw(
    x0: int, y0: int, z0: float, x1: int, y1: int, z1: float, x2: int, y2: int, z2: float,
    face: int, keys: Keys, width: int, first_row: int, last_row: int,
) -> None:  # fmt: skip
    """Offer a snapped triangle to the depth buffer `keys` [H * W], in rows first_row to last_row."""
    left = max((min(x0, x1, x2) + HALF_PIXEL - 1) >> 8, 0)
    right = min((max(x0, x1, x2) - HALF_PIXEL) >> 8, width - 1)
    top = max((min(y0, y1, y2) + HALF_PIXEL - 1) >> 8, first_row)
    bottom = min((max(y0, y1, y2) - HALF_PIXEL) >> 8, last_row)
    if left > right or top > bottom:
        return
    ax, ay, bx, by = x1 - x0, y1 - y0, x2 - x0, y2 - y0
    area = ax * by - bx * ay
    if area == 0:
        return
    p1, q1, p2, q2 = (x1, y1, x2, y2) if area > 0 else (x2, y2, x1, y1)
    if left == right and top == bottom:  # most triangles of fine meshes do not even cover the one centre in their box
        inside = _edge(x0, y0, p1, q1, left, top) | _edge(p1, q1, p2, q2, left, top) | _edge(p2, q2, x0, y0, left, top)
        if inside < 0:
            return
    scale = 1.0 / float(area)
    z_x = (product(z1 - z0, by) - product(z2 - z0, ay)) * scale
    z_y = (product(z2 - z0, ax) - product(z1 - z0, bx)) * scale
    low, high = min(z0, z1, z2), max(z0, z1, z2)
    if right - left < NARROW:
        _draw_narrow(x0, y0, p1, q1, p2, q2, z0, z_x, z_y, low, high, face, keys, width, left, right, top, bottom)
    else:
        _draw_wide(x0, y0, p1, q1, p2, q2, z0, z_x, z_y, low, high, face, keys, width, left, right, top, bottom)


@device
def _edge(ax: int, ay: int, bx: int, by: int, column: int, row: int) -> int:
    """Edge function at a pixel's centre; it is inside where this is not negative, by the top-left rule."""
    dx, dy = bx - ax, by - ay
    outer = 0 if dy < 0 or (dy == 0 and dx > 0) else 1
    return dx * (row * SUBPIXEL + HALF_PIXEL - ay) - dy * (column * SUBPIXEL + HALF_PIXEL - ax) - outer


@device
def _draw_narrow(
    x0: int, y0: int, x1: int, y1: int, x2: int, y2: int, z0: float, z_x: float, z_y: float, low: float, high: float,
    face: int, keys: Keys, width: int, left: int, right: int, top: int, bottom: int,
) -> None:  # fmt: skip
    """Test every centre of the bounding box."""
    row_0 = _edge(x0, y0, x1, y1, left, top)
    row_1 = _edge(x1, y1, x2, y2, left, top)
    row_2 = _edge(x2, y2, x0, y0, left, top)
    for row in range(top, bottom + 1):
        e0, e1, e2 = row_0, row_1, row_2
        for column in range(left, right + 1):
            if (e0 | e1 | e2) >= 0:
                _offer(column, row, x0, y0, z0, z_x, z_y, low, high, face, keys, width)
            e0 -= (y1 - y0) * SUBPIXEL
            e1 -= (y2 - y1) * SUBPIXEL
            e2 -= (y0 - y2) * SUBPIXEL
        row_0 += (x1 - x0) * SUBPIXEL
        row_1 += (x2 - x1) * SUBPIXEL
        row_2 += (x0 - x2) * SUBPIXEL


@device
def _draw_wide(
    x0: int, y0: int, x1: int, y1: int, x2: int, y2: int, z0: float, z_x: float, z_y: float, low: float, high: float,
    face: int, keys: Keys, width: int, left: int, right: int, top: int, bottom: int,
) -> None:  # fmt: skip
    """Find the covered columns of every row by division."""
    for row in range(top, bottom + 1):
        first = max(
            left, _first_inside(x0, y0, x1, y1, row), _first_inside(x1, y1, x2, y2, row),
            _first_inside(x2, y2, x0, y0, row),
        )  # fmt: skip
        last = min(
            right, _last_inside(x0, y0, x1, y1, row, right), _last_inside(x1, y1, x2, y2, row, right),
            _last_inside(x2, y2, x0, y0, row, right),
        )  # fmt: skip
        for column in range(first, last + 1):
            _offer(column, row, x0, y0, z0, z_x, z_y, low, high, face, keys, width)


@device
def _first_inside(ax: int, ay: int, bx: int, by: int, row: int) -> int:
    """First column inside an edge that bounds on the left; 0 for the others."""
    return -(_edge(ax, ay, bx, by, 0, row) // ((ay - by) * SUBPIXEL)) if by < ay else 0


@device
def _last_inside(ax: int, ay: int, bx: int, by: int, row: int, right: int) -> int:
    """Last column inside an edge that bounds on the right or lies level; `right` for the others."""
    if by < ay:
        return right
    at_zero = _edge(ax, ay, bx, by, 0, row)
    if by == ay:
        return right if at_zero >= 0 else -1
    return at_zero // ((by - ay) * SUBPIXEL)


@device
def _offer(
    column: int, row: int, x0: int, y0: int, z0: float, z_x: float, z_y: float, low: float, high: float,
    face: int, keys: Keys, width: int,
) -> None:  # fmt: skip
    """One fragment: its depth in 2^-31 above the face's id, so that the smallest key is the nearest, lowest face."""
    x, y = column * SUBPIXEL + HALF_PIXEL - x0, row * SUBPIXEL + HALF_PIXEL - y0
    z = z0 + product(z_x, x) + product(z_y, y)
    z = min(max(z, low), high)
    if z <= 1.0:
        depth = min(int(nearest(product(max(z, -1.0) + 1.0, DEPTH_STEPS / 2))), DEPTH_STEPS)
        lower(keys, row * width + column, (depth << ID_BITS) | face)


@device
def depth_of(key: int) -> float:
    """NDC depth that a key stands for."""
    return product(float(key >> ID_BITS), 2.0 / DEPTH_STEPS) - 1.0
