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
    COLUMN,
    COS_INNER,
    COS_OUTER,
    DIRECTION,
    DIRECTIONAL,
    EAST,
    EDGE,
    EMISSION,
    FACE,
    FIRST_OF,
    HEIGHT,
    INTENSITY,
    LIGHT_COLUMNS,
    MATERIAL_COLUMNS,
    NONE_OF,
    NORTH,
    OTHER,
    POSITION,
    ROW,
    SECOND_OF,
    SPOT,
    WIDTH,
    I,
)
from .radiance_laws import POINT
from .target import add_at, contracted
from .vectors import HALF, INF, ONE, PI, TURN, TWO, ZERO, along, cross, dot, minus, scaled, three, turned, uniform

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
def pick(cumulative, first, last, number):
    """The first place in [first, last) whose cumulative probability is above a number."""
    low, high = first, last - 1
    while low < high:
        middle = (low + high) // 2
        if cumulative[middle] > number:
            high = middle
        else:
            low = middle + 1
    return low


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
    colour = three(I(scene.rows[k]), EMISSION, scene.materials)
    by_angle = density * square / max(seen, LEAST)
    return towards, colour, seen / (square * density), by_angle, distance, k


@contracted
def picked(scene, key, bounce):
    """A direction of the world by the luminance of the environment, and its density."""
    height, width = I(scene.settings[HEIGHT]), I(scene.settings[WIDTH])
    row = pick(scene.sky_rows, NONE_OF, height, uniform(key, bounce, ROW))
    column = pick(scene.sky_columns, row * width, (row + 1) * width, uniform(key, bounce, COLUMN)) - row * width
    top, bottom = math.cos(F(row) * (PI / F(height))), math.cos(F(row + 1) * (PI / F(height)))
    up = top + uniform(key, bounce, NORTH) * (bottom - top)
    flat = math.sqrt(max(ONE - up * up, ZERO))
    around = ((F(column) + uniform(key, bounce, EAST)) / F(width) - HALF) * TURN
    x, z, turn = flat * math.sin(around), -flat * math.cos(around), scene.turn
    towards = along(
        along(scaled(x, three(NONE_OF, NONE_OF, turn)), up, three(FIRST_OF, NONE_OF, turn)),
        z,
        three(SECOND_OF, NONE_OF, turn),
    )
    return towards, scene.sky_density[row * width + column]


@contracted
def look(scene, d):
    """Where a direction looks in the environment's picture: shares of its width and height, and in its axes."""
    turn = scene.turn
    local = (
        dot(three(NONE_OF, NONE_OF, turn), d),
        dot(three(FIRST_OF, NONE_OF, turn), d),
        dot(three(SECOND_OF, NONE_OF, turn), d),
    )
    up = min(max(local[1], LEAST - ONE), ONE - LEAST)
    return math.atan2(local[0], -local[2]) / TURN + HALF, math.acos(up) / PI, local


@contracted
def turned_back(turn, local):
    """A direction of the world, from that in the picture's axes."""
    first = scaled(local[0], three(NONE_OF, NONE_OF, turn))
    return along(along(first, local[1], three(FIRST_OF, NONE_OF, turn)), local[2], three(SECOND_OF, NONE_OF, turn))


@contracted
def sky_density(scene, d, cosine):
    """The density with which the environment is looked at in a direction, at a cosine to the normal."""
    if len(scene.sky_rows) == 0:
        return max(cosine, LEAST) / PI
    x, y, _ = look(scene, d)
    height, width = I(scene.settings[HEIGHT]), I(scene.settings[WIDTH])
    column, row = min(max(int(x * F(width)), 0), width - 1), min(max(int(y * F(height)), 0), height - 1)
    return scene.sky_density[row * width + column]


@contracted
def around(scene, d):
    """Column and row of the texel left of and above a direction, and the shares of those beyond."""
    x, y, _ = look(scene, d)
    x, y = x * F(scene.settings[WIDTH]) - HALF, y * F(scene.settings[HEIGHT]) - HALF
    left, top = math.floor(x), math.floor(y)
    return I(left), I(top), x - F(left), y - F(top)


@contracted
def sky_corner(scene, left, top, fx, fy, number):
    """Row in `environment` and weight of one of the four texels around a direction."""
    height, width = I(scene.settings[HEIGHT]), I(scene.settings[WIDTH])
    column, row = (left + number % 2) % width, min(max(top + number // 2, 0), height - 1)
    weight = (fx if number % 2 == 1 else ONE - fx) * (fy if number >= 2 else ONE - fy)
    return row * width + column, weight


@contracted
def sky(scene, d):
    """The environment in a direction."""
    if len(scene.environment) == 1:
        return three(NONE_OF, NONE_OF, scene.environment)
    left, top, fx, fy = around(scene, d)
    total = (ZERO, ZERO, ZERO)
    for number in range(4):
        at, weight = sky_corner(scene, left, top, fx, fy, number)
        total = along(total, weight, three(I(at), NONE_OF, scene.environment))
    return total


@contracted
def sky_adjoint(scene, d, grad, d_environment):
    """Add a gradient with the environment in a direction to that with its texels [3hw]."""
    if len(scene.environment) == 1:
        for channel in range(3):
            add_at(d_environment, channel, grad[channel])
        return
    left, top, fx, fy = around(scene, d)
    for number in range(4):
        at, weight = sky_corner(scene, left, top, fx, fy, number)
        for channel in range(3):
            add_at(d_environment, 3 * at + channel, weight * grad[channel])


@contracted
def sky_slope(scene, d, grad):
    """Gradient with the direction, from that with what is seen there."""
    if len(scene.environment) == 1:
        return ZERO, ZERO, ZERO
    left, top, fx, fy = around(scene, d)
    ax, ay = ZERO, ZERO
    for number in range(4):
        at, _ = sky_corner(scene, left, top, fx, fy, number)
        value = dot(grad, three(I(at), NONE_OF, scene.environment))
        ax += (value if number % 2 == 1 else -value) * (fy if number >= 2 else ONE - fy)
        ay += (value if number >= 2 else -value) * (fx if number % 2 == 1 else ONE - fx)
    _, _, local = look(scene, d)
    ax, ay = ax * F(scene.settings[WIDTH]) / TURN, ay * F(scene.settings[HEIGHT]) / PI
    flat = max(local[0] * local[0] + local[2] * local[2], LEAST)
    # x = atan2(a, -c): by a -c / flat, by c a / flat; y = acos(b).
    a, b, c = -ax * local[2] / flat, -ay / math.sqrt(flat), ax * local[0] / flat
    turn = scene.turn
    return along(
        along(scaled(a, three(NONE_OF, NONE_OF, turn)), b, three(FIRST_OF, NONE_OF, turn)),
        c,
        three(SECOND_OF, NONE_OF, turn),
    )


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
