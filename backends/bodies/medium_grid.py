"""Bodies of a medium's grids: trilinear between their vertices, and their adjoint; and what its boundary encloses.

Grids are flat with their channels together. A grid of one vertex is the same everywhere.
"""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

from collections import namedtuple

import numpy as np

from .numbers import ALBEDO, ASYMMETRY, COLOURED, EDGE, EXTINCTION, GLOW, LOW, NONE_OF, OTHER, SIZE, STEP, I
from .packed_tree import traversed
from .target import add_at, contracted
from .vectors import INF, ONE, ZERO, along, cross, dot, minus, scaled, three, times

F = np.float32
NO_BITS = np.uint32(0)
SKEW = F(0.48), F(0.6), F(0.64)
"""A unit vector along which few things lie: what a point sees there tells whether it is inside."""

Medium = namedtuple(
    "Medium",
    "extinction albedo asymmetry emission majorants scales sizes choices corners order boxes links rows seen",
)
"""A medium for kernels. Flat grids; majorants, flat, with a layer of empty cells about them; scales [8,3] float32:
vertices (cells) per unit of the frame, and lengths; sizes [5,6] int64: numbers of vertices and steps between them;
choices [3] int32; and the tree of the boundary as in `radiance_path.Scene` (`rows` and `seen` stand for its rows and
materials, which are not read)."""


@contracted
def inside(medium, x, stack):
    """Whether the boundary encloses a point: the nearest face along a fixed direction shows its back."""
    if len(medium.order) == 0:
        return True
    tree = (medium.corners, medium.order, medium.boxes, medium.links, medium.rows, medium.seen)
    k, _, _, _ = traversed(tree, True, x, SKEW, INF, I(-1), NO_BITS, False, stack)
    if k < 0:
        return False
    return dot(cross(three(k, EDGE, medium.corners), three(k, OTHER, medium.corners)), SKEW) > ZERO


@contracted
def local(medium, x):
    """A point from the box's first corner on."""
    return minus(x, three(LOW, NONE_OF, medium.scales))


@contracted
def below(medium, grid, axis, x):
    """The vertex below a coordinate, as far as there is one, and the share of the next."""
    last = medium.sizes[grid, SIZE + axis] - 1
    p = min(max(x * medium.scales[grid, axis], ZERO), F(last))
    i = min(I(p), max(last - 1, NONE_OF))
    return i, p - F(i)


@contracted
def around(medium, grid, x):
    """Number of the vertex below a point, the shares of those beyond along x, y, z, and how far those are."""
    p = local(medium, x)
    i, u = below(medium, grid, I(0), p[0])
    j, v = below(medium, grid, I(1), p[1])
    k, w = below(medium, grid, I(2), p[2])
    right, up, back = medium.sizes[grid, STEP], medium.sizes[grid, STEP + 1], medium.sizes[grid, STEP + 2]
    return i * right + j * up + k * back, u, v, w, right, up, back


@contracted
def one(cells, at):
    """The value of a grid of one channel at what `around` gave."""
    b, u, v, w, right, up, back = at
    near = (cells[b] * (ONE - u) + cells[b + right] * u) * (ONE - v)
    near += (cells[b + up] * (ONE - u) + cells[b + up + right] * u) * v
    b += back
    far = (cells[b] * (ONE - u) + cells[b + right] * u) * (ONE - v)
    far += (cells[b + up] * (ONE - u) + cells[b + up + right] * u) * v
    return near * (ONE - w) + far * w


@contracted
def colour_of(cells, vertex):
    """The three channels of a vertex."""
    return cells[3 * vertex], cells[3 * vertex + 1], cells[3 * vertex + 2]


@contracted
def many(cells, at):
    """The value of a grid of three channels at what `around` gave."""
    b, u, v, w, right, up, back = at
    near = scaled((ONE - u) * (ONE - v), colour_of(cells, b))
    near = along(near, u * (ONE - v), colour_of(cells, b + right))
    near = along(near, (ONE - u) * v, colour_of(cells, b + up))
    near = along(near, u * v, colour_of(cells, b + up + right))
    b += back
    far = scaled((ONE - u) * (ONE - v), colour_of(cells, b))
    far = along(far, u * (ONE - v), colour_of(cells, b + right))
    far = along(far, (ONE - u) * v, colour_of(cells, b + up))
    far = along(far, u * v, colour_of(cells, b + up + right))
    return along(scaled(ONE - w, near), w, far)


