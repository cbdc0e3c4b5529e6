"""R-hat, effective sizes and intervals: values of ArviZ, and series whose answers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from invrender.solve.diagnostics import diagnose, effective_size, split_rhat
from invrender.solve.trust import pareto_shape


def series(kind):
    n = np.arange(1200).reshape(4, 300)
    noise = np.sin(1.7 * n**2 + n)
    return {"noise": noise, "slow": 0.2 * noise.cumsum(1) + noise, "apart": np.round(3 * noise) + n // 300 % 2 * 0.5,
            "tails": np.tan(1.5 * noise)}[kind]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "rhat", "ess"),
    [
        ("noise", 1.00027767, 1252.36),
        ("slow", 1.41465861, 7.481),
        ("apart", 1.00935564, 1247.263),
        ("tails", 0.99994902, 1191.303),
    ],
)
def test_values_of_arviz(kind, rhat, ess):
    assert split_rhat(series(kind)) == pytest.approx(rhat, abs=1e-6)
    assert effective_size(series(kind)) == pytest.approx(ess, rel=0.03)


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9, -0.4])
def test_effective_size_of_an_autoregressive_series(memory):
    random, count = np.random.default_rng(0), 20000
    x = random.standard_normal((4, count))
    for i in range(1, count):
        x[:, i] = memory * x[:, i - 1] + math.sqrt(1 - memory**2) * x[:, i]
    assert effective_size(x) == pytest.approx(4 * count * (1 - memory) / (1 + memory), rel=0.15)
    assert split_rhat(torch.from_numpy(x)) < 1.005


def test_chains_that_disagree_in_place_width_or_over_time_are_told():
    random = np.random.default_rng(1)
    good = random.standard_normal((4, 400))
    shifted = good + np.array([[0.0], [0.0], [0.0], [1.5]])
    wider = good * np.array([[1.0], [1.0], [1.0], [5.0]])
    drifting = good + np.linspace(-2, 2, 400)
    for bad in (shifted, wider, drifting):
        assert split_rhat(bad) > 1.1
    assert split_rhat(good) < 1.01
    assert effective_size(shifted) < 20


def test_a_chain_that_never_moves_has_no_draws():
    stuck = np.repeat(np.array([[1.0], [2.0]]), 50, 1)
    assert split_rhat(stuck) == math.inf
    assert effective_size(stuck) == 0
    assert split_rhat(np.ones((2, 50))) == math.inf
    assert effective_size(np.ones((2, 3))) == 0
    assert "R-hat of a is inf" in diagnose(stuck[..., None], ["a"]).trouble()


def test_intervals_and_the_worst_number_by_name():
    random = np.random.default_rng(2)
    draws = random.standard_normal((4, 1000, 2)) * [1, 3] + [0, 10]
    found = diagnose(draws, ["a", "b"])
    assert found.lower == pytest.approx([-1.645, 10 - 3 * 1.645], abs=0.2)
    assert found.upper == pytest.approx([1.645, 10 + 3 * 1.645], abs=0.2)
    assert found.median == pytest.approx([0, 10], abs=0.2)
    assert found.trouble() == ""
    assert "a has" in found.trouble(least_ess=1e5) or "b has" in found.trouble(least_ess=1e5)
    assert "fewer than 100" in diagnose(draws[:, :12], ["a", "b"]).trouble(most_rhat=9)
    draws[0, :, 1] += 9
    assert found.names == ("a", "b")
    assert diagnose(draws, ["a", "b"]).trouble().startswith("R-hat of b is")


@pytest.mark.parametrize("shape", [0.2, 0.8, 1.2])
def test_pareto_shape_of_pareto_weights(shape):
    uniform = np.random.default_rng(3).random(20000)
    weights = torch.from_numpy(np.log((uniform**-shape - 1) / shape))
    assert pareto_shape(weights) == pytest.approx(shape, abs=0.15)
    assert pareto_shape(weights.reshape(4, -1) + 1000) == pytest.approx(pareto_shape(weights))


def test_pareto_shape_of_degenerate_weights():
    assert pareto_shape(torch.full((50,), -math.inf)) == math.inf
    assert pareto_shape(torch.zeros(0)) == math.inf
    assert pareto_shape(torch.zeros(500)) == -math.inf
    assert pareto_shape(torch.tensor([0.0] + [-800.0] * 499)) > 0.7
