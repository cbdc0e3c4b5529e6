"""ASD-POCS: adaptive steepest descent of the total variation between projections onto convex sets.

Sidky and Pan 2008, "Image reconstruction in circular cone-beam computed tomography by constrained, total-variation
minimization": a pass of OS-SART with non-negativity moves the grid by some distance; then steps along the normalised
gradient of the total variation move it, together, by less than that, as long as the data are met to within epsilon.
The numbers are those that TIGRE takes (Biguri, Dosanjh, Hancock and Soleimani 2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from invrender.solve.os_sart import swept
from invrender.solve.protocol import LeastSquares, Params, Terms

FIRST, STEPS = 0.002, 20  # length of a step of steepest descent, of the first pass's distance; and how many there are
REDUCTION = 0.99  # of the relaxation, pass by pass
MOST, SHORTER = 0.95, 0.95  # share of a pass's distance that the descent may take, and its reduction beyond
OPPOSED, LEAST = -0.99, 0.005  # cosine between both at the optimum, and the relaxation at which nothing moves
FLAT = 1e-8  # of the largest value: differences below it have no direction


@dataclass(frozen=True)
class AsdPocsState:
    """Relaxation of the next pass, length of the steps of descent (0: not known yet), and whether it has converged."""

    relaxation: float
    descent: float = 0.0
    converged: bool = False


@dataclass(frozen=True)
class AsdPocs:
    """Settings, for parameters that are one grid [D,H,W].

    Attributes:
        columns: of each subset, the inverse column sums.
        epsilon: the length of the residual b - A x, over all parts, that is taken for noise and errors of the model.
        relaxation: of the first pass.
        scale: factor on the step length.
    """

    columns: Sequence[Params]
    epsilon: float
    relaxation: float = 1.0
    scale: float = 1.0

    def init(self, objective: Sequence[LeastSquares], params: Params) -> AsdPocsState:
        """The state before the first pass; the weights of the parts have to be `sirt.row_weights`."""
        del objective, params
        return AsdPocsState(self.relaxation)

    def step(
        self, objective: Sequence[LeastSquares], params: Params, state: AsdPocsState, random: torch.Generator
    ) -> tuple[Params, AsdPocsState, Terms]:
        """One pass with its descent; the misfit is half the squared residual between both."""
        ((name, before),) = params.items()
        moved, _ = swept(objective, self.columns, params, self.scale * state.relaxation, random)
        projected = moved[name]
        square = sum(float(part.residual(moved).double().square().sum()) for part in objective)
        way = projected - before
        distance = float(way.norm())
        descent = state.descent or FIRST * distance
        grid = projected
        for _ in range(STEPS):
            slope = total_variation_gradient(grid)
            length = float(slope.norm())
            if length > 0:
                grid = torch.add(grid, slope, alpha=-self.scale * descent / length)
        back = grid - projected
        taken = float(back.norm())
        met = square <= self.epsilon**2
        cosine = float((back * way).double().sum()) / max(taken * distance, 1e-300)
        shorter = taken > MOST * distance and not met
        relaxation = state.relaxation * REDUCTION
        done = (met and cosine < OPPOSED) or relaxation < LEAST
        state = AsdPocsState(relaxation, descent * (SHORTER if shorter else 1.0), done)
        return {name: grid.clamp_(min=0)}, state, {"misfit": square / 2}


def total_variation_gradient(grid: Tensor) -> Tensor:
    """The gradient [D,H,W] of the sum of lengths of the grid's forward differences; 0 where it is flat."""
    steps = []
    square = torch.zeros_like(grid)
    for axis in range(3):
        step = grid.diff(dim=axis)
        square.narrow(axis, 0, grid.shape[axis] - 1).addcmul_(step, step)
        steps.append(step)
    least = FLAT * float(grid.abs().max()) + 1e-30
    steep = square.sqrt_().clamp_(min=least).reciprocal_()
    slope = torch.zeros_like(grid)
    for axis, step in enumerate(steps):
        count = grid.shape[axis] - 1
        pull = step.mul_(steep.narrow(axis, 0, count))
        slope.narrow(axis, 0, count).sub_(pull)
        slope.narrow(axis, 1, count).add_(pull)
    return slope
