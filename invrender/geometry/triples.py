"""Vectors and triangles inside compiled kernels: 3-vectors are tuples of floats, which live in registers."""

from __future__ import annotations

import math
from typing import TypeAlias

from invrender.geometry.vectors import Floats
from invrender.jit import body

Triple: TypeAlias = tuple[float, float, float]


@body
def point(v: Floats, i: int) -> Triple:
    """Row i of [V,3]."""
    return v[i, 0], v[i, 1], v[i, 2]


@body
def minus(a: Triple, b: Triple) -> Triple:
    """The vector from b to a."""
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


@body
def along(a: Triple, t: float, d: Triple) -> Triple:
    """The point a + t d."""
    return a[0] + t * d[0], a[1] + t * d[1], a[2] + t * d[2]


@body
def dot(a: Triple, b: Triple) -> float:
    """The dot product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@body
def cross(a: Triple, b: Triple) -> Triple:
    """The cross product."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@body
def normalized(a: Triple) -> Triple:
    """The unit vector along a; zero stays zero."""
    scale = 1.0 / max(math.sqrt(dot(a, a)), 1e-300)
    return a[0] * scale, a[1] * scale, a[2] * scale


@body
def area_vector(a: Triple, b: Triple, c: Triple) -> Triple:
    """The normal of a triangle times twice its area."""
    return cross(minus(b, a), minus(c, a))


@body
def shape(a: Triple, b: Triple, c: Triple) -> float:
    """4 sqrt(3) area / sum of squared edges, see `vectors.shape_quality`."""
    x, y, z = minus(b, a), minus(c, b), minus(a, c)
    w = cross(x, z)
    return 2 * math.sqrt(3.0) * math.sqrt(dot(w, w)) / max(dot(x, x) + dot(y, y) + dot(z, z), 1e-300)
