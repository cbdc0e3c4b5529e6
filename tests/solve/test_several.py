"""Solvers made of solvers (several steps as one, ordered subsets), and step lengths that change on the way."""

from __future__ import annotations

import pytest
import torch

from invrender.solve.adam import Adam
from invrender.solve.ordered_subsets import OrderedSubsets, scattered
from invrender.solve.protocol import scaled
from invrender.solve.rates import compounded_decay, exponential_decay, linear_decay
from invrender.solve.several import Several
from invrender.solve.sirt import Sirt


class Noisy:
    """A bowl whose gradient is drawn anew each time."""

    def value_and_grad(self, params, random):
        noise = torch.randn(params["x"].shape, generator=random)
        return {"loss": float(params["x"].square().sum()), "one": 1.0}, {"x": 2 * params["x"] + noise}


@pytest.mark.parametrize("told", [1, 4, 10])
def test_several_steps_have_the_bits_of_single_ones(told):
    single, state, random = {"x": torch.ones(5)}, None, torch.Generator().manual_seed(3)
    inner, losses = Adam(compounded_decay(0.1, 0.1, 10)), []
    state = inner.init(Noisy(), single)
    for _ in range(10):
        single, state, terms = inner.step(Noisy(), single, state, random)
        losses.append(terms["loss"])
    params, random, counts, sums = {"x": torch.ones(5)}, torch.Generator().manual_seed(3), [], []
    solver = Several(inner, 10, told)
    state = solver.init(Noisy(), params)
    for _ in range(told):
        params, state, terms = solver.step(Noisy(), params, state, random)
        counts.append(terms["one"])
        sums.append(terms["loss"])
    assert torch.equal(params["x"], single["x"])
    assert sum(counts) == 10
    assert max(counts) - min(counts) <= 1
    assert sum(sums) == pytest.approx(sum(losses))


def test_several_scaled_steps_are_those_of_the_scaled_solver(run):
    inner = Adam(lambda _: 0.1)
    one, _ = run(scaled(Several(inner, 4, 2), 0.5), Noisy(), {"x": torch.ones(5)}, 2)
    other, _ = run(Several(scaled(inner, 0.5), 4, 2), Noisy(), {"x": torch.ones(5)}, 2)
    unscaled, _ = run(Several(inner, 4, 2), Noisy(), {"x": torch.ones(5)}, 2)
    assert torch.equal(one["x"], other["x"])
    assert not torch.equal(one["x"], unscaled["x"])


def parts_of(linear):
    matrix, truth = torch.rand(8, 3, generator=torch.Generator().manual_seed(0)).double(), torch.ones(3).double()
    return [linear(matrix[k::2], matrix[k::2] @ truth) for k in range(2)]


def test_ordered_subsets_take_their_parts_in_turn_and_average_the_terms(linear):
    parts, inner = parts_of(linear), (Sirt(), Sirt(0.5))
    solver, params, random = OrderedSubsets(inner), {"x": torch.zeros(3).double()}, torch.Generator()
    state = solver.init(parts, params)
    assert torch.equal(state.columns["x"], inner[0].init(parts[0], params).columns["x"])
    moved, _, terms = solver.step(parts, params, state, random)
    first, state, one = inner[0].step(parts[0], params, state, random)
    second, _, two = inner[1].step(parts[1], first, state, random)
    assert torch.equal(moved["x"], second["x"])
    assert terms["misfit"] == pytest.approx((one["misfit"] + two["misfit"]) / 2)


def test_ordered_subsets_hand_their_scale_on(linear, run):
    parts, start = parts_of(linear), {"x": torch.zeros(3).double()}
    one, _ = run(scaled(OrderedSubsets((Sirt(), Sirt())), 0.25), parts, start, 3)
    other, _ = run(OrderedSubsets((Sirt(0.25), Sirt(0.25))), parts, start, 3)
    assert torch.equal(one["x"], other["x"])


@pytest.mark.parametrize(("count", "order"), [(1, [0]), (2, [0, 1]), (4, [0, 2, 1, 3]), (8, [0, 4, 2, 6, 1, 5, 3, 7])])
def test_subsets_are_scattered(count, order):
    assert scattered(count) == order


def test_step_lengths_by_hand():
    assert [linear_decay(2.0, 0.5, 4)(k) for k in (0, 2, 4)] == [2.0, 1.5, 1.0]
    assert linear_decay(0.1, 1.0, 10)(10) == 0.0
    assert [exponential_decay(1.0, 0.25, 2)(k) for k in (0, 1, 2)] == [1.0, 0.5, 0.25]


def test_compounding_rounds_every_factor_alike():
    rate, factor, product = compounded_decay(0.03, 0.1, 400), 0.1 ** (1 / 400), 0.03
    for count in range(400):
        assert rate(count) == product
        product *= factor
    assert rate(400) == pytest.approx(exponential_decay(0.03, 0.1, 400)(400))
    assert any(rate(count) != 0.03 * factor**count for count in range(400))  # or the test would say nothing
