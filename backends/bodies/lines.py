"""Bodies that set up the rays of pixels for Joseph's method: sampled plane by plane across their main axis.

Joseph 1982. A ray crosses the planes k = first .. last of its main axis at (u, v) = start + (k - first) step, in index
units of the two other axes; each plane stands for `pitch` units of length. The first and the last plane stand for more
or less than that (`head`, `tail`, in pitches), so that a constant grid gives the exact length of the chord.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math

from .cells import chord
from .target import inlined

INSET = 1e-4  # how far (index units) positions stay below the last vertex, so that a cell always has two
ON_PLANE = 1e-9  # index units


@inlined
def permuted(axis, x, y, z):
    """Values for the axes x, y, z, reordered to main axis, u, v (u before v in the order x, y, z)."""
    if axis == 0:
        return x, y, z
    if axis == 1:
        return y, x, z
    return z, x, y


@inlined
def joseph_line(view, px, py, nx, ny, nz, hx, hy, hz):
    """The line of a point (px, py): axis, first, last (last < first: none), u, v, du, dv, pitch, head, tail.

    view [18]: the matrices from (px, py, 1) to the origin and the direction of its ray, in index units. nx ny nz:
    samples of the grid; hx hy hz: lengths of a cell.
    """
    ox = view[0] * px + view[1] * py + view[2]
    oy = view[3] * px + view[4] * py + view[5]
    oz = view[6] * px + view[7] * py + view[8]
    dx = view[9] * px + view[10] * py + view[11]
    dy = view[12] * px + view[13] * py + view[14]
    dz = view[15] * px + view[16] * py + view[17]
    axis, largest = 0, abs(dx)
    if abs(dy) > largest:
        axis, largest = 1, abs(dy)
    if abs(dz) > largest:
        axis, largest = 2, abs(dz)
    enter, leave = chord(ox, oy, oz, dx, dy, dz, nx, ny, nz)
    if leave <= enter:
        return axis, 0, -1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    o, ou, ov = permuted(axis, ox, oy, oz)
    d, du, dv = permuted(axis, dx, dy, dz)
    n, nu, nv = permuted(axis, nx, ny, nz)
    one, other = o + enter * d, o + leave * d
    low, high = min(one, other), max(one, other)
    first = max(int(math.ceil(low - ON_PLANE)), 0)  # noqa: RUF046 - CUDA's ceil gives a float
    last = min(int(math.floor(high + ON_PLANE)), n - 1)  # noqa: RUF046
    steps = max(last - first, 1)
    u, u_end = _crossing(ou, du / d, first - o, nu), _crossing(ou, du / d, last - o, nu)
    v, v_end = _crossing(ov, dv / d, first - o, nv), _crossing(ov, dv / d, last - o, nv)
    length = math.sqrt((dx * hx) * (dx * hx) + (dy * hy) * (dy * hy) + (dz * hz) * (dz * hz))
    return (
        axis, first, last, u, v, (u_end - u) / steps, (v_end - v) / steps,
        length / largest, first + 0.5 - low, high - last + 0.5,
    )  # fmt: skip


@inlined
def _crossing(o, slope, along, n):
    """The coordinate of a ray along another axis, clamped to the grid."""
    return min(max(o + along * slope, 0.0), n - 1 - INSET)


@inlined
def support_range(support, along, su, sv, u, v, du, dv, first, last):
    """The first and the last plane on which a line touches the support [D*H*W] uint8; first > last where none."""
    begin, end = first, last
    while begin <= end and not _in_support(
        support, begin * along, su, sv, u + (begin - first) * du, v + (begin - first) * dv
    ):
        begin += 1
    while end > begin and not _in_support(support, end * along, su, sv, u + (end - first) * du, v + (end - first) * dv):
        end -= 1
    return begin, end


@inlined
def _in_support(support, plane, su, sv, u, v):
    at = plane + int(u) * su + int(v) * sv
    return (support[at] | support[at + su] | support[at + sv] | support[at + su + sv]) != 0
