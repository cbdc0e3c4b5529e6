"""Levenberg-Marquardt and L-BFGS: known bottoms, few evaluations, and what spoils steps."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares, minimize

from invrender.solve.flat import entry_names, flatten, unflatten
from invrender.solve.lbfgs import Lbfgs
from invrender.solve.levenberg_marquardt import LevenbergMarquardt
from invrender.solve.loop import Loop
from invrender.solve.phase import Phase, Start
from invrender.solve.protocol import FLAT, SMALL, STUCK

D = torch.float64


@dataclass
class Curved:
    """A residual function of one vector `x`, with derivatives by autograd; counts its calls."""

    function: object
    calls: list = field(default_factory=list)

    def residual(self, params):
        self.calls.append("residual")
        return self.function(flatten(params))

    def linearised(self, params):
        self.calls.append("linearised")
        at = flatten(params)
        return self.function(at), torch.autograd.functional.jacobian(self.function, at)

    def value_and_grad(self, params, random):
        self.calls.append("gradient")
        at = flatten(params).requires_grad_(True)
        loss = self.function(at).square().sum() / 2
        (gradient,) = torch.autograd.grad(loss, at)
        return {"loss": float(loss.detach()), "double": 2 * float(loss.detach())}, unflatten(gradient, params)


def rosenbrock(x):
    return torch.stack([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def powell(x):
    """Powell's singular function, whose Jacobian has rank 2 at the bottom, 0."""
    return torch.stack([x[0] + 10 * x[1], 5**0.5 * (x[2] - x[3]), (x[1] - 2 * x[2]) ** 2, 10**0.5 * (x[0] - x[3]) ** 2])


def brown(x):
    """Brown's badly scaled function: the bottom is (1e6, 2e-6)."""
    return torch.stack([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2])


def lamp(x):
    """Irradiance of a lamp at x[:3] with log intensity x[3] on a floor: from far off, as in a scene."""
    side = torch.linspace(-5, 5, 12, dtype=D)
    floor = torch.stack([*torch.meshgrid(side, side, indexing="ij"), torch.zeros(12, 12, dtype=D)], -1).reshape(-1, 3)
    to = x[:3] - floor
    return torch.exp(x[3]) * to[:, 2].clamp(min=0) / to.square().sum(1) ** 1.5


def walled(x):
    """No number where x[0] is negative."""
    return torch.stack([torch.log(x[0]), x[1] - 3])


LAMP = torch.tensor([1.0, 2.0, 6.0, math.log(2e4)], dtype=D)


def lamp_misfit(x):
    return lamp(x) - lamp(LAMP)


def solved(solver, objective, start, steps=300):
    params, random = {"x": torch.tensor(start, dtype=D)}, torch.Generator()
    state, losses = solver.init(objective, params), []
    while not state.converged and len(losses) < steps:
        params, state, terms = solver.step(objective, params, state, random)
        losses.append(terms["loss"])
    assert all(later <= earlier for earlier, later in pairwise(losses))
    assert len(objective.calls) == state.evaluations
    return params["x"], state, losses


def test_flat_order_names_and_kinds():
    params = {"b": torch.tensor([[1, 2], [3, 4]], dtype=torch.float32), "a": torch.tensor(5.0, dtype=D)}
    assert flatten(params).tolist() == [1, 2, 3, 4, 5]
    assert flatten({}).shape == (0,)
    assert entry_names(params) == ("b[0,0]", "b[0,1]", "b[1,0]", "b[1,1]", "a")
    back = unflatten(flatten(params) + 1, params)
    assert list(back) == ["b", "a"]
    assert torch.equal(back["b"], params["b"] + 1)
    assert back["b"].dtype == torch.float32
    assert back["a"].shape == ()


