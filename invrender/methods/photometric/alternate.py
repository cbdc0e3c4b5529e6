"""Descent on the shape, with albedo and light in closed form every few steps."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch

from invrender.methods.photometric.objective import Objective
from invrender.methods.silhouette.refine import DIFFUSED
from invrender.solve.adam_uniform import UniformAdam, UniformState
from invrender.solve.protocol import Params, Terms

REFIT = 10  # steps between two closed forms


@dataclass(frozen=True)
class AlternateState:
    """The state of the descent, and steps taken."""

    inner: UniformState
    count: int

    @property
    def loss(self) -> float:
        """Before the first step."""
        return self.inner.loss


@dataclass(frozen=True)
class Alternate:
    """Uniform Adam on the shape; every REFIT steps albedo and light in closed form.

    Attributes:
        descent: on the shape.
        scale: factor on its rate.
    """

    descent: UniformAdam
    scale: float = 1.0

    def init(self, objective: Objective, params: Params) -> AlternateState:
        """The state before the first step."""
        return AlternateState(self.descent.init(objective.given(params), _shape(params)), 0)

    def step(
        self, objective: Objective, params: Params, state: AlternateState, random: torch.Generator
    ) -> tuple[Params, AlternateState, Terms]:
        """One step of the descent."""
        if state.count % REFIT == 0:
            params = objective.refitted(params)
        descent = dataclasses.replace(self.descent, scale=self.scale)
        moved, inner, terms = descent.step(objective.given(params), _shape(params), state.inner, random)
        return {**params, **moved}, AlternateState(inner, state.count + 1), terms


def _shape(params: Params) -> Params:
    return {DIFFUSED: params[DIFFUSED]}
