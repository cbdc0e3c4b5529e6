"""Metrics against answers known in closed form."""

import math

import numpy as np
import pytest
import torch

from invrender.backends import select
from invrender.errors import InputError
from invrender.evaluate.distances import f_score, sample_surface
from invrender.evaluate.mesh import mesh_metrics, silhouette_iou
from invrender.geometry.bvh import build_tree
from invrender.geometry.closest import Surface
from invrender.geometry.remesh import remesh
from invrender.geometry.visibility import visible_from_outside
from invrender.nouns import Mesh
from invrender.samples import SAMPLES

QUICK = {"views": 4, "size": 96, "samples": 4000}


@pytest.fixture(scope="module")
def backend():
    return select("torch")


@pytest.fixture(scope="module")
def ball():
    """An almost exact unit sphere."""
    v, f = SAMPLES["sphere"]().numpy()
    v, f = remesh(v, f, 0.12 * np.abs(v).max(), iterations=2)
    return v / np.sqrt((v * v).sum(1, keepdims=True)), f


def mesh(v, f):
    return Mesh.from_numpy(np.asarray(v, float), np.asarray(f))


def test_a_mesh_agrees_with_itself(ball, backend):
    m = mesh_metrics(mesh(*ball), mesh(*ball), backend, **QUICK)
    assert m.iou == m.iou_min == m.f1 == m.f05 == 1.0
    assert m.chamfer < 1e-9
    assert m.normal_consistency == pytest.approx(1.0)
    assert (m.watertight, m.components, m.genus, m.euler, m.self_intersections) == (True, 1, 0.0, 2, 0)
    assert (m.vertices, m.faces, m.degenerate_faces) == (len(ball[0]), len(ball[1]), 0)


def test_a_sphere_against_a_larger_one(ball, backend):
    v, f = ball
    m = mesh_metrics(mesh(v * 1.1, f), mesh(v, f), backend, **QUICK | {"size": 256})
    diagonal = 2 * math.sqrt(3)
    assert m.chamfer == pytest.approx(0.1 / diagonal, rel=0.03)
    assert m.chamfer_visible == pytest.approx(0.1 / diagonal, rel=0.03)
    radius = 1 / 0.9  # of the evaluation frame; tangent cones of the two spheres seen from 3 of its units
    tangents = [r / math.sqrt((3 * radius) ** 2 - r * r) for r in (1.0, 1.1)]
    assert m.iou == pytest.approx((tangents[0] / tangents[1]) ** 2, abs=0.01)
    assert m.f1 == 0.0  # everything is 2.9 % away
    assert m.normal_consistency > 0.99


def test_metrics_do_not_depend_on_place_and_units(ball, backend):
    v, f = ball
    a = mesh_metrics(mesh(v * [1, 1, 0.9], f), mesh(v, f), backend, **QUICK)
    b = mesh_metrics(mesh(v * [1, 1, 0.9] * 512 + 2048, f), mesh(v * 512 + 2048, f), backend, **QUICK)
    assert b.chamfer == pytest.approx(a.chamfer, rel=1e-6)
    assert b.iou == pytest.approx(a.iou, abs=1e-3)


def test_a_stray_vertex_that_no_face_uses_changes_nothing(ball, backend):
    v, f = ball
    stray = mesh(np.concatenate([v, [[1e11, 0, 0]]]), f)
    m = mesh_metrics(mesh(v * 1.1, f), stray, backend, **QUICK)
    assert m == mesh_metrics(mesh(v * 1.1, f), mesh(v, f), backend, **QUICK)
    assert m.iou < 0.9
    assert m.watertight


def test_seeds_change_the_samples_only_a_little(ball, backend):
    v, f = ball
    pair = mesh(v * [1, 1, 0.9], f), mesh(v, f)
    a, b, c = (mesh_metrics(*pair, backend, **QUICK, seed=seed) for seed in (0, 0, 1))
    assert a == b
    assert a.chamfer != c.chamfer
    assert a.chamfer == pytest.approx(c.chamfer, rel=0.03)


def test_an_open_and_degenerate_result_is_measured_as_it_is(ball, backend):
    v, f = ball
    hole = np.concatenate([f[v[f].mean(1)[:, 2] < 0.8], [[0, 0, 1]]])
    v = np.concatenate([v, [[np.nan, 0, 0]]])
    hole = np.concatenate([hole, [[0, 1, len(v) - 1]]])
    m = mesh_metrics(mesh(v, hole), mesh(*ball), backend, **QUICK)
    assert (m.watertight, m.genus, m.euler, m.degenerate_faces) == (False, None, 1, 2)
    assert 0.9 < m.iou <= 1.0
    assert 0 < m.chamfer < 0.02


def test_an_empty_result_scores_nothing_and_an_empty_reference_is_refused(ball, backend):
    nothing = mesh(np.zeros((3, 3)), [[0, 1, 2]])
    m = mesh_metrics(nothing, mesh(*ball), backend, **QUICK)
    assert (m.iou, m.f1, m.chamfer, m.watertight, m.degenerate_faces) == (0.0, 0.0, None, False, 1)
    with pytest.raises(InputError):
        mesh_metrics(mesh(*ball), nothing, backend, **QUICK)


def test_split_vertices_are_joined_before_the_mesh_is_judged(ball, backend):
    v, f = ball
    m = mesh_metrics(mesh(v[f].reshape(-1, 3), np.arange(3 * len(f)).reshape(-1, 3)), mesh(v, f), backend, **QUICK)
    assert (m.watertight, m.components, m.genus) == (True, 1, 0.0)