@pytest.mark.parametrize(
    ("function", "start", "bottom", "most"),
    [
        (rosenbrock, [-1.2, 1.0], [1.0, 1.0], 60),
        (powell, [3.0, -1.0, 0.0, 1.0], [0.0] * 4, 40),
        (brown, [1.0, 1.0], [1e6, 2e-6], 60),
        (lamp_misfit, [-1.0, -3.0, 2.0, 0.0], LAMP.tolist(), 50),
    ],
)
def test_marquardt_finds_known_bottoms_in_few_evaluations(function, start, bottom, most):
    found, state, losses = solved(LevenbergMarquardt(), Curved(function), start)
    assert np.allclose(found, bottom, rtol=1e-6, atol=0.01)
    assert losses[-1] < 1e-9
    assert state.evaluations <= most
    assert state.reason in (SMALL, FLAT)


def test_marquardt_agrees_with_scipy_where_the_bottom_is_not_zero():
    random = np.random.default_rng(1)
    t, noise = torch.linspace(0, 3, 40, dtype=D), torch.tensor(random.normal(0, 0.1, 40))

    def decay(x):
        return x[0] * torch.exp(-x[1].exp() * t) + x[2] - (2 * torch.exp(-1.5 * t) + 0.3 + noise)

    found, _, losses = solved(LevenbergMarquardt(), Curved(decay), [1.0, -1.0, 0.0])
    judge = least_squares(
        lambda x: decay(torch.tensor(x)).numpy(), [1.0, -1.0, 0.0], xtol=1e-14, ftol=1e-14, gtol=1e-14
    )
    assert np.allclose(found, judge.x, atol=1e-6)
    assert losses[-1] == pytest.approx(judge.cost, rel=1e-9)


@pytest.mark.parametrize("units", [1.0, 1e-6, 1e6])
def test_marquardt_does_not_depend_on_the_units_of_parameters(units):
    factor = torch.tensor([units, 1.0], dtype=D)
    found, state, _ = solved(LevenbergMarquardt(), Curved(lambda x: rosenbrock(x * factor)), [-1.2 / units, 1.0])
    assert np.allclose(found * factor, [1.0, 1.0], rtol=1e-5)
    assert state.evaluations <= 60


def test_steps_are_as_short_as_asked_for():
    start = torch.tensor([-1.0, -3.0, 2.0, 0.0], dtype=D)
    for solver in (LevenbergMarquardt(longest=0.5), Lbfgs(longest=0.5)):
        params, random, objective = {"x": start}, torch.Generator(), Curved(lamp_misfit)
        state = solver.init(objective, params)
        for _ in range(10):
            moved, state, _ = solver.step(objective, params, state, random)
            assert (moved["x"] - params["x"]).abs().max() <= 0.5 + 1e-12
            params = moved
        assert (params["x"] - start).abs().max() > 1


def test_what_hardly_matters_does_not_hold_back_the_rest():
    """With short steps, a number at the far end of a logarithm, where nothing depends on it any more."""

    def function(x):
        return torch.stack([x[0] - 2, x[0] + x[1].exp() - 2 - 1e-12, x[2] + 1 + 1e-8 * x[3]])

    start = [0.5, -25.0, 0.0, 0.0]
    found, state, losses = solved(LevenbergMarquardt(longest=1.0, tolerance=1e-6), Curved(function), start)
    assert np.allclose(found[[0, 2]], [2.0, -1.0], atol=1e-4)
    assert losses[-1] < 1e-8
    assert state.evaluations < 20


def test_marquardt_refuses_steps_into_what_is_no_number():
    found, state, losses = solved(LevenbergMarquardt(), Curved(walled), [4.0, 0.0])  # the whole step ends at -1.5
    assert np.allclose(found, [1.0, 3.0])
    assert all(map(math.isfinite, losses))
    assert state.reason in (SMALL, FLAT)


def test_marquardt_holds_parameters_whose_derivatives_are_missing():
    class Holed(Curved):
        def linearised(self, params):
            residual, jacobian = super().linearised(params)
            jacobian[:, 2] = math.nan
            jacobian[:, 3] = 0
            return residual, jacobian

    found, state, _ = solved(
        LevenbergMarquardt(), Holed(lambda x: torch.cat([rosenbrock(x), x[2:3] - 1])), [-1.2, 1, 5, 7]
    )
    assert np.allclose(found, [1, 1, 5, 7], atol=1e-4)
    assert state.converged


