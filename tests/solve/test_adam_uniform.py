"""Adam with one step length: its first step, its invariances, and that it arrives."""

from __future__ import annotations

import pytest
import torch

from invrender.solve.adam_uniform import UniformAdam
from invrender.solve.rates import exponential_decay


class Given:
    """An objective whose gradient is a given function of the parameter `x`."""

    def __init__(self, gradient):
        self.gradient = gradient

    def value_and_grad(self, params, random):
        return {"loss": float(params["x"].square().sum())}, {"x": self.gradient(params["x"])}


def one_step(solver, gradient, params, state=None):
    objective = Given(lambda _: gradient)
    state = solver.init(objective, {"x": params}) if state is None else state
    moved, state, terms = solver.step(objective, {"x": params}, state, torch.Generator())
    return moved["x"], state, terms


def test_the_first_step_is_as_long_as_the_rate_and_keeps_the_gradients_direction():
    params, grad = torch.zeros(2, 3).double(), torch.tensor([[3.0, 0, -1], [0, 0.5, 0]]).double()
    moved, state, terms = one_step(UniformAdam(lambda _: 0.02), grad, params)
    assert torch.allclose(moved, -0.02 * grad / 3)
    assert state.count == 1
    assert params.abs().max() == 0
    assert terms["loss"] == pytest.approx(float(moved.square().sum()))  # after the step


def test_half_the_scale_is_half_the_first_step():
    params, grad = torch.ones(3).double(), torch.tensor([1.0, -2, 0.5]).double()
    whole, half = (one_step(UniformAdam(lambda _: 0.1, scale=s), grad, params)[0] for s in (1.0, 0.5))
    assert torch.allclose(half - params, (whole - params) / 2, rtol=1e-12)


def test_states_are_not_changed_in_place():
    params, grad = torch.ones(4), torch.arange(4.0)
    solver = UniformAdam(lambda _: 0.1)
    first = solver.init(Given(lambda _: grad), {"x": params})
    once = one_step(solver, grad, params, first)
    again = one_step(solver, grad, params, first)
    assert torch.equal(once[0], again[0])
    assert first.count == 0
    assert float(first.first["x"].abs().max()) == 0


def test_the_largest_entry_of_all_parameters_counts(linear):
    class Two:
        def value_and_grad(self, params, random):
            return {"loss": 0.0}, {"x": torch.tensor([4.0, 0.0]), "y": torch.tensor([1.0])}

    params, solver = {"x": torch.zeros(2), "y": torch.zeros(1)}, UniformAdam(lambda _: 0.1)
    moved, _, _ = solver.step(Two(), params, solver.init(Two(), params), torch.Generator())
    assert moved["x"].tolist() == pytest.approx([-0.1, 0.0])
    assert moved["y"].tolist() == pytest.approx([-0.025])


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_loss_may_have_any_unit(run, scale):
    start = {"x": torch.tensor([1.0, -2.0]).double()}
    params, reference = (
        run(UniformAdam(lambda _: 0.05), Given(lambda x, unit=unit: unit * x), start, 20)[0]["x"]
        for unit in (scale, 1.0)
    )
    assert torch.allclose(params, reference, rtol=1e-5)


def test_no_gradient_no_step():
    params = torch.ones(3)
    moved, _, _ = one_step(UniformAdam(lambda _: 0.1), torch.zeros(3), params)
    assert torch.equal(moved, params)


def test_it_finds_the_bottom_of_a_bowl(run):
    goal = torch.tensor([0.3, -0.7, 1.1]).double()
    solver = UniformAdam(exponential_decay(0.05, 0.1, 300))
    found, _ = run(solver, Given(lambda x: x - goal), {"x": torch.zeros(3).double()}, 300)
    assert torch.allclose(found["x"], goal, atol=5e-3)
