"""Adam with one step length: its first step, its invariances, and that it arrives."""

from __future__ import annotations

import pytest
import torch

from invrender.solve import adam_uniform


def test_the_first_step_is_as_long_as_the_rate_and_keeps_the_gradients_direction():
    params, grad = torch.zeros(2, 3).double(), torch.tensor([[3.0, 0, -1], [0, 0.5, 0]]).double()
    moved, state = adam_uniform.step(grad, params, adam_uniform.init(params), 0.02)
    assert torch.allclose(moved, -0.02 * grad / 3)
    assert state.count == 1
    assert params.abs().max() == 0


def test_states_are_not_changed_in_place():
    params, grad = torch.ones(4), torch.arange(4.0)
    first = adam_uniform.init(params)
    once = adam_uniform.step(grad, params, first, 0.1)
    again = adam_uniform.step(grad, params, first, 0.1)
    assert torch.equal(once[0], again[0])
    assert first.count == 0
    assert float(first.first.abs().max()) == 0


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_loss_may_have_any_unit(scale):
    params = torch.tensor([1.0, -2.0]).double()
    state = adam_uniform.init(params)
    for _ in range(20):
        params, state = adam_uniform.step(scale * params, params, state, 0.05)
    reference = torch.tensor([1.0, -2.0]).double()
    state = adam_uniform.init(reference)
    for _ in range(20):
        reference, state = adam_uniform.step(reference, reference, state, 0.05)
    assert torch.allclose(params, reference, rtol=1e-5)


def test_no_gradient_no_step():
    params = torch.ones(3)
    moved, _ = adam_uniform.step(torch.zeros(3), params, adam_uniform.init(params), 0.1)
    assert torch.equal(moved, params)


def test_it_finds_the_bottom_of_a_bowl():
    goal = torch.tensor([0.3, -0.7, 1.1]).double()
    params = torch.zeros(3).double()
    state = adam_uniform.init(params)
    for i in range(300):
        params, state = adam_uniform.step(params - goal, params, state, 0.05 * 0.1 ** (i / 300))
    assert torch.allclose(params, goal, atol=5e-3)
