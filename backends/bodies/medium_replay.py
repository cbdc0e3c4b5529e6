"""Bodies of the adjoint of `medium_path`: each path is walked again with the same random numbers.

Extinction weakens all that is behind it: gradients of that are added up along all flights. What it scatters has a
gradient by one of four estimators (`kernels.radiance.Transport`); the first, differential ratio tracking (Nimier-David
et al. 2022, "Unbiased inverse volume rendering with differential trackers"), keeps one of a path's tentative collisions
and follows what would be scattered there.
"""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

from collections import namedtuple

import numpy as np

from invrender.kernels import paths as _paths

from .medium_grid import (
    albedo_at,
    asymmetry_at,
    emission_at,
    extinction_at,
    inside,
    spread_asymmetry,
    spread_colour,
    spread_extinction,
)
from .medium_path import QUARTER, first_hit, follow_through, is_looked_for, let_through, scattered_from
from .medium_phase import by_asymmetry, by_cosine, phase, scattered
from .medium_track import bend, flight, march, null_collisions, stretch, through
from .numbers import (
    AGAIN,
    ALBEDO,
    ANALOG,
    ANGLE,
    AROUND,
    DEPTH,
    DIELECTRIC,
    DIES,
    DIFFERENTIAL,
    DIRECTION,
    DIRECTIONAL,
    ENDS,
    ESTIMATOR,
    FLIGHT,
    GLOW,
    LIGHT_COLUMNS,
    NULL,
    POSITION,
    SHADOWS,
    SINGULAR,
    SKY,
    THROUGH,
    UNLIT,
    I,
)
from .radiance_laws import GRADS, NONE
from .radiance_lights import is_there, source_adjoint, sources
from .radiance_onward import onward
from .radiance_path import light_from, shown, stand, survival
from .radiance_push import pushed
from .radiance_replay import arrived_adjoint, missed_adjoint, onward_adjoint, shown_adjoint
from .target import add_at, called, contracted
from .vectors import INF, ONE, ZERO, along, dot, drawn, hashed, mean, scaled, share, times, uniform, uniform_of

F = np.float32
OTHER_PATH, DARK = np.uint32(_paths.NESTED), np.uint32(0x68E31DA4)
KEEPS, FURTHER = np.uint32(_paths.KEEPS), I(_paths.FURTHER)

Grids = namedtuple("Grids", "extinction albedo asymmetry emission bends")
"""Where gradients of the medium are added up, flat; empty where nobody asks. `bends`: whether lights may move."""

Kept = namedtuple("Kept", "o d t beta bounce total")
"""The point of a path whose scattering is followed: flight, distance, what the path carries; and the sum of weights."""


@called
def replay_through(scene, medium, o, d, key, delta, left, stack, grads, moves, sums, grids):
    """The adjoint of `follow_through`: `delta` is the gradient with what was seen, `left` what was seen."""
    depth, beta = I(scene.settings[DEPTH]), (ONE, ONE, ONE)
    own, density, cosine, clear, looked = I(-1), INF, INF, ONE, False
    kept = Kept(o, d, ZERO, beta, I(0), ZERO)
    for bounce in range(depth + 1):
        k, far, u, v = first_hit(scene, o, d, own, key, bounce, stack)
        t, beta, kept = flown(scene, medium, o, d, far, key, bounce, beta, kept, delta, left, stack, grids)
        if t == INF and k < 0:
            weighted = times(delta, beta)
            missed_adjoint(scene, d, bounce, density if looked else INF, cosine, clear, weighted, moves, sums)
            break
        if t < INF:
            o = along(o, t, d)
            left, beta = collided(medium, scene, o, d, key, bounce, beta, delta, left, stack, grids)
            if not max(beta[0], beta[1], beta[2]) > ZERO:
                break
            g = asymmetry_at(medium, o)
            seen = arriving_adjoint(scene, medium, o, d, g, key, bounce, times(delta, beta), stack, grads, sums, grids)
            left = along(left, -ONE, times(beta, seen))
            if bounce == depth:
                break
            d, turn = scattered(d, g, uniform(key, bounce, ANGLE), uniform(key, bounce, AROUND))
            spread_asymmetry(medium, o, dot(delta, left) * by_asymmetry(turn, g), grids.asymmetry)
            density, cosine, own, clear, looked = phase(turn, g), QUARTER, I(-1), ZERO, medium.choices[SKY] != 0
        else:
            at = stand(scene, k, u, v, d, bounce == depth)
            for number in range(GRADS):
                grads[number] = ZERO
            a = times(delta, beta)
            seen = sent_adjoint(scene, medium, at, far, density, key, bounce, a, stack, grads, sums, grids)
            left = along(left, -ONE, times(beta, seen))
            how, o, towards, weight, density, cosine, passed = left_adjoint(
                scene, at, key, bounce, times(delta, left), grads, moves, sums
            )  # fmt: skip
            if how == ENDS:
                break
            d, beta, own, clear, looked = towards, times(beta, weight), k, clear * passed, True
            if not max(beta[0], beta[1], beta[2]) > ZERO:
                break
        chance = survival(scene, beta, bounce)
        if chance < ONE and not uniform(key, bounce, DIES) < chance:
            break
        beta = scaled(ONE / chance, beta)
    scatter_kept(scene, medium, kept, key, delta, stack, grids)


