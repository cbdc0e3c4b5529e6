"""The Laplace approximation: exact on linear models, honest about what the data do not say."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from invrender.solve.laplace import laplace

D = torch.float64


def drawn(rows, columns, seed=0):
    return torch.randn(rows, columns, dtype=D, generator=torch.Generator().manual_seed(seed))


def names(count):
    return [f"p{i}" for i in range(count)]


def fit(jacobian, residual=None, **options):
    count = jacobian.shape[1]
    residual = torch.ones(len(jacobian), dtype=D) if residual is None else residual
    return laplace(names(count), torch.zeros(count, dtype=D), residual, jacobian, **options)


def test_covariance_of_a_linear_model():
    jacobian = drawn(40, 4) * torch.tensor([1.0, 1e-5, 1e5, 3.0], dtype=D)
    precision = torch.tensor([2.0, 0.0, 1e9, 1.0], dtype=D)
    found = fit(jacobian, sigma=0.3, precision=precision)
    expected = np.linalg.inv((jacobian.T @ jacobian / 0.09 + precision.diag()).numpy())
    assert np.allclose(found.covariance, expected, rtol=1e-6, atol=0)
    deviation = np.sqrt(np.diag(expected))
    assert np.allclose(found.correlation, expected / np.outer(deviation, deviation), atol=1e-8)
    assert np.allclose(found.standard_error, deviation, rtol=1e-8)
    assert found.loose == ()
    assert found.undetermined.shape == (0, 4)


def test_noise_comes_from_the_residuals_that_say_something():
    jacobian = torch.cat([drawn(400, 3), torch.zeros(600, 3, dtype=D)])
    residual = torch.cat([0.2 * drawn(500, 1, 1)[:, 0], torch.zeros(500, dtype=D)])  # 500 rows are an exact background
    found = fit(jacobian, residual)
    assert found.sigma == pytest.approx(math.sqrt(float(residual.square().sum()) / 497))
    assert found.sigma == pytest.approx(0.2, rel=0.1)


def test_ninety_percent_intervals_hold_in_ninety_percent():
    inside = 0
    for seed in range(300):
        jacobian, truth = drawn(30, 2, 2 * seed), drawn(2, 1, 9999 + seed)[:, 0]
        seen = jacobian @ truth + 0.5 * drawn(30, 1, 2 * seed + 1)[:, 0]
        found = torch.linalg.lstsq(jacobian, seen[:, None]).solution[:, 0]
        error = fit(jacobian, jacobian @ found - seen).standard_error
        inside += int(((found - truth).abs() < 1.701 * error).sum())  # Student's t with 28 degrees of freedom
    assert inside / 600 == pytest.approx(0.9, abs=0.035)


def test_a_number_on_which_nothing_depends():
    jacobian = torch.cat([drawn(20, 2), torch.zeros(20, 1, dtype=D)], 1)
    found = fit(jacobian, sigma=1.0)
    assert found.loose == ("p2",)
    assert found.undetermined.abs().tolist() == [[0, 0, 1]]
    assert np.allclose(found.covariance[:2, :2], np.linalg.inv((jacobian.T @ jacobian)[:2, :2].numpy()))
    assert found.pairs() == ()


def test_two_numbers_that_only_their_sum_tells():
    column = drawn(20, 2)
    jacobian = torch.stack([column[:, 0], 10 * column[:, 0], column[:, 1]], 1)  # x + 10 y, and z
    found = fit(jacobian, sigma=1.0)
    assert found.loose == ("p0", "p1")
    (pair,) = found.pairs()
    assert (pair.first, pair.second) == ("p0", "p1")
    assert pair.correlation == pytest.approx(-1)
    direction = found.undetermined[0] / found.undetermined[0, 1]
    assert np.allclose(direction, [-10, 1, 0], atol=1e-8)
    assert math.isfinite(found.standard_error[2])
    assert float(found.covariance[0, 1]) == -math.inf


def test_a_prior_makes_finite_what_the_data_leave_open():
    jacobian = drawn(20, 1).expand(20, 2)
    for sigma in (1e-2, 1e-10):
        found = fit(jacobian, sigma=sigma, precision=torch.tensor([1.0, 1.0], dtype=D))
        assert found.loose == ()
        assert np.allclose(found.standard_error, math.sqrt(0.5), rtol=1e-3)
        assert found.pairs()[0].correlation == pytest.approx(-1, abs=1e-3)


def test_pairs_are_told_from_the_strongest_on():
    base, noise = drawn(2000, 1), drawn(2000, 4, 1)
    found = fit(torch.cat([base + 0.01 * noise[:, :1], base + 0.1 * noise[:, 1:2], base, noise[:, 3:]], 1), sigma=1.0)
    assert next((pair.first, pair.second) for pair in found.pairs(0.05)) == ("p0", "p2")
    strengths = [abs(pair.correlation) for pair in found.pairs(0.0)]
    assert strengths == sorted(strengths, reverse=True)
    assert len(strengths) == 6


@pytest.mark.parametrize("rows", [0, 1, 2, 3])
def test_too_few_residuals_leave_everything_open(rows):
    found = fit(drawn(rows, 3))
    assert found.sigma == math.inf
    assert found.loose == ("p0", "p1", "p2")
    assert not found.correlation.isnan().any()


def test_derivatives_that_are_no_numbers_say_nothing():
    jacobian, residual = drawn(20, 2), torch.ones(20, dtype=D)
    jacobian[3, 0], jacobian[:, 1], residual[5] = math.nan, math.inf, math.nan
    found = fit(jacobian, residual, sigma=1.0)
    assert found.loose == ("p1",)
    assert float(found.covariance[0, 0]) == pytest.approx(1 / float(jacobian[:, 0].nan_to_num(0).square().sum()))


def test_a_perfect_fit_is_sure():
    found = fit(drawn(20, 2), torch.zeros(20, dtype=D), precision=torch.ones(2, dtype=D))
    assert found.sigma == 0
    assert (found.standard_error < 1e-50).all()
    assert not found.correlation.isnan().any()
