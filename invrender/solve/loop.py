"""The one loop: runs the phases of a schedule and yields every step.

    loop = Loop(schedule)
    for step in loop:
        print(step.phase.title, step.index, step.terms, step.estimate)
    loop.state.finished[-1].result

All that the loop knows is `loop.state`, frozen data that `solve.snapshot` turns into arrays and back; a loop that is
begun with it takes the same steps, to the last bit.

One rule for all solvers detects a step that failed: the loss is not finite or a hundred times that of the start, or a
parameter is not finite; a sampler's first term may rise as it likes. The step before is repeated with half the step
length, which is kept from then on; the sixth failure ends the run with DivergedError.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from invrender.errors import DivergedError
from invrender.solve.phase import Finished, Phase, Schedule
from invrender.solve.protocol import Params, Terms, scaled

MOST_HALVINGS = 5
FAR = 100.0  # times the first loss counts as diverged


@dataclass(frozen=True)
class Point:
    """Where a solver stands: parameters, its state, and the state of the random numbers."""

    params: Params
    state: Any
    random: Tensor


@dataclass(frozen=True)
class Current:
    """The phase at work.

    Attributes:
        point: after the last step.
        before: one step earlier, to which a failed step rolls back; None before the first.
        index: steps taken.
        halvings: how often the step length was halved.
        terms: of the last step.
        start: the loss that the phase began with, as soon as it is known.
    """

    point: Point
    before: Point | None = None
    index: int = 0
    halvings: int = 0
    terms: Terms = field(default_factory=dict)
    start: float | None = None


@dataclass(frozen=True)
class LoopState:
    """Everything that the loop knows.

    Attributes:
        finished: phases.
        current: the one at work; None between two.
        random: state of the random numbers between two.
        highest: the greatest loss that a phase began with.
    """

    finished: tuple[Finished, ...]
    current: Current | None
    random: Tensor
    highest: float = 0.0


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        phase: whose.
        index, total: among those of all phases of the same title.
        terms: losses and qualities.
        state: the loop's, after it.
    """

    phase: Phase
    index: int
    total: int
    terms: Terms
    state: LoopState

    @property
    def bare(self) -> Step:
        """The step without what it took to take it, which may hold much memory."""
        phase: Any = self.phase
        bare = dataclasses.replace(phase, objective=None, solver=None, start=None, measures=None, result=None)
        return dataclasses.replace(self, phase=bare)

    @property
    def params(self) -> Params:
        """After the step."""
        assert self.state.current is not None
        return self.state.current.point.params

    @property
    def is_last(self) -> bool:
        """Of its phase."""
        assert self.state.current is not None
        return _is_over(self.phase, self.state.current)

    @property
    def estimate(self) -> Any:
        """After the step; computed when asked for."""
        decoded = self.phase.decode(self.params)
        return self.phase.settle(decoded) if self.is_last else decoded


def beginning(seed: int = 0) -> LoopState:
    """The state before the first phase."""
    return LoopState((), None, torch.Generator().manual_seed(seed).get_state())


class Loop:
    """Iterates over the steps of a schedule; `state` is up to date whenever a step is handed out, and in the end."""

    def __init__(self, schedule: Schedule, state: LoopState | None = None) -> None:
        self.schedule = schedule
        self.state = beginning() if state is None else state

    def __iter__(self) -> Iterator[Step]:
        while (phase := self.schedule(self.state.finished)) is not None:
            if self.state.current is None:
                self.state = _opened(phase, self.state)
            current = self.state.current
            while current is not None and not _is_over(phase, current):
                self.state, terms = _advanced(phase, self.state)
                current = self.state.current
                assert current is not None
                yield Step(phase, phase.first + current.index - 1, phase.total or phase.steps, terms, self.state)
            self.state = _closed(phase, self.state)
            del phase  # with its objective, before the next one is made


def _is_over(phase: Phase, current: Current) -> bool:
    """Whether a phase has taken its steps, or its solver says that there is nothing more to gain."""
    return current.index >= phase.steps or bool(getattr(current.point.state, "converged", False))


def _opened(phase: Phase, state: LoopState) -> LoopState:
    """The state at the beginning of a phase; results that no later phase needs are dropped."""
    start = phase.start()
    solver_state = phase.solver.init(phase.objective, start.params) if start.state is None else start.state
    loss = getattr(solver_state, "loss", None)  # of solvers that look at the objective before their first step
    random = state.random if phase.seed is None else torch.Generator().manual_seed(phase.seed).get_state()
    spent = len(state.finished) - phase.keeps
    finished = tuple(
        dataclasses.replace(each, result={}) if i < spent else each for i, each in enumerate(state.finished)
    )
    return dataclasses.replace(
        state, finished=finished, current=Current(Point(start.params, solver_state, random), start=loss)
    )


def _closed(phase: Phase, state: LoopState) -> LoopState:
    assert state.current is not None
    point, terms, taken = state.current.point, state.current.terms, state.current.index
    result, measures = phase.result(point.params, point.state), phase.measures(point.params, point.state)
    left = Finished(phase.name, taken, result, measures, terms)
    return dataclasses.replace(state, finished=(*state.finished, left), current=None, random=point.random)


def _advanced(phase: Phase, state: LoopState) -> tuple[LoopState, Terms]:
    """One step that ends well."""
    current = state.current
    assert current is not None
    while True:
        point, terms = _stepped(phase, current.point, current.halvings)
        loss = next(iter(terms.values()))
        # Objectives differ: where a phase's start is not known beforehand, its first loss is one.
        start = loss if current.start is None else current.start
        samples = getattr(phase.solver, "samples", False)
        highest = state.highest if samples else max(state.highest, start)
        fault = _fault(loss, math.inf if samples else highest, point.params)
        if not fault:
            before = current.point if phase.rolls_back else None
            moved = Current(point, before, current.index + 1, current.halvings, terms, start)
            return dataclasses.replace(state, current=moved, highest=highest), terms
        current = _rolled_back(phase, current, fault)


def _stepped(phase: Phase, point: Point, halvings: int) -> tuple[Point, Terms]:
    solver = scaled(phase.solver, 0.5**halvings)
    random = torch.Generator()
    random.set_state(point.random)
    params, state, terms = solver.step(phase.objective, point.params, point.state, random)
    return Point(params, state, random.get_state()), {**terms, **phase.constants}


def _fault(loss: float, highest: float, params: Params) -> str:
    """What is wrong after a step; an empty text if nothing is. One sum tells whether a tensor is finite."""
    if not math.isfinite(loss) or loss > FAR * highest > 0:
        return f"the loss was {loss:.3g}"
    lost = [name for name, value in params.items() if not math.isfinite(float(value.sum()))]
    return f"{lost[0]} was not finite" if lost else ""


def _rolled_back(phase: Phase, current: Current, fault: str) -> Current:
    """One step back, and on from there with half the step length.

    Raises:
        DivergedError: it was halved five times already.
    """
    halvings = current.halvings + 1
    if halvings > MOST_HALVINGS:
        raise DivergedError(
            f"{phase.title}: {fault} at step {phase.first + current.index} although the step length was halved "
            f"{MOST_HALVINGS} times",
            phase.advice or "check the input with `invrender inspect`",
        )
    if current.before is None:
        return dataclasses.replace(current, halvings=halvings)
    point, _ = _stepped(phase, current.before, halvings)  # its loss was fine: it was that of a good step before
    if fault := _fault(0.0, 0.0, point.params):
        return _rolled_back(phase, dataclasses.replace(current, halvings=halvings), fault)
    return dataclasses.replace(current, point=point, halvings=halvings)
