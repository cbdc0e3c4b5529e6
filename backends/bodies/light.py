"""Bodies of the colour of a sample of a volume: transfer function and lighting, and their adjoints.

The formulas are those of `invrender.render.sampling`; `invrender.backends.torch.composite` is the reference.
"""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import math

import numpy as np

from .target import add, fast

TINY = np.float32(1e-12)
ONE, ZERO, TWO = np.float32(1), np.float32(0), np.float32(2)
FAINT = np.float32(-17)  # logarithm of highlights below the last digit of a colour


@fast
def row_of(value, low, scale, rows):
    """The row of the table below a value, the weight of the next row, and whether the value is inside the window."""
    position = (value - low) * scale
    row = min(max(int(math.floor(position)), 0), rows - 2)  # noqa: RUF046 - CUDA's floor gives a float
    share = min(max(position - np.float32(row), ZERO), ONE)
    return row, share, position > 0 and position < np.float32(rows - 1)


@fast
def entry_of(table, row, share, column):
    """The table between two rows."""
    return table[row, column] + share * (table[row + 1, column] - table[row, column])


@fast
def into_table(d_table, table, row, share, scale, column, d):
    """The adjoint of `entry_of`: adds to the gradient of the table and returns that of the value."""
    add(d_table, row, column, d * (ONE - share))
    add(d_table, row + 1, column, d * share)
    return d * (table[row + 1, column] - table[row, column]) * scale


@fast
def lit(gx, gy, gz, lights, ray, numbers):
    """Factor and highlight of a gradient; see `invrender.kernels.compositing.Shade`."""
    ambient, diffuse, specular, shininess, soft = numbers
    length = math.sqrt(gx * gx + gy * gy + gz * gz)
    over = ONE / max(length, TINY)
    w = length / (length + soft)
    facing = abs(gx * lights[ray, 0] + gy * lights[ray, 1] + gz * lights[ray, 2]) * over
    half = abs(gx * lights[ray, 3] + gy * lights[ray, 4] + gz * lights[ray, 5]) * over
    # log x <= 2 (x - 1) / (x + 1): most highlights are told to be nothing without a logarithm
    bright = specular > 0 and TWO * shininess * (half - ONE) > FAINT * (half + ONE)
    highlight = w * specular * _power(half, shininess) if bright else ZERO
    return ONE - w + w * (ambient + diffuse * facing), highlight


@fast
def lit_adjoint(gx, gy, gz, lights, ray, numbers, d_factor, d_highlight):
    """The adjoint of `lit`: the loss's gradient with respect to the density's gradient."""
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
    d_w = d_factor * (ambient + diffuse * abs(facing) - ONE) + d_highlight * specular * shine * abs(half)
    d_facing = d_factor * w * diffuse * (ONE if facing > 0 else -ONE)
    d_half = d_highlight * w * specular * shininess * shine * (ONE if half > 0 else -ONE)
    dx = d_facing * lights[ray, 0] + d_half * lights[ray, 3]
    dy = d_facing * lights[ray, 1] + d_half * lights[ray, 4]
    dz = d_facing * lights[ray, 2] + d_half * lights[ray, 5]
    along = dx * nx + dy * ny + dz * nz
    rise = d_w * soft / ((length + soft) * (length + soft))
    return (
        (dx - along * nx) * over + rise * nx,
        (dy - along * ny) * over + rise * ny,
        (dz - along * nz) * over + rise * nz,
    )


@fast
def _power(base, exponent):
    """base ** exponent for 0 <= base <= 1, in float32 alone."""
    return math.exp(exponent * math.log(base)) if base > TINY else ZERO
