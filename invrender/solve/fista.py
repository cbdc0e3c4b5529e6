"""FISTA with a diagonal majoriser: accelerated, projected gradient steps with smoothed total variation.

Beck and Teboulle 2009 for the momentum, Erdogan and Fessler 1999 for the diagonal (a separable quadratic surrogate, so
no step length has to be found), O'Donoghue and Candes 2015 for the restart when the momentum points uphill.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from invrender.kernels import SmoothStep
from invrender.solve.protocol import Params, Terms, ValueAndGrad


@dataclass(frozen=True)
class FistaState:
    """Where the method stands.

    Attributes:
        extrapolated: the extrapolated point, at which the next gradient is taken.
        inertia: Nesterov's t; 1 means no momentum yet.
    """

    extrapolated: Params
    inertia: float = 1.0


@dataclass(frozen=True)
class Fista:
    """Settings, for parameters that are one grid [D,H,W], not negative.

    Attributes:
        curvature: [D,H,W], a diagonal that bounds the data term's Hessian; inf holds a voxel.
        smoothing: weight and rounding of the total variation; see `kernels.SmoothStep`.
        smooth_step: of a backend.
        most_momentum: upper limit of the momentum; below 1 for ordered subsets, which diverge with all of it.
        scale: factor on the step length, as far as the data's curvature sets it.
    """

    curvature: Tensor
    smoothing: tuple[float, float]
    smooth_step: SmoothStep
    most_momentum: float = 1.0
    scale: float = 1.0

    def init(self, objective: ValueAndGrad, params: Params) -> FistaState:
        """The state before the first step."""
        del objective
        return FistaState(params)

    def step(
        self, objective: ValueAndGrad, params: Params, state: FistaState, random: torch.Generator
    ) -> tuple[Params, FistaState, Terms]:
        """One step, and the terms where it began."""
        terms, gradient = objective.value_and_grad(state.extrapolated, random)
        ((name, before),) = params.items()
        inertia = (1 + math.sqrt(1 + 4 * state.inertia**2)) / 2
        beta = min((state.inertia - 1) / inertia, self.most_momentum)
        curvature = self.curvature if self.scale == 1 else self.curvature / self.scale
        at = state.extrapolated[name]
        moved, extrapolated, uphill = self.smooth_step(at, gradient[name], curvature, before, self.smoothing, beta)
        if uphill > 0:
            return {name: moved}, FistaState({name: moved}), terms
        return {name: moved}, FistaState({name: extrapolated}, inertia), terms
