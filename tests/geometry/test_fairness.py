"""Membrane and bending energies in two passes: the losses by a sparse Laplacian, and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from trimesh.creation import icosphere

from invrender import losses
from invrender.geometry.fairness import fairness, least_bent, neighbours
from invrender.nouns.topology import topology
from invrender.parameters.laplacian import degrees, product, uniform_laplacian


@pytest.fixture
def rough():
    """A ball with rough skin, whose vertices have five or six neighbours, and one vertex that no face uses."""
    ball = icosphere(2)
    v = ball.vertices * (1 + 0.1 * np.random.default_rng(3).standard_normal((len(ball.vertices), 1)))
    return np.concatenate([v, [[5.0, 4.0, 3.0]]]), np.asarray(ball.faces, np.int64)


def test_energies_and_gradient_are_those_of_the_losses(rough):
    v, f = rough
    edges, x = topology(torch.from_numpy(f)), torch.from_numpy(v)
    laplacian = product(uniform_laplacian(edges, len(v)))
    smooth, degree = laplacian(x), degrees(edges, len(v))
    gradient = np.ones_like(v)
    found = fairness(v, neighbours(f, len(v)), (0.7, 1.3), gradient)
    assert found.membrane == pytest.approx(float(losses.membrane(x, smooth)), rel=1e-12)
    assert found.bending == pytest.approx(float(losses.bending(smooth, degree)), rel=1e-12)
    assert found.reach == 5
    expected = 1 + 0.7 * losses.membrane_gradient(smooth) + 1.3 * losses.bending_gradient(smooth, degree, laplacian)
    np.testing.assert_allclose(gradient, expected.numpy(), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("weights", [(1.0, 0.0), (0.0, 1.0)])
def test_the_gradient_is_that_of_finite_differences(rough, weights):
    v, f = rough
    around, motion = neighbours(f, len(v)), np.random.default_rng(1).standard_normal(v.shape)

    def energy(step):
        found = fairness(v + step * motion, around, weights, np.zeros_like(v))
        return weights[0] * found.membrane + weights[1] * found.bending

    gradient = np.zeros_like(v)
    fairness(v, around, weights, gradient)
    assert (gradient * motion).sum() == pytest.approx((energy(1e-5) - energy(-1e-5)) / 2e-5, rel=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_vertex_that_is_lost_reaches_infinity(rough, value):
    v, f = rough
    v[7, 1] = value
    assert fairness(v, neighbours(f, len(v)), (1.0, 1.0), np.zeros_like(v)).reach == np.inf


def test_the_least_bent_surface_solves_its_equation(rough):
    v, f = rough
    weight = np.where(np.arange(len(v)) % 3 == 0, 6.0, (np.pi / 10) ** 4)
    found = least_bent(v, neighbours(f, len(v)), weight)
    edges = topology(torch.from_numpy(f))
    laplacian, degree = uniform_laplacian(edges, len(v)).to_dense().numpy(), degrees(edges, len(v)).numpy()
    matrix = laplacian @ np.diag(degree**-2) @ laplacian + np.diag(weight)
    np.testing.assert_allclose(found, np.linalg.solve(matrix, weight[:, None] * v), atol=1e-5)
    assert np.abs(found - v).max() > 0.05