@contracted
def extinction_at(medium, x):
    """Of red, green and blue."""
    at = around(medium, EXTINCTION, x)
    if medium.choices[COLOURED]:
        return many(medium.extinction, at)
    grey = one(medium.extinction, at)
    return grey, grey, grey


@contracted
def albedo_at(medium, x):
    """The albedo at a point."""
    if len(medium.albedo) == 3:
        return colour_of(medium.albedo, NONE_OF)
    return many(medium.albedo, around(medium, ALBEDO, x))


@contracted
def asymmetry_at(medium, x):
    """The mean cosine of scattering at a point."""
    if len(medium.asymmetry) == 1:
        return medium.asymmetry[0]
    return one(medium.asymmetry, around(medium, ASYMMETRY, x))


@contracted
def emission_at(medium, x):
    """The emission at a point."""
    if len(medium.emission) <= 3:
        return colour_of(medium.emission, NONE_OF) if len(medium.emission) == 3 else (ZERO, ZERO, ZERO)
    return many(medium.emission, around(medium, GLOW, x))


@contracted
def slope(medium, x, value):
    """The sum of `value` times the extinction of all channels at a point, and its gradient with the point."""
    at = around(medium, EXTINCTION, x)
    _, u, v, w, _, _, _ = at
    total, by_x, by_y, by_z = ZERO, ZERO, ZERO, ZERO
    for corner in range(8):
        vertex, weight = share_of(at, corner)
        if medium.choices[COLOURED]:
            here = dot(value, colour_of(medium.extinction, vertex))
        else:
            here = (value[0] + value[1] + value[2]) * medium.extinction[vertex]
        total += weight * here
        a, b, c = (u if corner & 1 else ONE - u), (v if corner & 2 else ONE - v), (w if corner & 4 else ONE - w)
        by_x += (here if corner & 1 else -here) * b * c
        by_y += (here if corner & 2 else -here) * a * c
        by_z += (here if corner & 4 else -here) * a * b
    return total, times((by_x, by_y, by_z), three(EXTINCTION, NONE_OF, medium.scales))


@contracted
def share_of(at, corner):
    """The vertex of one of the eight corners around a point, and its weight."""
    b, u, v, w, right, up, back = at
    weight = (u if corner & 1 else ONE - u) * (v if corner & 2 else ONE - v) * (w if corner & 4 else ONE - w)
    return b + (corner & 1) * right + (corner >> 1 & 1) * up + (corner >> 2) * back, weight


@contracted
def spread_one(cells, at, value):
    """Adjoint of `one`."""
    b, u, v, w, right, up, back = at
    beyond = w * value
    near = value - beyond
    spread_face(cells, b, u, v, right, up, near)
    spread_face(cells, b + back, u, v, right, up, beyond)


@contracted
def spread_face(cells, b, u, v, right, up, value):
    """The four vertices of one z."""
    upper = v * value
    lower = value - upper
    add_at(cells, b, lower - u * lower)
    add_at(cells, b + right, u * lower)
    add_at(cells, b + up, upper - u * upper)
    add_at(cells, b + up + right, u * upper)


@contracted
def spread_many(cells, at, value):
    """Adjoint of `many`."""
    for corner in range(8):
        vertex, weight = share_of(at, corner)
        for channel in range(3):
            add_at(cells, 3 * vertex + channel, weight * value[channel])


@contracted
def spread_extinction(medium, x, value, cells):
    """Add a gradient with the extinction at a point to that with the grid's, if that is asked for."""
    if len(cells) == 0:
        return
    at = around(medium, EXTINCTION, x)
    if medium.choices[COLOURED]:
        spread_many(cells, at, value)
    else:
        spread_one(cells, at, value[0] + value[1] + value[2])


@contracted
def spread_colour(medium, grid, x, value, cells):
    """The same for albedo and emission."""
    if len(cells) > 0:
        spread_many(cells, around(medium, grid, x), value)


@contracted
def spread_asymmetry(medium, x, value, cells):
    """The same for the mean cosine."""
    if len(cells) > 0:
        spread_one(cells, around(medium, ASYMMETRY, x), value)
