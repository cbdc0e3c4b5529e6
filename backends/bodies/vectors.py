"""Vectors as tuples of three float32 numbers, which compilers keep in registers, and random numbers of paths."""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import math

import numpy as np

from invrender.kernels import paths as _paths

from .target import contracted

F = np.float32
ZERO, HALF, ONE, TWO = F(0), F(0.5), F(1), F(2)
PI, TURN, INF = F(math.pi), F(2 * math.pi), F(math.inf)
TINY = F(1e-20)
SIXTEEN, FIFTEEN, SHIFT = np.uint32(16), np.uint32(15), np.uint32(_paths.BITS)
FIRST, SECOND, ITEM = np.uint32(_paths.FIRST), np.uint32(_paths.SECOND), np.uint32(_paths.ITEM)
SPREAD, MASK, STRIDE, FRACTION = _paths.SPREAD, _paths.MASK, _paths.STRIDE, F(_paths.FRACTION)


@contracted
def dot(a, b):
    """a . b."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@contracted
def cross(a, b):
    """a x b."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@contracted
def along(a, s, b):
    """a + s b."""
    return a[0] + s * b[0], a[1] + s * b[1], a[2] + s * b[2]


@contracted
def minus(a, b):
    """a - b."""
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


@contracted
def scaled(s, a):
    """s a."""
    return s * a[0], s * a[1], s * a[2]


@contracted
def times(a, b):
    """Each by each."""
    return a[0] * b[0], a[1] * b[1], a[2] * b[2]


@contracted
def share(a, b):
    """a / b each, 0 where b is 0."""
    return (
        a[0] / b[0] if b[0] != ZERO else ZERO,
        a[1] / b[1] if b[1] != ZERO else ZERO,
        a[2] / b[2] if b[2] != ZERO else ZERO,
    )


@contracted
def unit(a):
    """a / |a|."""
    return scaled(ONE / max(math.sqrt(dot(a, a)), TINY), a)


@contracted
def three(row, column, cells):
    """Three numbers of a table."""
    return cells[row, column], cells[row, column + 1], cells[row, column + 2]


@contracted
def mean(a):
    """Of the three."""
    return (a[0] + a[1] + a[2]) * F(1 / 3)


@contracted
def hashed(value):
    """A bijection of 32 bits; see `kernels.paths`."""
    value = np.uint32(value ^ (value >> SIXTEEN))
    value = np.uint32(value * FIRST)
    value = np.uint32(value ^ (value >> FIFTEEN))
    value = np.uint32(value * SECOND)
    return np.uint32(value ^ (value >> SIXTEEN))


@contracted
def stream(seed_key, ray):
    """The random numbers of a ray."""
    return hashed(np.uint32(np.uint32(seed_key) + np.uint32((ray * SPREAD) & MASK)))


@contracted
def drawn(key, bounce, dimension):
    """Bits of one decision."""
    return hashed(np.uint32(key + np.uint32(((1 + bounce * STRIDE + dimension) * SPREAD) & MASK)))


@contracted
def uniform(key, bounce, dimension):
    """A number in [0, 1)."""
    return F(drawn(key, bounce, dimension) >> SHIFT) * FRACTION


@contracted
def uniform_of(bits, item):
    """A number in [0, 1) of an item, from the bits of a decision."""
    return F(hashed(np.uint32(bits ^ np.uint32(np.uint32(item) * ITEM))) >> SHIFT) * FRACTION


@contracted
def basis(n):
    """Two unit vectors across a unit axis (Duff et al. 2017)."""
    sign = ONE if n[2] >= ZERO else -ONE
    a = -ONE / (sign + n[2])
    b = n[0] * n[1] * a
    return (ONE + sign * n[0] * n[0] * a, sign * b, -sign * n[0]), (b, sign + n[1] * n[1] * a, -n[1])


@contracted
def turned(n, cosine, turn):
    """A unit vector at an angle to a unit axis, turned about it by a share of a full turn."""
    tangent, other = basis(n)
    sine = math.sqrt(max(ONE - cosine * cosine, ZERO))
    x, y = sine * math.cos(TURN * turn), sine * math.sin(TURN * turn)
    return along(along(scaled(cosine, n), x, tangent), y, other)


@contracted
def visible_half(n, v, alpha, first, second):
    """The normal of a microfacet that the eye sees (Dupuy and Benyoub 2023)."""
    tangent, other = basis(n)
    eye = unit((alpha * dot(v, tangent), alpha * dot(v, other), dot(v, n)))
    height = (ONE - second) * (ONE + eye[2]) - eye[2]
    sine = math.sqrt(max(ONE - height * height, ZERO))
    x, y = sine * math.cos(TURN * first) + eye[0], sine * math.sin(TURN * first) + eye[1]
    half = along(scaled(alpha * x, tangent), alpha * y, other)
    return unit(along(half, max(height + eye[2], ZERO), n))
