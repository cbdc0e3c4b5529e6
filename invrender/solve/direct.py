"""A method that solves in one step, without a start to improve on: filtered back-projection, as a solver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from invrender.solve.protocol import LeastSquares, Params, Terms


@dataclass(frozen=True)
class DirectState:
    """There is nothing to remember."""


@dataclass(frozen=True)
class Direct:
    """Settings.

    Attributes:
        answer: gives the parameters.
        scale: without meaning: there is no step whose length could be changed.
    """

    answer: Callable[[], Params]
    scale: float = 1.0

    def init(self, objective: LeastSquares, params: Params) -> DirectState:
        """The state before the step."""
        del objective, params
        return DirectState()

    def step(
        self, objective: LeastSquares, params: Params, state: DirectState, random: torch.Generator
    ) -> tuple[Params, DirectState, Terms]:
        """The answer, and its misfit."""
        del params, random
        found = self.answer()
        misfit = float((objective.weight * objective.residual(found).square()).double().sum()) / 2
        return found, state, {"misfit": misfit}
