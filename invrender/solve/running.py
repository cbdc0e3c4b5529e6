"""Numbers that follow what is measured of them: running means, as a solver among others of a `Groups`."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.solve.protocol import Params, Terms, ValueAndGrad
from invrender.solve.rates import Rate


@dataclass(frozen=True)
class RunningState:
    """The number of steps taken; the mean itself is the parameter."""

    count: int


@dataclass(frozen=True)
class Running:
    """Settings.

    An objective gives as the gradient of a running mean how far it is above what was just measured, and 0 where nothing
    was.

    Attributes:
        share: of the newest measurement in the mean, by the number of steps before.
        scale: not used: a measurement does not get worse by a long step.
    """

    share: Rate
    scale: float = 1.0

    def init(self, objective: ValueAndGrad, params: Params) -> RunningState:
        """The state before the first step."""
        del objective, params
        return RunningState(0)

    def step(
        self, objective: ValueAndGrad, params: Params, state: RunningState, random: torch.Generator
    ) -> tuple[Params, RunningState, Terms]:
        """One step, and the terms before it."""
        terms, above = objective.value_and_grad(params, random)
        share = self.share(state.count)
        return (
            {name: value - share * above[name] for name, value in params.items()},
            RunningState(state.count + 1),
            terms,
        )
