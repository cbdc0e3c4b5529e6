"""OS-SART: the simultaneous algebraic technique on ordered subsets of the views (Andersen and Kak 1984; Wang, Jiang 2004).

    x <- max(x + relaxation C_s A_s' R_s (b_s - A_s x), 0)    for one subset s after the other

with R_s the inverse row sums and C_s the inverse column sums of A_s. The relaxation shrinks from pass to pass, which
makes the cycle through the subsets settle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from invrender.solve.protocol import LeastSquares, Params, Terms


@dataclass(frozen=True)
class OsSartState:
    """The relaxation of the next pass."""

    relaxation: float


@dataclass(frozen=True)
class OsSart:
    """Settings.

    Attributes:
        columns: of each subset, the inverse column sums, shaped like the parameters.
        relaxation: of the first pass.
        reduction: factor on it after each pass.
        scale: factor on the step length.
    """

    columns: Sequence[Params]
    relaxation: float = 1.0
    reduction: float = 0.99
    scale: float = 1.0

    def init(self, objective: Sequence[LeastSquares], params: Params) -> OsSartState:
        """The state before the first pass; the weights of the parts have to be `sirt.row_weights`."""
        del objective, params
        return OsSartState(self.relaxation)

    def step(
        self, objective: Sequence[LeastSquares], params: Params, state: OsSartState, random: torch.Generator
    ) -> tuple[Params, OsSartState, Terms]:
        """One pass over all parts, and the misfit that they met."""
        moved, misfit = swept(objective, self.columns, params, self.scale * state.relaxation, random)
        return moved, OsSartState(state.relaxation * self.reduction), {"misfit": misfit}


def swept(
    parts: Sequence[LeastSquares], columns: Sequence[Params], params: Params, stride: float, random: torch.Generator
) -> tuple[Params, float]:
    """Parameters after a step on every part in turn, not negative, and the sum of the misfits before each."""
    total = 0.0
    for part, inverse in zip(parts, columns, strict=True):
        terms, gradient = part.value_and_grad(params, random)
        total += next(iter(terms.values()))
        params = {
            name: (value - stride * inverse[name] * gradient[name]).clamp_(min=0) for name, value in params.items()
        }
    return params, total
