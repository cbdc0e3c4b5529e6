"""Bodies of what a sample of a volume looks like: transfer function and lighting, and their transposed derivatives.

The formulas are those of `invrender.render.walk`; `invrender.backends.torch.composite` is the reference.
"""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import math

import numpy as np

from .target import add, part

TINY = np.float32(1e-12)
ONE, ZERO = np.float32(1), np.float32(0)


@part
def row_of(value, low, scale, rows):
    """The row of the table under a value, the share of the row after it, and whether the value is within the window."""
    place = (value - low) * scale
    row = min(max(int(math.floor(place)), 0), rows - 2)  # noqa: RUF046 - CUDA's floor gives a float
    share = min(max(place - np.float32(row), ZERO), ONE)
    return row, share, place > 0 and place < np.float32(rows - 1)


@part
def entry_of(table, row, share, column):
    """The table between two rows."""
    return table[row, column] + share * (table[row + 1, column] - table[row, column])


@part
def into_table(d_table, table, row, share, scale, column, d):
    """Adds the gradient of an entry to that of the table; returns that of the value."""
    add(d_table, row, column, d * (ONE - share))
    add(d_table, row + 1, column, d * share)
    return d * (table[row + 1, column] - table[row, column]) * scale


@part
def lit(gx, gy, gz, lights, ray, numbers):
    """Factor and gloss of a gradient; see `march.Shade`."""
    ambient, diffuse, specular, shininess, soft = numbers
    length = math.sqrt(gx * gx + gy * gy + gz * gz)
    over = ONE / max(length, TINY)
    w = length / (length + soft)
    facing = abs(gx * lights[ray, 0] + gy * lights[ray, 1] + gz * lights[ray, 2]) * over
    half = abs(gx * lights[ray, 3] + gy * lights[ray, 4] + gz * lights[ray, 5]) * over
    gloss = w * specular * _power(half, shininess) if specular > 0 else ZERO
    return ONE - w + w * (ambient + diffuse * facing), gloss


@part
def lit_adjoint(gx, gy, gz, lights, ray, numbers, d_factor, d_gloss):
    """The gradient of the density's gradient."""
    ambient, diffuse, specular, shininess, soft = numbers
    length = math.sqrt(gx * gx + gy * gy + gz * gz)
    if length <= TINY:
        return ZERO, ZERO, ZERO
    over = ONE / length
    nx, ny, nz = gx * over, gy * over, gz * over
    w = length / (length + soft)
    facing = nx * lights[ray, 0] + ny * lights[ray, 1] + nz * lights[ray, 2]
    half = nx * lights[ray, 3] + ny * lights[ray, 4] + nz * lights[ray, 5]
    shine = _power(abs(half), shininess - ONE) if specular > 0 else ZERO
    d_w = d_factor * (ambient + diffuse * abs(facing) - ONE) + d_gloss * specular * shine * abs(half)
    turn = d_factor * w * diffuse * (ONE if facing > 0 else -ONE)
    gloss = d_gloss * w * specular * shininess * shine * (ONE if half > 0 else -ONE)
    dx = turn * lights[ray, 0] + gloss * lights[ray, 3]
    dy = turn * lights[ray, 1] + gloss * lights[ray, 4]
    dz = turn * lights[ray, 2] + gloss * lights[ray, 5]
    along = dx * nx + dy * ny + dz * nz
    rise = d_w * soft / ((length + soft) * (length + soft))
    return (
        (dx - along * nx) * over + rise * nx,
        (dy - along * ny) * over + rise * ny,
        (dz - along * nz) * over + rise * nz,
    )


@part
def _power(base, exponent):
    """base ** exponent for 0 <= base <= 1, in float32 alone."""
    return math.exp(exponent * math.log(base)) if base > TINY else ZERO
