"""The projected gradient step with smoothed total variation and momentum on all cores: twin of the torch one."""

from __future__ import annotations

import math

import numpy as np
import torch

from invrender.backends.bodies.smooth_step import penalty, steepness
from invrender.backends.cpu.compile import entry
from invrender.backends.cpu.threads import blocks, parallel_map

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
        parallel_map(_steepness, [(grids[0], steep, epsilon, *job) for job in jobs])
    after, extrapolated = np.empty_like(grids[0]), np.empty_like(grids[0])
    uphill = parallel_map(_step, [(*grids, steep, weight, np.float32(beta), after, extrapolated, *job) for job in jobs])
    return torch.from_numpy(after), torch.from_numpy(extrapolated), float(sum(uphill))


@entry
def _steepness(grid, steep, epsilon, begin, end):  # type: ignore[no-untyped-def]
    for k in range(begin, end):
        for j in range(grid.shape[1]):
            for i in range(grid.shape[2]):
                steep[k, j, i] = steepness(grid, k, j, i, epsilon)


@entry
def _step(at, gradient, curvature, before, steep, weight, beta, after, extrapolated, begin, end):  # type: ignore[no-untyped-def]
    uphill, never = 0.0, np.float32(math.inf)
    for k in range(begin, end):
        for j in range(at.shape[1]):
            for i in range(at.shape[2]):
                g, h = gradient[k, j, i], curvature[k, j, i]
                here, old = at[k, j, i], before[k, j, i]
                if h == never:  # outside the support, where most voxels are
                    new = max(here, np.float32(0))
                else:
                    if weight != 0:
                        tv_slope, tv_curvature = penalty(at, steep, k, j, i)
                        g += weight * tv_slope
                        h += weight * tv_curvature
                    new = max(here - g / h, np.float32(0))
                after[k, j, i] = new
                extrapolated[k, j, i] = new + beta * (new - old)
                uphill += (here - new) * (new - old)
    return uphill
