"""The exact line integral and its transpose on all cores: two Gauss points in every cell that a ray crosses.

Rays are cut into a fixed number of parts with a grid of their own each, so that the transpose does not depend on the
number of threads.
"""

from __future__ import annotations

import numpy as np
import torch

from invrender.backends.arguments import index_rays
from invrender.backends.bodies.line_integral import integral, integral_adjoint
from invrender.backends.cpu.compile import entry
from invrender.backends.cpu.threads import blocks, parallel_map

Tensor = torch.Tensor

BLOCK = 1 << 12  # rays per job of the forward pass
PARTS = 4  # of the rays, in the transpose


def line_integral(grid: Tensor, bounds: Tensor, origin: Tensor, direction: Tensor) -> Tensor:
    """See `invrender.kernels.LineIntegral`; [R] float32."""
    values = np.ascontiguousarray(grid.detach().numpy(), np.float32).reshape(-1)
    start, step = (part.numpy() for part in index_rays(grid, bounds, origin, direction))
    shape, out = tuple(grid.shape), np.empty(len(start), np.float32)
    parallel_map(_forward, [(values, shape, start, step, begin, end, out) for begin, end in blocks(len(start), BLOCK)])
    return torch.from_numpy(out)


def line_integral_adjoint(
    grad: Tensor, grid: Tensor, bounds: Tensor, origin: Tensor, direction: Tensor
) -> tuple[Tensor, None, None]:
    """The gradient of the grid; those of the rays are the reference's alone."""
    start, step = (part.numpy() for part in index_rays(grid, bounds, origin, direction))
    values = np.ascontiguousarray(grad.detach().numpy(), np.float32)
    cuts = np.linspace(0, len(start), PARTS + 1).astype(np.int64)
    parts = [np.zeros(grid.numel(), np.float32) for _ in range(PARTS)]
    parallel_map(
        _adjoint, [(parts[i], tuple(grid.shape), start, step, cuts[i], cuts[i + 1], values) for i in range(PARTS)]
    )
    return torch.from_numpy(np.sum(parts, axis=0)).reshape(grid.shape), None, None


@entry
def _forward(values, shape, start, step, begin, end, out):  # type: ignore[no-untyped-def]
    nz, ny, nx = shape
    for r in range(begin, end):
        o, d = start[r], step[r]
        out[r] = integral(values, nx, ny, nz, o[0], o[1], o[2], d[0], d[1], d[2])


@entry
def _adjoint(cells, shape, start, step, begin, end, grad):  # type: ignore[no-untyped-def]
    nz, ny, nx = shape
    for r in range(begin, end):
        o, d = start[r], step[r]
        integral_adjoint(cells, nx, ny, nz, o[0], o[1], o[2], d[0], d[1], d[2], grad[r])
