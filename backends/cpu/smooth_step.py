"""The projected gradient step with smoothed total variation and momentum on all cores: twin of the torch one.

Planes by planes: how steep the grid is around a few of them stays in the cache, and no grid of it is needed.
"""

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
    here, slope, bound, old = (
        np.ascontiguousarray(grid.numpy(), np.float32) for grid in (at, gradient, curvature, before)
    )
    after, extrapolated = slope, np.empty_like(here)  # a large grid less: no voxel needs its neighbours' slopes

    def job(begin: int, end: int) -> float:
        low, high = max(begin - 1, 0), min(end + 1, len(here))
        part = here[low:high]
        steep = part
        if weight:
            steep = np.empty_like(part)
            _steepness(part, steep, epsilon, 0, end - low)
        given = (part, slope[low:high], bound[low:high], old[low:high], steep, weight, np.float32(beta))
        uphill: float = _step(*given, after[low:high], extrapolated[low:high], begin - low, end - low)
        return uphill

    uphill = sum(parallel_map(job, blocks(len(here), SLAB)))
    return torch.from_numpy(after), torch.from_numpy(extrapolated), float(uphill)


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
