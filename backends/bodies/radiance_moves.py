"""Bodies of how paths move with the camera's ray and with refractive indices; see `radiance_replay`."""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import math

from .numbers import REFRACTED, SCATTERED
from .radiance_laws import NONE
from .radiance_onward import optics
from .radiance_push import slants
from .radiance_surface import ABOVE
from .target import contracted
from .vectors import ONE, TWO, ZERO, along, dot, minus, scaled, unit


@contracted
def arrive(at, t, d, moves):
    """The place moves with the ray until it meets the face."""
    slope = dot(at.flat, d)
    for c in range(moves.first, len(moves.found)):
        p = along(column(moves, c, 0), t, column(moves, c, 3))
        put(moves, c, 0, along(p, -dot(at.flat, p) / slope, d))


@contracted
def column(moves, c, first):
    """Three numbers of a column."""
    return moves.place[first, c], moves.place[first + 1, c], moves.place[first + 2, c]


@contracted
def put(moves, c, first, value):
    """Set them."""
    moves.place[first, c], moves.place[first + 1, c], moves.place[first + 2, c] = value[0], value[1], value[2]


@contracted
def turn(scene, at, how, moves):
    """The direction moves with the place and the ray, if the path was mirrored or refracted; else it is constant."""
    if len(moves.found) == 0:
        return
    if how == SCATTERED:
        for c in range(moves.first, len(moves.found)):
            put(moves, c, 3, NONE)
        return
    e, cosine, inner, by_ior, flat = ONE, ZERO, ZERO, ZERO, at.flat
    straight = along(scaled(-ONE, at.eye), TWO * dot(at.normal, at.eye), at.normal)
    if how == REFRACTED:
        ratio, cosine, _, inner = optics(scene, at)
        e, by_ior, flat = ONE / ratio, -ONE / (ratio * ratio) if at.side > ZERO else ONE, scaled(-ONE, at.flat)
        straight = unit(along(scaled(-e, at.eye), cosine * e - inner, at.normal))
    for c in range(moves.first, len(moves.found)):
        dn, dv = tilted(scene, at, column(moves, c, 0)), scaled(-ONE, column(moves, c, 3))
        dc = dot(dn, at.eye) + dot(at.normal, dv)
        if how == REFRACTED:
            de = by_ior if c == moves.slots[at.row] else ZERO
            d_inner = (e * e * cosine * dc - e * (ONE - cosine * cosine) * de) / inner
            step = along(scaled(dc * e + cosine * de - d_inner, at.normal), cosine * e - inner, dn)
            step = along(along(step, -de, at.eye), -e, dv)
        else:
            step = minus(along(scaled(TWO * dc, at.normal), TWO * dot(at.normal, at.eye), dn), dv)
        put(moves, c, 3, bent_step(straight, flat, step))


@contracted
def bent_step(d, flat, step):
    """How `bent` moves with the direction."""
    into = dot(d, flat)
    if into >= ZERO:
        return step
    above = along(d, ABOVE - into, flat)
    scale = ONE / math.sqrt(dot(above, above))
    level, above = along(step, -dot(step, flat), flat), scaled(scale, above)
    return scaled(scale, along(level, -dot(level, above), above))


@contracted
def tilted(scene, at, step):
    """How the normal turns by a step on the face."""
    by_u, by_v, first, second = slants(scene, at)
    m = along(scaled(dot(by_u, step), first), dot(by_v, step), second)
    return along(m, -dot(m, at.normal), at.normal)
