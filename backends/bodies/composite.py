"""Bodies of compositing along one ray, front to back, and of its adjoint, which walks the ray again.

The same samples and the same sums as `invrender.backends.torch.composite`. Grids are flat, [D*H*W*C]; `counts` are
(W, H, D), `strides` say how far apart neighbours along x, y and z stand, and a `spot` is where a sample lies: the index
of its cell's first value and the place within the cell.
"""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import math

import numpy as np

from invrender.kernels.walks import MIP_RAMP, OPAQUE

from .cells import add_trilinear, trilinear
from .kinds import COLOUR, LIT, TABLE
from .light import entry_of, into_table, lit, lit_adjoint, row_of
from .target import part, wide

RAMP, LIMIT = np.float32(MIP_RAMP), np.float32(OPAQUE)
ONE, ZERO = np.float32(1), np.float32(0)
LEAST = np.float32(-3e38)


@part
def forward(grid, counts, strides, start, step, length, count, table, window, lights, numbers, mode, ray):
    """RGB and transmittance of one ray. window: lowest value and rows per value; mode: kind, mip, early."""
    kind, mip, early = mode
    red, green, blue, light = wide(0), wide(0), wide(0), ONE
    h = length[ray]
    begin, ahead, first, last = _span(grid, counts, strides, start, step, count, mip, ray)
    for i in range(first, last):
        spot = _place(counts, strides, begin, ahead, i)
        value, sigma, r, g, b, _, _, _ = _look(grid, strides, spot, table, window, lights, ray, numbers, kind, True)
        after = light * math.exp(-sigma * h)
        if mip:
            after = ONE - _share(value, window, len(table))
        weight = light - after
        red += weight * r
        green += weight * g
        blue += weight * b
        light = after
        if early and light <= LIMIT:
            break
    return red, green, blue, light


@part
def backward(  # noqa: PLR0915 - in pieces it takes a third longer on CPUs, which then keep less in registers
    grid, counts, strides, start, step, length, count, table, window, lights, numbers, mode, ray,
    grad, result, d_grid, d_table,
):  # fmt: skip
    """The adjoint of `forward`: adds to d_grid and d_table."""
    kind, mip, early = mode
    low, scale = window
    red, green, blue = wide(result[ray, 0]), wide(result[ray, 1]), wide(result[ray, 2])
    hr, hg, hb, ht = grad[ray, 0], grad[ray, 1], grad[ray, 2], grad[ray, 3]
    ending = ht * result[ray, 3]
    light = ONE
    h = length[ray]
    begin, ahead, first, last = _span(grid, counts, strides, start, step, count, mip, ray)
    for i in range(first, last):
        spot = _place(counts, strides, begin, ahead, i)
        value, sigma, r, g, b, gx, gy, gz = _look(grid, strides, spot, table, window, lights, ray, numbers, kind, False)
        after = light * math.exp(-sigma * h)
        d_value, d_sigma = ZERO, ZERO
        if mip:
            share = _share(value, window, len(table))
            after = ONE - share
            if share > 0 and share < 1:
                d_value = (hr * r + hg * g + hb * b - ht) * RAMP * scale / np.float32(len(table) - 1)
        weight = light - after
        red -= weight * r
        green -= weight * g
        blue -= weight * b
        if not mip:
            toward = hr * (after * r - red) + hg * (after * g - green) + hb * (after * b - blue)
            d_sigma = np.float32(h * (toward - ending))
        d_one, d_two, d_three = weight * hr, weight * hg, weight * hb
        if kind == COLOUR:
            d_value += d_sigma
        else:
            row, part, within = row_of(value, low, scale, len(table))
            dr, dg, db = d_one, d_two, d_three
            if kind == LIT and weight != 0:
                factor, _ = lit(gx, gy, gz, lights, ray, numbers)
                base = dr * entry_of(table, row, part, 0)
                base += dg * entry_of(table, row, part, 1) + db * entry_of(table, row, part, 2)
                d_one, d_two, d_three = lit_adjoint(gx, gy, gz, lights, ray, numbers, base, dr + dg + db)
                dr, dg, db = dr * factor, dg * factor, db * factor
            slope = into_table(d_table, table, row, part, scale, 3, d_sigma)
            if weight != 0:
                slope += into_table(d_table, table, row, part, scale, 0, dr)
                slope += into_table(d_table, table, row, part, scale, 1, dg)
                slope += into_table(d_table, table, row, part, scale, 2, db)
            if within:
                d_value += slope
        if d_value != 0:
            _add(d_grid, strides, spot, 0, d_value)
        if kind != TABLE and weight != 0:
            _add(d_grid, strides, spot, 1, d_one)
            _add(d_grid, strides, spot, 2, d_two)
            _add(d_grid, strides, spot, 3, d_three)
        light = after
        if early and light <= LIMIT:
            break


