"""Samplers on densities with known answers: moments, weights of modes, evidence, coverage, and when not to trust."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from invrender.errors import DivergedError
from invrender.solve.diagnostics import diagnose
from invrender.solve.metropolis import IndependenceMetropolis
from invrender.solve.tempered import TemperedMonteCarlo
from invrender.solve.trust import distrust

D = torch.float64
WIDE = 5.0  # standard deviation of the prior


@dataclass
class Known:
    """A likelihood of one vector `x` of so many numbers, and a Gaussian prior around 0."""

    count: int
    likelihood: Callable[[np.ndarray], float]
    asked: int = 0

    def draw(self, random):
        return {"x": WIDE * torch.randn(self.count, generator=random, dtype=D)}

    def log_prior(self, params):
        return -float(params["x"].square().sum()) / 2 / WIDE**2

    def log_likelihood(self, params):
        self.asked += 1
        return float(self.likelihood(params["x"].numpy()))

    def log_density(self, params):
        return self.log_prior(params) + self.log_likelihood(params)


COVARIANCE = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.3], [0.0, 0.3, 2.0]])
PRECISION = np.linalg.inv(COVARIANCE)
POSTERIOR = np.linalg.inv(PRECISION + np.eye(3) / WIDE**2)


def gaussian(x):
    return -x @ PRECISION @ x / 2


def student(x):
    """Three degrees of freedom: heavier tails than those of the proposals."""
    return -3 * np.log1p(x @ x / 3)


def banana(x):
    return -((x[0] - 1) ** 2) / 0.5 - (x[1] - x[0] ** 2) ** 2 / 0.02


def modes(x, width=0.1, weight=0.3):
    """Two, of which the one at 3 has so much weight."""
    one, other = (-((x - at) ** 2).sum() / 2 / width**2 for at in (-3, 3))
    return np.logaddexp(math.log(1 - weight) + one, math.log(weight) + other)


def steps(x):
    """As of hard shadows: constant but for jumps; 0 for x in a cube of side .1 at .3."""
    return -(np.floor((x - 0.3) * 10) ** 2).sum()


def metropolis(objective, covariance, draws=500, seed=0, mean=None):
    count = objective.count
    mean = torch.zeros(count, dtype=D) if mean is None else mean
    solver = IndependenceMetropolis(mean, torch.as_tensor(covariance, dtype=D), batch=draws)
    params = {"x": mean}
    state = solver.init(objective, params)
    params, state, terms = solver.step(objective, params, state, torch.Generator().manual_seed(seed))
    assert objective.asked == terms["draws"] == 4 * draws
    assert torch.equal(params["x"], state.draws[0, -1])
    return state


def tempered(objective, seed=0, **settings):
    solver, params = TemperedMonteCarlo(**settings), {"x": torch.zeros(objective.count, dtype=D)}
    state, random, left = solver.init(objective, params), torch.Generator().manual_seed(seed), []
    while not state.converged:
        params, state, terms = solver.step(objective, params, state, random)
        left.append(terms["left"])
    assert left == sorted(left, reverse=True)
    assert left[-1] == 0
    assert objective.asked == state.evaluations
    return state


def names(objective):
    return tuple(f"x[{i}]" for i in range(objective.count))


def test_metropolis_draws_a_gaussian_with_its_correlation():
    aim = Known(3, gaussian)
    state = metropolis(aim, 1.1 * POSTERIOR)
    found = diagnose(state.draws, names(aim))
    assert min(found.ess.min(), found.ess_square.min()) > 1000
    assert np.allclose(found.mean, 0, atol=0.1)
    assert np.allclose(np.cov(state.draws.reshape(-1, 3).T.numpy()), POSTERIOR, atol=0.2)
    assert state.acceptance > 0.7
    assert not state.converged
    assert distrust(state, aim.log_density({"x": torch.zeros(3)}), names(aim)) == ""
    levels = [aim.log_density({"x": at}) for at in state.draws[:, -1]]
    assert state.density[:, -1].tolist() == pytest.approx(levels)


def test_ninety_percent_intervals_cover_ninety_percent():
    """Of the mean of a Gaussian under a Gaussian prior, whose posterior is known."""
    inside = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        truth = random.normal(0, WIDE, 2)
        seen = truth + random.standard_normal(2)
        aim = Known(2, lambda x, seen=seen: -((x - seen) ** 2).sum() / 2)
        shrunk = torch.from_numpy(seen / (1 + 1 / WIDE**2))
        found = diagnose(metropolis(aim, np.eye(2), 60, seed, shrunk).draws, names(aim))
        inside += int(((truth >= found.lower) & (truth <= found.upper)).sum())
    assert inside / 200 == pytest.approx(0.9, abs=0.05)


@pytest.mark.parametrize(
    ("likelihood", "covariance", "word"),
    [
        (modes, 0.01 * np.eye(3), ""),  # from one mode the other is never seen: that takes several starts
        (lambda x: modes(x, 1.0), 3 * np.eye(3), "better than the optimum|accepted"),
        (steps, 0.5 * np.eye(3), "accepted"),
        (lambda x: student(30 * x), 1e-4 * np.eye(3), "Pareto|R-hat|effective"),
        (lambda x: -((x - 4) ** 2).sum(), np.eye(3), "accepted|better than the optimum|R-hat"),
    ],
)
def test_what_tells_that_draws_are_not_to_be_trusted(likelihood, covariance, word):
    aim = Known(3, likelihood)
    mean = torch.full((3,), -3.0, dtype=D) if not word else torch.zeros(3, dtype=D)
    state = metropolis(aim, covariance, mean=mean)
    reason = distrust(state, aim.log_density({"x": mean}), names(aim))
    assert any(part in reason for part in word.split("|"))
    assert bool(reason) == bool(word)


def test_densities_that_are_no_numbers_are_never_drawn():
    aim = Known(2, lambda x: math.nan if x[0] > 0 else math.inf if x[1] > 1 else -float(x @ x))
    draws = metropolis(aim, np.eye(2)).draws
    assert (draws[..., 0] <= 0).all()
    assert (draws[..., 1] <= 1).all()
    nowhere = Known(2, lambda x: math.nan)
    state = metropolis(nowhere, np.eye(2))
    assert state.acceptance == 0
    assert state.converged  # no use to go on
    assert distrust(state, 0.0, names(nowhere)).startswith("0 %")
    with pytest.raises(DivergedError, match="likelihood is 0 at all 512 places") as error:
        tempered(nowhere)
    assert error.value.exit_code == 8


def test_tempering_finds_a_gaussian_and_its_evidence():
    aim = Known(3, gaussian)
    state = tempered(aim, rounds=4)
    found = diagnose(state.draws, names(aim))
    assert found.trouble() == ""
    assert np.allclose(np.cov(state.draws.reshape(-1, 3).T.numpy()), POSTERIOR, atol=0.35)
    exact = (np.linalg.slogdet(POSTERIOR)[1] - 3 * math.log(WIDE**2)) / 2
    assert state.evidence.tolist() == pytest.approx([exact, exact], abs=0.5)
    at = [aim.log_prior({"x": place}) + gaussian(place.numpy()) for place in state.draws[1, ::100]]
    assert state.density[1, ::100].tolist() == pytest.approx(at)


def test_tempering_shares_its_draws_among_modes_by_their_weights():
    """One in a thousand of the prior's width, in three dimensions."""
    state = tempered(Known(3, lambda x: modes(x, 0.03)), seed=1, chains=32, rounds=6)
    right = state.draws[..., 0] > 0
    assert float(right.double().mean()) == pytest.approx(0.3, abs=0.12)
    for side in (right, ~right):
        assert torch.allclose(state.draws[side].std(0), torch.tensor(0.03, dtype=D), atol=0.008)


def test_tempering_stands_steps_and_bends():
    state = tempered(Known(3, steps), seed=2)
    inside = ((state.draws > 0.3) & (state.draws < 0.4)).all(2).double().mean()
    weights = np.exp(-(np.arange(-9.0, 10) ** 2))
    assert float(inside) == pytest.approx((1 / weights.sum()) ** 3, abs=0.06)
    bent = tempered(Known(2, banana), seed=3)
    x = bent.draws.reshape(-1, 2)
    assert float(x[:, 0].mean()) == pytest.approx(0.96, abs=0.15)  # the prior holds back what lies far out
    assert float((x[:, 1] - x[:, 0] ** 2).std()) == pytest.approx(0.1, abs=0.02)


def test_two_seeds_of_tempering_agree():
    first, second = (diagnose(tempered(Known(3, steps), seed).draws, "abc") for seed in (5, 6))
    assert np.allclose(first.lower, second.lower, atol=0.04)
    assert np.allclose(first.upper, second.upper, atol=0.04)