@called
def left_adjoint(scene, at, key, bounce, seen, grads, moves, sums):
    """How a path goes on from a surface, as `onward` says, and the gradients of that and of the point."""
    way = (I(ENDS), at.point, at.eye, NONE, INF, INF, ONE)
    if bounce < scene.settings[DEPTH] and at.kind != UNLIT:
        way = onward(scene, at, key, bounce)
        if way[0] != ENDS:
            onward_adjoint(scene, at, way[0], way[2], seen, False, grads, sums)
    pushed(scene, at, grads, moves, sums)
    return way


@contracted
def flown(scene, medium, o, d, far, key, bounce, beta, kept, delta, left, stack, grids):
    """The next flight, along which the gradients of what gets through are added up: as `flight`, and what is kept."""
    bits, estimator = drawn(key, bounce, FLIGHT), medium.choices[ESTIMATOR]
    again = drawn(np.uint32(key ^ KEEPS), bounce, AGAIN)
    asked = len(grids.extinction) > 0
    keeps = asked and estimator == DIFFERENTIAL
    t, after, point, carried, weight = flight(medium, o, d, far, bits, beta, keeps, again, stack)
    if estimator == SINGULAR and asked:
        begin, end = stretch(medium, o, d, far)
        if begin < end:
            point, carried, weight = (
                begin + (end - begin) * uniform_of(again, FURTHER),
                beta,
                (end - begin) * mean(beta),
            )
    if weight > ZERO:
        total = kept.total + weight
        if uniform_of(again, I(0)) * total < weight:
            kept = Kept(o, d, point, carried, bounce, total)
        else:
            kept = Kept(kept.o, kept.d, kept.t, kept.beta, kept.bounce, total)
    if asked:
        behind = times(delta, left)
        if estimator == NULL:
            null_collisions(medium, o, d, far, t, bits, behind, stack, grids.extinction)
        else:
            rest = drawn(key, bounce, AGAIN)
            march(medium, o, d, min(t, far), scaled(-ONE, behind), rest, stack, grids.extinction)
    return t, after, kept


@contracted
def collided(medium, scene, x, d, key, bounce, beta, delta, left, stack, grids):
    """A real collision: what is left to be seen, and what the path carries on."""
    if medium.choices[ESTIMATOR] in (ANALOG, NULL) and len(grids.extinction) > 0:
        spread_extinction(medium, x, share(times(delta, left), extinction_at(medium, x)), grids.extinction)
    if len(grids.emission) > 0:
        spread_colour(medium, GLOW, x, times(delta, beta), grids.emission)
    left = along(left, -ONE, times(beta, emission_at(medium, x)))
    albedo = albedo_at(medium, x)
    if len(grids.albedo) > 0:
        slope = times(delta, share(left, albedo))
        if not min(albedo[0], albedo[1], albedo[2]) > ZERO:
            # What nothing is seen of yet.
            dark = (
                beta[0] if albedo[0] == ZERO else ZERO,
                beta[1] if albedo[1] == ZERO else ZERO,
                beta[2] if albedo[2] == ZERO else ZERO,
            )
            other = hashed(np.uint32(key ^ DARK))
            slope = along(
                slope, ONE, times(delta, follow_through(scene, medium, x, d, other, bounce, True, dark, stack)[0])
            )
        spread_colour(medium, ALBEDO, x, slope, grids.albedo)
    return left, times(beta, albedo)


