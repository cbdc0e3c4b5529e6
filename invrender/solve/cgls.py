"""CGLS: conjugate gradients on the weighted normal equations (Hestenes and Stiefel 1952; Bjoerck 1996).

It knows no constraints: the estimate may turn negative.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from invrender.solve.protocol import LeastSquares, Params, Terms


@dataclass(frozen=True)
class CglsState:
    """Search direction, shaped like the parameters; residual b - A x [R]; and the squared length of the gradient."""

    direction: Params
    residual: Tensor
    length: float


@dataclass(frozen=True)
class Cgls:
    """Settings; there are none but the factor on the step length."""

    scale: float = 1.0

    def init(self, objective: LeastSquares, params: Params) -> CglsState:
        """The state at the parameters."""
        residual = -objective.residual(params)
        gradient = objective.vjp(objective.weight * residual)
        return CglsState(gradient, residual, _square(gradient))

    def step(
        self, objective: LeastSquares, params: Params, state: CglsState, random: torch.Generator
    ) -> tuple[Params, CglsState, Terms]:
        """One step, and the misfit before it."""
        del random
        terms = {"misfit": float((objective.weight * state.residual.square()).double().sum()) / 2}
        along = objective.jvp(state.direction)
        curvature = float((objective.weight * along.square()).double().sum())
        if curvature == 0:
            return params, state, terms
        stride = self.scale * state.length / curvature
        residual = state.residual - stride * along
        gradient = objective.vjp(objective.weight * residual)
        length = _square(gradient)
        direction = {name: g + length / state.length * state.direction[name] for name, g in gradient.items()}
        moved = {name: value + stride * state.direction[name] for name, value in params.items()}
        return moved, CglsState(direction, residual, length), terms


def _square(params: Params) -> float:
    return sum(float(value.double().square().sum()) for value in params.values())
