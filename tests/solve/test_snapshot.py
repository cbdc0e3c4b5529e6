"""Saving the loop's state: what is gone on with takes the same steps to the last bit, and junk is refused."""

from __future__ import annotations

import io
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from invrender.errors import CheckpointError
from invrender.solve.adam import Adam, AdamState
from invrender.solve.adam_uniform import UniformAdam
from invrender.solve.cgls import Cgls
from invrender.solve.fista import Fista
from invrender.solve.loop import Current, Loop, LoopState, Point, beginning
from invrender.solve.ordered_subsets import OrderedSubsets
from invrender.solve.phase import Finished, Phase, Schedule, Start
from invrender.solve.several import Several
from invrender.solve.sirt import Sirt
from invrender.solve.snapshot import STATE, pack, unpack

HOST = torch.device("cpu")
STEPS = 4


def plain_step(at, gradient, curvature, before, smoothing, beta):
    after = (at - gradient / curvature).clamp(min=0)
    return after, after + beta * (after - before), float(((at - after) * (after - before)).sum())


class Noisy:
    """A small consistent system on a grid of 1 x 2 x 3 whose gradient is drawn around the true one."""

    def __init__(self, linear) -> None:
        self.system = linear
        self.weight = linear.weight
        self.residual, self.jvp, self.vjp = linear.residual, linear.jvp, linear.vjp

    def value_and_grad(self, params, random):
        terms, gradient = self.system.value_and_grad(params, random)
        return terms, {"x": gradient["x"] + 0.01 * torch.randn(1, 2, 3, generator=random)}


SOLVERS = {
    "adam": Adam(lambda count: 0.1 * 0.9**count, lowest=0.0),
    "uniform": UniformAdam(lambda count: 0.1 * 0.9**count),
    "cgls": Cgls(),
    "sirt": Sirt(),
    "fista": Fista(torch.full((1, 2, 3), 9.0), (0.0, 1.0), plain_step),
    "several": Several(Adam(lambda _: 0.1), 10, STEPS),
    "subsets": OrderedSubsets((Sirt(), Sirt(0.7))),
}


@pytest.fixture
def schedule(linear):
    """Two phases of a solver, the second from where the first one ended, and without a seed of its own."""
    drawn = torch.rand(8, 7, generator=torch.Generator().manual_seed(5))

    def make(name: str) -> Schedule:
        objective: Any = Noisy(linear(drawn[:, :6], drawn[:, 6], shape=(1, 2, 3)))

        def following(finished: tuple[Finished, ...]) -> Phase | None:
            if len(finished) == 2:
                return None
            start = finished[-1].result["end"] if finished else torch.zeros(1, 2, 3)
            return Phase(
                name=str(len(finished)),
                title="solve",
                steps=STEPS,
                start=lambda: Start({"x": start}),
                objective=[objective, objective] if name == "subsets" else objective,
                solver=SOLVERS[name],
                decode=lambda params: params["x"],
                result=lambda params, state: {"end": params["x"]},
                measures=lambda params, state: {"sum": float(params["x"].sum())},
                keeps=1,
            )

        return following

    return make


def through_a_file(state: LoopState) -> LoopState:
    file = io.BytesIO()
    np.savez(file, **pack(state))
    file.seek(0)
    with np.load(file, allow_pickle=False) as data:
        return unpack(dict(data), HOST)


def end_of(loop: Loop) -> LoopState:
    for _ in loop:
        pass
    return loop.state


def flat(state: LoopState) -> dict[str, Any]:
    return {name: array.tolist() for name, array in pack(state).items()}


@pytest.mark.parametrize("name", SOLVERS)
def test_going_on_after_any_step_ends_in_the_same_bits(schedule, name: str) -> None:
    undisturbed = end_of(Loop(schedule(name), beginning(3)))
    saved = [through_a_file(step.state) for step in Loop(schedule(name), beginning(3))]
    assert len(saved) == 2 * STEPS
    for state in (through_a_file(beginning(3)), *saved, through_a_file(undisturbed)):
        assert flat(end_of(Loop(schedule(name), state))) == flat(undisturbed)


def test_going_on_between_two_phases(schedule) -> None:
    whole = schedule("adam")
    between = end_of(Loop(lambda finished: None if finished else whole(finished), beginning(3)))
    assert len(between.finished) == 1
    assert between.current is None
    assert flat(end_of(Loop(whole, through_a_file(between)))) == flat(end_of(Loop(whole, beginning(3))))


