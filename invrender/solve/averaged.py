"""A solver whose last iterates are averaged: of an objective with noise they scatter about a bottom (Polyak 1992)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from invrender.solve.protocol import Params, Solver, Terms, scaled

Tensor = torch.Tensor


@dataclass(frozen=True)
class AveragedState:
    """The inner solver's state, steps taken, and the mean of the iterates that count (before: the last one)."""

    inner: Any
    count: int
    mean: Mapping[str, Tensor]


@dataclass(frozen=True)
class Averaged:
    """Settings.

    Attributes:
        inner: the solver.
        skip: steps before the first one whose iterate counts.
        scale: factor on the inner solver's step length.
    """

    inner: Solver[Any, Any]
    skip: int
    scale: float = 1.0

    def init(self, objective: Any, params: Params) -> AveragedState:
        """The state before the first step."""
        return AveragedState(self.inner.init(objective, params), 0, dict(params))

    def step(
        self, objective: Any, params: Params, state: AveragedState, random: torch.Generator
    ) -> tuple[Params, AveragedState, Terms]:
        """One step of the inner solver, whose iterates go on as if nobody averaged them."""
        moved, inner, terms = scaled(self.inner, self.scale).step(objective, params, state.inner, random)
        share = 1 / max(1, state.count + 1 - self.skip)
        mean = {name: torch.lerp(state.mean[name], value, share) for name, value in moved.items()}
        return moved, AveragedState(inner, state.count + 1, mean), terms
