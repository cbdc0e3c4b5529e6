"""Stages that go round by round, each from a shape to one with triangles of its own, as phases of the loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch

from invrender.methods.silhouette.refine import shape_of
from invrender.methods.silhouette.target import Shape
from invrender.solve.phase import Phase, Start
from invrender.solve.protocol import Params, Terms


class Round(Protocol):
    """What is done in each round."""

    def __call__(self, shape: Shape, number: int) -> tuple[Shape, Terms]:
        """A shape to the next, and the terms of the round; the first is what the rounds bring down."""
        ...


@dataclass(frozen=True)
class RoundState:
    """How many rounds are done."""

    done: int = 0


@dataclass(frozen=True)
class Rounds:
    """A solver whose steps are rounds.

    Attributes:
        scale: of no use to rounds, which have no step length.
    """

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
        shape, terms = objective(shape_of(params), state.done)
        return as_params(shape), RoundState(state.done + 1), terms


def as_params(shape: Shape) -> Params:
    """A shape as named tensors."""
    return {"vertices": torch.from_numpy(shape.vertices), "faces": torch.from_numpy(shape.faces)}


def rounds_phase(name: str, begin: Callable[[], Shape], count: int, one: Round) -> Phase:
    """A phase of so many rounds, without its position among others; its estimates are shapes."""
    return Phase(
        name=name,
        title=name,
        steps=count,
        start=lambda: Start(as_params(begin())),
        objective=one,
        solver=Rounds(),
        decode=shape_of,
        result=lambda params, state: params,
        advice="check cameras and masks with `invrender inspect`",
    )
