"""Points that eyes see: against every segment and every triangle in turn."""

from __future__ import annotations

import numpy as np

from invrender.geometry.bvh import build_tree
from invrender.geometry.visibility import outlined, seen_from
from invrender.samples import SAMPLES


def test_what_eyes_see_of_a_body_is_what_no_triangle_is_before() -> None:
    v, f = SAMPLES["mug"]().numpy()
    rng = np.random.default_rng(0)
    points = rng.uniform(1.2 * v.min(0), 1.2 * v.max(0), (60, 3))
    eyes = rng.normal(size=(4, 3)) * 2
    framed = rng.random((4, 60)) < 0.7
    a, b, c = v[f].transpose(1, 0, 2)
    expected = np.zeros(60, bool)
    for n, eye in enumerate(eyes):
        for k, p in enumerate(points):
            d = (eye - p) / np.linalg.norm(eye - p)
            system = np.stack([b - a, c - a, np.broadcast_to(-d, a.shape)], 2)
            regular = np.abs(np.linalg.det(system)) > 1e-14
            x = np.linalg.solve(system[regular], (p + 1e-3 * d - a[regular])[..., None])[..., 0]
            far = np.linalg.norm(eye - p) - 1e-3
            hit = (x[:, 0] >= 0) & (x[:, 1] >= 0) & (x[:, 0] + x[:, 1] <= 1) & (x[:, 2] > 0) & (x[:, 2] < far)
            expected[k] |= framed[n, k] and not hit.any()
    assert 0 < expected.sum() < 60
    assert seen_from(points, build_tree(v, f), eyes, framed, 1e-3).tolist() == expected.tolist()


def test_what_lies_behind_an_eye_hides_nothing() -> None:
    sheet = np.array([[-1.0, -1, 0], [3, -1, 0], [-1, 3, 0]]), np.array([[0, 1, 2]])
    point, framed = np.array([[0.0, 0, -2]]), np.ones((1, 1), bool)
    assert seen_from(point, build_tree(*sheet), np.array([[0.0, 0, -1]]), framed, 1e-3).all()
    assert not seen_from(point, build_tree(*sheet), np.array([[0.0, 0, 1]]), framed, 1e-3).any()
    assert not seen_from(point, build_tree(*sheet), np.array([[0.0, 0, -1]]), ~framed, 1e-3).any()
    assert seen_from(
        point, build_tree(sheet[0], np.zeros((0, 3), np.int64)), np.array([[0.0, 0, 1]]), framed, 1e-3
    ).all()


def test_a_line_between_two_walls_is_free_and_one_in_a_box_is_not() -> None:
    square = np.array([[0, 1, 2], [0, 2, 3]])
    x = np.array([[0.0, -1, -1], [0, 1, -1], [0, 1, 1], [0, -1, 1]])
    walls = np.concatenate([x, x + np.array([1, 0, 0])]), np.concatenate([square, square + 4])
    inside, normal = np.array([[0.0, 0.2, 0.1]]), np.array([[1.0, 0, 0]])
    assert outlined(inside, normal, build_tree(*walls), 0.05).all()
    v, f = SAMPLES["sphere"]().numpy()
    assert not outlined(np.array([[0.0, 0, 0]]), normal, build_tree(v, f), 0.05).any()
    assert outlined(inside, normal, build_tree(v[:0], f[:0]), 0.05).all()