@part
def _span(grid, counts, strides, start, step, count, mip, ray):
    """Where a ray's samples lie: the first, from one to the next, and the numbers of those that show."""
    begin = (start[ray, 0], start[ray, 1], start[ray, 2])
    ahead = (step[ray, 0], step[ray, 1], step[ray, 2])
    if mip and count[ray] > 0:
        brightest = _brightest(grid, counts, strides, begin, ahead, count[ray])
        return begin, ahead, brightest, brightest + 1
    return begin, ahead, 0, count[ray]


@part
def _place(counts, strides, begin, ahead, i):
    """The spot of sample i of a ray."""
    number = np.float32(i)
    ix, fx = _cell(begin[0] + number * ahead[0], counts[0])
    iy, fy = _cell(begin[1] + number * ahead[1], counts[1])
    iz, fz = _cell(begin[2] + number * ahead[2], counts[2])
    return iz * strides[2] + iy * strides[1] + ix * strides[0], fx, fy, fz


@part
def _cell(x, n):
    """The cell of coordinate x along an axis of n samples, and the place within it."""
    inside = min(max(x, ZERO), np.float32(n - 1))
    cell = min(int(inside), n - 2)
    return cell, inside - np.float32(cell)


@part
def _sample(grid, strides, spot, channel):
    """One channel of the grid at a spot."""
    return trilinear(grid, spot[0] + channel, strides[0], strides[1], strides[2], spot[1], spot[2], spot[3])


@part
def _add(d_grid, strides, spot, channel, value):
    """The transpose of `_sample`."""
    add_trilinear(d_grid, spot[0] + channel, strides[0], strides[1], strides[2], spot[1], spot[2], spot[3], value)


@part
def _look(grid, strides, spot, table, window, lights, ray, numbers, kind, lazy):
    """Value, extinction, colour and the other channels of a sample; `lazy` leaves colours that do not show unlit."""
    value = _sample(grid, strides, spot, 0)
    if kind == COLOUR:
        red, green, blue = _others(grid, strides, spot)
        return value, value, red, green, blue, red, green, blue
    row, share, _ = row_of(value, window[0], window[1], len(table))
    sigma = entry_of(table, row, share, 3)
    red, green, blue = entry_of(table, row, share, 0), entry_of(table, row, share, 1), entry_of(table, row, share, 2)
    if kind == LIT and (sigma != 0 or not lazy):
        gx, gy, gz = _others(grid, strides, spot)
        factor, gloss = lit(gx, gy, gz, lights, ray, numbers)
        return value, sigma, red * factor + gloss, green * factor + gloss, blue * factor + gloss, gx, gy, gz
    return value, sigma, red, green, blue, ZERO, ZERO, ZERO


@part
def _others(grid, strides, spot):
    """The channels of the grid after the first at a spot."""
    return _sample(grid, strides, spot, 1), _sample(grid, strides, spot, 2), _sample(grid, strides, spot, 3)


@part
def _share(value, window, rows):
    """How much of the greatest value shows; see `march.MIP_RAMP`."""
    return min(max((value - window[0]) * window[1] / np.float32(rows - 1) * RAMP, ZERO), ONE)


@part
def _brightest(grid, counts, strides, begin, ahead, count):
    """The number of the first greatest sample."""
    best, most = 0, LEAST
    for i in range(count):
        value = _sample(grid, strides, _place(counts, strides, begin, ahead, i), 0)
        if value > most:
            best, most = i, value
    return best
