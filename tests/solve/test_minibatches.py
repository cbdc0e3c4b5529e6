"""Learning from minibatches: the best is kept, learning ends when nothing gets better, and a stop changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch

from invrender.solve.adam import Adam
from invrender.solve.loop import Loop
from invrender.solve.minibatches import SCORE, Minibatches
from invrender.solve.phase import Phase, Start
from invrender.solve.snapshot import pack, unpack


@dataclass(frozen=True)
class Part:
    """A number of the list."""

    target: float

    def value_and_grad(self, params: Any, random: torch.Generator) -> Any:
        off = params["x"] - self.target
        return {"loss": float(off.square())}, {"x": 2 * off}


@dataclass(frozen=True)
class Numbers:
    """The mean of some numbers; judged by how near another one is."""

    numbers: tuple[float, ...]
    other: float

    def minibatch(self, number: int) -> Part:
        return Part(self.numbers[number % len(self.numbers)])

    def score(self, params: Any) -> float:
        return -abs(float(params["x"]) - self.other)


def loop(objective: Numbers, solver: Minibatches, state: Any = None) -> Loop:
    def following(finished: Any) -> Phase | None:
        if finished:
            return None
        return Phase(
            name="learn",
            title="learn",
            steps=solver.steps,
            start=lambda: Start({"x": torch.zeros(())}),
            objective=objective,
            solver=solver,
            decode=lambda params: params,
            result=lambda params, state: state.best,
            measures=lambda params, state: {"score": state.score},
        )

    return Loop(following, state)


def test_each_step_learns_from_its_own_batch_and_some_are_judged() -> None:
    steps = list(loop(Numbers((3.0, 5.0), 4.0), Minibatches(Adam(lambda _: 0.1), 7, 3)))
    assert [step.terms["loss"] for step in steps[:2]] == pytest.approx([3.0**2, (5 - 0.1) ** 2])
    assert [step.index for step in steps if SCORE in step.terms] == [2, 5, 6]


def test_the_best_is_kept_although_learning_goes_past_it() -> None:
    learning = loop(Numbers((10.0,), 2.0), Minibatches(Adam(lambda _: 0.5), 12, 1))
    list(learning)
    left = learning.state.finished[-1]
    assert left.steps == 12
    assert abs(float(left.result["x"]) - 2.0) < 0.05
    assert left.measures["score"] == -abs(float(left.result["x"]) - 2.0)


def test_learning_ends_when_nothing_has_got_better_for_so_long() -> None:
    learning = loop(Numbers((10.0,), 2.0), Minibatches(Adam(lambda _: 0.5), 100, 2, patience=3))
    steps = list(learning)
    assert len(steps) == 2 * (2 + 3)  # the best is at step 4: three judgements later it is over
    assert abs(float(learning.state.finished[-1].result["x"]) - 2.0) < 0.05


def test_a_learning_that_is_stopped_goes_on_to_the_same_bits() -> None:
    objective, solver = Numbers((1.0, 7.0, 3.0), 4.0), Minibatches(Adam(lambda _: 0.3), 20, 4, patience=50)
    whole = loop(objective, solver)
    states = [step.state for step in whole]
    for at in (0, 6, 18):
        later = loop(objective, solver, unpack(pack(states[at]), torch.device("cpu")))
        assert len(list(later)) == 19 - at
        assert pack(later.state).keys() == pack(whole.state).keys()
        assert all((pack(later.state)[name] == value).all() for name, value in pack(whole.state).items())
