"""Bodies of flights through a medium: delta tracking (Woodcock et al. 1965) and ratio tracking (Novak et al. 2014)
under a coarse grid of majorants, which is walked cell by cell; with colour by history-aware weights (Kutz et al. 2017).

The k-th tentative collision takes the random numbers 2k, for how far it is, and 2k + 1, for what happens there.
"""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import math

import numpy as np

from .medium_grid import around, extinction_at, inside, local, many, one, slope, spread_extinction
from .numbers import CELLS, COLOURED, EXTINCTION, NONE_OF, SIZE, STEP, I
from .target import called, contracted
from .vectors import HALF, INF, ONE, TINY, TWO, ZERO, along, dot, mean, scaled, three, times, uniform_of

F = np.float32
WEAK = F(0.1)
"""What gets through at which shadow rays end at random."""


@contracted
def stretch(medium, o, d, far):
    """Where a ray enters the box and where it leaves it or ends; the first is not below the second where it misses."""
    p, begin, end = local(medium, o), ZERO, far
    for axis in range(3):
        inverse = ONE / (d[axis] if d[axis] != ZERO else TINY)
        size = F(medium.sizes[CELLS, SIZE + axis]) / medium.scales[CELLS, axis]
        a, b = -p[axis] * inverse, (size - p[axis]) * inverse
        begin, end = max(begin, min(a, b)), min(end, max(a, b))
    return begin, end


@contracted
def first_cell(medium, axis, o, d, t):
    """Cell along an axis, cells ahead of it, step in the list of cells, where the next begins, and its length."""
    size, step, scale = medium.sizes[CELLS, SIZE + axis], medium.sizes[CELLS, STEP + axis], medium.scales[CELLS, axis]
    o, d = o * scale, d * scale
    cell = min(max(I(o + t * d), I(0)), size - 1)
    if d > ZERO:
        return cell * step, size - 1 - cell, step, (F(cell + 1) - o) / d, ONE / d
    if d < ZERO:
        return cell * step, cell, -step, (F(cell) - o) / d, -ONE / d
    return cell * step, I(0), I(0), INF, INF


@contracted
def walk(medium, o, d, t, end):
    """What `fly` goes on with, and what it needs besides."""
    p = local(medium, o)
    x, ahead_x, step_x, next_x, gap_x = first_cell(medium, I(0), p[0], d[0], t)
    y, ahead_y, step_y, next_y, gap_y = first_cell(medium, I(1), p[1], d[1], t)
    z, ahead_z, step_z, next_z, gap_z = first_cell(medium, I(2), p[2], d[2], t)
    state = (t, x + y + z, ahead_x, ahead_y, ahead_z, next_x, next_y, next_z)
    return state, (step_x, step_y, step_z, gap_x, gap_y, gap_z, end)


@contracted
def fly(majorants, state, ways, depth):
    """Go on until an optical depth of majorants is spent: the state there, the majorant, and whether there is a there.

    What is left of the depth is carried on from cell to cell.
    """
    t, cell, ahead_x, ahead_y, ahead_z, next_x, next_y, next_z = state
    step_x, step_y, step_z, gap_x, gap_y, gap_z, end = ways
    while True:
        majorant = majorants[cell]
        border = min(next_x, next_y, next_z, end)
        spent = (border - t) * majorant
        if spent > depth:
            t += depth / majorant
            return (t, cell, ahead_x, ahead_y, ahead_z, next_x, next_y, next_z), majorant, True
        depth -= max(spent, ZERO)
        t, left = max(border, t), border < end
        if border == next_x:
            ahead_x, cell, next_x = ahead_x - 1, cell + step_x, next_x + gap_x
            left = left and ahead_x >= 0
        elif border == next_y:
            ahead_y, cell, next_y = ahead_y - 1, cell + step_y, next_y + gap_y
            left = left and ahead_y >= 0
        else:
            ahead_z, cell, next_z = ahead_z - 1, cell + step_z, next_z + gap_z
            left = left and ahead_z >= 0
        if not left:
            return (t, cell, ahead_x, ahead_y, ahead_z, next_x, next_y, next_z), majorant, False


@contracted
def depth_of(bits, item):
    """An optical depth by the exponential law."""
    return -math.log(ONE - uniform_of(bits, item))


@called
def flight(medium, o, d, far, bits, beta, keeps, again, stack):
    """The next real collision of a path, before `far`.

    Args:
        keeps: whether to keep one of the tentative collisions by its weight, with random numbers of `again`.

    Returns:
        its distance (inf: none), what the path carries there before it is scattered; distance and carried weights of
        the kept tentative collision, and the sum of all their weights.
    """
    kept, kept_beta, total = ZERO, beta, ZERO
    t, end = stretch(medium, o, d, far)
    if not t < end:
        return INF, beta, kept, kept_beta, total
    state, ways = walk(medium, o, d, t, end)
    carried, item, coloured = mean(beta), I(0), medium.choices[COLOURED] != 0
    while True:
        state, majorant, met = fly(medium.majorants, state, ways, depth_of(bits, item))
        if not met:
            return INF, beta, kept, kept_beta, total
        t, chosen = state[0], uniform_of(bits, item + 1)
        x = along(o, t, d)
        item += 2
        if len(medium.order) > 0 and not inside(medium, x, stack):
            continue
        if keeps:
            total += carried / majorant
            if uniform_of(again, item) * total < carried / majorant:
                kept, kept_beta = t, beta
        at = around(medium, EXTINCTION, x)
        if not coloured:
            if chosen * majorant < one(medium.extinction, at):
                return t, beta, kept, kept_beta, total
            continue
        real, beta = decided(many(medium.extinction, at), majorant, beta, chosen)
        if real:
            return t, beta, kept, kept_beta, total


