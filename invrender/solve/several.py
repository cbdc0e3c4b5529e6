"""Several steps of a solver as one, where single ones are too small to be worth a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from invrender.solve.protocol import Params, Solver, Terms, scaled


@dataclass(frozen=True)
class SeveralState:
    """The inner solver's state, and the number of steps taken, each of which is several of its own."""

    inner: Any
    count: int


@dataclass(frozen=True)
class Several:
    """Settings.

    Attributes:
        inner: the solver.
        inner_steps: of it, in total.
        steps: of this one, over which those are spread evenly.
        scale: factor on the inner solver's step length.
    """

    inner: Solver[Any, Any]
    inner_steps: int
    steps: int
    scale: float = 1.0

    def init(self, objective: Any, params: Params) -> SeveralState:
        """The state before the first step."""
        return SeveralState(self.inner.init(objective, params), 0)

    def step(
        self, objective: Any, params: Params, state: SeveralState, random: torch.Generator
    ) -> tuple[Params, SeveralState, Terms]:
        """The inner steps that fall into one; their terms are summed up."""
        inner = scaled(self.inner, self.scale)
        own, total = state.inner, dict[str, float]()
        for _ in range(self._first(state.count), self._first(state.count + 1)):
            params, own, terms = inner.step(objective, params, own, random)
            for name, value in terms.items():
                total[name] = total.get(name, 0.0) + value
        return params, SeveralState(own, state.count + 1), total

    def _first(self, step: int) -> int:
        """The inner step with which a step begins: the last one of it completes its share."""
        return -(-step * self.inner_steps // self.steps)
