"""SIRT, the simultaneous iterative reconstruction technique, with non-negativity (Gilbert 1972)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.kernels import RayBundle

Tensor = torch.Tensor

SMALLEST = 1e-4  # of the largest row or column sum; what lies below takes no part


@dataclass(frozen=True)
class SirtState:
    """The estimate [D,H,W], and the inverse row [R] and column [D,H,W] sums of the projector."""

    estimate: Tensor
    rows: Tensor
    columns: Tensor


def init(rays: RayBundle, estimate: Tensor) -> SirtState:
    """The state before the first step."""
    rows = rays.forward(torch.ones_like(estimate))
    return SirtState(estimate, _inverse(rows), _inverse(rays.adjoint(torch.ones_like(rows))))


def step(rays: RayBundle, target: Tensor, support: Tensor, state: SirtState) -> tuple[SirtState, float]:
    """One step x = max(x + C A' R (b - A x), 0) on the support, and the misfit (weighted by R) before it."""
    gradient, loss = rays.normal(state.estimate, target, state.rows)
    moved = (state.estimate - state.columns * gradient).clamp(min=0)
    return SirtState(torch.where(support, moved, 0.0), state.rows, state.columns), loss


def _inverse(sums: Tensor) -> Tensor:
    least = SMALLEST * float(sums.max()) if sums.numel() else 0.0
    return torch.where(sums > least, 1 / sums.clamp(min=max(least, 1e-30)), 0.0)
