"""The projected gradient step with smoothed total variation and momentum on a GPU, one thread per voxel."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import cuda

from invrender.backends.cuda.bodies import smooth_step as bodies
from invrender.backends.cuda.launch import launch
from invrender.backends.cuda.target import kernel

Tensor = torch.Tensor

penalty, steepness = bodies.penalty, bodies.steepness


def smooth_step(
    at: Tensor, gradient: Tensor, curvature: Tensor, before: Tensor, smoothing: tuple[float, float], beta: float
) -> tuple[Tensor, Tensor, float]:
    """See `invrender.kernels.SmoothStep`."""
    weight, epsilon = np.float32(smoothing[0]), np.float32(smoothing[1])
    grids = [grid.detach().float().contiguous() for grid in (at, gradient, curvature, before)]
    steep = grids[0]
    if weight:
        steep = torch.empty_like(grids[0])
        launch(_steepness, steep.numel(), grids[0], epsilon, steep)
    after, extrapolated, uphill = (torch.empty_like(grids[0]) for _ in range(3))
    launch(_step, after.numel(), *grids, steep, weight, np.float32(beta), after, extrapolated, uphill)
    return after, extrapolated, float(uphill.sum(dtype=torch.float64))


@kernel
def _steepness(grid: Any, epsilon: float, steep: Any) -> None:
    voxel = cuda.grid(1)
    depth, height, width = grid.shape
    if voxel < depth * height * width:
        k, j, i = voxel // (width * height), voxel // width % height, voxel % width
        steep[k, j, i] = steepness(grid, k, j, i, epsilon)


@kernel
def _step(
    at: Any, gradient: Any, curvature: Any, before: Any, steep: Any, weight: float, beta: float,
    after: Any, extrapolated: Any, uphill: Any,
) -> None:  # fmt: skip
    voxel = cuda.grid(1)
    depth, height, width = at.shape
    if voxel >= depth * height * width:
        return
    k, j, i = voxel // (width * height), voxel // width % height, voxel % width
    g, h = gradient[k, j, i], curvature[k, j, i]
    if weight != 0:
        tv_slope, tv_curvature = penalty(at, steep, k, j, i)
        g += weight * tv_slope
        h += weight * tv_curvature
    here, old = at[k, j, i], before[k, j, i]
    new = max(here - g / h, np.float32(0))
    after[k, j, i] = new
    extrapolated[k, j, i] = new + beta * (new - old)
    uphill[k, j, i] = (here - new) * (new - old)
