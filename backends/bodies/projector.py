"""Bodies of Joseph's projector along one line and of its transpose; see `lines` for what a line is.

The transpose's loop over planes is not here: on CPUs a thread owns some of the planes, and the special weights of the
first and the last plane must stay in branches there, or they slow down all planes (by a fifth).
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from .cells import add_bilinear, bilinear
from .target import inlined


@inlined
def march(values, along, su, sv, u0, v0, du, dv, pitch, head, tail, first, last):
    """The optical depth along one line through a flat grid."""
    along, su, sv = np.uint32(along), np.uint32(su), np.uint32(sv)
    count = np.int32(last) - np.int32(first)
    base = np.int32(first) * along
    start = sample(values, base, su, sv, u0, v0)
    if count == 0:
        return pitch * (head + tail - np.float32(1)) * start
    total = np.float32(0)
    for k in range(np.int32(1), count):
        total += sample(values, base + k * along, su, sv, u0 + np.float32(k) * du, v0 + np.float32(k) * dv)
    steps = np.float32(count)
    end = sample(values, base + count * along, su, sv, u0 + steps * du, v0 + steps * dv)
    return pitch * (total + head * start + tail * end)


@inlined
def sample(values, plane, su, sv, u, v):
    """The grid at (u, v) on the plane that begins at index `plane`."""
    iu, iv = np.uint32(u), np.uint32(v)
    return bilinear(values, np.uint32(plane + iu * su + iv * sv), su, sv, u - np.float32(iu), v - np.float32(iv))


@inlined
def add_sample(cells, plane, su, sv, u, v, value):
    """The transpose of `sample`."""
    iu, iv = np.uint32(u), np.uint32(v)
    add_bilinear(cells, np.uint32(plane + iu * su + iv * sv), su, sv, u - np.float32(iu), v - np.float32(iv), value)
