"""The exact line integral and its transpose on a GPU: one thread per ray, atomic sums in the transpose."""

from __future__ import annotations

from typing import Any

import torch
from numba import cuda

from invrender.backends.arguments import index_rays
from invrender.backends.cuda.bodies import line_integral as bodies
from invrender.backends.cuda.launch import launch
from invrender.backends.cuda.target import kernel

Tensor = torch.Tensor

integral, integral_adjoint = bodies.integral, bodies.integral_adjoint


def line_integral(grid: Tensor, bounds: Tensor, origin: Tensor, direction: Tensor) -> Tensor:
    """See `invrender.kernels.LineIntegral`; [R] float32."""
    start, step = index_rays(grid, bounds, origin, direction)
    out = torch.empty(len(start), dtype=torch.float32, device=grid.device)
    launch(_forward, len(start), grid.detach().float().reshape(-1), *grid.shape, start, step, out)
    return out


def line_integral_adjoint(
    grad: Tensor, grid: Tensor, bounds: Tensor, origin: Tensor, direction: Tensor
) -> tuple[Tensor, None, None]:
    """The gradient of the grid; those of the rays are the reference's alone."""
    start, step = index_rays(grid, bounds, origin, direction)
    cells = torch.zeros(grid.numel(), dtype=torch.float32, device=grid.device)
    launch(_adjoint, len(start), cells, *grid.shape, start, step, grad.detach().float().contiguous())
    return cells.reshape(grid.shape), None, None


@kernel
def _forward(values: Any, depth: int, height: int, width: int, start: Any, step: Any, out: Any) -> None:
    r = cuda.grid(1)
    if r < out.shape[0]:
        out[r] = integral(
            values, width, height, depth, start[r, 0], start[r, 1], start[r, 2], step[r, 0], step[r, 1], step[r, 2]
        )


@kernel
def _adjoint(cells: Any, depth: int, height: int, width: int, start: Any, step: Any, grad: Any) -> None:
    r = cuda.grid(1)
    if r < grad.shape[0]:
        integral_adjoint(
            cells, width, height, depth,
            start[r, 0], start[r, 1], start[r, 2], step[r, 0], step[r, 1], step[r, 2], grad[r],
        )  # fmt: skip
