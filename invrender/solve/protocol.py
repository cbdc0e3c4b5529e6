"""What a solver is, and the kinds of objective that solvers take.

Parameters are named tensors. A solver is a frozen dataclass of its settings with two methods,

    state = solver.init(objective, params)
    params, state, terms = solver.step(objective, params, state, random)

and its state is frozen, so that `solve.loop` can save it after any step, take a step back, and go on from it to the
same bits. The first entry of `terms` is what the solver minimises; a step that ends badly is taken again with half
the `scale`, a factor on the solver's step length. A solver that draws instead has an attribute `samples` that is true;
its first entry may rise without end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

Params = Mapping[str, Tensor]
"""Named tensors: what a solver changes."""

Terms = Mapping[str, float]
"""Losses and qualities by name; the first is what is minimised."""

FLAT, SMALL, STUCK = "the gradient is zero", "the steps gain nothing more", "no step improves"
"""Why a solver has converged: nothing depends on the parameters or they are at the bottom; at the bottom; and at a
bottom that its derivatives do not know of, be it of noise or because they are wrong."""


class ValueAndGrad(Protocol):
    """An objective whose gradient is at hand: by autograd, or by hand-written adjoints and fused kernels."""

    def value_and_grad(self, params: Params, random: torch.Generator) -> tuple[Terms, Params]:
        """The terms and the gradient of the first of them, named and shaped like the parameters.

        Args:
            params: where.
            random: what stochastic objectives draw from, and nothing else.
        """
        ...


class LeastSquares(ValueAndGrad, Protocol):
    """1/2 sum w (A x - b)^2 with a linear A.

    Attributes:
        weight: [R] w, of the residual's entries.
    """

    @property
    def weight(self) -> Tensor:
        """[R]."""
        ...

    def residual(self, params: Params) -> Tensor:
        """A x - b, [R]."""
        ...

    def jvp(self, tangent: Params) -> Tensor:
        """A t, [R]."""
        ...

    def vjp(self, cotangent: Tensor) -> Params:
        """A' y, shaped like the parameters; `y` is [R]."""
        ...


class NonlinearLeastSquares(Protocol):
    """1/2 sum r(x)^2 with a residual that bends: few parameters, many entries.

    Weights, priors and robust losses are part of the residual. `solve.flat` has the order of the P numbers that all
    parameters hold together.
    """

    def residual(self, params: Params) -> Tensor:
        """r(x), [R] float64."""
        ...

    def linearised(self, params: Params) -> tuple[Tensor, Tensor]:
        """r(x) [R] and its derivatives dr/dx [R,P], float64."""
        ...


class LogDensity(Protocol):
    """A probability density up to a factor, for samplers."""

    def log_density(self, params: Params) -> float:
        """Its logarithm; -inf where the density is 0, and what is not a number counts as that."""
        ...


class Posterior(LogDensity, Protocol):
    """A density that is the product of a prior, which can be drawn from, and a likelihood."""

    def draw(self, random: torch.Generator) -> Params:
        """From the prior."""
        ...

    def log_prior(self, params: Params) -> float:
        """The logarithm of the prior's density, up to a constant."""
        ...

    def log_likelihood(self, params: Params) -> float:
        """The logarithm of the likelihood; its constant is part of what is known as the evidence."""
        ...


O_contra = TypeVar("O_contra", contravariant=True)
State = TypeVar("State")


class Solver(Protocol[O_contra, State]):
    """A method that minimises an objective, one step at a time; see the module.

    Attributes:
        scale: factor on the step length; `dataclasses.replace` changes it.
    """

    @property
    def scale(self) -> float:
        """Factor on the step length."""
        ...

    def init(self, objective: O_contra, params: Params) -> State:
        """The state before the first step: a frozen dataclass of tensors, named tensors, numbers and such states.

        If it has looked at the objective already, the state has a field `loss`. If the solver knows when it is done,
        the state has a field `converged`, which ends the phase before its number of steps; further steps cost nothing.
        """
        ...

    def step(
        self, objective: O_contra, params: Params, state: State, random: torch.Generator
    ) -> tuple[Params, State, Terms]:
        """One step."""
        ...


def scaled(solver: Solver[Any, Any], factor: float) -> Solver[Any, Any]:
    """The solver with its step length times a factor."""
    if factor == 1:
        return solver
    changed: Any = solver  # a dataclass, as every solver is
    shorter: Solver[Any, Any] = replace(changed, scale=changed.scale * factor)
    return shorter
