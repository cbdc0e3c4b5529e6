"""Phases and schedules: how a reconstruction is cut into runs of one solver on one objective.

A schedule is a pure function from the phases that are finished to the next one, or None. Trials that leave views out,
ladders of regularisation, coarse-to-fine grids and remeshing all are schedules. They depend on nothing but what
finished phases leave behind, so that a stopped run can be resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from invrender.solve.protocol import Params, Solver, Terms


@dataclass(frozen=True)
class Start:
    """Where a phase begins: parameters, and the solver's state if it continues from one."""

    params: Params
    state: Any = None


@dataclass(frozen=True)
class Finished:
    """What a phase leaves behind.

    Attributes:
        name: the phase's.
        steps: how many it took.
        result: named tensors; empty once no later phase needs them.
        measures: numbers that the schedule decides by, such as held-out scores.
        terms: of the last step.
    """

    name: str
    steps: int
    result: Params
    measures: Mapping[str, float]
    terms: Terms = field(default_factory=dict)


def _nothing(params: Params, state: Any) -> dict[str, Any]:
    del params, state
    return {}


@dataclass(frozen=True)
class Phase:
    """A number of steps of one solver on one objective.

    Attributes:
        name: by which the schedule recognises it.
        title: what people see; phases in a row may share one.
        steps: how many; fewer are taken where the solver's state says that it has converged.
        start: gives the parameters to begin with; called once, when the phase begins.
        objective, solver: what is minimised, and how.
        decode: the estimate that parameters stand for, of whatever type the method works with.
        settle: the estimate that the phase ends with, from the one after its last step.
        result, measures: of the last parameters and solver state: what `Finished` keeps.
        first, total: index of the first step among those of all phases of this title, and how many these are.
        keeps: how many of the phases before have to keep their results while this one runs.
        seed: of the random numbers; None: they continue from the phase before.
        rolls_back: whether the state before the last step is kept, to go back to where a step fails; else only the step
            that failed is repeated, which takes half the memory.
        recorded: whether steps leave losses and pictures; those of trials are only shown as progress.
        labels: further columns of losses.csv; `constants`: numbers that follow the terms of every step; `noted`: those
            of the parameters after a step, for losses.csv alone.
        advice: what a user can do if it diverges.
    """

    name: str
    title: str
    steps: int
    start: Callable[[], Start]
    objective: Any
    solver: Solver[Any, Any]
    decode: Callable[[Params], Any]
    settle: Callable[[Any], Any] = lambda estimate: estimate
    result: Callable[[Params, Any], Params] = _nothing
    measures: Callable[[Params, Any], Mapping[str, float]] = _nothing
    first: int = 0
    total: int = 0
    keeps: int = 0
    seed: int | None = None
    rolls_back: bool = True
    recorded: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)
    constants: Terms = field(default_factory=dict)
    noted: Callable[[Params], Terms] = lambda params: {}
    advice: str = ""


Schedule = Callable[[tuple[Finished, ...]], Phase | None]


def memoise_last(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function, which is not computed again for the very object that it was given last."""
    last: list[Any] = [None, None]

    def memoised(argument: Any) -> Any:
        if last[0] is not argument:
            last[:] = [argument, function(argument)]
        return last[1]

    return memoised
