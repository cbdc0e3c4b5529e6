"""Adam with one step length for all coordinates.

Nicolet, Jacobson, Jakob 2021: dividing every coordinate by its own second moment undoes the preconditioning of Large
Steps, so the second moment is that of the largest gradient entry.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

Tensor = torch.Tensor


@dataclass(frozen=True)
class AdamState:
    """First moment (like the parameters), second moment (a scalar), and the number of steps taken."""

    first: Tensor
    second: Tensor
    count: int


def init(params: Tensor) -> AdamState:
    """The state before the first step."""
    return AdamState(torch.zeros_like(params), params.new_zeros(()), 0)


def step(
    grad: Tensor, params: Tensor, state: AdamState, rate: float, betas: tuple[float, float] = (0.9, 0.99)
) -> tuple[Tensor, AdamState]:
    """One step of length about `rate` (in units of the parameters); returns new parameters and state."""
    count = state.count + 1
    first = betas[0] * state.first + (1 - betas[0]) * grad
    second = betas[1] * state.second + (1 - betas[1]) * grad.square().max()
    length = (second / (1 - betas[1] ** count)).sqrt() + 1e-12
    moved = params - rate * (first / (1 - betas[0] ** count)) / length
    return moved, AdamState(first, second, count)
