"""Compositing along rays on all cores: the same samples and the same sums as `backends.torch.composite`.

One ray at a time, front to back; nothing is kept per sample. The adjoint walks the rays again and adds into one grid
per tile of rays; the tiles, and with them the result, do not depend on the number of threads.
"""

# mypy: disable-error-code="no-untyped-def, call-overload, operator"

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray

from invrender.backends.cpu.volume_threads import blocks, spread
from invrender.volume.march import MIP_RAMP, OPAQUE, Rules, Walk

Array = NDArray[np.float32]

BLOCK = 2048  # rays per job of the forward pass
TILES = 8  # at most this many jobs, each with a grid of its own, in the adjoint
TILE_BYTES = 768 * 2**20  # for those grids together

TABLE, LIT, COLOUR = 0, 1, 2
RAMP, LIMIT, TINY = np.float32(MIP_RAMP), np.float32(OPAQUE), np.float32(1e-12)
ONE, ZERO = np.float32(1), np.float32(0)


def composite(grid: torch.Tensor, walk: Walk, table: torch.Tensor | None, rules: Rules) -> torch.Tensor:
    """Colour and transmittance [R,4] of grid [D,H,W,C]; see the reference."""
    out = np.empty((len(walk.count), 4), np.float32)
    fixed = _arguments(grid, walk, table, rules)
    spread(_forward, [(*fixed, a, b, out) for a, b in blocks(len(out), BLOCK)])
    return torch.from_numpy(out)


