"""Stages that go round by round, each from a shape to one with triangles of its own, as phases of the loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from invrender.methods.silhouette.refine import shape_of
from invrender.solve.phase import Phase, Start
from invrender.solve.protocol import Params, Terms

Round = Callable[[Params, int], tuple[Params, Terms]]
"""Named tensors and the number of a round to the next ones, and terms, the first of which rounds bring down."""


@dataclass(frozen=True)
class RoundState:
    """How many rounds are done."""

    done: int = 0


@dataclass(frozen=True)
class Rounds:
    """A solver whose steps are rounds; `scale` means nothing to it, for rounds have no step length."""

    scale: float = 1.0

    def init(self, objective: Round, params: Params) -> RoundState:
        """Before the first round."""
        del objective, params
        return RoundState()

    def step(
        self, objective: Round, params: Params, state: RoundState, random: torch.Generator
    ) -> tuple[Params, RoundState, Terms]:
        """One round."""
        del random
        params, terms = objective(params, state.done)
        return params, RoundState(state.done + 1), terms


def rounds_phase(name: str, begin: Params, count: int, one: Round) -> Phase:
    """A phase of so many rounds, without its position among others; estimates are shapes, the result all tensors."""
    return Phase(
        name=name,
        title=name,
        steps=count,
        start=lambda: Start(begin),
        objective=one,
        solver=Rounds(),
        decode=shape_of,
        result=lambda params, state: params,
        advice="check cameras and masks with `invrender inspect DATASET --picture sheet.png`",
    )
