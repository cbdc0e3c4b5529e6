"""Points seen from outside: against every ray and every triangle in turn, on surfaces of many kinds."""

from __future__ import annotations

import numpy as np
import pytest

from invrender.geometry.bvh import build_tree
from invrender.geometry.visibility import spread_directions, visible_from_outside
from invrender.samples import SAMPLES


def by_search(points, vertices, faces, lift, directions=64):
    """The same by solving origin + t direction = a + u (b - a) + v (c - a) for each ray and triangle."""
    a, b, c = vertices[faces].transpose(1, 0, 2)
    seen = np.zeros(len(points), bool)
    for d in spread_directions(directions):
        system = np.stack([b - a, c - a, np.broadcast_to(-d, a.shape)], 2)
        regular = np.abs(np.linalg.det(system)) > 1e-14
        inverse = np.linalg.inv(system[regular])
        for k, p in enumerate(points):
            u, v, t = np.einsum("fij,fj->if", inverse, p + lift * d - a[regular])
            seen[k] |= not ((u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0)).any()
    return seen


@pytest.mark.parametrize("faces", [1, 2, 3, 5, 63])  # a tree's last level is full with none of them but 1 and 2
def test_triangles_across_each_other(faces):
    rng = np.random.default_rng(faces)
    vertices, f = rng.normal(size=(3 * faces, 3)), np.arange(3 * faces).reshape(-1, 3)
    points = rng.normal(size=(200, 3)) * 0.7
    seen = visible_from_outside(points, build_tree(vertices, f), 1e-3)
    assert seen.tolist() == by_search(points, vertices, f, 1e-3).tolist()
    assert seen.all() == (faces < 63)  # the crowd hides some of them


@pytest.mark.parametrize("name", ["torus-knot", "mug"])
def test_points_in_and_around_a_body(name):
    v, f = SAMPLES[name]().numpy()
    points = np.random.default_rng(0).uniform(v.min(0), v.max(0), (80, 3))
    assert visible_from_outside(points, build_tree(v, f), 1e-3, 8).tolist() == by_search(points, v, f, 1e-3, 8).tolist()


def test_rays_along_the_faces_of_flat_boxes():
    v = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])
    sheet = np.array([[0, 1, 2], [1, 3, 2]])
    assert visible_from_outside(np.array([[0.3, 0.4, 0.0]]), build_tree(v, sheet), 0.0, directions=1).all()
    wide = np.concatenate([v - 0.5, v - 0.5 + np.array([0, 0, 1.0])]) * np.array([1e9, 1e9, 1.0])
    assert not visible_from_outside(np.zeros((1, 3)), build_tree(wide, np.concatenate([sheet, sheet + 4])), 1e-3).any()


def test_without_faces_everything_is_seen():
    assert visible_from_outside(np.zeros((2, 3)), build_tree(np.zeros((0, 3)), np.zeros((0, 3), np.int64)), 1e-3).all()
