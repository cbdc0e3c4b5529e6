"""Bodies of the light that arrives at a point directly, and of its adjoint; of the environment in a direction, too.

Sources are numbered: the scene's lights, then one point of a face that emits, then one direction of the environment.
What arrives across the direction is a colour times a factor.
"""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import math

import numpy as np

from invrender.kernels import paths as _paths

from .numbers import (
    ACROSS,
    ALONG,
    COS_INNER,
    COS_OUTER,
    DIRECTION,
    DIRECTIONAL,
    EAST,
    EDGE,
    EMISSION,
    FACE,
    INTENSITY,
    LIGHT_COLUMNS,
    MATERIAL_COLUMNS,
    NONE_OF,
    NORTH,
    OPACITY,
    OTHER,
    POSITION,
    SPOT,
    I,
)
from .radiance_laws import POINT
from .radiance_sky import pick, picked, sky, sky_adjoint
from .target import add_at, contracted
from .vectors import INF, ONE, PI, TWO, ZERO, along, cross, dot, minus, scaled, three, turned, uniform

F = np.float32
NEAREST, LEAST, TINY = F(_paths.NEAREST), F(_paths.LEAST), F(1e-30)


@contracted
def source(scene, number, point, n, key, bounce):
    """Unit vector to a source, its colour, the factor, the density (0: no path finds it), distance, row of the face."""
    lights = len(scene.light_kinds)
    if number < lights:
        towards, colour, factor, distance = punctual(scene.lights, scene.light_kinds[number], number, point)
        return towards, colour, factor, ZERO, distance, I(-1)
    if number == lights:
        return area(scene, point, key, bounce)
    if len(scene.sky_rows) == 0:
        first, second = uniform(key, bounce, EAST), uniform(key, bounce, NORTH)
        towards = turned(n, math.sqrt(ONE - first), second)
        density = max(dot(n, towards), LEAST) / PI
    else:
        towards, density = picked(scene, key, bounce)
    return towards, sky(scene, towards), ONE / density, density, INF, I(-1)


@contracted
def sources(scene):
    """How many there may be."""
    return len(scene.light_kinds) + 2


@contracted
def is_there(scene, number):
    """Whether there is a source of that number."""
    rest = number - len(scene.light_kinds)
    if rest == 0:
        return len(scene.emitters) > 0
    return rest < 0 or len(scene.environment) > 0


@contracted
def punctual(lights, kind, number, point):
    """Unit vector, intensity, factor and distance of a light."""
    axis, intensity = three(number, DIRECTION, lights), three(number, INTENSITY, lights)
    if kind == DIRECTIONAL:
        return axis, intensity, ONE, INF
    segment = minus(three(number, POSITION, lights), point)
    square = max(dot(segment, segment), NEAREST)
    distance = math.sqrt(square)
    towards = scaled(ONE / distance, segment)
    factor = ONE / square
    if kind == SPOT:
        share = cone(lights, number, towards)
        factor *= share * share
    return towards, intensity, factor, distance


@contracted
def cone(lights, number, towards):
    """The root of the share of a spot's light within its cone."""
    inner, outer = lights[number, COS_INNER], lights[number, COS_OUTER]
    return min(max((-dot(towards, three(number, DIRECTION, lights)) - outer) / (inner - outer), ZERO), ONE)


@contracted
def area(scene, point, key, bounce):
    """See `source`."""
    k = I(scene.emitters[pick(scene.emitters_cumulative, NONE_OF, I(len(scene.emitters)), uniform(key, bounce, FACE))])
    u, v = uniform(key, bounce, ALONG), uniform(key, bounce, ACROSS)
    if u + v > ONE:
        u, v = ONE - u, ONE - v
    edge, other = three(k, EDGE, scene.corners), three(k, OTHER, scene.corners)
    segment = minus(along(along(three(k, NONE_OF, scene.corners), u, edge), v, other), point)
    square = max(dot(segment, segment), NEAREST)
    distance = math.sqrt(square)
    towards = scaled(ONE / distance, segment)
    up = cross(edge, other)
    seen = abs(dot(up, towards)) / max(math.sqrt(dot(up, up)), TINY)
    density = scene.emitter_density[k]
    row = I(scene.rows[k])
    colour, share = three(row, EMISSION, scene.materials), scene.materials[row, OPACITY]
    by_angle = density * square / max(seen, LEAST)
    return towards, colour, share * seen / (square * density), by_angle, distance, k


@contracted
def source_adjoint(scene, number, k, towards, colour, factor, distance, a_light, a_towards, grads, out):
    """Gradients with light across the direction and with the direction: to the source's values, and to the point's."""
    lights = len(scene.light_kinds)
    a_colour = scaled(factor, a_light)
    along_light = dot(a_light, colour) * factor  # by the factor's logarithm
    if number > lights:
        if len(out.environment) > 0:
            sky_adjoint(scene, towards, a_colour, out.environment)
        return
    if number == lights:
        first = MATERIAL_COLUMNS * I(scene.rows[k]) + EMISSION
        for channel in range(3):
            add_at(out.materials, first + channel, a_colour[channel])
        up = cross(three(k, EDGE, scene.corners), three(k, OTHER, scene.corners))
        seen = dot(up, towards)
        if seen != ZERO:
            a_towards = along(a_towards, along_light / seen, up)
        draw_near(towards, distance, along_light, a_towards, grads)
        return
    for channel in range(3):
        add_at(out.lights, LIGHT_COLUMNS * number + INTENSITY + channel, a_colour[channel])
    if scene.light_kinds[number] == DIRECTIONAL:
        for axis in range(3):
            add_at(out.lights, LIGHT_COLUMNS * number + DIRECTION + axis, a_towards[axis])
        return
    if scene.light_kinds[number] == SPOT:
        a_towards = cone_adjoint(scene, number, towards, along_light, a_towards, out)
    moved = draw_near(towards, distance, along_light, a_towards, grads)
    for axis in range(3):
        add_at(out.lights, LIGHT_COLUMNS * number + POSITION + axis, -moved[axis])


@contracted
def draw_near(towards, distance, along_light, a_towards, grads):
    """Gradient with the point, by the direction to a source and its squared distance; also added to `grads`."""
    radial = dot(a_towards, towards)
    moved = scaled(-ONE / distance, along(a_towards, -radial - TWO * along_light, towards))
    for axis in range(3):
        grads[POINT + axis] += moved[axis]
    return moved


@contracted
def cone_adjoint(scene, number, towards, along_light, a_towards, out):
    """Gradients with a spot's axis and cosines; gives that with the direction to it."""
    lights = scene.lights
    share, width = cone(lights, number, towards), lights[number, COS_INNER] - lights[number, COS_OUTER]
    if not (share > ZERO and share < ONE):
        return a_towards
    slope = TWO * along_light / (share * width)
    for axis in range(3):
        add_at(out.lights, LIGHT_COLUMNS * number + DIRECTION + axis, -slope * towards[axis])
    add_at(out.lights, LIGHT_COLUMNS * number + COS_INNER, -slope * share)
    add_at(out.lights, LIGHT_COLUMNS * number + COS_OUTER, slope * (share - ONE))
    return along(a_towards, -slope, three(number, DIRECTION, lights))
