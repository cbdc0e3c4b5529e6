"""Compositing along rays on a GPU, one thread per ray; the adjoint traverses them a second time and adds atomically."""

from __future__ import annotations

from typing import Any

import torch
from numba import cuda

from invrender.backends.arguments import layout, plain_rules
from invrender.backends.cuda.bodies import composite as bodies
from invrender.backends.cuda.launch import launch
from invrender.backends.cuda.target import kernel
from invrender.kernels.compositing import RaySamples, Rules

Tensor = torch.Tensor

backward, forward = bodies.backward, bodies.forward

COPIES = 64  # of the table's gradient: every sample of every ray adds to some of its few rows, and would have to queue


def composite(grid: Tensor, samples: RaySamples, table: Tensor | None, rules: Rules) -> Tensor:
    """Colour and transmittance [R,4] of grid [D,H,W,C]; see the reference."""
    out = torch.empty(len(samples.count), 4, dtype=torch.float32, device=grid.device)
    launch(_forward, len(out), *_arguments(grid, samples, table, rules), out)
    return out


def composite_adjoint(
    grad: Tensor, result: Tensor, grid: Tensor, samples: RaySamples, table: Tensor | None, rules: Rules
) -> tuple[Tensor, Tensor | None]:
    """Gradients of grid and table; see the reference."""
    d_grid = torch.zeros(grid.numel(), dtype=torch.float32, device=grid.device)
    d_table = d_grid.new_zeros(COPIES, 2, 4) if table is None else d_grid.new_zeros(COPIES, *table.shape)
    given = (_floats(grad, grid), _floats(result, grid))
    launch(_backward, len(samples.count), *_arguments(grid, samples, table, rules), *given, d_grid, d_table)
    return d_grid.reshape(grid.shape), None if table is None else d_table.sum(0)


def _arguments(grid: Tensor, samples: RaySamples, table: Tensor | None, rules: Rules) -> tuple[Any, ...]:
    entries = grid.new_zeros(2, 4) if table is None else table
    lights = grid.new_zeros(1, 6) if rules.shade is None else rules.shade.lights
    floats = (_floats(values, grid) for values in (samples.start, samples.step, samples.length))
    count = samples.count.to(grid.device, torch.int32).contiguous()
    window, numbers, mode = plain_rules(rules, None if table is None else len(table))
    return (
        _floats(grid, grid).reshape(-1), *layout(grid.shape), *floats, count,
        _floats(entries, grid), window, _floats(lights, grid), numbers, mode,
    )  # fmt: skip


def _floats(values: Tensor, beside: Tensor) -> Tensor:
    return values.detach().to(beside.device, torch.float32).contiguous()


@kernel
def _forward(
    grid: Any, counts: Any, strides: Any, start: Any, step: Any, length: Any, count: Any, table: Any, window: Any,
    lights: Any, numbers: Any, mode: Any, out: Any,
) -> None:  # fmt: skip
    ray = cuda.grid(1)
    if ray < out.shape[0]:
        out[ray, 0], out[ray, 1], out[ray, 2], out[ray, 3] = forward(
            grid, counts, strides, start, step, length, count, table, window, lights, numbers, mode, ray
        )


@kernel
def _backward(
    grid: Any, counts: Any, strides: Any, start: Any, step: Any, length: Any, count: Any, table: Any, window: Any,
    lights: Any, numbers: Any, mode: Any, grad: Any, result: Any, d_grid: Any, d_table: Any,
) -> None:  # fmt: skip
    ray = cuda.grid(1)
    if ray < grad.shape[0]:
        backward(
            grid, counts, strides, start, step, length, count, table, window, lights, numbers, mode, ray,
            grad, result, d_grid, d_table[ray % d_table.shape[0]],
        )  # fmt: skip
