"""Sums by faces are the products of the matrix that has a row for each pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest

from invrender.photometry.normal_equations import NormalEquations, Pixels

FACES = np.array([[0, 1, 2], [2, 1, 3], [4, 0, 2]])
COUNT = 5


def some_pixels(functions: int, count: int = 60) -> tuple[Pixels, np.ndarray]:
    """Random pixels, and their matrix [P,VK]."""
    random = np.random.default_rng(0)
    share, basis = random.dirichlet(np.ones(3), count), random.normal(size=(count, functions))
    face = random.integers(0, len(FACES), count)
    matrix = np.zeros((count, COUNT, functions))
    for p in range(count):
        matrix[p, FACES[face[p]]] = share[p][:, None] * basis[p]
    wanted = random.uniform(size=(count, 3))
    floats = (part.astype(np.float32) for part in (share, basis, wanted))
    return Pixels(face, *floats), matrix.reshape(count, -1)


@pytest.mark.parametrize("functions", [1, 4])
@pytest.mark.parametrize("outlier", [math.inf, 0.3])
def test_sums_are_products_of_the_matrix_of_pixels(functions, outlier):
    pixels, matrix = some_pixels(functions)
    x = np.random.default_rng(1).normal(size=(COUNT * functions, 3))
    equations = NormalEquations.empty(FACES, functions)
    halves = [Pixels(*(part[chosen] for part in vars(pixels).values())) for chosen in (slice(25), slice(25, None))]
    assert [equations.add(half, x, outlier) for half in halves] == [25, 35]
    apart = ((matrix @ x - pixels.wanted) ** 2).sum(1)
    weighted = matrix / (1 + apart / outlier**2)[:, None]
    right, diagonal = equations.sides(len(x))
    assert np.allclose(equations.times(x), weighted.T @ matrix @ x, atol=1e-5)
    assert np.allclose(right, weighted.T @ pixels.wanted, atol=1e-5)
    assert np.allclose(diagonal[:, 0], np.diag(weighted.T @ matrix), atol=1e-5)
