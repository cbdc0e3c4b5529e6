"""Which points of a surface can be seen from outside: exactly, by parallel projection along many directions.

For each direction points and triangles are projected onto a plane. Points sit in the cells of a grid; a triangle meets
the points of the cells that it overlaps, and hides those that it covers from further out. Points found visible drop
out, so later directions cost little.
"""

from __future__ import annotations

import numpy as np

from invrender.geometry.vectors import Bools, Floats, Ints, norm

POINTS_PER_CELL = 2.0
MOST_PAIRS = 4_000_000


def spread_directions(n: int, phase: float = 0.3) -> Floats:
    """Unit vectors [n,3] on a golden-angle spiral over the sphere."""
    i = np.arange(n)
    y = 1 - 2 * (i + 0.5) / n
    r, a = np.sqrt(1 - y * y), i * np.pi * (3 - np.sqrt(5)) + phase
    return np.stack([r * np.sin(a), y, r * np.cos(a)], axis=1)


def visible_from_outside(points: Floats, vertices: Floats, faces: Ints, lift: float, directions: int = 64) -> Bools:
    """Whether a ray from each point [K,3] escapes along at least one of the directions; [K].

    `lift` is how far, in world units, a ray starts from its point, so that the point's own face does not hide it.
    """
    seen = np.zeros(len(points), bool)
    for d in spread_directions(directions):
        left = np.flatnonzero(~seen)
        if not len(left):
            break
        seen[left] = ~_hidden(points[left] + lift * d, vertices, faces, d)
    return seen


def _hidden(points: Floats, vertices: Floats, faces: Ints, direction: Floats) -> Bools:
    """Whether any face lies beyond each point in the direction."""
    frame = _frame(direction)
    q, p = points @ frame.T, vertices @ frame.T
    low = q[:, :2].min(0)
    cell = float(norm(np.append(np.ptp(q[:, :2], axis=0), 0.0)[None])[0]) / max(np.sqrt(len(q) / POINTS_PER_CELL), 1.0)
    cell = cell if cell > 0 else 1.0
    columns = ((q[:, :2] - low) // cell).astype(np.int64)
    size = columns.max(0) + 1
    slot = columns[:, 0] * size[1] + columns[:, 1]
    order = np.argsort(slot, kind="stable")
    count = np.bincount(slot, minlength=int(size.prod()))
    start = np.cumsum(count) - count
    tri = p[faces]
    tri = tri[tri[:, :, 2].max(1) > q[:, 2].min()]
    first = ((tri[:, :, :2].min(1) - low) // cell).clip(0, size).astype(np.int64)
    last = ((tri[:, :, :2].max(1) - low) // cell).clip(-1, size - 1).astype(np.int64)
    extent = np.maximum(last - first + 1, 0)
    corners = np.ascontiguousarray(tri.transpose(1, 2, 0))
    hidden = np.zeros(len(q), bool)
    for rows in _pieces(extent.prod(1)):
        t, local = _expand(extent.prod(1)[rows])
        t = rows[t]
        box = (first[t, 0] + local // extent[t, 1]) * size[1] + first[t, 1] + local % extent[t, 1]
        k, local = _expand(count[box])
        point = order[start[box[k]] + local]
        hidden[point[_covers(corners, t[k], q, point)]] = True
    return hidden


def _frame(direction: Floats) -> Floats:
    """Rotation whose last row is the direction."""
    side = np.cross(direction, np.eye(3)[np.argmin(np.abs(direction))])
    side /= np.sqrt(side @ side)
    return np.stack([side, np.cross(direction, side), direction])


def _pieces(weight: Ints) -> list[Ints]:
    """Row numbers of positive weight, cut into pieces whose weights sum to about `MOST_PAIRS` at most."""
    rows = np.flatnonzero(weight)
    piece = np.cumsum(weight[rows]) // MOST_PAIRS
    return np.split(rows, np.flatnonzero(np.diff(piece)) + 1) if len(rows) else []


def _expand(count: Ints) -> tuple[Ints, Ints]:
    """Each row number repeated `count` times, and a counter within the row."""
    row = np.repeat(np.arange(len(count)), count)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)


def _covers(corners: Floats, t: Ints, q: Floats, k: Ints) -> Bools:
    """Whether the third-axis line upwards from point q[k] meets triangle t; `corners` is [3,3,T]: corner, axis."""
    x, y, z = q[k].T
    (ax, ay), (bx, by), (cx, cy) = ((corners[i, 0, t] - x, corners[i, 1, t] - y) for i in range(3))
    a, b, c = bx * cy - by * cx, cx * ay - cy * ax, ax * by - ay * bx
    inside = ((a >= 0) & (b >= 0) & (c >= 0)) | ((a <= 0) & (b <= 0) & (c <= 0))
    area = a + b + c
    above = a * corners[0, 2, t] + b * corners[1, 2, t] + c * corners[2, 2, t] - z * area
    return np.asarray(inside & (above * area > 0))
