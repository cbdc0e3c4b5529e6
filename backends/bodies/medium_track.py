"""Bodies of flights through a medium: delta tracking (Woodcock et al. 1965) and ratio tracking (Novak et al. 2014)
under a coarse grid of majorants, which is walked cell by cell; with colour by history-aware weights (Kutz et al. 2017).

The k-th tentative collision takes the random numbers 2k, for how far it is, and 2k + 1, for what happens there.
"""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import math

import numpy as np

from invrender.kernels import paths as _paths

from .medium_grid import around, extinction_at, inside, local, many, one, slope, spread_extinction
from .numbers import CELLS, COLOURED, EXTINCTION, HIGH, NONE_OF, SIZE, STEP, WIDTHS, I
from .target import called, contracted
from .vectors import HALF, INF, ONE, TINY, TWO, ZERO, along, dot, mean, scaled, three, times, uniform_of

F = np.float32
WEAK, PER_VOXEL = F(_paths.WEAK), F(1 / _paths.PIECE)


@contracted
def stretch(medium, o, d, far):
    """Where a ray enters the box and where it leaves it or ends; the first is not below the second where it misses."""
    return clipped(medium, local(medium, o), inverse(d), far)


@contracted
def inverse(d):
    """1 / d each; large where it is 0."""
    return (
        ONE / (d[0] if d[0] != ZERO else TINY),
        ONE / (d[1] if d[1] != ZERO else TINY),
        ONE / (d[2] if d[2] != ZERO else TINY),
    )


@contracted
def clipped(medium, p, by, far):
    """See `stretch`; from the box's first corner on, and the inverse direction."""
    begin, end, high = ZERO, far, three(HIGH, NONE_OF, medium.scales)
    for axis in range(3):
        a, b = -p[axis] * by[axis], (high[axis] - p[axis]) * by[axis]
        begin, end = max(begin, min(a, b)), min(end, max(a, b))
    return begin, end


@contracted
def first_cell(medium, axis, p, d, by, t):
    """Place of the cell in the list along an axis, step to the next, where that begins, and its length."""
    scale, width = medium.scales[CELLS, axis], medium.scales[WIDTHS, axis]
    cell = min(max(I((p + t * d) * scale), NONE_OF), medium.sizes[CELLS, SIZE + axis] - 1)
    step = medium.sizes[CELLS, STEP + axis]
    place = (cell + 1) * step
    if by > ZERO:
        return place, step, (F(cell + 1) * width - p) * by, width * by
    return place, -step, (F(cell) * width - p) * by, -width * by


@contracted
def walk(medium, o, d, far):
    """What `fly` goes on with, and what it needs besides: the steps, the cells' lengths along the ray, and its end."""
    p, by = local(medium, o), inverse(d)
    t, end = clipped(medium, p, by, far)
    x, step_x, next_x, gap_x = first_cell(medium, I(0), p[0], d[0], by[0], t)
    y, step_y, next_y, gap_y = first_cell(medium, I(1), p[1], d[1], by[1], t)
    z, step_z, next_z, gap_z = first_cell(medium, I(2), p[2], d[2], by[2], t)
    return (t, x + y + z, next_x, next_y, next_z), (step_x, step_y, step_z, gap_x, gap_y, gap_z, end)


@contracted
def fly(majorants, state, ways, depth):
    """Go on until an optical depth of majorants is spent: the state there, the majorant, and whether there is a there.

    What is left of the depth is carried on from cell to cell. About the box lies a layer of empty cells, in which a ray
    may find itself for a moment by rounding.
    """
    t, cell, next_x, next_y, next_z = state
    step_x, step_y, step_z, gap_x, gap_y, gap_z, end = ways
    while t < end:
        majorant = majorants[cell]
        border = min(next_x, next_y, next_z, end)
        spent = (border - t) * majorant
        if spent > depth:
            t += depth / majorant
            return (t, cell, next_x, next_y, next_z), majorant, True
        depth -= max(spent, ZERO)
        t = max(border, t)
        across_x = border == next_x
        across_y = border == next_y and not across_x
        cell += step_x if across_x else step_y if across_y else step_z
        next_x += gap_x if across_x else ZERO
        next_y += gap_y if across_y else ZERO
        next_z += ZERO if across_x or across_y else gap_z
    return (t, cell, next_x, next_y, next_z), ONE, False


@contracted
def depth_of(bits, item):
    """An optical depth by the exponential law."""
    return -math.log(ONE - uniform_of(bits, item))


@contracted
def flight(medium, o, d, far, bits, beta, keeps, again, stack):
    """The next real collision of a path, before `far`.

    Args:
        keeps: whether to keep one of the tentative collisions by its weight, with random numbers of `again`.

    Returns:
        its distance (inf: none), what the path carries there before it is scattered; distance and carried weights of
        the kept tentative collision, and the sum of all their weights.
    """
    kept, kept_beta, total = ZERO, beta, ZERO
    state, ways = walk(medium, o, d, far)
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


@contracted
def through(medium, o, d, far, bits, stack):
    """What gets through the medium before `far`, of red, green and blue."""
    state, ways = walk(medium, o, d, far)
    weight, left = ONE, (ONE, ONE, ONE)
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
def pieces_of(medium, d, length):
    """How many pieces of a few voxels a way has, at least one."""
    speed = times(d, three(EXTINCTION, NONE_OF, medium.scales))
    return I(length * math.sqrt(dot(speed, speed)) * PER_VOXEL) + 1


@contracted
def march(medium, o, d, far, value, bits, stack, cells):
    """Add `value` times the gradient of the integral of extinction: at a random point of each piece.

    Novak et al. 2018, "Monte Carlo methods for volumetric light transport simulation", section 6, for the derivative.
    """
    begin, end = stretch(medium, o, d, far)
    if len(cells) == 0 or not begin < end:
        return
    pieces = pieces_of(medium, d, end - begin)
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
    pieces = pieces_of(medium, d, end - begin)
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
    p, high = local(medium, o), three(HIGH, NONE_OF, medium.scales)
    farthest, turns = -ONE, (ZERO, ZERO, ZERO)
    for axis in range(3):
        away = abs(p[axis] + t * d[axis] - HALF * high[axis]) / high[axis]
        if away > farthest and d[axis] != ZERO:
            farthest, by = away, t / d[axis]
            turns = (by if axis == 0 else ZERO, by if axis == 1 else ZERO, by if axis == 2 else ZERO)
    return turns


@called
def null_collisions(medium, o, d, far, last, bits, value, stack, cells):
    """Add `value` times the gradient of the logarithm of what null collisions let pass.

    Those of the flight to `far` that lie before `last`.
    """
    state, ways = walk(medium, o, d, far)
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
