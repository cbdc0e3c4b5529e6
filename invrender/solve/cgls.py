"""CGLS: conjugate gradients on the weighted normal equations (Hestenes and Stiefel 1952; Bjoerck 1996).

It knows no constraints: the estimate may turn negative.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.kernels import RayBundle

Tensor = torch.Tensor


@dataclass(frozen=True)
class CglsState:
    """Estimate and search direction [D,H,W], residual b - A x [R], and the squared length of the gradient."""

    estimate: Tensor
    direction: Tensor
    residual: Tensor
    length: float


def init(rays: RayBundle, target: Tensor, weight: Tensor, support: Tensor) -> CglsState:
    """The state at x = 0."""
    gradient = torch.where(support, rays.adjoint(weight * target), 0.0)
    return CglsState(torch.zeros_like(gradient), gradient, target, _square(gradient))


def step(rays: RayBundle, weight: Tensor, support: Tensor, state: CglsState) -> tuple[CglsState, float]:
    """One step, and the misfit before it."""
    loss = float((weight * state.residual.square()).double().sum()) / 2
    ahead = rays.forward(state.direction)
    curvature = float((weight * ahead.square()).double().sum())
    if curvature == 0:
        return state, loss
    stride = state.length / curvature
    residual = state.residual - stride * ahead
    gradient = torch.where(support, rays.adjoint(weight * residual), 0.0)
    length = _square(gradient)
    direction = gradient + length / state.length * state.direction
    return CglsState(state.estimate + stride * state.direction, direction, residual, length), loss


def _square(grid: Tensor) -> float:
    return float(grid.double().square().sum())
