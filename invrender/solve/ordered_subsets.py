"""Ordered subsets: one step takes a step on each part of the data in turn (Hudson and Larkin 1994).

Fast at first, but without convergence: a start for noisy data.
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


def scattered(count: int) -> list[int]:
    """0 .. count - 1, a power of two, in bit-reversed order: consecutive subsets hold views from far apart."""
    bits = count.bit_length() - 1
    return sorted(range(count), key=lambda k: int(f"{k:0{bits}b}"[::-1], 2) if bits else 0)
