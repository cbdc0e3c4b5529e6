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
    after, ahead, turn = (torch.empty_like(grids[0]) for _ in range(3))
    launch(_step, after.numel(), *grids, steep, weight, np.float32(beta), after, ahead, turn)
    return after, ahead, float(turn.sum(dtype=torch.float64))


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
    after: Any, ahead: Any, turn: Any,
) -> None:  # fmt: skip
    voxel = cuda.grid(1)
    depth, height, width = at.shape
    if voxel >= depth * height * width:
        return
    k, j, i = voxel // (width * height), voxel // width % height, voxel % width
    slope, bend = gradient[k, j, i], curvature[k, j, i]
    if weight != 0:
        extra, more = penalty(at, steep, k, j, i)
        slope += weight * extra
        bend += weight * more
    here, old = at[k, j, i], before[k, j, i]
    new = max(here - slope / bend, np.float32(0))
    after[k, j, i] = new
    ahead[k, j, i] = new + beta * (new - old)
    turn[k, j, i] = (here - new) * (new - old)
