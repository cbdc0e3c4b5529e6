"""Adam (Kingma and Ba 2015), with an optional bound from below: the method of most differentiable renderers."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.solve.protocol import Params, Terms, ValueAndGrad
from invrender.solve.rates import Rate


@dataclass(frozen=True)
class AdamState:
    """First and second moments, shaped like the parameters, and the number of steps taken."""

    first: Params
    second: Params
    count: int


@dataclass(frozen=True)
class Adam:
    """Settings.

    Attributes:
        rate: the length of a step, in units of the parameters.
        betas: decay rates of the two moments.
        epsilon: added to the root of the second moment.
        lowest: no parameter falls below it; None: no bound.
        scale: factor on the rate.
    """

    rate: Rate
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    lowest: float | None = None
    scale: float = 1.0

    def init(self, objective: ValueAndGrad, params: Params) -> AdamState:
        """The state before the first step."""
        del objective
        zeros = {name: torch.zeros_like(value) for name, value in params.items()}
        return AdamState(zeros, zeros, 0)

    def step(
        self, objective: ValueAndGrad, params: Params, state: AdamState, random: torch.Generator
    ) -> tuple[Params, AdamState, Terms]:
        """One step of at most about the rate per entry, and the terms before it."""
        terms, gradient = objective.value_and_grad(params, random)
        count = state.count + 1
        length = self.scale * self.rate(state.count)
        first = {name: torch.lerp(state.first[name], g, 1 - self.betas[0]) for name, g in gradient.items()}
        second = {name: _mixed(state.second[name], g, self.betas[1]) for name, g in gradient.items()}
        moved = {}
        for name, value in params.items():
            spread = second[name].sqrt() / (1 - self.betas[1] ** count) ** 0.5 + self.epsilon
            step = torch.addcdiv(value, first[name], spread, value=-length / (1 - self.betas[0] ** count))
            moved[name] = step if self.lowest is None else step.clamp(min=self.lowest)
        return moved, AdamState(first, second, count), terms


def _mixed(second: torch.Tensor, gradient: torch.Tensor, beta: float) -> torch.Tensor:
    return torch.addcmul(second * beta, gradient, gradient, value=1 - beta)
