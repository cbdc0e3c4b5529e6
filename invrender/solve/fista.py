"""FISTA with a diagonal majoriser: accelerated, projected gradient steps with smoothed total variation.

Beck and Teboulle 2009 for the momentum, Erdogan and Fessler 1999 for the diagonal (a separable quadratic surrogate, so
no step length has to be found), O'Donoghue and Candes 2015 for the restart when the momentum points uphill.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from invrender.kernels import SmoothStep


@dataclass(frozen=True)
class FistaState:
    """Where the method stands.

    Attributes:
        estimate: [D,H,W], not negative.
        ahead: [D,H,W], where momentum carries it: the gradient is wanted there.
        inertia: Nesterov's t; 1 means no momentum yet.
    """

    estimate: Tensor
    ahead: Tensor
    inertia: float = 1.0


def init(estimate: Tensor) -> FistaState:
    """The state before the first step."""
    return FistaState(estimate, estimate)


def step(
    gradient: Tensor,
    curvature: Tensor,
    state: FistaState,
    smoothing: tuple[float, float],
    smooth_step: SmoothStep,
    cap: float = 1.0,
) -> FistaState:
    """One step.

    Args:
        gradient: of the data term at `state.ahead`.
        curvature: diagonal that bounds the data term's Hessian; inf holds a voxel.
        smoothing: weight and rounding of the total variation; see `kernels.SmoothStep`.
        smooth_step: of a backend.
        cap: upper limit of the momentum; below 1 for ordered subsets, which diverge with all of it.
    """
    inertia = (1 + math.sqrt(1 + 4 * state.inertia**2)) / 2
    beta = min((state.inertia - 1) / inertia, cap)
    estimate, ahead, turn = smooth_step(state.ahead, gradient, curvature, state.estimate, smoothing, beta)
    if turn > 0:
        return FistaState(estimate, estimate)
    return FistaState(estimate, ahead, inertia)
