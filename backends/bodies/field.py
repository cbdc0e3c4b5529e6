"""Bodies of radiance fields on sparse grids: one ray front to back, and the adjoint from what was kept of its samples.

The same samples and the same sums as `invrender.backends.torch.field`, but for colours of samples that hardly show and
for what lies behind an opaque part. Grids are flat; `cells` says which cells hold anything.
"""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import math

import numpy as np

from invrender.kernels import field as _field
from invrender.kernels.compositing import OPAQUE

from .cells import trilinear
from .target import add_at, fast, inlined, raise_to, wide

ONE, ZERO = np.float32(1), np.float32(0)
MOST, FAINT, GREY = np.float32(_field.MOST), np.float32(_field.FAINT), np.float32(_field.GREY)
LIMIT = np.float32(OPAQUE)
UNSEEN = np.float32(1e-4)  # of the light of a ray: a sample that adds less has no colour
KEPT = 9  # numbers kept of a sample: fractions in the cell, opacity, light before it, d sigma / d u, its colour


@inlined
def locate(start, step, ray, number, height, width):
    """The number of the cell of a sample, and the fractions within it."""
    x = start[ray, 0] + np.float32(number) * step[ray, 0]
    y = start[ray, 1] + np.float32(number) * step[ray, 1]
    z = start[ray, 2] + np.float32(number) * step[ray, 2]
    i, j, k = int(x), int(y), int(z)
    return (k * height + j) * width + i, x - np.float32(i), y - np.float32(j), z - np.float32(k)


@inlined
def corner_of(corner, fx, fy, fz, height, width):
    """Offset and weight of one of the eight corners of a cell."""
    weight = (fx if corner & 1 else ONE - fx) * (fy if corner & 2 else ONE - fy) * (fz if corner & 4 else ONE - fz)
    return (corner & 1) + ((corner >> 1) & 1) * width + (corner >> 2) * width * height, weight


@fast
def colour_at(index, colours, basis, ray, cell, fx, fy, fz, height, width):
    """The colour of a sample, seen along a ray."""
    red, green, blue = GREY, GREY, GREY
    for corner in range(8):
        offset, weight = corner_of(corner, fx, fy, fz, height, width)
        site = index[cell + offset]
        if site >= 0:
            for k in range(basis.shape[1]):
                share = weight * basis[ray, k]
                red += share * colours[site, 3 * k]
                green += share * colours[site, 3 * k + 1]
                blue += share * colours[site, 3 * k + 2]
    return red, green, blue


@fast
def march(dense, cells, index, colours, height, width, start, step, length, count, basis, ray, cell_of, kept):
    """Colour and transmittance of a ray, and how many samples were kept, in `cell_of` [M] and `kept` [M,KEPT]."""
    red, green, blue, light, number = wide(0), wide(0), wide(0), ONE, 0
    for i in range(count[ray]):
        cell, fx, fy, fz = locate(start, step, ray, i, height, width)
        if cells[cell] == 0:
            continue
        u = trilinear(dense, cell, 1, width, width * height, fx, fy, fz)
        if u < FAINT:
            continue
        full = ONE / (ONE + math.exp(-u))
        opacity = ONE - math.exp(-MOST * full * length[ray])
        weight = light * opacity
        r, g, b = GREY, GREY, GREY
        if weight > UNSEEN:
            r, g, b = colour_at(index, colours, basis, ray, cell, fx, fy, fz, height, width)
        red, green, blue = red + weight * r, green + weight * g, blue + weight * b
        cell_of[number] = cell
        kept[number, 0], kept[number, 1], kept[number, 2] = fx, fy, fz
        kept[number, 3], kept[number, 4], kept[number, 5] = opacity, light, MOST * full * (ONE - full)
        kept[number, 6], kept[number, 7], kept[number, 8] = r, g, b
        number += 1
        light *= ONE - opacity
        if light <= LIMIT:
            break
    return np.float32(red), np.float32(green), np.float32(blue), light, number


@fast
def spread(
    index, height, width, length, basis, ray, cell_of, kept, number, shown, grad, d_density, d_colours
):  # fmt: skip
    """The adjoint of `march`: adds the gradient of a ray, from that with what it shows, to the sites around it.

    Gradients are flat: d_density [S], d_colours [S*3K].
    """
    functions = basis.shape[1]
    red, green, blue, light = shown
    gr, gg, gb, gt = grad
    behind = gr * red + gg * green + gb * blue
    for i in range(number):
        fx, fy, fz = kept[i, 0], kept[i, 1], kept[i, 2]
        opacity, before = kept[i, 3], kept[i, 4]
        weight = before * opacity
        own = gr * kept[i, 6] + gg * kept[i, 7] + gb * kept[i, 8]
        behind -= weight * own
        slope = length[ray] * kept[i, 5] * (before * (ONE - opacity) * own - behind - gt * light)
        for corner in range(8):
            offset, share = corner_of(corner, fx, fy, fz, height, width)
            site = index[cell_of[i] + offset]
            if site >= 0:
                add_at(d_density, site, share * slope)
                if weight > UNSEEN:
                    for k in range(functions):
                        part, at = share * weight * basis[ray, k], 3 * (site * functions + k)
                        add_at(d_colours, at, part * gr)
                        add_at(d_colours, at + 1, part * gg)
                        add_at(d_colours, at + 2, part * gb)


@fast
def illuminate(dense, cells, depth, height, width, start, step, length, count, ray, light_at):
    """Raise the light [D*H*W] of the vertices nearest to a ray's samples to that with which it arrives there."""
    light = ONE
    for i in range(count[ray]):
        cell, fx, fy, fz = locate(start, step, ray, i, height, width)
        layer, row, column = cell // (height * width), cell // width % height, cell % width
        layer = min(layer + int(fz + np.float32(0.5)), depth - 1)
        row = min(row + int(fy + np.float32(0.5)), height - 1)
        column = min(column + int(fx + np.float32(0.5)), width - 1)
        raise_to(light_at, (layer * height + row) * width + column, light)
        if cells[cell] == 0:
            continue
        u = trilinear(dense, cell, 1, width, width * height, fx, fy, fz)
        if u >= FAINT:
            light *= math.exp(-MOST * length[ray] / (ONE + math.exp(-u)))
        if light <= LIMIT:
            break