@contracted
def decided(extinction, majorant, beta, chosen):
    """Whether a tentative collision of a path is real, and what it carries then."""
    share = dot(beta, extinction) / (majorant * (beta[0] + beta[1] + beta[2]))
    if chosen < share:
        return True, scaled(ONE / (majorant * share), times(beta, extinction))
    rest = scaled(ONE / ((ONE - share) * majorant), nothing(extinction, majorant))
    return False, times(beta, rest)


@contracted
def nothing(extinction, majorant):
    """The extinction of null collisions."""
    return (
        max(majorant - extinction[0], ZERO),
        max(majorant - extinction[1], ZERO),
        max(majorant - extinction[2], ZERO),
    )


@called
def through(medium, o, d, far, bits, stack):
    """What gets through the medium before `far`, of red, green and blue."""
    t, end = stretch(medium, o, d, far)
    weight, left = ONE, (ONE, ONE, ONE)
    if not t < end:
        return left
    state, ways = walk(medium, o, d, t, end)
    item, coloured = I(0), medium.choices[COLOURED] != 0
    while True:
        state, majorant, met = fly(medium.majorants, state, ways, depth_of(bits, item))
        if not met:
            return left if coloured else (weight, weight, weight)
        x = along(o, state[0], d)
        if len(medium.order) == 0 or inside(medium, x, stack):
            at = around(medium, EXTINCTION, x)
            if coloured:
                left = times(left, scaled(ONE / majorant, nothing(many(medium.extinction, at), majorant)))
                weight = max(left[0], left[1], left[2])
            else:
                weight *= max(majorant - one(medium.extinction, at), ZERO) / majorant
            if weight < WEAK:
                if uniform_of(bits, item + 1) >= HALF:
                    return ZERO, ZERO, ZERO
                weight, left = TWO * weight, scaled(TWO, left)
        item += 2


@contracted
def voxels(medium, d, length):
    """How many pieces of a voxel's length a way has, at least one."""
    speed = times(d, three(EXTINCTION, NONE_OF, medium.scales))
    return I(length * math.sqrt(dot(speed, speed))) + 1


@called
def march(medium, o, d, far, value, bits, stack, cells):
    """Add `value` times the gradient of the integral of extinction: at a random point of each voxel-long piece.

    Novak et al. 2018, "Monte Carlo methods for volumetric light transport simulation", section 6, for the derivative.
    """
    begin, end = stretch(medium, o, d, far)
    if len(cells) == 0 or not begin < end:
        return
    pieces = voxels(medium, d, end - begin)
    length = (end - begin) / F(pieces)
    for piece in range(pieces):
        x = along(o, begin + (F(piece) + uniform_of(bits, piece)) * length, d)
        if inside(medium, x, stack):
            spread_extinction(medium, x, scaled(length, value), cells)


@called
def bend(medium, o, d, far, value, bits, stack):
    """The gradient of `value` times the integral of extinction along a ray: with its direction and with `far`."""
    begin, end = stretch(medium, o, d, far)
    a_direction, a_begin, a_end = (ZERO, ZERO, ZERO), ZERO, ZERO
    if not begin < end:
        return a_direction, ZERO
    pieces = voxels(medium, d, end - begin)
    length = (end - begin) / F(pieces)
    for piece in range(pieces):
        part = (F(piece) + uniform_of(bits, piece)) / F(pieces)
        t = begin + part * (end - begin)
        x = along(o, t, d)
        if inside(medium, x, stack):
            here, steep = slope(medium, x, value)
            ahead, longer = length * dot(steep, d), here / F(pieces)
            a_direction = along(a_direction, length * t, steep)
            a_begin, a_end = a_begin + (ONE - part) * ahead - longer, a_end + part * ahead + longer
    if begin > ZERO:
        a_direction = along(a_direction, -a_begin, at_border(medium, o, d, begin))
    if end == far:
        return a_direction, a_end
    return along(a_direction, -a_end, at_border(medium, o, d, end)), ZERO


@contracted
def at_border(medium, o, d, t):
    """How much earlier a ray meets the side of the box that it meets at t, by its direction."""
    p = local(medium, o)
    farthest, turns = -ONE, (ZERO, ZERO, ZERO)
    for axis in range(3):
        size = F(medium.sizes[CELLS, SIZE + axis]) / medium.scales[CELLS, axis]
        away = abs(p[axis] + t * d[axis] - HALF * size) / size
        if away > farthest and d[axis] != ZERO:
            farthest, by = away, t / d[axis]
            turns = (by if axis == 0 else ZERO, by if axis == 1 else ZERO, by if axis == 2 else ZERO)
    return turns


@called
def null_collisions(medium, o, d, far, last, bits, value, stack, cells):
    """Add `value` times the gradient of the logarithm of what null collisions let pass.

    Those of the flight to `far` that lie before `last`.
    """
    t, end = stretch(medium, o, d, far)
    if not t < end:
        return
    state, ways = walk(medium, o, d, t, end)
    item = I(0)
    while True:
        state, majorant, met = fly(medium.majorants, state, ways, depth_of(bits, item))
        x = along(o, state[0], d)
        item += 2
        if not met or state[0] >= last:
            return
        if inside(medium, x, stack):
            rest = nothing(extinction_at(medium, x), majorant)
            slope = (-value[0] / max(rest[0], TINY), -value[1] / max(rest[1], TINY), -value[2] / max(rest[2], TINY))
            spread_extinction(medium, x, slope, cells)
