"""SIRT, the simultaneous iterative reconstruction technique, with non-negativity (Gilbert 1972)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from invrender.solve.protocol import LeastSquares, Params, Terms

SMALLEST = 1e-4  # of the largest row or column sum; what lies below takes no part


@dataclass(frozen=True)
class SirtState:
    """The inverse column sums of A, shaped like the parameters."""

    columns: Params


@dataclass(frozen=True)
class Sirt:
    """Settings; there are none but the factor on the step length, which is known as relaxation here."""

    scale: float = 1.0

    def init(self, objective: LeastSquares, params: Params) -> SirtState:
        """The state before the first step; the objective's weights have to be `row_weights`."""
        del params
        sums = objective.vjp(torch.ones_like(objective.weight))
        return SirtState({name: inverse_sums(value) for name, value in sums.items()})

    def step(
        self, objective: LeastSquares, params: Params, state: SirtState, random: torch.Generator
    ) -> tuple[Params, SirtState, Terms]:
        """One step x = max(x + C A' R (b - A x), 0), and the misfit (weighted by R) before it."""
        terms, gradient = objective.value_and_grad(params, random)
        moved = {
            name: (value - self.scale * state.columns[name] * gradient[name]).clamp(min=0)
            for name, value in params.items()
        }
        return moved, state, terms


def row_weights(objective: LeastSquares, params: Params) -> Tensor:
    """R: the inverse row sums of A, [R]."""
    return inverse_sums(objective.jvp({name: torch.ones_like(value) for name, value in params.items()}))


def inverse_sums(sums: Tensor) -> Tensor:
    """1 / sums, and 0 where a sum is next to nothing."""
    least = SMALLEST * float(sums.max()) if sums.numel() else 0.0
    return torch.where(sums > least, 1 / sums.clamp(min=max(least, 1e-30)), 0.0)
