"""Bodies of compositing along one ray, front to back, and of its adjoint, which traverses the ray a second time.

The same samples and the same sums as `invrender.backends.torch.composite`. Grids are flat, [D*H*W*C]; `counts` are
(W, H, D), `strides` are the offsets between neighbours along x, y and z, and a `point` is the position of a sample: the
index of the first value of its cell, and the fractions within the cell.
"""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import math

import numpy as np

from invrender.kernels.compositing import MIP_RAMP, OPAQUE

from .cells import add_trilinear, trilinear
from .kinds import COLOUR, LIT, TABLE
from .light import entry_of, into_table, lit, lit_adjoint, row_of
from .target import device, fast, wide

RAMP, LIMIT = np.float32(MIP_RAMP), np.float32(OPAQUE)
ONE, ZERO = np.float32(1), np.float32(0)
LEAST = np.float32(-3e38)
BITS = 2
SIDE = 1 << BITS  # cells along a block of those that are passed over where they show nothing
SPARE = np.float32(1e-3)  # rows of the table


@fast
def forward(grid, counts, strides, start, step, length, count, table, window, lights, numbers, mode, ray):
    """RGB and transmittance of one ray. window: lowest value and rows per value; mode: kind, mip, early."""
    kind, mip, early = mode
    light = wide(0), wide(0), wide(0), ONE
    h = length[ray]
    begin, delta, first, last = _span(grid, counts, strides, start, step, count, mip, ray)
    for i in range(first, last):
        point = _locate(counts, strides, begin, delta, i)
        value, sigma, r, g, b, _, _, _ = _classify(
            grid, strides, point, table, window, lights, ray, numbers, kind, True
        )
        after = light[3] * math.exp(-sigma * h)
        if mip:
            after = ONE - _mip_opacity(value, window, len(table))
        light = _through(light, r, g, b, after)
        if early and after <= LIMIT:
            break
    return light


@fast
def _through(light, r, g, b, after):
    """RGB and transmittance of a ray behind a sample, which leaves `after` of the transmittance."""
    red, green, blue, transmittance = light
    weight = transmittance - after
    return red + weight * r, green + weight * g, blue + weight * b, after


@fast
def forward_seen(
    grid, counts, strides, start, step, length, count, table, window, lights, numbers, mode, seen, across, ray
):  # fmt: skip
    """The same sums, of any but the greatest value, without samples in blocks of cells that show nothing.

    seen: whether a block of `SIDE`^3 cells shows anything, flat; across: how many there are along x and y.
    """
    kind, _, early = mode
    light = wide(0), wide(0), wide(0), ONE
    h = length[ray]
    begin, delta = (start[ray, 0], start[ray, 1], start[ray, 2]), (step[ray, 0], step[ray, 1], step[ray, 2])
    for i in range(count[ray]):
        number = np.float32(i)
        ix, fx = _cell(begin[0] + number * delta[0], counts[0])
        iy, fy = _cell(begin[1] + number * delta[1], counts[1])
        iz, fz = _cell(begin[2] + number * delta[2], counts[2])
        if not seen[((iz >> BITS) * across[1] + (iy >> BITS)) * across[0] + (ix >> BITS)]:
            continue
        point = iz * strides[2] + iy * strides[1] + ix * strides[0], fx, fy, fz
        _, sigma, r, g, b, _, _, _ = _classify(grid, strides, point, table, window, lights, ray, numbers, kind, True)
        if sigma == 0:
            continue
        after = light[3] * math.exp(-sigma * h)
        light = _through(light, r, g, b, after)
        if early and after <= LIMIT:
            break
    return light


@device
def shows(grid, counts, strides, kind, window, above, block):
    """Whether a block of cells (numbers along x, y and z) has any extinction, between its least and greatest value.

    above: [rows + 1] the first row of the table from a row on that has an extinction; beyond all rows where none has.
    """
    least, most = -LEAST, LEAST
    for z in range(block[2] * SIDE, min(block[2] * SIDE + SIDE + 1, counts[2])):
        for y in range(block[1] * SIDE, min(block[1] * SIDE + SIDE + 1, counts[1])):
            for x in range(block[0] * SIDE, min(block[0] * SIDE + SIDE + 1, counts[0])):
                value = grid[z * strides[2] + y * strides[1] + x * strides[0]]
                if not abs(value) <= -LEAST:  # NaN, and what cannot be compared
                    return True
                least, most = min(least, value), max(most, value)
    if kind == COLOUR:
        return least != 0 or most != 0
    # A value between two others may be rounded beyond them.
    spare = ZERO if least == most else SPARE
    last = len(above) - 2
    first = min(max((least - window[0]) * window[1] - spare, ZERO), np.float32(last))
    final = min(max((most - window[0]) * window[1] + spare, ZERO), np.float32(last))
    return above[int(math.floor(first))] <= int(math.ceil(final))  # noqa: RUF046 - CUDA's floor gives a float