@called
def scatter_kept(scene, medium, kept, key, delta, stack, grids):
    """Follow what is scattered at the point that was kept: the gradient with the extinction there."""
    x = along(kept.o, kept.t, kept.d)
    if not kept.total > ZERO or not inside(medium, x, stack):
        return
    key = hashed(np.uint32(key ^ OTHER_PATH))
    weight = scaled(kept.total / mean(kept.beta), times(delta, kept.beta))
    if medium.choices[ESTIMATOR] == SINGULAR:
        bits = drawn(key, kept.bounce, FLIGHT)  # the path that begins there does not fly before it is scattered
        weight = times(weight, through(medium, kept.o, kept.d, kept.t, bits, stack))
    seen, _ = follow_through(scene, medium, x, kept.d, key, kept.bounce, True, albedo_at(medium, x), stack)
    seen = along(seen, ONE, emission_at(medium, x))
    spread_extinction(medium, x, times(weight, seen), grids.extinction)


@contracted
def arriving_adjoint(scene, medium, x, d, g, key, bounce, a, stack, grads, sums, grids):
    """Of `arriving`, whose value it gives."""
    total = NONE
    for number in range(sources(scene)):
        if not is_looked_for(scene, medium, number, bounce):
            continue
        found = scattered_from(scene, medium, x, d, g, number, key, bounce, True, stack)
        value, passed, part, towards, colour, factor, distance, k, cosine = found
        if not max(passed[0], passed[1], passed[2]) > ZERO:
            continue
        total = along(total, ONE, value)
        along_value = dot(a, value)
        spread_asymmetry(medium, x, along_value * by_asymmetry(cosine, g), grids.asymmetry)
        a_light, a_towards = scaled(part / factor, times(a, passed)), scaled(along_value * by_cosine(cosine, g), d)
        source_adjoint(scene, number, k, towards, colour, factor, distance, a_light, a_towards, grads, sums)
        shaded(scene, medium, x, towards, distance, number, key, bounce, times(a, value), stack, sums, grids)
    return total


@called
def sent_adjoint(scene, medium, at, t, density, key, bounce, a, stack, grads, sums, grids):
    """Of `sent`, whose value it gives."""
    last = bounce == scene.settings[DEPTH]
    total = shown(scene, at, t, density, last)
    shown_adjoint(scene, at, t, density, last, a, grads, sums)
    if at.kind in (DIELECTRIC, UNLIT):
        return total
    for number in range(sources(scene)):
        if not is_there(scene, number):
            continue
        found = light_from(scene, at, number, key, bounce, True, stack)
        if not found[0]:
            continue
        towards, distance = found[2], found[5]
        passed = let_through(scene, medium, at.point, towards, distance, number, key, bounce, stack)
        value = times(passed, found[1])
        total = along(total, ONE, value)
        arrived_adjoint(scene, at, number, found, times(a, passed), False, grads, sums)
        shaded(scene, medium, at.point, towards, distance, number, key, bounce, times(a, value), stack, sums, grids)
    return total


@contracted
def shaded(scene, medium, x, towards, distance, number, key, bounce, seen, stack, sums, grids):
    """The gradient of what the medium lets through of a source's light, of which `seen` is the gradient times it."""
    if not scene.settings[SHADOWS]:
        return
    own = np.uint32(key ^ np.uint32(number + 1))
    bits = drawn(own, bounce, AGAIN)
    if len(grids.extinction) > 0 and max(abs(seen[0]), abs(seen[1]), abs(seen[2])) > ZERO:
        if medium.choices[ESTIMATOR] == NULL:
            tracked = drawn(own, bounce, THROUGH)
            null_collisions(medium, x, towards, distance, INF, tracked, seen, stack, grids.extinction)
        else:
            march(medium, x, towards, distance, scaled(-ONE, seen), bits, stack, grids.extinction)
    if grids.bends and number < len(scene.light_kinds):
        turned = bend(medium, x, towards, distance, scaled(-ONE, seen), bits, stack)
        moved(scene, number, towards, distance, turned, sums)


@contracted
def moved(scene, number, towards, distance, turned, sums):
    """Gradients with a light's direction or place, from those with the direction to it and its distance."""
    a_towards, a_distance = turned
    column = DIRECTION
    if scene.light_kinds[number] != DIRECTIONAL:
        column = POSITION
        radial = a_distance - dot(a_towards, towards) / distance
        a_towards = along(scaled(ONE / distance, a_towards), radial, towards)
    for axis in range(3):
        add_at(sums.lights, LIGHT_COLUMNS * number + column + axis, a_towards[axis])
