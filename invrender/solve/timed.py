"""A phase whose processor time is counted: by the solver's state, so that a stopped run goes on counting."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from invrender.solve.phase import Phase, Start
from invrender.solve.protocol import Params, Solver, Terms, scaled

SECONDS = "cpu_seconds"  # among the measures of a timed phase


@dataclass(frozen=True)
class TimedState:
    """A solver's state, and the seconds that all cores together have worked for it."""

    inner: Any
    seconds: float

    @property
    def converged(self) -> bool:
        """Of the solver."""
        return bool(getattr(self.inner, "converged", False))

    @property
    def loss(self) -> float | None:
        """Of the solver's start, where it knows it."""
        found: float | None = getattr(self.inner, "loss", None)
        return found


@dataclass(frozen=True)
class Timed:
    """A solver, and the seconds that setting it up took."""

    inner: Solver[Any, Any]
    spent: float
    scale: float = 1.0

    def init(self, objective: Any, params: Params) -> TimedState:
        """The state before the first step."""
        begun = time.process_time()
        state = self.inner.init(objective, params)
        return TimedState(state, self.spent + time.process_time() - begun)

    def step(
        self, objective: Any, params: Params, state: TimedState, random: torch.Generator
    ) -> tuple[Params, TimedState, Terms]:
        """One step of the solver."""
        begun = time.process_time()
        params, inner, terms = scaled(self.inner, self.scale).step(objective, params, state.inner, random)
        return params, TimedState(inner, state.seconds + time.process_time() - begun), terms


def timed(phase: Phase, spent: float) -> Phase:
    """The phase with its processor time among its measures; `spent`: seconds that making it took."""

    def start() -> Start:
        begun = phase.start()
        return begun if begun.state is None else Start(begun.params, TimedState(begun.state, spent))

    def result(params: Params, state: TimedState) -> Params:
        return phase.result(params, state.inner)

    def measures(params: Params, state: TimedState) -> Mapping[str, float]:
        return {**phase.measures(params, state.inner), SECONDS: state.seconds}

    solver = Timed(phase.solver, spent)
    return dataclasses.replace(phase, start=start, solver=solver, result=result, measures=measures)