def composite_adjoint(
    grad: torch.Tensor,
    result: torch.Tensor,
    grid: torch.Tensor,
    walk: Walk,
    table: torch.Tensor | None,
    rules: Rules,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Gradients of grid and table; see the reference."""
    fixed = _arguments(grid, walk, table, rules)
    rays = len(walk.count)
    tiles = max(1, min(TILES, TILE_BYTES // max(grid.numel() * 4, 1), rays))
    cuts = np.linspace(0, rays, tiles + 1).astype(np.int64)
    d_grids = [np.zeros(grid.numel(), np.float32) for _ in range(tiles)]
    d_tables = [np.zeros(fixed[6].shape, np.float64) for _ in range(tiles)]
    given, final = _flat(grad), _flat(result)
    spread(
        _backward,
        [(*fixed, cuts[i], cuts[i + 1], given, final, d_grids[i], d_tables[i]) for i in range(tiles)],
    )
    for other in d_grids[1:]:
        d_grids[0] += other
    d_table = None if table is None else torch.from_numpy(sum(d_tables[1:], d_tables[0]).astype(np.float32))
    return torch.from_numpy(d_grids[0]).reshape(grid.shape), d_table


def _arguments(grid: torch.Tensor, walk: Walk, table: torch.Tensor | None, rules: Rules) -> tuple[Any, ...]:
    shade = rules.shade
    kind = COLOUR if table is None else TABLE if shade is None else LIT
    numbers: tuple[np.float32, ...] = (ZERO,) * 5
    if shade is not None:
        numbers = tuple(
            np.float32(n) for n in (shade.ambient, shade.diffuse, shade.specular, shade.shininess, shade.soft)
        )
    entries = np.zeros((2, 4), np.float32) if table is None else _flat(table)
    scale = np.float32((len(entries) - 1) / (rules.high - rules.low))
    count = np.ascontiguousarray(walk.count.cpu().numpy(), np.int32)
    lights = np.zeros((1, 6), np.float32) if shade is None else _flat(shade.lights)
    return (
        _flat(grid).reshape(-1), np.array(grid.shape, np.int64),
        _flat(walk.start), _flat(walk.step), _flat(walk.length), count, entries, np.float32(rules.low),
        scale, lights, numbers, kind, rules.compositing == "mip", rules.compositing == "early-termination",
    )  # fmt: skip


def _flat(values: torch.Tensor) -> Array:
    return np.ascontiguousarray(values.detach().cpu().numpy(), np.float32)


@njit(nogil=True, cache=True, fastmath=True)
def _cell(x, n):
    """The cell of coordinate x along an axis of n samples, and the place within it."""
    inside = min(max(x, ZERO), np.float32(n - 1))
    cell = min(int(inside), n - 2)
    return cell, inside - np.float32(cell)


@njit(nogil=True, cache=True, fastmath=True)
def _strides(sizes):
    """How far apart neighbours along x, y and z stand in the flat grid of `sizes` [D,H,W,C]."""
    sx = sizes[3]
    return sx, sx * sizes[2], sx * sizes[2] * sizes[1]


@njit(nogil=True, cache=True, fastmath=True)
def _place(start, step, ray, i, sizes, sx, sy, sz):
    """Where sample i of a ray lies: the flat index of its cell's first value, and the place within the cell."""
    number = np.float32(i)
    ix, fx = _cell(start[ray, 0] + number * step[ray, 0], sizes[2])
    iy, fy = _cell(start[ray, 1] + number * step[ray, 1], sizes[1])
    iz, fz = _cell(start[ray, 2] + number * step[ray, 2], sizes[0])
    return iz * sz + iy * sy + ix * sx, fx, fy, fz


@njit(nogil=True, cache=True, fastmath=True)
def _sample(grid, at, sx, sy, sz, fx, fy, fz):
    """The flat grid, trilinear in the cell whose first value stands at `at`; the strides lead to the next samples."""
    a = grid[at] + fx * (grid[at + sx] - grid[at])
    b = grid[at + sy] + fx * (grid[at + sy + sx] - grid[at + sy])
    up = at + sz
    c = grid[up] + fx * (grid[up + sx] - grid[up])
    d = grid[up + sy] + fx * (grid[up + sy + sx] - grid[up + sy])
    near, far = a + fy * (b - a), c + fy * (d - c)
    return near + fz * (far - near)


@njit(nogil=True, cache=True, fastmath=True)
def _add(grid, at, sx, sy, sz, fx, fy, fz, value):
    """The transpose of `_sample`."""
    near, far = value * (ONE - fz), value * fz
    a, b, c, d = near * (ONE - fy), near * fy, far * (ONE - fy), far * fy
    up = at + sz
    grid[at] += a * (ONE - fx)
    grid[at + sx] += a * fx
    grid[at + sy] += b * (ONE - fx)
    grid[at + sy + sx] += b * fx
    grid[up] += c * (ONE - fx)
    grid[up + sx] += c * fx
    grid[up + sy] += d * (ONE - fx)
    grid[up + sy + sx] += d * fx


@njit(nogil=True, cache=True, fastmath=True)
def _row(value, low, scale, rows):
    """The row of the table under a value, the share of the row after it, and whether the value is within the window."""
    place = (value - low) * scale
    row = min(max(math.floor(place), 0), rows - 2)
    share = min(max(place - np.float32(row), ZERO), ONE)
    return row, share, place > 0 and place < np.float32(rows - 1)


@njit(nogil=True, cache=True, fastmath=True)
def _power(base, exponent):
    """base ** exponent for 0 <= base <= 1, in float32 alone."""
    return math.exp(exponent * math.log(base)) if base > TINY else ZERO


@njit(nogil=True, cache=True, fastmath=True)
def _lit(gx, gy, gz, lights, ray, numbers):
    """Factor and gloss of a gradient; see `march.Shade`."""
    ambient, diffuse, specular, shininess, soft = numbers
    length = math.sqrt(gx * gx + gy * gy + gz * gz)
    over = ONE / max(length, TINY)
    w = length / (length + soft)
    facing = abs(gx * lights[ray, 0] + gy * lights[ray, 1] + gz * lights[ray, 2]) * over
    half = abs(gx * lights[ray, 3] + gy * lights[ray, 4] + gz * lights[ray, 5]) * over
    gloss = w * specular * _power(half, shininess) if specular > 0 else ZERO
    return ONE - w + w * (ambient + diffuse * facing), gloss


@njit(nogil=True, cache=True, fastmath=True)
def _lit_adjoint(gx, gy, gz, lights, ray, numbers, d_factor, d_gloss):
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


@njit(nogil=True, cache=True, fastmath=True)
def _look(grid, at, sx, sy, sz, fx, fy, fz, table, low, scale, lights, ray, numbers, kind, lazy):
    """Value, extinction, colour and gradient of a sample; `lazy` leaves colours that do not show unlit."""
    value = _sample(grid, at, sx, sy, sz, fx, fy, fz)
    if kind == COLOUR:
        red = _sample(grid, at + 1, sx, sy, sz, fx, fy, fz)
        green = _sample(grid, at + 2, sx, sy, sz, fx, fy, fz)
        blue = _sample(grid, at + 3, sx, sy, sz, fx, fy, fz)
        return value, value, red, green, blue, ZERO, ZERO, ZERO
    row, share, _ = _row(value, low, scale, len(table))
    sigma = table[row, 3] + share * (table[row + 1, 3] - table[row, 3])
    red = table[row, 0] + share * (table[row + 1, 0] - table[row, 0])
    green = table[row, 1] + share * (table[row + 1, 1] - table[row, 1])
    blue = table[row, 2] + share * (table[row + 1, 2] - table[row, 2])
    if kind == LIT and (sigma != 0 or not lazy):
        gx = _sample(grid, at + 1, sx, sy, sz, fx, fy, fz)
        gy = _sample(grid, at + 2, sx, sy, sz, fx, fy, fz)
        gz = _sample(grid, at + 3, sx, sy, sz, fx, fy, fz)
        factor, gloss = _lit(gx, gy, gz, lights, ray, numbers)
        return value, sigma, red * factor + gloss, green * factor + gloss, blue * factor + gloss, gx, gy, gz
    return value, sigma, red, green, blue, ZERO, ZERO, ZERO


@njit(nogil=True, cache=True, fastmath=True)
def _into_table(
    at, sx, sy, sz, fx, fy, fz, table, low, scale, lights, ray, numbers, kind, value, weight, given, gradient,
    d_grid, d_table,
):  # fmt: skip
    """Adds the gradients of the table and of the density's gradient; returns that of the value."""
    row, share, within = _row(value, low, scale, len(table))
    dr, dg, db, d_sigma = given
    if kind == LIT and weight != 0:
        gx, gy, gz = gradient
        factor, _ = _lit(gx, gy, gz, lights, ray, numbers)
        base = ZERO
        for k, d in ((0, dr), (1, dg), (2, db)):
            base += d * (table[row, k] + share * (table[row + 1, k] - table[row, k]))
        d_gx, d_gy, d_gz = _lit_adjoint(gx, gy, gz, lights, ray, numbers, base, dr + dg + db)
        _add(d_grid, at + 1, sx, sy, sz, fx, fy, fz, d_gx)
        _add(d_grid, at + 2, sx, sy, sz, fx, fy, fz, d_gy)
        _add(d_grid, at + 3, sx, sy, sz, fx, fy, fz, d_gz)
        dr, dg, db = dr * factor, dg * factor, db * factor
    d_value = ZERO
    for k, d in ((0, dr), (1, dg), (2, db), (3, d_sigma)):
        d_table[row, k] += d * (ONE - share)
        d_table[row + 1, k] += d * share
        if within:
            d_value += d * (table[row + 1, k] - table[row, k]) * scale
    return d_value


@njit(nogil=True, cache=True, fastmath=True)
def _brightest(grid, sizes, start, step, ray, count):
    """The number of the first greatest sample."""
    sx, sy, sz = _strides(sizes)
    best, most = 0, np.float32(-3e38)
    for i in range(count):
        at, fx, fy, fz = _place(start, step, ray, i, sizes, sx, sy, sz)
        value = _sample(grid, at, sx, sy, sz, fx, fy, fz)
        if value > most:
            best, most = i, value
    return best


@njit(nogil=True, cache=True, fastmath=True)
def _forward(
    grid, sizes, start, step, length, count, table, low, scale, lights, numbers, kind, mip, early, begin, end, out
):
    sx, sy, sz = _strides(sizes)
    window = np.float32(len(table) - 1)
    for ray in range(begin, end):
        red, green, blue, light = 0.0, 0.0, 0.0, ONE
        first, last = 0, count[ray]
        if mip and last > 0:
            first = _brightest(grid, sizes, start, step, ray, last)
            last = first + 1
        for i in range(first, last):
            at, fx, fy, fz = _place(start, step, ray, i, sizes, sx, sy, sz)
            value, sigma, r, g, b, _, _, _ = _look(
                grid, at, sx, sy, sz, fx, fy, fz, table, low, scale, lights, ray, numbers, kind, True
            )
            after = light * math.exp(-sigma * length[ray])
            if mip:
                after = ONE - min(max((value - low) * scale / window * RAMP, ZERO), ONE)
            weight = light - after
            red += weight * r
            green += weight * g
            blue += weight * b
            light = after
            if early and light <= LIMIT:
                break
        out[ray, 0], out[ray, 1], out[ray, 2], out[ray, 3] = red, green, blue, light


@njit(nogil=True, cache=True, fastmath=True)
def _backward(
    grid, sizes, start, step, length, count, table, low, scale, lights, numbers, kind, mip, early, begin, end,
    grad, result, d_grid, d_table,
):  # fmt: skip
    sx, sy, sz = _strides(sizes)
    window = np.float32(len(table) - 1)
    for ray in range(begin, end):
        red, green, blue = float(result[ray, 0]), float(result[ray, 1]), float(result[ray, 2])
        hr, hg, hb = grad[ray, 0], grad[ray, 1], grad[ray, 2]
        ending = grad[ray, 3] * result[ray, 3]
        light = ONE
        first, last = 0, count[ray]
        if mip and last > 0:
            first = _brightest(grid, sizes, start, step, ray, last)
            last = first + 1
        for i in range(first, last):
            at, fx, fy, fz = _place(start, step, ray, i, sizes, sx, sy, sz)
            value, sigma, r, g, b, gx, gy, gz = _look(
                grid, at, sx, sy, sz, fx, fy, fz, table, low, scale, lights, ray, numbers, kind, False
            )
            after = light * math.exp(-sigma * length[ray])
            d_value, d_sigma = ZERO, ZERO
            if mip:
                share = min(max((value - low) * scale / window * RAMP, ZERO), ONE)
                after = ONE - share
                if share > 0 and share < 1:
                    d_value = (hr * r + hg * g + hb * b - grad[ray, 3]) * RAMP * scale / window
            weight = light - after
            red -= weight * r
            green -= weight * g
            blue -= weight * b
            if not mip:
                toward = hr * (after * r - red) + hg * (after * g - green) + hb * (after * b - blue)
                d_sigma = np.float32(length[ray] * (toward - ending))
            dr, dg, db = weight * hr, weight * hg, weight * hb
            if kind == COLOUR:
                _add(d_grid, at, sx, sy, sz, fx, fy, fz, d_sigma + d_value)
                if weight != 0:
                    _add(d_grid, at + 1, sx, sy, sz, fx, fy, fz, dr)
                    _add(d_grid, at + 2, sx, sy, sz, fx, fy, fz, dg)
                    _add(d_grid, at + 3, sx, sy, sz, fx, fy, fz, db)
            else:
                d_value += _into_table(
                    at, sx, sy, sz, fx, fy, fz, table, low, scale, lights, ray, numbers, kind, value, weight,
                    (dr, dg, db, d_sigma), (gx, gy, gz), d_grid, d_table,
                )  # fmt: skip
                if d_value != 0:
                    _add(d_grid, at, sx, sy, sz, fx, fy, fz, d_value)
            light = after
            if early and light <= LIMIT:
                break
