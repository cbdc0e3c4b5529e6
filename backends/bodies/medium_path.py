"""Bodies of paths of light through a medium, among surfaces; `medium_replay` has the adjoint.

A path meets a surface as in `radiance_path`, unless the medium scatters it before.
"""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import numpy as np

from .medium_grid import albedo_at, asymmetry_at, emission_at
from .medium_phase import phase, scattered
from .medium_track import flight, through
from .numbers import (
    ANGLE,
    AROUND,
    BLOCKS,
    DEPTH,
    DIELECTRIC,
    DIES,
    EAST,
    ENDS,
    FLIGHT,
    LAYER,
    NORTH,
    SHADOWS,
    SKY,
    THROUGH,
    UNLIT,
    I,
)
from .packed_tree import hit
from .radiance_laws import NONE
from .radiance_lights import is_there, source, sources
from .radiance_onward import onward
from .radiance_path import REACH, light_from, missed, shown, stand, survival
from .radiance_sky import sky
from .target import called, contracted
from .vectors import INF, ONE, PI, TWO, ZERO, along, dot, drawn, scaled, times, turned, uniform

F = np.float32
NO_BITS = np.uint32(0)
WHITE, UPWARDS = (ONE, ONE, ONE), (ZERO, ZERO, ONE)
QUARTER = F(0.25)
"""Stands for the cosine with the normal where a sky of one colour is looked for on all sides alike."""


@called
def follow_through(scene, medium, o, d, key, first, begun, beta, stack):
    """What a path sees from its bounce `first` on, times `beta`, and whether it meets anything.

    Args:
        begun: whether the path is in the medium at `o`, where it is scattered; else it flies from there.
    """
    depth, total, alpha = I(scene.settings[DEPTH]), NONE, ZERO
    own, density, cosine, clear = I(-1), INF, INF, ONE
    looked = False  # whether the sky was looked for at the last point, besides by this path
    for bounce in range(first, depth + 1):
        within = begun
        begun = False
        if not within:
            k, far, u, v = first_hit(scene, o, d, own, key, bounce, stack)
            t, beta, _, _, _ = flight(
                medium, o, d, far, drawn(key, bounce, FLIGHT), beta, False, NO_BITS, stack
            )  # fmt: skip
            within = t < INF
            if not within and k < 0:
                seen = missed(scene, d, bounce, density if looked else INF, cosine, clear)
                total = along(total, ONE, times(beta, seen))
                break
            alpha = ONE if bounce == 0 else alpha
            if within:
                o = along(o, t, d)
                total = along(total, ONE, times(beta, emission_at(medium, o)))
                beta = times(beta, albedo_at(medium, o))
            else:
                at = stand(scene, k, u, v, d, bounce == depth)
                total = along(total, ONE, times(beta, sent(scene, medium, at, far, density, key, bounce, stack)))
                if at.kind == UNLIT or bounce == depth:
                    break
                how, o, d, weight, density, cosine, passed = gone_on(scene, at, key, bounce)
                if how == ENDS:
                    break
                beta, own, clear, looked = times(beta, weight), k, clear * passed, True
        if not max(beta[0], beta[1], beta[2]) > ZERO:
            break
        if within:
            g = asymmetry_at(medium, o)
            total = along(total, ONE, times(beta, arriving(scene, medium, o, d, g, key, bounce, stack)))
            if bounce == depth:
                break
            d, turn = scattered(d, g, uniform(key, bounce, ANGLE), uniform(key, bounce, AROUND))
            density, cosine, own, clear, looked = phase(turn, g), QUARTER, I(-1), ZERO, medium.choices[SKY] != 0
        chance = survival(scene, beta, bounce)
        if chance < ONE and not uniform(key, bounce, DIES) < chance:
            break
        beta = scaled(ONE / chance, beta)
    return total, alpha


@contracted
def first_hit(scene, o, d, own, key, bounce, stack):
    """As `hit`, which is not asked where there are no surfaces: it takes a while to hand the scene over."""
    if len(scene.order) == 0:
        return I(-1), INF, ZERO, ZERO
    return hit(scene, o, d, INF, own, drawn(key, bounce, LAYER), False, stack)


