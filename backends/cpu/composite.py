"""Compositing along rays on all cores: the same samples and the same sums as `backends.torch.composite`.

One ray at a time, front to back; nothing is kept per sample. Where rays take more samples than the grid has, blocks of
cells that show nothing are found first and passed over: most of what is around an object.

The adjoint traverses the rays a second time and adds into one grid per tile of rays; the tiles, and with them the
result, do not depend on the number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender import jit
from invrender.backends.arguments import layout, plain_rules
from invrender.backends.bodies.composite import SIDE, backward, forward, forward_seen, shows
from invrender.backends.cpu.compile import entry
from invrender.backends.cpu.threads import blocks, parallel_map
from invrender.kernels.compositing import RaySamples, Rules

Array = NDArray[np.float32]

BLOCK = 2048  # rays per job of the forward pass
TILES = 8  # at most this many jobs, each with a grid of its own, in the adjoint
TILE_BYTES = 768 * 2**20  # for those grids together


def composite(grid: torch.Tensor, samples: RaySamples, table: torch.Tensor | None, rules: Rules) -> torch.Tensor:
    """Colour and transmittance [R,4] of grid [D,H,W,C]; see the reference."""
    out = np.empty((len(samples.count), 4), np.float32)
    fixed = _arguments(grid, samples, table, rules)
    if rules.compositing == "mip" or int(samples.count.sum()) < np.prod(grid.shape[:3]):
        parallel_map(_forward, [(*fixed, a, b, out) for a, b in blocks(len(out), BLOCK)])
        return torch.from_numpy(out)
    seen = _seen(fixed)
    across = np.array(seen.shape[::-1], np.int64)
    given = (*fixed, seen.reshape(-1), across)
    parallel_map(_forward_seen, [(*given, a, b, out) for a, b in blocks(len(out), BLOCK)])
    return torch.from_numpy(out)


def _seen(fixed: tuple[Any, ...]) -> NDArray[np.bool_]:
    """[bz,by,bx]: which blocks of cells show anything."""
    grid, counts, strides, *_, table, window, _, _, mode = fixed
    rows = np.append(np.where(table[:, 3] != 0, np.arange(len(table)), len(table)), len(table))
    above = np.minimum.accumulate(rows[::-1])[::-1].copy()
    seen = np.empty([-(-(n - 1) // SIDE) for n in counts[::-1]], np.bool_)
    given = (grid, counts, strides, mode[0], window, above, seen)
    parallel_map(_shows, [(*given, *job) for job in blocks(len(seen), 1)])
    return seen


def composite_adjoint(
    grad: torch.Tensor,
    result: torch.Tensor,
    grid: torch.Tensor,
    samples: RaySamples,
    table: torch.Tensor | None,
    rules: Rules,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Gradients of grid and table; see the reference."""
    fixed = _arguments(grid, samples, table, rules)
    rays = len(samples.count)
    tiles = max(1, min(TILES, TILE_BYTES // max(grid.numel() * 4, 1), rays))
    cuts = np.linspace(0, rays, tiles + 1).astype(np.int64)
    d_grids = [np.zeros(grid.numel(), np.float32) for _ in range(tiles)]
    d_tables = [np.zeros(fixed[7].shape, np.float64) for _ in range(tiles)]
    given, final = _flat(grad), _flat(result)
    parallel_map(
        _backward,
        [(*fixed, cuts[i], cuts[i + 1], given, final, d_grids[i], d_tables[i]) for i in range(tiles)],
    )
    for other in d_grids[1:]:
        d_grids[0] += other
    d_table = None if table is None else torch.from_numpy(sum(d_tables[1:], d_tables[0]).astype(np.float32))
    return torch.from_numpy(d_grids[0]).reshape(grid.shape), d_table


def _arguments(grid: torch.Tensor, samples: RaySamples, table: torch.Tensor | None, rules: Rules) -> tuple[Any, ...]:
    entries = np.zeros((2, 4), np.float32) if table is None else _flat(table)
    lights = np.zeros((1, 6), np.float32) if rules.shade is None else _flat(rules.shade.lights)
    count = np.ascontiguousarray(samples.count.cpu().numpy(), np.int32)
    window, numbers, mode = plain_rules(rules, None if table is None else len(table))
    return (
        _flat(grid).reshape(-1), *layout(grid.shape),
        _flat(samples.start), _flat(samples.step), _flat(samples.length), count, entries, window, lights, numbers, mode,
    )  # fmt: skip


def _flat(values: torch.Tensor) -> Array:
    return np.ascontiguousarray(values.detach().cpu().numpy(), np.float32)


@entry
def _forward(grid, counts, strides, start, step, length, count, table, window, lights, numbers, mode, begin, end, out):  # type: ignore[no-untyped-def]
    for ray in range(begin, end):
        out[ray, 0], out[ray, 1], out[ray, 2], out[ray, 3] = forward(
            grid, counts, strides, start, step, length, count, table, window, lights, numbers, mode, ray
        )


@entry
def _forward_seen(  # type: ignore[no-untyped-def]
    grid, counts, strides, start, step, length, count, table, window, lights, numbers, mode, seen, across, begin, end,
    out,
):  # fmt: skip
    for ray in range(begin, end):
        out[ray, 0], out[ray, 1], out[ray, 2], out[ray, 3] = forward_seen(
            grid, counts, strides, start, step, length, count, table, window, lights, numbers, mode, seen, across, ray
        )


@jit.kernel  # where NaN counts as something
def _shows(grid, counts, strides, kind, window, above, seen, begin, end):  # type: ignore[no-untyped-def]
    for z in range(begin, end):
        for y in range(seen.shape[1]):
            for x in range(seen.shape[2]):
                seen[z, y, x] = shows(grid, counts, strides, kind, window, above, (x, y, z))


@entry
def _backward(  # type: ignore[no-untyped-def]
    grid, counts, strides, start, step, length, count, table, window, lights, numbers, mode, begin, end,
    grad, result, d_grid, d_table,
):  # fmt: skip
    for ray in range(begin, end):
        backward(
            grid, counts, strides, start, step, length, count, table, window, lights, numbers, mode, ray,
            grad, result, d_grid, d_table,
        )  # fmt: skip
