"""Bodies of the exact line integral: two Gauss points in every cell that a ray crosses, in index units.

The traversal from cell to cell is that of Amanatides and Woo (1987). See `invrender.backends.torch.line_integral`.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math

from .cells import FAR, add_trilinear, chord, trilinear
from .target import fast, inlined

GAUSS = 0.5 / math.sqrt(3.0)
ON_PLANE = 1e-9  # index units


@fast
def integral(values, nx, ny, nz, ox, oy, oz, dx, dy, dz):
    """The integral over t >= 0 of the flat grid along o + t d."""
    t, leave = chord(ox, oy, oz, dx, dy, dz, nx, ny, nz)
    return integral_between(values, nx, ny, nz, ox, oy, oz, dx, dy, dz, t, leave)


@fast
def integral_between(values, nx, ny, nz, ox, oy, oz, dx, dy, dz, t, leave):
    """The same from t to `leave`, which lie on the grid."""
    total = 0.0
    if leave <= t:
        return total
    x, sx, tx, wx = _first(ox, dx, t, nx - 1)
    y, sy, ty, wy = _first(oy, dy, t, ny - 1)
    z, sz, tz, wz = _first(oz, dz, t, nz - 1)
    while t < leave and 0 <= x < nx - 1 and 0 <= y < ny - 1 and 0 <= z < nz - 1:
        nearest = min(tx, ty, tz)
        after = max(min(nearest, leave), t)
        length, middle = after - t, 0.5 * (after + t)
        at = (z * ny + y) * nx + x
        for side in (-GAUSS, GAUSS):
            q = middle + side * length
            fx, fy, fz = ox + q * dx - x, oy + q * dy - y, oz + q * dz - z
            total += 0.5 * length * trilinear(values, at, 1, nx, nx * ny, fx, fy, fz)
        t = after
        x, y, z, tx, ty, tz = _beyond(nearest, x, y, z, tx, ty, tz, sx, sy, sz, wx, wy, wz)
    return total


@fast
def filled_span(blocks, bx, by, bz, ox, oy, oz, dx, dy, dz, t, leave):
    """From where to where a ray meets what blocks [bz*by*bx] uint8 say may hold something; in units of blocks.

    Between t and `leave`; the first is not below the second where it meets nothing.
    """
    first, last = leave, t
    x, sx, tx, wx = _first(ox, dx, t, bx)
    y, sy, ty, wy = _first(oy, dy, t, by)
    z, sz, tz, wz = _first(oz, dz, t, bz)
    while t < leave and 0 <= x < bx and 0 <= y < by and 0 <= z < bz:
        nearest = min(tx, ty, tz)
        after = max(min(nearest, leave), t)
        if blocks[(z * by + y) * bx + x]:
            first, last = min(first, t), after
        t = after
        x, y, z, tx, ty, tz = _beyond(nearest, x, y, z, tx, ty, tz, sx, sy, sz, wx, wy, wz)
    return first, last


@fast
def integral_adjoint(cells, nx, ny, nz, ox, oy, oz, dx, dy, dz, grad):
    """The transpose of `integral`."""
    t, leave = chord(ox, oy, oz, dx, dy, dz, nx, ny, nz)
    if leave <= t or grad == 0:
        return
    x, sx, tx, wx = _first(ox, dx, t, nx - 1)
    y, sy, ty, wy = _first(oy, dy, t, ny - 1)
    z, sz, tz, wz = _first(oz, dz, t, nz - 1)
    while t < leave and 0 <= x < nx - 1 and 0 <= y < ny - 1 and 0 <= z < nz - 1:
        nearest = min(tx, ty, tz)
        after = max(min(nearest, leave), t)
        length, middle = after - t, 0.5 * (after + t)
        at = (z * ny + y) * nx + x
        for side in (-GAUSS, GAUSS):
            q = middle + side * length
            fx, fy, fz = ox + q * dx - x, oy + q * dy - y, oz + q * dz - z
            add_trilinear(cells, at, 1, nx, nx * ny, fx, fy, fz, 0.5 * length * grad)
        t = after
        x, y, z, tx, ty, tz = _beyond(nearest, x, y, z, tx, ty, tz, sx, sy, sz, wx, wy, wz)


@inlined
def _beyond(nearest, x, y, z, tx, ty, tz, sx, sy, sz, wx, wy, wz):
    """The next cell and the next planes, after crossing the nearest of the planes."""
    if nearest == tx:
        return x + sx, y, z, tx + wx, ty, tz
    if nearest == ty:
        return x, y + sy, z, tx, ty + wy, tz
    return x, y, z + sz, tx, ty, tz + wz


@inlined
def _first(o, d, enter, top):
    """First cell, step, t of the next plane and t between planes along one axis."""
    at = o + enter * d
    cell = min(max(int(math.floor(at)), 0), top - 1)  # noqa: RUF046 - CUDA's floor gives a float
    if d > 0:
        if cell + 1 - at < ON_PLANE and cell < top - 1:
            cell += 1
        return cell, 1, (cell + 1 - o) / d, 1 / d
    if d < 0:
        if at - cell < ON_PLANE and cell > 0:
            cell -= 1
        return cell, -1, (cell - o) / d, -1 / d
    return cell, 0, FAR, FAR
