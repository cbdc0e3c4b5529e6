"""Bodies of the environment: what is seen in a direction, directions picked where it is bright, and its adjoint."""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import math

import numpy as np

from invrender.kernels import paths as _paths

from .numbers import COLUMN, EAST, FIRST_OF, HEIGHT, NONE_OF, NORTH, ROW, SECOND_OF, WIDTH, I
from .target import add_at, contracted
from .vectors import HALF, ONE, PI, TURN, ZERO, along, dot, scaled, three, uniform

F = np.float32
LEAST = F(_paths.LEAST)


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