def test_stopping_after_every_step_in_turn(schedule) -> None:
    state, steps = beginning(3), 0
    while (step := next(iter(Loop(schedule("uniform"), state)), None)) is not None:
        state, steps = through_a_file(step.state), steps + 1
    assert steps == 2 * STEPS
    *_, last = Loop(schedule("uniform"), beginning(3))
    assert flat(state) == flat(last.state)


def test_everything_comes_back_as_it_was() -> None:
    generator = torch.Generator().manual_seed(1)
    permuted = torch.rand(2, 3, 4, generator=generator).permute(2, 0, 1)
    tensors = {
        "half": torch.rand(3, generator=generator).half(),
        "double": torch.rand(2, 2, generator=generator).double() / 3,
        "flags": torch.tensor([True, False]),
        "counts": torch.tensor(5),
        "none": torch.zeros(0, 3),
        "turned": permuted,
        "with.dots": torch.ones(1, requires_grad=True),
    }
    before = Point(tensors, (), torch.arange(5, dtype=torch.uint8))
    point = replace(before, state=AdamState({}, {"a": torch.ones(1)}, 3))
    terms = {"loss": 0.1 + 0.2, "lost": math.inf, "unknown": math.nan}
    current = Current(point, before, index=2, halvings=1, terms=terms)
    state = LoopState((Finished("ä", 3, {}, {"score": 1 / 3}),), current, torch.zeros(1), 2.5)
    back = through_a_file(state)
    assert back.current is not None
    assert (back.highest, back.current.index, back.current.halvings) == (2.5, 2, 1)
    assert back.finished == state.finished
    assert repr(back.current.terms) == repr(terms)
    assert back.current.before is not None
    assert back.current.before.state == ()
    assert back.current.point.state == point.state
    for name, tensor in tensors.items():
        found = back.current.point.params[name]
        assert found.dtype == tensor.dtype, name
        assert torch.equal(found, tensor), name


def written(**changes: Any) -> Mapping[str, Any]:
    """A good state's arrays, with changes in its text."""
    arrays = pack(beginning())
    return {**arrays, STATE: np.array(json.dumps({**json.loads(str(arrays[STATE])), **changes}))}


@pytest.mark.parametrize(
    "kind",
    [
        "subprocess:Popen",
        "pathlib:Path",
        "invrender.run.execute:Place",
        "invrender.solvers:Anything",
        "invrender.solve.adam:Vanished",
        "invrender.solve.vanished:State",
        "invrender.solve.loop:Loop",
        "invrender.solve.snapshot:json",
        "invrender.solve.adam:AdamState",
        "invrender.solve.cgls:Cgls",
        "",
    ],
)
def test_other_classes_than_a_states_are_refused(kind: str) -> None:
    with pytest.raises(CheckpointError, match="no state of this version") as error:
        unpack(written(**{"class": kind}), HOST)
    assert error.value.exit_code == 7
    assert "--fresh" in error.value.remedy


def nested(kind: str, **parts: Any) -> Mapping[str, Any]:
    """A good state's arrays, with an object where a number should be."""
    whole = json.loads(str(pack(beginning())[STATE]))["parts"]
    return written(parts={**whole, "highest": {"class": kind, "parts": parts}})


def test_foreign_modules_are_not_even_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "foreign.py").write_text("import dataclasses\n@dataclasses.dataclass\nclass Thing:\n    pass\n")
    with pytest.raises(CheckpointError, match="foreign:Thing is no state"):
        unpack(nested("foreign:Thing"), HOST)
    assert "foreign" not in sys.modules


def test_classes_of_ours_that_are_no_data_are_not_made() -> None:
    with pytest.raises(CheckpointError, match="loop:Loop is no state"):
        unpack(nested("invrender.solve.loop:Loop", schedule=None), HOST)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '"text"', "{}", '{"parts": 3}', '{"parts": {}}'])
def test_texts_that_hold_no_state_are_refused(text: str) -> None:
    with pytest.raises(CheckpointError, match="no state of this version"):
        unpack({STATE: np.array(text)}, HOST)


def test_missing_arrays_and_missing_or_unknown_parts_are_refused() -> None:
    arrays = pack(beginning())
    parts = json.loads(str(arrays[STATE]))["parts"]
    for junk in (
        {},
        {name: array for name, array in arrays.items() if name == STATE},
        written(parts={**parts, "more": 1}),
        written(parts={name: part for name, part in parts.items() if name != "finished"}),
        {name: array if name == STATE else np.array("text") for name, array in arrays.items()},
    ):
        with pytest.raises(CheckpointError, match="no state of this version"):
            unpack(junk, HOST)
