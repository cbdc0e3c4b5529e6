"""Groups of parameters, each with a solver of its own, on one objective that is evaluated once a step.

    Groups({"vertices": Adam(linear_decay(0.01, 0.9, 100)), "albedo": Adam(linear_decay(0.1, 0.5, 100))})

Vertices, colours and lights differ in units and curvature by orders of magnitude: no step length serves all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from invrender.solve.protocol import Params, Solver, Terms, ValueAndGrad, scaled


@dataclass(frozen=True)
class GroupsState:
    """The states of the groups' solvers, by the parameter's name."""

    inner: Mapping[str, Any]


@dataclass(frozen=True)
class Groups:
    """Settings.

    Attributes:
        solvers: by the parameter's name, each of a kind that asks the objective once a step and before it moves, as
            `Adam` does; parameters without one stay as they are.
        scale: factor on all step lengths.
    """

    solvers: Mapping[str, Solver[Any, Any]]
    scale: float = 1.0

    def init(self, objective: ValueAndGrad, params: Params) -> GroupsState:
        """The states before the first step."""
        evaluated = _Once(*objective.value_and_grad(params, torch.Generator()))
        return GroupsState(
            {name: solver.init(evaluated.of(name), {name: params[name]}) for name, solver in self.solvers.items()}
        )

    def step(
        self, objective: ValueAndGrad, params: Params, state: GroupsState, random: torch.Generator
    ) -> tuple[Params, GroupsState, Terms]:
        """One step of every group, and the terms before it."""
        evaluated = _Once(*objective.value_and_grad(params, random))
        moved, states = dict(params), {}
        for name, solver in self.solvers.items():
            own, inner = scaled(solver, self.scale), state.inner[name]
            result, states[name], _ = own.step(evaluated.of(name), {name: params[name]}, inner, random)
            moved[name] = result[name]
        return moved, GroupsState(states), evaluated.terms


@dataclass(frozen=True)
class _Once:
    """An objective's value and gradient at one place."""

    terms: Terms
    gradient: Params

    def of(self, name: str) -> _Once:
        """For one parameter."""
        return _Once(self.terms, {name: self.gradient[name]})

    def value_and_grad(self, params: Params, random: torch.Generator) -> tuple[Terms, Params]:
        """What is known already."""
        del params, random
        return self.terms, self.gradient