def test_marquardt_with_twins_moves_them_alike():
    found, _, losses = solved(LevenbergMarquardt(), Curved(lambda x: (x[0] + x[1] - 2).reshape(1)), [0.0, 0.5])
    assert found.tolist() == pytest.approx([0.75, 1.25])
    assert losses[-1] < 1e-20


def test_nothing_depends_on_the_parameters():
    still = Curved(lambda x: torch.ones(3, dtype=D) + 0 * x.sum())
    for solver in (LevenbergMarquardt(), Lbfgs()):
        still.calls.clear()
        found, state, losses = solved(solver, still, [1.0, 2.0])
        assert (found.tolist(), state.reason, len(losses), len(still.calls)) == ([1.0, 2.0], FLAT, 1, 1)


def test_wrong_derivatives_end_in_an_honest_word():
    class Wrong(Curved):
        def linearised(self, params):
            residual, jacobian = super().linearised(params)
            return residual, -jacobian

        def value_and_grad(self, params, random):
            terms, gradient = super().value_and_grad(params, random)
            return terms, {"x": -gradient["x"]}

    for solver in (LevenbergMarquardt(), Lbfgs()):
        objective = Wrong(rosenbrock)
        found, state, _ = solved(solver, objective, [-1.2, 1.0])
        assert (found.tolist(), state.reason) == ([-1.2, 1.0], STUCK)
        assert len(objective.calls) < 30
        asked = len(objective.calls)
        solver.step(objective, {"x": found}, state, torch.Generator())
        assert len(objective.calls) == asked


@pytest.mark.parametrize(
    ("function", "start", "most"), [(rosenbrock, [-1.2, 1.0], 60), (lamp_misfit, [-1.0, -3.0, 2.0, 0.0], 150)]
)
def test_lbfgs_is_on_a_par_with_scipy(function, start, most):
    objective = Curved(function)
    _, state, losses = solved(Lbfgs(), objective, start)
    assert losses[-1] < 1e-9
    assert state.evaluations <= most

    def both(x):
        terms, gradient = Curved(function).value_and_grad({"x": torch.tensor(x)}, None)
        return terms["loss"], gradient["x"].numpy()

    judge = minimize(both, start, jac=True, method="L-BFGS-B", options={"ftol": 1e-16, "gtol": 1e-12, "maxiter": 1000})
    assert state.evaluations <= 1.5 * judge.nfev + 10


def test_lbfgs_backs_off_from_what_is_no_number():
    found, state, losses = solved(
        Lbfgs(first=10.0), Curved(lambda x: torch.stack([torch.log(x[0]), x[1] - 3])), [4.0, 0.0]
    )
    assert np.allclose(found, [1.0, 3.0], atol=1e-5)
    assert losses[-1] < 1e-10
    assert state.converged


def test_lbfgs_hands_on_the_other_terms():
    objective, params = Curved(rosenbrock), {"x": torch.tensor([-1.2, 1.0], dtype=D)}
    _, _, terms = Lbfgs().step(objective, params, Lbfgs().init(objective, params), torch.Generator())
    assert list(terms) == ["loss", "double", "evaluations"]
    assert terms["double"] == 2 * terms["loss"]


@pytest.mark.parametrize("solver", [LevenbergMarquardt(), Lbfgs()])
def test_the_loop_ends_a_phase_when_its_solver_has_converged(solver):
    start = {"x": torch.tensor([-1.2, 1.0], dtype=D)}

    def schedule(finished):
        if finished:
            return None
        return Phase(
            "solve", "solve", 500, lambda: Start(start), Curved(rosenbrock), solver, lambda params: params["x"]
        )

    loop = Loop(schedule)
    steps = list(loop)
    assert 5 < len(steps) < 100
    assert [step.is_last for step in steps] == [False] * (len(steps) - 1) + [True]
    assert loop.state.finished[0].steps == len(steps)
    assert list(Loop(schedule, steps[-1].state)) == []  # stopped after the last step, and gone on with