def test_a_handle_and_a_crossing_are_counted(ball, backend):
    v, f = ball
    knot = SAMPLES["torus-knot"]()
    assert mesh_metrics(knot, knot, backend, **QUICK).genus == 1.0
    two = mesh(np.concatenate([v, v + np.array([0.7, 0.01, 0.02])]), np.concatenate([f, f + len(v)]))
    m = mesh_metrics(two, mesh(v, f), backend, **QUICK)
    assert m.components == 2
    assert m.self_intersections > 20


def test_what_lies_inside_counts_for_chamfer_but_not_for_its_visible_part(ball, backend):
    v, f = ball
    nested = mesh(np.concatenate([v, v * 0.5]), np.concatenate([f, f + len(v)]))
    m = mesh_metrics(nested, mesh(v, f), backend, **QUICK)
    diagonal = 2 * math.sqrt(3)
    assert m.chamfer == pytest.approx(0.2 * 0.5 / diagonal / 2, rel=0.05)  # a fifth of the area lies 0.5 away
    assert m.chamfer_visible < 1e-6
    assert m.iou == 1.0


def test_visibility_of_a_bowl():
    grid = np.linspace(-1, 1, 9)
    v = np.stack([np.repeat(grid, 9), np.tile(grid, 9), np.zeros(81)], 1)
    quad = (np.arange(8)[:, None] * 9 + np.arange(8)).ravel()
    f = np.concatenate([np.stack([quad, quad + 9, quad + 10], 1), np.stack([quad, quad + 10, quad + 1], 1)])
    points = np.array([[0.1, 0.2, 0.5], [0.1, 0.2, 0.0], [0.1, 0.2, -0.5]])
    assert visible_from_outside(points, build_tree(v, f), 1e-3).all()  # a sheet hides nothing from every side
    x, y, z = np.eye(3)
    floor, lid = v - z, v + z
    walls = [v[:, [2, 0, 1]] + s * x for s in (-1, 1)] + [v[:, [0, 2, 1]] + s * y for s in (-1, 1)]
    closed = np.concatenate([floor, lid, *walls]), np.concatenate([f + 81 * i for i in range(6)])
    assert visible_from_outside(np.array([[0, 0, 0.0], [0, 0, 1.5]]), build_tree(*closed), 1e-3).tolist() == [
        False,
        True,
    ]
    bowl = np.concatenate([floor, *walls]), np.concatenate([f + 81 * i for i in range(5)])
    assert visible_from_outside(np.array([[0.3, 0.1, -0.9]]), build_tree(*bowl), 1e-3).all()


def test_closest_points_agree_with_a_search_over_the_triangle():
    rng = np.random.default_rng(3)
    a, b, c, p = rng.normal(size=(4, 60, 3))
    q = np.concatenate(
        [Surface(np.stack(abc), np.array([[0, 1, 2]])).closest(x[None])[0] for *abc, x in zip(a, b, c, p, strict=True)]
    )
    n = 120
    i, j = np.array([(i, j) for i in range(n + 1) for j in range(n + 1 - i)]).T / n
    grid = (1 - i - j)[:, None, None] * a + i[:, None, None] * b + j[:, None, None] * c
    best = np.sqrt(((grid - p) ** 2).sum(2)).min(0)
    got = np.sqrt(((q - p) ** 2).sum(1))
    assert (got <= best + 1e-12).all()
    assert (best - got).max() < 0.05


def test_the_surface_of_a_coarse_mesh_answers_exactly():
    v = np.array([[0, 0, 0], [10, 0, 0], [0, 10, 0], [0, 0, 10]], float)
    f = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    p = np.random.default_rng(4).uniform(-2, 8, (300, 3))
    _, distance, _ = Surface(v, f).closest(p)
    exact = np.min([Surface(v, face[None]).closest(p)[1] for face in f], 0)
    assert np.allclose(distance, exact)


def test_samples_are_uniform_by_area():
    v = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 5], [3, 0, 5], [0, 1, 5]], float)
    points, face = sample_surface(v, np.array([[0, 1, 2], [3, 4, 5]]), 4000, 0)
    assert np.bincount(face).tolist() == pytest.approx([1000, 3000], abs=1)
    assert np.allclose(points[face == 0].mean(0), [1 / 3, 1 / 3, 0], atol=0.02)


def test_iou_and_f_score_by_hand():
    a, b = torch.zeros(2, 4, 4), torch.zeros(2, 4, 4)
    a[0, :, :2], b[0, :, 1:3] = 1.0, 1.0
    assert silhouette_iou(a, b).tolist() == pytest.approx([1 / 3, 1.0])
    assert f_score(np.array([0.0, 1.0]), np.array([0.0, 0.0]), 0.5) == pytest.approx(2 / 3)
    assert f_score(np.ones(3), np.ones(3), 0.5) == 0.0


def test_tangles_of_needles_are_measured_from_fewer_points_and_the_count_is_said(backend):
    """Slanted needles whose boxes overlap by the hundred; of all else as many points are taken as are asked for."""
    random = np.random.default_rng(0)
    tips = random.normal(size=(2, 3000, 3))
    v = np.concatenate([*tips, tips[0] + 1e-3 * random.normal(size=(3000, 3))])
    needles = Mesh.from_numpy(v, np.arange(9000).reshape(3, 3000).T)
    ball = SAMPLES["sphere"]()
    found = mesh_metrics(needles, ball, backend, views=1, size=32)
    assert 1000 <= found.surface_samples < 10_000
    assert mesh_metrics(ball, ball, backend, views=1, size=32).surface_samples == 30_000
    assert mesh_metrics(needles, ball, backend, views=1, size=32, samples=500).surface_samples == 500
