"""Adam with one step length for all coordinates.

Nicolet, Jacobson, Jakob 2021: dividing every coordinate by its own second moment undoes the preconditioning of Large
Steps, so the second moment is that of the largest gradient entry.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from invrender.solve.protocol import Params, Terms, ValueAndGrad
from invrender.solve.rates import Rate


@dataclass(frozen=True)
class UniformState:
    """Where the method stands.

    Attributes:
        loss, gradient: at the parameters; the step that led there has computed them.
        first: first moment, shaped like the parameters.
        second: [], second moment of the largest entry of the gradient.
        count: steps taken.
    """

    loss: float
    gradient: Params
    first: Params
    second: Tensor
    count: int


@dataclass(frozen=True)
class UniformAdam:
    """Settings.

    Attributes:
        rate: the length of a step, in units of the parameters.
        betas: decay rates of the two moments.
        scale: factor on the rate.
    """

    rate: Rate
    betas: tuple[float, float] = (0.9, 0.99)
    scale: float = 1.0

    def init(self, objective: ValueAndGrad, params: Params) -> UniformState:
        """The state before the first step; it takes the first gradient."""
        terms, gradient = objective.value_and_grad(params, torch.Generator())
        zeros = {name: torch.zeros_like(value) for name, value in params.items()}
        return UniformState(_loss(terms), gradient, zeros, next(iter(params.values())).new_zeros(()), 0)

    def step(
        self, objective: ValueAndGrad, params: Params, state: UniformState, random: torch.Generator
    ) -> tuple[Params, UniformState, Terms]:
        """One step of length about the rate, and the terms after it."""
        count = state.count + 1
        keep, keep_square = self.betas
        first = {name: keep * state.first[name] + (1 - keep) * g for name, g in state.gradient.items()}
        largest = torch.stack([g.square().max() for g in state.gradient.values()]).max()
        second = keep_square * state.second + (1 - keep_square) * largest
        spread = (second / (1 - keep_square**count)).sqrt() + 1e-12
        length = self.scale * self.rate(state.count)
        moved = {name: value - length * (first[name] / (1 - keep**count)) / spread for name, value in params.items()}
        terms, gradient = objective.value_and_grad(moved, random)
        return moved, UniformState(_loss(terms), gradient, first, second, count), terms


def _loss(terms: Terms) -> float:
    return next(iter(terms.values()))
