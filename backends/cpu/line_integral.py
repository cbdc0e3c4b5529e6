"""The exact line integral and its transpose on all cores: two Gauss points in every cell that a ray crosses.

Rays are cut into a fixed number of parts with a grid of their own each, so that the transpose does not depend on the
number of threads. Forward, a ray is followed from the first block of cells that holds anything to the last: most grids
are empty around what they show.
"""

from __future__ import annotations

import numpy as np
import torch

from invrender import jit
from invrender.backends.arguments import index_rays
from invrender.backends.bodies.cells import chord
from invrender.backends.bodies.line_integral import filled_span, integral_adjoint, integral_between
from invrender.backends.bodies.target import device
from invrender.backends.cpu.compile import entry
from invrender.backends.cpu.threads import blocks, parallel_map

Tensor = torch.Tensor

BLOCK = 1 << 12  # rays per job of the forward pass
SIDE = 8  # cells along a block
PARTS = 4  # of the rays, in the transpose


def line_integral(grid: Tensor, bounds: Tensor, origin: Tensor, direction: Tensor) -> Tensor:
    """See `invrender.kernels.LineIntegral`; [R] float32."""
    values = np.ascontiguousarray(grid.detach().numpy(), np.float32).reshape(-1)
    start, step = (part.numpy() for part in index_rays(grid, bounds, origin, direction))
    shape, out = tuple(grid.shape), np.empty(len(start), np.float32)
    filled = np.empty([-(-(n - 1) // SIDE) for n in shape], np.uint8)
    parallel_map(_fill, [(values, shape, filled, *job) for job in blocks(len(filled), 1)])
    given = (values, shape, filled.reshape(-1), filled.shape, start, step)
    parallel_map(_forward, [(*given, *job, out) for job in blocks(len(start), BLOCK)])
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


@jit.kernel  # where NaN counts as something
def _fill(values, shape, filled, begin, end):  # type: ignore[no-untyped-def]
    """Which blocks of the planes begin .. end touch a sample that is not zero."""
    nz, ny, nx = shape
    for k in range(begin, end):
        for j in range(filled.shape[1]):
            for i in range(filled.shape[2]):
                filled[k, j, i] = _any(values, nx, ny, nz, k * SIDE, j * SIDE, i * SIDE)


@device
def _any(values, nx, ny, nz, k, j, i):  # type: ignore[no-untyped-def]
    for z in range(k, min(k + SIDE + 1, nz)):
        for y in range(j, min(j + SIDE + 1, ny)):
            row = (z * ny + y) * nx
            for x in range(i, min(i + SIDE + 1, nx)):
                if values[row + x] != 0:
                    return 1
    return 0


@entry
def _forward(values, shape, filled, counts, start, step, begin, end, out):  # type: ignore[no-untyped-def]
    nz, ny, nx = shape
    bz, by, bx = counts
    per = 1.0 / SIDE
    for r in range(begin, end):
        o, d = start[r], step[r]
        t, leave = chord(o[0], o[1], o[2], d[0], d[1], d[2], nx, ny, nz)
        t, leave = filled_span(
            filled, bx, by, bz, o[0] * per, o[1] * per, o[2] * per, d[0] * per, d[1] * per, d[2] * per, t, leave
        )
        out[r] = integral_between(values, nx, ny, nz, o[0], o[1], o[2], d[0], d[1], d[2], t, leave)


@entry
def _adjoint(cells, shape, start, step, begin, end, grad):  # type: ignore[no-untyped-def]
    nz, ny, nx = shape
    for r in range(begin, end):
        o, d = start[r], step[r]
        integral_adjoint(cells, nx, ny, nz, o[0], o[1], o[2], d[0], d[1], d[2], grad[r])
