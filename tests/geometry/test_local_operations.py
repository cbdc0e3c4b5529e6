"""The guards of remeshing, each in the smallest situation that needs it."""

import numpy as np
import pytest

from invrender.geometry.closest import Surface
from invrender.geometry.connectivity import drop_unused, genus, is_closed_manifold, signed_volume
from invrender.geometry.local_operations import collapse_short, flip_edges, split_long
from invrender.geometry.remesh import remesh, without_folds
from invrender.geometry.vectors import area_vectors, dot, unit

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
TETRAHEDRON = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])


def ring(around, across, minor=0.3):
    """A torus of `around` x `across` quads cut into triangles."""
    i, j = np.meshgrid(np.arange(around), np.arange(across), indexing="ij")
    a, b = 2 * np.pi * i.ravel() / around, 2 * np.pi * j.ravel() / across
    r = 1 + minor * np.cos(b)
    v = np.stack([r * np.cos(a), r * np.sin(a), minor * np.sin(b)], 1)

    def at(s, t):
        return (((i + s) % around) * across + (j + t) % across).ravel()

    quads = at(0, 0), at(1, 0), at(1, 1), at(0, 1)
    f = np.concatenate([np.stack([quads[0], quads[1], quads[2]], 1), np.stack([quads[0], quads[2], quads[3]], 1)])
    return v, f


def box(cells):
    """A unit cube whose sides are grids of cells x cells."""
    g = np.stack(np.meshgrid(*[np.arange(cells + 1)] * 2, indexing="ij"), -1).reshape(-1, 2) / cells
    n = cells + 1
    quad = (np.arange(cells)[:, None] * n + np.arange(cells)).ravel()
    f = np.concatenate([np.stack([quad, quad + n, quad + n + 1], 1), np.stack([quad, quad + n + 1, quad + 1], 1)])
    sides = []
    for axis in range(3):
        for end in (0, 1):
            p = np.insert(g, axis, float(end), axis=1)
            flip = (end == 0) != (axis == 1)
            sides.append(p[(f[:, ::-1] if flip else f).ravel()])
    soup = np.concatenate(sides)
    v, f = np.unique(np.round(soup * cells).astype(int), axis=0, return_inverse=True)
    return v / cells, f.reshape(-1, 3)


@pytest.mark.parametrize("across", [3, 4, 5])
def test_a_thin_tube_is_not_pinched_off(across):
    v, f = ring(24, across)
    assert is_closed_manifold(f)
    _, f2 = collapse_short(v, np.full(len(v), 50.0), f)
    assert is_closed_manifold(f2)
    assert genus(f2) == 1
    _, f3 = remesh(v, f, 5.0)
    assert is_closed_manifold(f3)
    assert genus(f3) == 1


def test_a_tetrahedron_cannot_collapse():
    _, f = collapse_short(CORNERS, np.full(4, 100.0), TETRAHEDRON)
    assert np.array_equal(f, TETRAHEDRON)


def test_collapsing_a_convex_surface_turns_no_face_inside_out(shapes):
    v, f = shapes["sphere"](14)
    v, f = drop_unused(*collapse_short(v, np.full(len(v), 10.0), f, passes=3))
    assert is_closed_manifold(f)
    assert (dot(area_vectors(v, f), v[f].mean(1)) > 0).all()
    assert signed_volume(v, f) > 2.0


def test_collapses_and_flips_keep_the_sharp_edges_of_a_box():
    v, f = box(6)
    assert signed_volume(v, f) == pytest.approx(1)
    rng = np.random.default_rng(0)
    for _ in range(3):  # random diagonals, so that there is something to flip
        inner = ((v > 0) & (v < 1)).sum(1) == 2
        v = v + np.where(inner[:, None] & (v > 0) & (v < 1), rng.uniform(-0.06, 0.06, v.shape), 0)
        f = flip_edges(v, f)
        assert signed_volume(v, f) == pytest.approx(1, abs=1e-12)
    assert is_closed_manifold(f)


def test_flips_never_double_an_edge():
    for across in (3, 4):
        v, f = ring(5, across, minor=0.05)
        f = flip_edges(v, f)
        assert is_closed_manifold(f)
        assert genus(f) == 1


def test_splitting_changes_neither_shape_nor_topology():
    v, f = ring(7, 5)
    v2, lengths, f2 = split_long(v, np.full(len(v), 0.1), f)
    assert is_closed_manifold(f2)
    assert genus(f2) == 1
    assert len(lengths) == len(v2)
    assert signed_volume(v2, f2) == pytest.approx(signed_volume(v, f))
    assert np.array_equal(v2[: len(v)], v)


def test_a_move_that_would_fold_a_face_is_taken_back(shapes):
    v, f = shapes["sphere"](12)
    moved = v.copy()
    moved[5] *= -1
    kept = without_folds(v, moved, f)
    assert np.array_equal(kept, v)
    gentle = v * 1.01
    assert np.array_equal(without_folds(v, gentle, f), gentle)


def test_the_two_sides_of_a_thin_sheet_are_told_apart_by_normals(shapes):
    v, f = shapes["slab"]()
    surface = Surface(v, f, normal_weight=0.3)
    points = np.array([[0.1, 0.2, 0.05], [0.1, 0.2, -0.05]])
    up = np.tile([0.0, 0.0, 1.0], (2, 1))
    for side in (1, -1):
        closest, _, face = surface.closest(points, side * up)
        assert np.allclose(closest[:, 2], 0.06 * side, atol=1e-3)
        assert (unit(area_vectors(v, f[face]))[:, 2] * side > 0.9).all()


def test_a_flip_across_a_crease_is_refused():
    angle = 2 * np.pi * np.arange(8) / 8  # a tall double pyramid: flips would even out its valences and cut its edges
    v = np.concatenate([np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1), [[0, 0, 5], [0, 0, -5]]])
    i = np.arange(8)
    j, top, bottom = (i + 1) % 8, np.full(8, 8), np.full(8, 9)
    f = np.concatenate([np.stack([i, j, top], 1), np.stack([j, i, bottom], 1)])
    assert np.array_equal(flip_edges(v, f), f)
    flat = v * [1, 1, 0.01]
    assert not np.array_equal(flip_edges(flat, f), f)


def test_a_regular_grid_is_thinned_in_a_few_passes():
    v, f = box(20)  # ties in length all over
    _, f2 = collapse_short(v, np.full(len(v), 0.1), f, passes=6)
    assert len(f2) < 0.7 * len(f)
    assert is_closed_manifold(f2)
