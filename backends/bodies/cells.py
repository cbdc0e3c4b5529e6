"""Bodies of linear interpolation in flat grids, its transpose, and where a ray enters and leaves a grid.

Strides are the offsets between neighbours in the flat grid; fractions are positions within a cell, 0 to 1.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from .target import add_at, fast, inlined

FAR = 1e300
PARALLEL = 1e-12  # a direction below this share of the longest axis crosses no plane of that axis


@inlined
def bilinear(values, at, su, sv, fu, fv):
    """The value in the square whose first vertex has the index `at`."""
    at, su, sv = np.uint64(at), np.uint64(su), np.uint64(sv)
    a, b = values[at], values[at + su]
    c, d = values[at + sv], values[at + su + sv]
    low, high = a + fu * (b - a), c + fu * (d - c)
    return low + fv * (high - low)


@inlined
def add_bilinear(cells, at, su, sv, fu, fv, value):
    """The transpose of `bilinear`."""
    at, su, sv = np.uint64(at), np.uint64(su), np.uint64(sv)
    far = value * fv
    near = value - far
    add_at(cells, at, near - near * fu)
    add_at(cells, at + su, near * fu)
    add_at(cells, at + sv, far - far * fu)
    add_at(cells, at + su + sv, far * fu)


@inlined
def trilinear(values, at, sx, sy, sz, fx, fy, fz):
    """The value in the cell whose first vertex has the index `at`."""
    near = bilinear(values, at, sx, sy, fx, fy)
    far = bilinear(values, at + sz, sx, sy, fx, fy)
    return near + fz * (far - near)


@inlined
def add_trilinear(cells, at, sx, sy, sz, fx, fy, fz, value):
    """The transpose of `trilinear`."""
    far = value * fz
    add_bilinear(cells, at, sx, sy, fx, fy, value - far)
    add_bilinear(cells, at + sz, sx, sy, fx, fy, far)


@fast
def chord(ox, oy, oz, dx, dy, dz, nx, ny, nz):
    """t >= 0 of entry and exit of a grid of nx ny nz samples, all in index units; equal for a ray that misses."""
    largest = max(abs(dx), abs(dy), abs(dz))
    enter, leave = _between(ox, dx, nx, largest, 0.0, FAR)
    enter, leave = _between(oy, dy, ny, largest, enter, leave)
    enter, leave = _between(oz, dz, nz, largest, enter, leave)
    return enter, max(leave, enter)


@inlined
def _between(o, d, n, largest, enter, leave):
    """Clip the interval of t from enter to leave to the slab between the first and the last plane across one axis."""
    top = n - 1
    if abs(d) <= PARALLEL * largest:
        return (enter, leave) if 0 <= o <= top else (enter, enter)
    t0, t1 = -o / d, (top - o) / d
    return max(enter, min(t0, t1)), min(leave, max(t0, t1))