@called
def sent(scene, medium, at, t, density, key, bounce, stack):
    """What a point of a surface shows by itself, and what it reflects of lights."""
    light = shown(scene, at, t, density, bounce == scene.settings[DEPTH])
    if at.kind in (UNLIT, DIELECTRIC):
        return light
    return along(light, ONE, direct_through(scene, medium, at, key, bounce, stack))


@called
def gone_on(scene, at, key, bounce):
    """As `onward`, once for all kernels of media, which are long enough without it."""
    return onward(scene, at, key, bounce)


@contracted
def direct_through(scene, medium, at, key, bounce, stack):
    """What a point of a surface reflects of lights that are seen through the medium."""
    total = NONE
    for number in range(sources(scene)):
        if is_there(scene, number):
            found = light_from(scene, at, number, key, bounce, False, stack)
            if found[0]:
                left = let_through(scene, medium, at.point, found[2], found[5], number, key, bounce, stack)
                total = along(total, ONE, times(left, found[1]))
    return total


@contracted
def arriving(scene, medium, x, d, g, key, bounce, stack):
    """What light of sources a point of the medium scatters into a path that came along d."""
    total = NONE
    for number in range(sources(scene)):
        if is_looked_for(scene, medium, number, bounce):
            total = along(total, ONE, scattered_from(scene, medium, x, d, g, number, key, bounce, False, stack)[0])
    return total


@contracted
def is_looked_for(scene, medium, number, bounce):
    """Whether points of the medium look for a source: for the sky where they are told to, or where the path ends."""
    if number > len(scene.light_kinds) and not (medium.choices[SKY] or bounce == scene.settings[DEPTH]):
        return False
    return is_there(scene, number)


@contracted
def scattered_from(scene, medium, x, d, g, number, key, bounce, every, stack):
    """What a point scatters of a source's light, and what that is made of.

    Args:
        every: whether to look for what blocks even light of which nothing is scattered: its gradient is something.

    Returns:
        value; what gets through of red, green and blue; the share that is scattered, which holds the source's factor;
        then as `source`: towards, colour, factor, distance, row of the face; and the cosine with d.
    """
    towards, colour, factor, density, distance, k = source_around(scene, number, x, d, key, bounce)
    cosine = dot(d, towards)
    law, left = phase(cosine, g), NONE
    part = factor * law
    if density > ZERO and scene.settings[SHADOWS] and bounce < scene.settings[DEPTH]:
        part *= density / (density + law)
    value = scaled(part, colour)
    matters = part > ZERO and (every or value[0] + value[1] + value[2] > ZERO)
    if matters and not blocked(scene, x, towards, distance, number, key, bounce, stack):
        left = let_through(scene, medium, x, towards, distance, number, key, bounce, stack)
    return times(value, left), left, part, towards, colour, factor, distance, k, cosine


@contracted
def source_around(scene, number, x, d, key, bounce):
    """`source` for a point of the medium, which light from all sides alike reaches."""
    if number > len(scene.light_kinds) and len(scene.sky_rows) == 0:
        first, second = uniform(key, bounce, EAST), uniform(key, bounce, NORTH)
        towards = turned(UPWARDS, ONE - TWO * first, second)
        return towards, sky(scene, towards), PI / QUARTER, QUARTER / PI, INF, I(-1)
    return source(scene, number, x, d, key, bounce)


@contracted
def blocked(scene, x, towards, distance, number, key, bounce, stack):
    """Whether a surface blocks light from a source at a point of the medium."""
    if not scene.settings[SHADOWS] or len(scene.order) == 0:
        return False
    bits, far = drawn(np.uint32(key ^ np.uint32(number + 1)), bounce, BLOCKS), INF
    if distance < INF:
        towards, far = scaled(distance, towards), REACH
    return hit(scene, x, towards, far, I(-1), bits, True, stack)[0] >= 0


@contracted
def let_through(scene, medium, x, towards, distance, number, key, bounce, stack):
    """What the medium lets through of a source's light."""
    if not scene.settings[SHADOWS]:
        return WHITE
    bits = drawn(np.uint32(key ^ np.uint32(number + 1)), bounce, THROUGH)
    return through(medium, x, towards, distance, bits, stack)
