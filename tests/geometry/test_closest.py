"""The closest point is exact: compared with a fine grid on each triangle, and with all triangles one by one."""

import numpy as np
import pytest

from invrender.geometry import closest
from invrender.geometry.closest import Surface
from invrender.geometry.vectors import area_vectors, norm, unit

ONE = np.array([[0, 1, 2]])


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def test_a_degenerate_triangle_is_a_segment_or_a_point(rng):
    p = rng.normal(size=(50, 3))
    line = np.array([[0, 0, 0], [1, 0, 0], [3, 0, 0]], float)
    q, distance, _ = Surface(line, ONE).closest(p)
    assert np.allclose(q, np.stack([p[:, 0].clip(0, 3), 0 * p[:, 0], 0 * p[:, 0]], 1))
    assert np.allclose(distance, norm(p - q))
    assert np.allclose(Surface(line * 0, ONE).closest(p)[1], norm(p))


@pytest.mark.parametrize("weight", [0.0, 0.3])
def test_the_tree_finds_what_all_faces_one_by_one_would_give(shapes, rng, weight):
    v, f = shapes["frame"](20)
    p = np.concatenate([rng.uniform(-1.5, 1.5, (150, 3)), v[:50]])
    n = unit(rng.normal(size=p.shape))
    _, distance, face = Surface(v, f, weight).closest(p, n)
    alone = np.stack([Surface(v, one[None]).closest(p)[1] for one in f], 1)
    cost = alone**2 + weight**2 * ((unit(area_vectors(v, f)) - n[:, None]) ** 2).sum(2)
    rows = np.arange(len(p))
    assert np.allclose(cost[rows, face], cost.min(1))
    assert np.allclose(distance, alone[rows, face])


def test_no_queries_and_queries_at_one_place_are_fine(shapes):
    surface = Surface(*shapes["sphere"](8))
    assert surface.closest(np.zeros((0, 3)))[0].shape == (0, 3)
    _, distance, _ = surface.closest(np.full((5, 3), 2.0))
    assert np.allclose(distance, distance[0])


def test_a_query_looks_at_a_few_of_many_faces(shapes, monkeypatch):
    """As the kernel counts them: about 7 of 19 484 faces a point."""
    v, f = shapes["sphere"](60)
    surface, points = Surface(v, f, 0.03), 1.01 * v[::200]
    kernel, looked_at = closest._closest, []
    monkeypatch.setattr(closest, "_closest", lambda *given: looked_at.append(kernel(*given)))
    surface.closest(points, points)
    assert len(points) < looked_at[0] < 20 * len(points)
