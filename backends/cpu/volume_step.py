"""The projected gradient step with smoothed total variation and momentum on all cores: twin of the torch one."""

from __future__ import annotations

import math

import numpy as np
import torch

from invrender.backends.cpu.volume_compile import body, entry
from invrender.backends.cpu.volume_threads import blocks, spread

Tensor = torch.Tensor

SLAB = 8  # planes per job


def smooth_step(
    at: Tensor, gradient: Tensor, curvature: Tensor, before: Tensor, smoothing: tuple[float, float], beta: float
) -> tuple[Tensor, Tensor, float]:
    """See `invrender.kernels.SmoothStep`."""
    weight, epsilon = np.float32(smoothing[0]), np.float32(smoothing[1])
    grids = [np.ascontiguousarray(grid.numpy(), np.float32) for grid in (at, gradient, curvature, before)]
    steep = np.empty_like(grids[0]) if weight else grids[0]
    jobs = blocks(at.shape[0], SLAB)
    if weight:
        spread(_steepness, [(grids[0], steep, epsilon, *job) for job in jobs])
    after, ahead = np.empty_like(grids[0]), np.empty_like(grids[0])
    turns = spread(_step, [(*grids, steep, weight, np.float32(beta), after, ahead, *job) for job in jobs])
    return torch.from_numpy(after), torch.from_numpy(ahead), float(sum(turns))


@entry
def _steepness(grid, steep, epsilon, begin, end):  # type: ignore[no-untyped-def]
    """1 / sqrt(|forward differences|^2 + epsilon^2) on the planes begin .. end."""
    depth, height, width = grid.shape
    zero, one = np.float32(0), np.float32(1)
    for k in range(begin, end):
        for j in range(height):
            for i in range(width):
                here = grid[k, j, i]
                dx = grid[k, j, i + 1] - here if i + 1 < width else zero
                dy = grid[k, j + 1, i] - here if j + 1 < height else zero
                dz = grid[k + 1, j, i] - here if k + 1 < depth else zero
                steep[k, j, i] = one / np.float32(math.sqrt(dx * dx + dy * dy + dz * dz + epsilon * epsilon))


@body
def _penalty(grid, steep, k, j, i):  # type: ignore[no-untyped-def]
    """Gradient and curvature bound of the penalty at one voxel."""
    depth, height, width = grid.shape
    here, own = grid[k, j, i], steep[k, j, i]
    slope, bend = np.float32(0), np.float32(6) * own
    two = np.float32(2)
    if i + 1 < width:
        slope -= own * (grid[k, j, i + 1] - here)
    if j + 1 < height:
        slope -= own * (grid[k, j + 1, i] - here)
    if k + 1 < depth:
        slope -= own * (grid[k + 1, j, i] - here)
    if i > 0:
        slope += steep[k, j, i - 1] * (here - grid[k, j, i - 1])
        bend += two * steep[k, j, i - 1]
    if j > 0:
        slope += steep[k, j - 1, i] * (here - grid[k, j - 1, i])
        bend += two * steep[k, j - 1, i]
    if k > 0:
        slope += steep[k - 1, j, i] * (here - grid[k - 1, j, i])
        bend += two * steep[k - 1, j, i]
    return slope, bend


@entry
def _step(at, gradient, curvature, before, steep, weight, beta, after, ahead, begin, end):  # type: ignore[no-untyped-def]
    turn = 0.0
    for k in range(begin, end):
        for j in range(at.shape[1]):
            for i in range(at.shape[2]):
                slope, bend = gradient[k, j, i], curvature[k, j, i]
                if weight != 0:
                    extra, more = _penalty(at, steep, k, j, i)
                    slope += weight * extra
                    bend += weight * more
                here, old = at[k, j, i], before[k, j, i]
                new = max(here - slope / bend, np.float32(0))
                after[k, j, i] = new
                ahead[k, j, i] = new + beta * (new - old)
                turn += (here - new) * (new - old)
    return turn
