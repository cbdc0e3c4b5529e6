"""The loop: which steps it hands out, what it drops and draws, and what it does about steps that go wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import torch

from invrender.errors import DivergedError
from invrender.solve.adam import Adam
from invrender.solve.loop import FAR, MOST_HALVINGS, Loop, Step, beginning
from invrender.solve.phase import Finished, Phase, Schedule, Start
from invrender.solve.protocol import Params, Terms

GOAL = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
STEPS = (4, 3)


@dataclass(frozen=True)
class Bowl:
    """Squared distance from the goal, times a unit; the gradient is drawn around the true one."""

    noise: float = 0.0
    unit: float = 1.0

    def value_and_grad(self, params: Params, random: torch.Generator) -> tuple[Terms, Params]:
        off = params["x"] - GOAL
        drawn = torch.randn(3, generator=random, dtype=torch.float64)
        return {"loss": self.unit * float(off.square().sum())}, {"x": self.unit * 2 * off + self.noise * drawn}


class Faulty(Bowl):
    """A bowl whose answers in some calls are spoiled."""

    def __init__(self, which: Callable[[int], bool], spoil: Callable[[Terms, Params], tuple[Terms, Params]]) -> None:
        super().__init__()
        self.__dict__.update(which=which, spoil=spoil, calls=0)

    def value_and_grad(self, params: Params, random: torch.Generator) -> tuple[Terms, Params]:
        terms, gradient = super().value_and_grad(params, random)
        self.__dict__["calls"] += 1
        return self.spoil(terms, gradient) if self.which(self.calls) else (terms, gradient)


def not_a_number(terms: Terms, gradient: Params) -> tuple[Terms, Params]:
    return {"loss": math.nan}, gradient


def far_away(terms: Terms, gradient: Params) -> tuple[Terms, Params]:
    return {"loss": 1.01 * FAR * float(GOAL.square().sum())}, gradient


def infinite_step(terms: Terms, gradient: Params) -> tuple[Terms, Params]:
    return terms, {"x": torch.tensor([0.0, -math.inf, 0.0], dtype=torch.float64)}


def phase(number: int = 0, before: Finished | None = None, **changes: object) -> Phase:
    start = torch.zeros(3, dtype=torch.float64) if before is None else before.result["end"]
    made = Phase(
        name=f"phase {number}",
        title="descend",
        steps=STEPS[number],
        start=lambda: Start({"x": start}),
        objective=Bowl(noise=0.5),
        solver=Adam(lambda _: 0.1),
        decode=lambda params: params["x"].tolist(),
        result=lambda params, state: {"end": params["x"]},
        measures=lambda params, state: {"count": state.count},
        first=sum(STEPS[:number]),
        total=sum(STEPS),
        keeps=1,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def two_phases(**changes: object) -> Schedule:
    def following(finished: tuple[Finished, ...]) -> Phase | None:
        if len(finished) == len(STEPS):
            return None
        return phase(len(finished), finished[-1] if finished else None, **changes)

    return following


def one_phase(**changes: object) -> Schedule:
    return lambda finished: None if finished else phase(0, **changes)


def moved(schedule: Schedule, seed: int = 0) -> list[list[float]]:
    return [step.params["x"].tolist() for step in Loop(schedule, beginning(seed))]


# --- steps that go well -----------------------------------------------------------------------------------------------


def test_steps_are_counted_through_all_phases_of_a_title() -> None:
    steps = list(Loop(two_phases()))
    assert [step.index for step in steps] == list(range(7))
    assert {step.total for step in steps} == {7}
    assert [step.phase.name for step in steps] == ["phase 0"] * 4 + ["phase 1"] * 3
    assert [step.is_last for step in steps] == [False] * 3 + [True] + [False] * 2 + [True]


def test_a_phase_that_does_not_say_its_total_has_its_own_steps() -> None:
    assert [(step.index, step.total) for step in Loop(one_phase(total=0))] == [(k, 4) for k in range(4)]


def test_the_state_is_up_to_date_with_every_step_and_in_the_end() -> None:
    loop = Loop(two_phases())
    taken: list[Step] = []
    for step in loop:
        assert loop.state is step.state
        taken.append(step)
    assert loop.state.current is None
    assert [each.name for each in loop.state.finished] == ["phase 0", "phase 1"]
    assert [each.steps for each in loop.state.finished] == list(STEPS)
    assert torch.equal(loop.state.finished[-1].result["end"], taken[-1].params["x"])
    assert loop.state.finished[0].measures == {"count": 4}
    assert loop.state.finished[-1].terms == taken[-1].terms
    assert list(Loop(two_phases(), loop.state)) == []


def test_a_phase_of_no_steps_leaves_its_start_behind() -> None:
    loop = Loop(one_phase(steps=0))
    assert list(loop) == []
    assert loop.state.finished[0].result["end"].tolist() == [0.0, 0.0, 0.0]


def test_estimates_are_decoded_when_asked_for_and_settled_after_the_last_step() -> None:
    calls: list[object] = []
    steps = list(Loop(one_phase(decode=lambda params: calls.append(params) or 1, settle=lambda one: one + 1)))
    assert not calls
    assert [step.estimate for step in steps] == [1, 1, 1, 2]
    assert len(calls) == 4


def test_constants_stand_behind_the_terms_of_every_step() -> None:
    assert {tuple(step.terms) for step in Loop(one_phase(constants={"smoothing": 2.0}))} == {("loss", "smoothing")}


@pytest.mark.parametrize(("keeps", "kept"), [(0, [False, False]), (1, [False, True]), (2, [True, True])])
def test_results_that_no_phase_needs_any_more_are_dropped(keeps: int, kept: list[bool]) -> None:
    def following(finished: tuple[Finished, ...]) -> Phase | None:
        return None if len(finished) == 3 else phase(0, keeps=keeps if len(finished) == 2 else 9)

    loop = Loop(following)
    states = [step.state for step in loop]
    assert [bool(each.result) for each in states[-1].finished] == kept
    assert [each.measures for each in states[-1].finished] == [{"count": 4}] * 2
    assert loop.state.finished[-1].result


def test_a_solver_may_go_on_with_the_state_of_another_phase() -> None:
    *_, last = Loop(one_phase())
    assert last.state.current is not None
    point = last.state.current.point
    loop = Loop(one_phase(start=lambda: Start(point.params, point.state)))
    assert [step.state.current.point.state.count for step in loop if step.state.current] == [5, 6, 7, 8]


# --- random numbers ---------------------------------------------------------------------------------------------------


def test_equal_seeds_agree_and_others_differ() -> None:
    assert moved(two_phases()) == moved(two_phases())
    assert moved(two_phases()) != moved(two_phases(), seed=1)


def test_random_numbers_go_on_from_phase_to_phase() -> None:
    """Two phases with the same start would else take the same steps."""
    nowhere = Start({"x": torch.zeros(3, dtype=torch.float64)})
    steps = moved(two_phases(start=lambda: nowhere))
    assert steps[:3] != steps[4:]


def test_a_phase_with_a_seed_draws_the_same_wherever_it_stands() -> None:
    nowhere = Start({"x": torch.zeros(3, dtype=torch.float64)})
    steps = moved(two_phases(start=lambda: nowhere, seed=7), seed=1)
    assert steps[:3] == steps[4:]
    assert steps == moved(two_phases(start=lambda: nowhere, seed=7), seed=2)


def test_nothing_draws_from_the_global_generator() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    moved(two_phases())
    assert torch.equal(before, torch.get_rng_state())


# --- steps that go wrong ----------------------------------------------------------------------------------------------

SPOILS = pytest.mark.parametrize("spoil", [not_a_number, far_away, infinite_step])


@SPOILS
def test_a_step_that_goes_wrong_is_taken_again_after_the_one_before_at_half_the_length(
    spoil: Callable[[Terms, Params], tuple[Terms, Params]],
) -> None:
    objective = Faulty(lambda call: call == 3, spoil)
    steps = list(Loop(one_phase(objective=objective)))
    assert [step.index for step in steps] == list(range(4))
    assert objective.calls == 4 + 2
    zeroth, first = (step.params["x"] for step in steps[:2])
    current = steps[2].state.current
    assert current is not None
    assert current.before is not None
    assert torch.allclose(current.before.params["x"] - zeroth, (first - zeroth) / 2, rtol=1e-12)
    assert all(math.isfinite(step.terms["loss"]) for step in steps)
    # The shorter length stays: a run whose steps are halved from there on takes the same ones.
    half = list(Loop(one_phase(objective=Bowl(), solver=Adam(lambda count: 0.1 if count < 1 else 0.05))))
    assert torch.equal(steps[-1].params["x"], half[-1].params["x"])


@pytest.mark.parametrize("spoil", [not_a_number, infinite_step])  # there is no loss yet to be far from
def test_the_first_step_is_taken_again_from_the_start(spoil: Callable[[Terms, Params], tuple[Terms, Params]]) -> None:
    objective = Faulty(lambda call: call == 1, spoil)
    (half, *_), (whole, *_) = Loop(one_phase(objective=objective)), Loop(one_phase(objective=Bowl()))
    assert torch.allclose(half.params["x"], whole.params["x"] / 2, rtol=1e-12)


@SPOILS
def test_the_sixth_time_is_the_last_and_leaves_the_last_good_state(
    spoil: Callable[[Terms, Params], tuple[Terms, Params]],
) -> None:
    loop = Loop(one_phase(objective=Faulty(lambda call: call > 2, spoil), advice="mend it"))
    with pytest.raises(DivergedError, match=f"at step 2 although .* halved {MOST_HALVINGS} times") as error:
        list(loop)
    assert error.value.exit_code == 8
    assert error.value.remedy == "mend it"
    assert loop.state.current is not None
    assert loop.state.current.index == 2
    assert bool(loop.state.current.point.params["x"].isfinite().all())
    good = list(Loop(one_phase(objective=Bowl())))
    assert torch.equal(loop.state.current.point.params["x"], good[1].params["x"])


def test_a_start_that_is_no_number_ends_the_run() -> None:
    objective = Faulty(lambda call: True, not_a_number)
    with pytest.raises(DivergedError, match="the loss was nan at step 0"):
        list(Loop(one_phase(objective=objective)))
    assert objective.calls == 1 + MOST_HALVINGS


def test_a_phase_may_begin_with_a_loss_far_above_that_of_the_phase_before() -> None:
    """Objectives differ; and what counts for the next phase is the greater start."""

    def following(finished: tuple[Finished, ...]) -> Phase | None:
        units = (1.0, 1000.0, 1.0)
        return None if len(finished) == 3 else phase(0, objective=Bowl(unit=units[len(finished)]))

    loop = Loop(following)
    assert len(list(loop)) == 12
    assert loop.state.highest == pytest.approx(1000 * float(GOAL.square().sum()))


@dataclass(frozen=True)
class Descent:
    """Plain gradient descent."""

    rate: float
    scale: float = 1.0

    def init(self, objective: Bowl, params: Params) -> None:
        return None

    def step(self, objective: Bowl, params: Params, state: None, random: torch.Generator) -> tuple[Params, None, Terms]:
        terms, gradient = objective.value_and_grad(params, random)
        return {"x": params["x"] - self.scale * self.rate * gradient["x"]}, None, terms


def descending(rate: float) -> Schedule:
    return one_phase(objective=Bowl(), solver=Descent(rate), steps=100, measures=lambda params, state: {})


@pytest.mark.parametrize("rate", [0.4, 2.2, 10.0, 25.0])
def test_a_step_length_that_is_too_long_is_found_out_and_mended(rate: float) -> None:
    *_, last = Loop(descending(rate))
    assert torch.allclose(last.params["x"], GOAL, atol=1e-6)


def test_a_step_length_that_is_beyond_help_is_an_error() -> None:
    with pytest.raises(DivergedError):
        list(Loop(descending(1000.0)))
