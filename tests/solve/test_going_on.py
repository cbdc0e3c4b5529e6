"""Solvers of few parameters and samplers in the loop: stopped after any step they go on to the same bits."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from invrender.solve.lbfgs import Lbfgs
from invrender.solve.levenberg_marquardt import LevenbergMarquardt
from invrender.solve.loop import Loop, LoopState, beginning
from invrender.solve.metropolis import IndependenceMetropolis
from invrender.solve.phase import Phase, Start
from invrender.solve.snapshot import pack, unpack
from invrender.solve.tempered import TemperedMonteCarlo

D = torch.float64


class Valley:
    """Rosenbrock's function of `x` and `y`, as a residual, with a gradient, and as a density under a wide prior."""

    def residual(self, params):
        x, y = params["x"], params["y"][0]
        return torch.stack([10 * (y - x**2), 1 - x])

    def linearised(self, params):
        slope = torch.stack([-20 * params["x"], torch.tensor(10.0, dtype=D)])
        return self.residual(params), torch.stack([slope, torch.tensor([-1.0, 0.0], dtype=D)])

    def value_and_grad(self, params, random):
        residual, slope = self.linearised(params)
        gradient = residual @ slope
        return {"loss": float(residual.square().sum()) / 2}, {"x": gradient[0], "y": gradient[1:]}

    def draw(self, random):
        return {"x": 3 * torch.randn((), generator=random, dtype=D), "y": 3 * torch.randn(1, generator=random, dtype=D)}

    def log_prior(self, params):
        return -float(params["x"] ** 2 + params["y"][0] ** 2) / 18

    def log_likelihood(self, params):
        return -float(self.residual(params).square().sum()) / 2

    def log_density(self, params):
        return self.log_prior(params) + self.log_likelihood(params)


SOLVERS = {
    "marquardt": (LevenbergMarquardt(), 60),
    "lbfgs": (Lbfgs(), 80),
    "metropolis": (IndependenceMetropolis(torch.ones(2, dtype=D), torch.eye(2, dtype=D), chains=2, batch=5), 4),
    "tempered": (TemperedMonteCarlo(chains=4, length=8, most_rounds=2), 40),
}


def schedule(name: str):
    solver, most = SOLVERS[name]
    start = {"x": torch.tensor(-1.2, dtype=D), "y": torch.ones(1, dtype=D)}

    def following(finished):
        if finished:
            return None
        return Phase(
            "solve", "solve", most, lambda: Start(start), Valley(), solver, dict, result=lambda params, state: params
        )

    return following


def through_a_file(state: LoopState) -> LoopState:
    file = io.BytesIO()
    np.savez(file, **pack(state))
    file.seek(0)
    with np.load(file, allow_pickle=False) as data:
        return unpack(dict(data), torch.device("cpu"))


def end_of(loop: Loop) -> Mapping[str, Any]:
    for _ in loop:
        pass
    return {name: array.tolist() for name, array in pack(loop.state).items()}


@pytest.mark.parametrize("name", SOLVERS)
def test_going_on_after_any_step_ends_in_the_same_bits(name):
    states = [through_a_file(step.state) for step in Loop(schedule(name), beginning(3))]
    undisturbed = end_of(Loop(schedule(name), beginning(3)))
    assert 4 <= len(states) <= 60
    for state in states[:: max(len(states) // 6, 1)] + states[-1:]:
        assert end_of(Loop(schedule(name), state)) == undisturbed


def test_the_seed_decides_what_is_drawn():
    first, again, other = (end_of(Loop(schedule("tempered"), beginning(seed))) for seed in (3, 3, 4))
    assert first == again != other


def test_the_first_term_of_samplers_may_rise():
    """A chain that was lucky, and then rejects: no reason to call it diverged."""

    class Rising(IndependenceMetropolis):
        def step(self, objective, params, state, random):
            params, state, terms = super().step(objective, params, state, random)
            return params, state, {"rejected": 10.0 ** (4 * state.draws.shape[1]), **terms}

    solver = Rising(torch.ones(2, dtype=D), torch.eye(2, dtype=D), chains=1, batch=1)
    start = {"x": torch.ones((), dtype=D), "y": torch.ones(1, dtype=D)}
    phase = Phase("draw", "draw", 5, lambda: Start(start), Valley(), solver, dict)
    steps = list(Loop(lambda finished: None if finished else phase))
    assert [step.params["x"].shape for step in steps] == [()] * 5
