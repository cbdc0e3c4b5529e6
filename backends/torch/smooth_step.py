"""A projected gradient step with smoothed total variation and momentum, in plain torch: the reference.

The penalty is sum over voxels of sqrt(dx^2 + dy^2 + dz^2 + epsilon^2) with forward differences. At the current point
a parabola majorises each root (Huber's trick), and two squares each squared difference (De Pierro 1995), so that a
diagonal bounds the curvature.
"""

from __future__ import annotations

import torch

Tensor = torch.Tensor


def smooth_step(
    at: Tensor, gradient: Tensor, curvature: Tensor, before: Tensor, smoothing: tuple[float, float], beta: float
) -> tuple[Tensor, Tensor, float]:
    """See `invrender.kernels.SmoothStep`."""
    weight, epsilon = smoothing
    slope, bound = total_variation(at, epsilon) if weight else (torch.zeros_like(at), torch.zeros_like(at))
    after = (at - (gradient + weight * slope) / (curvature + weight * bound)).clamp(min=0)
    uphill = float(((at - after) * (after - before)).sum())
    return after, after + beta * (after - before), uphill


def total_variation(grid: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """The gradient [D,H,W] of the penalty and the diagonal that bounds its curvature."""
    steps = [torch.zeros_like(grid) for _ in range(3)]
    for axis, step in enumerate(steps):
        step.narrow(axis, 0, grid.shape[axis] - 1).copy_(grid.diff(dim=axis))
    steep = 1 / (torch.stack(steps).square().sum(0) + epsilon**2).sqrt()
    slope, bound = -steep * (steps[0] + steps[1] + steps[2]), 6 * steep
    for axis, step in enumerate(steps):
        count = grid.shape[axis] - 1
        slope.narrow(axis, 1, count).add_((steep * step).narrow(axis, 0, count))
        bound.narrow(axis, 1, count).add_(2 * steep.narrow(axis, 0, count))
    return slope, bound
