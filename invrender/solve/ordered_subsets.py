"""Ordered subsets: steps on each part of the data in turn (Hudson and Larkin 1994).

Fast at first, but without convergence where parts contradict each other, as noisy ones do: a start for noisy data, and
for exact data all of the way, momentum included (Kim, Ramani and Fessler 2015, who name the conditions).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from invrender.solve.protocol import Params, Solver, Terms, ValueAndGrad, scaled


@dataclass(frozen=True)
class OrderedSubsets:
    """Settings.

    Attributes:
        inner: the solvers that step on the parts, one each; the state is handed from part to part.
        scale: factor on their step length.
    """

    inner: tuple[Solver[Any, Any], ...]
    scale: float = 1.0

    def init(self, objective: Sequence[ValueAndGrad], params: Params) -> Any:
        """The first solver's state."""
        return self.inner[0].init(objective[0], params)

    def step(
        self, objective: Sequence[ValueAndGrad], params: Params, state: Any, random: torch.Generator
    ) -> tuple[Params, Any, Terms]:
        """One step on every part in their order; terms are averaged over the parts."""
        total: dict[str, float] = {}
        for part, solver in zip(objective, self.inner, strict=True):
            params, state, terms = scaled(solver, self.scale).step(part, params, state, random)
            for name, value in terms.items():
                total[name] = total.get(name, 0.0) + value / len(objective)
        return params, state, total


@dataclass(frozen=True)
class TurnsState:
    """Where taking turns stands: the solver's state, and how many steps were taken."""

    inner: Any
    count: int = 0


@dataclass(frozen=True)
class Turns:
    """One step takes a step on one part, and the next on the next: so many steps cost one pass over the data.

    Attributes:
        inner: the solvers that step on the parts, one each; the state is handed from part to part.
        scale: factor on their step length.
    """

    inner: tuple[Solver[Any, Any], ...]
    scale: float = 1.0

    def init(self, objective: Sequence[ValueAndGrad], params: Params) -> TurnsState:
        """The first solver's state."""
        return TurnsState(self.inner[0].init(objective[0], params))

    def step(
        self, objective: Sequence[ValueAndGrad], params: Params, state: TurnsState, random: torch.Generator
    ) -> tuple[Params, TurnsState, Terms]:
        """One step on the part whose turn it is, and its terms."""
        turn = state.count % len(self.inner)
        solver = scaled(self.inner[turn], self.scale)
        params, inner, terms = solver.step(objective[turn], params, state.inner, random)
        return params, TurnsState(inner, state.count + 1), terms


def scattered(count: int) -> list[int]:
    """0 .. count - 1, a power of two, in bit-reversed order: consecutive subsets hold views from far apart."""
    bits = count.bit_length() - 1
    return sorted(range(count), key=lambda k: int(f"{k:0{bits}b}"[::-1], 2) if bits else 0)
