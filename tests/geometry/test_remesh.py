import sys

import numpy as np
import pytest

from invrender.errors import InputError, UsageError
from invrender.geometry.connectivity import components, genus, is_closed_manifold, signed_volume, unique_edges
from invrender.geometry.remesh import remesh
from invrender.geometry.vectors import norm, shape_quality


def edge_lengths(v, f):
    e = unique_edges(f)
    return norm(v[e[:, 0]] - v[e[:, 1]])


@pytest.mark.parametrize(("name", "length", "g"), [("sphere", 0.08, 0), ("torus", 0.07, 1), ("frame", 0.06, 8)])
def test_topology_survives(shapes, name, length, g):
    v, f = shapes[name]()
    v2, f2 = remesh(v, f, length)
    assert is_closed_manifold(f2)
    assert genus(f2) == genus(f) == g
    assert components(f2).max() == 0
    assert f2.max() + 1 == len(v2) == len(np.unique(f2))


@pytest.mark.parametrize("length", [0.03, 0.1, 0.3])
def test_triangles_of_a_sphere_are_regular_and_of_the_wanted_size(shapes, length):
    v, f = remesh(*shapes["sphere"](), length)
    assert edge_lengths(v, f).mean() == pytest.approx(length, rel=0.12)
    assert edge_lengths(v, f).max() < 1.7 * length
    valence = np.bincount(unique_edges(f).ravel())
    assert np.abs(valence - 6).mean() < 0.3
    assert np.percentile(shape_quality(v, f), 1) > 0.7


def test_vertices_stay_on_the_input_surface(shapes):
    v, _ = remesh(*shapes["sphere"](48), 0.1)
    assert np.abs(norm(v) - 1).max() < 0.01
    v, _ = remesh(*shapes["torus"](), 0.06)
    tube = np.hypot(np.hypot(v[:, 0], v[:, 1]) - 0.9, v[:, 2])
    assert np.abs(tube - 0.25).max() < 0.02


def test_the_volume_is_kept(shapes):
    v, f = shapes["torus"]()
    assert signed_volume(*remesh(v, f, 0.06)) == pytest.approx(signed_volume(v, f), rel=0.02)


def test_without_projection_the_surface_only_shrinks_a_little(shapes):
    v, f = shapes["sphere"]()
    assert 0.93 < signed_volume(*remesh(v, f, 0.12, project=False)) / signed_volume(v, f) < 1.0


def test_edge_length_per_vertex_grades_the_mesh(shapes):
    v, f = shapes["sphere"]()
    v2, f2 = remesh(v, f, np.where(v[:, 0] < 0, 0.05, 0.15))
    e = unique_edges(f2)
    middle, length = (v2[e[:, 0]] + v2[e[:, 1]])[:, 0] / 2, edge_lengths(v2, f2)
    assert length[middle < -0.4].mean() == pytest.approx(0.05, rel=0.15)
    assert length[middle > 0.4].mean() == pytest.approx(0.15, rel=0.15)
    assert is_closed_manifold(f2)


def test_degenerate_faces_of_marching_cubes_are_removed(shapes):
    v, f = shapes["torus"]()
    snapped = np.round(v * 14) / 14  # many vertices now coincide
    v2, f2 = remesh(snapped, f, 0.1)
    assert is_closed_manifold(f2)
    assert genus(f2) == 1
    assert shape_quality(v2, f2).min() > 0.05


def test_the_result_does_not_depend_on_units(shapes):
    v, f = shapes["torus"](30)
    v1, f1 = remesh(v, f, 0.1)
    v2, f2 = remesh(v * 1024, f, 0.1 * 1024)
    assert np.array_equal(f1, f2)
    assert np.allclose(v2, v1 * 1024)


def test_open_and_inconsistent_meshes_are_refused(shapes):
    v, f = shapes["sphere"](12)
    with pytest.raises(InputError):
        remesh(v, f[1:], 0.1)
    with pytest.raises(InputError):
        remesh(v, np.concatenate([f[:1, ::-1], f[1:]]), 0.1)


@pytest.mark.parametrize("length", [0.0, -1.0, float("nan"), np.ones(3), 1e-5])
def test_senseless_lengths_are_refused(shapes, length):
    with pytest.raises(UsageError):
        remesh(*shapes["sphere"](12), length)


def python_lines(call):
    """How many lines of Python `call` runs; compiled code counts as the line that calls it."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def test_no_work_on_single_faces_is_left_to_python(shapes):
    """The lines that run do not depend on the number of faces: what does is compiled, or done on whole arrays."""
    few, many = shapes["sphere"](24), shapes["sphere"](60)
    assert len(many[1]) > 6 * len(few[1]) > 17_000
    remesh(*few, 0.5)  # compiles
    lines = [
        python_lines(lambda shape=shape: remesh(*shape, float(edge_lengths(*shape).mean()))) for shape in (few, many)
    ]
    assert lines[1] < 1.2 * lines[0]


def test_sheets_that_touch_at_a_vertex_are_parted(shapes):
    v, f = shapes["sphere"]()
    top, bottom = v[:, 2].argmax(), v[:, 2].argmin()
    v = np.concatenate([v, v + (v[top] - v[bottom])])
    lower = np.where(f == bottom, top - len(v) // 2, f) + len(v) // 2  # the upper sphere stands on the lower one
    f = np.concatenate([f, lower])
    assert not is_closed_manifold(f)
    _, f2 = remesh(v, f, 0.2)
    assert is_closed_manifold(f2)
    assert components(f2).max() == 1
    assert genus(f2) == 0


def test_a_fan_of_needles_becomes_regular():
    angle = 2 * np.pi * np.arange(300) / 300
    rim = np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1)
    i = np.arange(300)
    j = (i + 1) % 300
    v = np.concatenate([rim, [[0, 0, 0.7], [0, 0, -0.7]]])
    f = np.concatenate([np.stack([i, j, 0 * i + 300], 1), np.stack([j, i, 0 * i + 301], 1)])
    v2, f2 = remesh(v, f, 0.1)
    assert is_closed_manifold(f2)
    assert np.bincount(unique_edges(f2).ravel()).max() <= 10
    assert np.percentile(shape_quality(v2, f2), 1) > 0.6
