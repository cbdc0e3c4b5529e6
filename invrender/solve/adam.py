"""Adam (Kingma and Ba 2015) with non-negativity: the method of most differentiable renderers, here as a peer."""

from __future__ import annotations

from dataclasses import dataclass

import torch

Tensor = torch.Tensor

BETAS = (0.9, 0.99)


@dataclass(frozen=True)
class AdamState:
    """The estimate, its first and second moments, and the number of steps taken."""

    estimate: Tensor
    first: Tensor
    second: Tensor
    count: int


def init(estimate: Tensor) -> AdamState:
    """The state before the first step."""
    return AdamState(estimate, torch.zeros_like(estimate), torch.zeros_like(estimate), 0)


def step(gradient: Tensor, state: AdamState, rate: float) -> AdamState:
    """One step of about `rate` (in units of the estimate) per entry, never below 0."""
    count = state.count + 1
    first = BETAS[0] * state.first + (1 - BETAS[0]) * gradient
    second = BETAS[1] * state.second + (1 - BETAS[1]) * gradient.square()
    scale = (second / (1 - BETAS[1] ** count)).sqrt() + 1e-12
    moved = state.estimate - rate * first / (1 - BETAS[0] ** count) / scale
    return AdamState(moved.clamp(min=0), first, second, count)
