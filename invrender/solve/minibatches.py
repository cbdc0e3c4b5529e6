"""Steps of a solver on one minibatch after the other, judged now and then by samples that it does not learn from.

The best iterate is kept; where none has been better for a while, learning is over (early stopping). Which samples step
n learns from depends on n alone, so that a run goes on from a checkpoint to the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch

from invrender.solve.protocol import Params, Solver, Terms, ValueAndGrad, scaled

SCORE = "validation"
"""The name of the score among the terms of the steps that were judged."""


class Minibatched(Protocol):
    """An objective that is a sum over samples."""

    def minibatch(self, number: int) -> ValueAndGrad:
        """The objective on the samples of a step, from 0 on."""
        ...

    def score(self, params: Params) -> float:
        """How good parameters are on samples that no step learns from; more is better."""
        ...


@dataclass(frozen=True)
class MinibatchesState:
    """Where learning stands.

    Attributes:
        inner: the solver's state.
        count: steps taken.
        best: the parameters of the best score; before any, the first ones.
        score: theirs; -inf before any.
        waited: judgements since.
        converged: nothing has got better for too long.
    """

    inner: Any
    count: int
    best: Params
    score: float
    waited: int
    converged: bool


@dataclass(frozen=True)
class Minibatches:
    """Settings.

    Attributes:
        inner: the solver.
        steps: in total; the last one is judged in any case.
        every: how many steps lie between two judgements.
        patience: judgements without a better score after which learning is over; 0: it never is.
        scale: factor on the inner solver's step length.
    """

    inner: Solver[ValueAndGrad, Any]
    steps: int
    every: int
    patience: int = 0
    scale: float = 1.0

    def init(self, objective: Minibatched, params: Params) -> MinibatchesState:
        """The state before the first step."""
        first = self.inner.init(objective.minibatch(0), params)
        return MinibatchesState(first, 0, dict(params), float("-inf"), 0, False)

    def step(
        self, objective: Minibatched, params: Params, state: MinibatchesState, random: torch.Generator
    ) -> tuple[Params, MinibatchesState, Terms]:
        """One step; where it is judged, the score follows its terms."""
        solver = scaled(self.inner, self.scale)
        moved, inner, terms = solver.step(objective.minibatch(state.count), params, state.inner, random)
        count = state.count + 1
        if count % self.every and count < self.steps:
            return moved, MinibatchesState(inner, count, state.best, state.score, state.waited, False), terms
        score = objective.score(moved)
        better = score > state.score
        waited = 0 if better else state.waited + 1
        best = dict(moved) if better else state.best
        over = 0 < self.patience <= waited
        after = MinibatchesState(inner, count, best, max(score, state.score), waited, over)
        return moved, after, {**terms, SCORE: score}
