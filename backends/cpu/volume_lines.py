"""Rays as Joseph's method walks them: plane by plane along the axis that they follow most closely.

Joseph 1982. A ray crosses the planes k = first .. last of its main axis at (u, v) = start + (k - first) step, in index
units of the two other axes; each plane stands for `pitch` units of length. The first and the last plane stand for more
or less than that (`head`, `tail`, in pitches), so that a constant grid gives the exact length of the chord.
"""

from __future__ import annotations

import math

import numpy as np

from invrender.backends.cpu.volume_compile import body, entry

LINE = np.dtype(
    [
        ("u", "f4"), ("v", "f4"), ("du", "f4"), ("dv", "f4"), ("pitch", "f4"), ("head", "f4"), ("tail", "f4"),
        ("first", "i2"), ("last", "i2"),
    ]
)  # fmt: skip
"""One ray, 32 bytes. first > last: it meets no plane."""

INSET = 1e-4  # how far (index units) positions stay below the last vertex, so that a cell always has two


@entry
def trace_lines(views, shape, spacing, width, begin, end, lines, axes):  # type: ignore[no-untyped-def]
    """Fill the lines of the pixels begin .. end, counted through all views, rows and columns.

    views [N,12] float64: eye in index units (x, y, z), then the matrix from (column, row, 1) to a direction in index
    units. shape [3]: samples along x, y, z. spacing [3]: lengths of a cell. width [2]: pixels of a row, of an image.
    axes [...] int8: main axis of each ray.
    """
    for pixel in range(begin, end):
        view = pixel // width[1]
        row = (pixel - view * width[1]) // width[0]
        column = pixel - view * width[1] - row * width[0]
        m = views[view]
        px, py = column + 0.5, row + 0.5
        d0 = m[3] * px + m[4] * py + m[5]
        d1 = m[6] * px + m[7] * py + m[8]
        d2 = m[9] * px + m[10] * py + m[11]
        _trace(m, (d0, d1, d2), shape, spacing, lines, axes, pixel - begin)


@body
def _trace(m, d, shape, spacing, lines, axes, at):  # type: ignore[no-untyped-def]
    lines[at].first, lines[at].last = 0, -1
    axis = 0
    if abs(d[1]) > abs(d[axis]):
        axis = 1
    if abs(d[2]) > abs(d[axis]):
        axis = 2
    axes[at] = axis
    enter, leave = 0.0, 1e300
    for a in range(3):
        if abs(d[a]) <= 1e-12 * abs(d[axis]):
            if m[a] < 0 or m[a] > shape[a] - 1:
                return
        else:
            t0, t1 = -m[a] / d[a], (shape[a] - 1 - m[a]) / d[a]
            enter, leave = max(enter, min(t0, t1)), min(leave, max(t0, t1))
    if leave <= enter:
        return
    low, high = m[axis] + enter * d[axis], m[axis] + leave * d[axis]
    if low > high:
        low, high = high, low
    first, last = max(math.ceil(low - 1e-9), 0), min(math.floor(high + 1e-9), shape[axis] - 1)
    if first > last:
        return
    across = (1 if axis == 0 else 0, 1 if axis == 2 else 2)
    ua, ub = _crossing(m, d, axis, across[0], first, last, shape)
    va, vb = _crossing(m, d, axis, across[1], first, last, shape)
    steps = max(last - first, 1)
    ray = lines[at]
    ray.u, ray.du, ray.v, ray.dv = ua, (ub - ua) / steps, va, (vb - va) / steps
    length = math.sqrt((d[0] * spacing[0]) ** 2 + (d[1] * spacing[1]) ** 2 + (d[2] * spacing[2]) ** 2)
    ray.pitch = length / abs(d[axis])
    ray.head, ray.tail = first + 0.5 - low, high - last + 0.5
    ray.first, ray.last = first, last


@body
def _crossing(m, d, axis, other, first, last, shape):  # type: ignore[no-untyped-def]
    """Where the ray meets the first and the last plane along another axis, kept inside the grid."""
    slope = d[other] / d[axis]
    top = shape[other] - 1 - INSET
    a = m[other] + (first - m[axis]) * slope
    b = m[other] + (last - m[axis]) * slope
    return min(max(a, 0.0), top), min(max(b, 0.0), top)


@entry
def trim_lines(lines, axes, support, shape, begin, end):  # type: ignore[no-untyped-def]
    """Shorten the lines begin .. end to the planes on which they touch the support [D*H*W] uint8."""
    for r in range(begin, end):
        ray = lines[r]
        along, across_u, across_v = strides(axes[r], shape)
        first, last = ray.first, ray.last
        while first <= last and not _touches(ray, support, first, along, across_u, across_v):
            first += 1
        while last > first and not _touches(ray, support, last, along, across_u, across_v):
            last -= 1
        if first > ray.first:
            ray.u += (first - ray.first) * ray.du
            ray.v += (first - ray.first) * ray.dv
            ray.head = 1.0
        if last < ray.last:
            ray.tail = 1.0
        ray.first, ray.last = first, last


@body
def _touches(ray, support, k, along, across_u, across_v):  # type: ignore[no-untyped-def]
    u, v = ray.u + (k - ray.first) * ray.du, ray.v + (k - ray.first) * ray.dv
    at = k * along + int(u) * across_u + int(v) * across_v
    near = support[at] | support[at + across_u]
    return (near | support[at + across_v] | support[at + across_u + across_v]) != 0


@body
def strides(axis, shape):  # type: ignore[no-untyped-def]
    """Steps in the flat grid along the main axis and the two others (u before v, in the order x, y, z)."""
    row, plane = shape[0], shape[0] * shape[1]
    if axis == 0:
        return 1, row, plane
    if axis == 1:
        return row, 1, plane
    return plane, 1, row