@fast
def backward(  # noqa: PLR0915 - split up, it takes a third longer on CPUs, which keep less in registers then
    grid, counts, strides, start, step, length, count, table, window, lights, numbers, mode, ray,
    grad, result, d_grid, d_table,
):  # fmt: skip
    """The adjoint of `forward`: adds to d_grid and d_table."""
    kind, mip, early = mode
    low, scale = window
    red, green, blue = wide(result[ray, 0]), wide(result[ray, 1]), wide(result[ray, 2])
    gr, gg, gb, gt = grad[ray, 0], grad[ray, 1], grad[ray, 2], grad[ray, 3]
    ending = gt * result[ray, 3]
    transmittance = ONE
    h = length[ray]
    begin, delta, first, last = _span(grid, counts, strides, start, step, count, mip, ray)
    for i in range(first, last):
        point = _locate(counts, strides, begin, delta, i)
        value, sigma, r, g, b, gx, gy, gz = _classify(
            grid, strides, point, table, window, lights, ray, numbers, kind, False
        )
        after = transmittance * math.exp(-sigma * h)
        d_value, d_sigma = ZERO, ZERO
        if mip:
            opacity = _mip_opacity(value, window, len(table))
            after = ONE - opacity
            if opacity > 0 and opacity < 1:
                d_value = (gr * r + gg * g + gb * b - gt) * RAMP * scale / np.float32(len(table) - 1)
        weight = transmittance - after
        red -= weight * r
        green -= weight * g
        blue -= weight * b
        if not mip:
            toward = gr * (after * r - red) + gg * (after * g - green) + gb * (after * b - blue)
            d_sigma = np.float32(h * (toward - ending))
        d_one, d_two, d_three = weight * gr, weight * gg, weight * gb
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
            _add(d_grid, strides, point, 0, d_value)
        if kind != TABLE and weight != 0:
            _add(d_grid, strides, point, 1, d_one)
            _add(d_grid, strides, point, 2, d_two)
            _add(d_grid, strides, point, 3, d_three)
        transmittance = after
        if early and transmittance <= LIMIT:
            break


@fast
def _span(grid, counts, strides, start, step, count, mip, ray):
    """The first sample of a ray, the step between samples, and the range of the numbers of those that contribute."""
    begin = (start[ray, 0], start[ray, 1], start[ray, 2])
    delta = (step[ray, 0], step[ray, 1], step[ray, 2])
    if mip and count[ray] > 0:
        brightest = _brightest(grid, counts, strides, begin, delta, count[ray])
        return begin, delta, brightest, brightest + 1
    return begin, delta, 0, count[ray]


@fast
def _locate(counts, strides, begin, delta, i):
    """The point of sample i of a ray."""
    number = np.float32(i)
    ix, fx = _cell(begin[0] + number * delta[0], counts[0])
    iy, fy = _cell(begin[1] + number * delta[1], counts[1])
    iz, fz = _cell(begin[2] + number * delta[2], counts[2])
    return iz * strides[2] + iy * strides[1] + ix * strides[0], fx, fy, fz


@fast
def _cell(x, n):
    """The cell of coordinate x along an axis of n samples, and the fraction within it."""
    inside = min(max(x, ZERO), np.float32(n - 1))
    cell = min(int(inside), n - 2)
    return cell, inside - np.float32(cell)


@fast
def _sample(grid, strides, point, channel):
    """One channel of the grid at a point."""
    return trilinear(grid, point[0] + channel, strides[0], strides[1], strides[2], point[1], point[2], point[3])


@fast
def _add(d_grid, strides, point, channel, value):
    """The transpose of `_sample`."""
    add_trilinear(d_grid, point[0] + channel, strides[0], strides[1], strides[2], point[1], point[2], point[3], value)


@fast
def _classify(grid, strides, point, table, window, lights, ray, numbers, kind, lazy):
    """Value, extinction, colour and the other channels of a sample; `lazy` skips the lighting of invisible ones."""
    value = _sample(grid, strides, point, 0)
    if kind == COLOUR:
        red, green, blue = _others(grid, strides, point)
        return value, value, red, green, blue, red, green, blue
    row, share, _ = row_of(value, window[0], window[1], len(table))
    sigma = entry_of(table, row, share, 3)
    red, green, blue = entry_of(table, row, share, 0), entry_of(table, row, share, 1), entry_of(table, row, share, 2)
    if kind == LIT and (sigma != 0 or not lazy):
        gx, gy, gz = _others(grid, strides, point)
        factor, highlight = lit(gx, gy, gz, lights, ray, numbers)
        return value, sigma, red * factor + highlight, green * factor + highlight, blue * factor + highlight, gx, gy, gz
    return value, sigma, red, green, blue, ZERO, ZERO, ZERO


@fast
def _others(grid, strides, point):
    """The channels of the grid after the first at a point."""
    return _sample(grid, strides, point, 1), _sample(grid, strides, point, 2), _sample(grid, strides, point, 3)


@fast
def _mip_opacity(value, window, rows):
    """The opacity of the greatest value; see `MIP_RAMP`."""
    return min(max((value - window[0]) * window[1] / np.float32(rows - 1) * RAMP, ZERO), ONE)


@fast
def _brightest(grid, counts, strides, begin, delta, count):
    """The number of the first greatest sample."""
    best, most = 0, LEAST
    for i in range(count):
        value = _sample(grid, strides, _locate(counts, strides, begin, delta, i), 0)
        if value > most:
            best, most = i, value
    return best
