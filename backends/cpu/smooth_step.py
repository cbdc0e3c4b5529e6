"""The projected gradient step with smoothed total variation and momentum on all cores: twin of the torch one."""

from __future__ import annotations

import math

import numpy as np
import torch

from invrender.backends.bodies.smooth_step import penalty, steepness
from invrender.backends.cpu.compile import entry
from invrender.backends.cpu.threads import blocks, spread_jobs

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
        spread_jobs(_steepness, [(grids[0], steep, epsilon, *job) for job in jobs])
    after, ahead = np.empty_like(grids[0]), np.empty_like(grids[0])
    turns = spread_jobs(_step, [(*grids, steep, weight, np.float32(beta), after, ahead, *job) for job in jobs])
    return torch.from_numpy(after), torch.from_numpy(ahead), float(sum(turns))


@entry
def _steepness(grid, steep, epsilon, begin, end):  # type: ignore[no-untyped-def]
    for k in range(begin, end):
        for j in range(grid.shape[1]):
            for i in range(grid.shape[2]):
                steep[k, j, i] = steepness(grid, k, j, i, epsilon)


@entry
def _step(at, gradient, curvature, before, steep, weight, beta, after, ahead, begin, end):  # type: ignore[no-untyped-def]
    turn, never = 0.0, np.float32(math.inf)
    for k in range(begin, end):
        for j in range(at.shape[1]):
            for i in range(at.shape[2]):
                slope, bend = gradient[k, j, i], curvature[k, j, i]
                here, old = at[k, j, i], before[k, j, i]
                if bend == never:  # outside the support, where most voxels are
                    new = max(here, np.float32(0))
                else:
                    if weight != 0:
                        extra, more = penalty(at, steep, k, j, i)
                        slope += weight * extra
                        bend += weight * more
                    new = max(here - slope / bend, np.float32(0))
                after[k, j, i] = new
                ahead[k, j, i] = new + beta * (new - old)
                turn += (here - new) * (new - old)
    return turn
