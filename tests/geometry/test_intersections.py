import numpy as np
import pytest

from invrender.geometry.intersections import self_intersections


def concatenate(*meshes):
    offset, vertices, faces = 0, [], []
    for v, f in meshes:
        vertices.append(v)
        faces.append(f + offset)
        offset += len(v)
    return np.concatenate(vertices), np.concatenate(faces)


def brute_force(v, f):
    """Moeller-Trumbore of every edge of every face against all faces."""
    a, e1, e2 = v[f[:, 0]], v[f[:, 1]] - v[f[:, 0]], v[f[:, 2]] - v[f[:, 0]]
    pairs = set()
    for j, face in enumerate(f):
        for p, q in (face[[0, 1]], face[[1, 2]], face[[2, 0]]):
            d = v[q] - v[p]
            det = np.einsum("ij,ij->i", np.cross(d, e2), e1)
            det = np.where(det == 0, np.nan, det)  # parallel: never a hit
            s = v[p] - a
            r = np.cross(s, e1)
            x, y, t = ((m * n).sum(1) / det for m, n in ((np.cross(d, e2), s), (r, d), (r, e2)))
            hit = (x >= 0) & (y >= 0) & (x + y <= 1) & (t > 0) & (t < 1)
            hit &= ~((f == p) | (f == q)).any(1)
            pairs |= {(min(i, j), max(i, j)) for i in np.flatnonzero(hit).tolist()}
    return sorted(pairs)


def test_two_triangles_that_cross():
    v = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0.2, 0.2, -1], [0.2, 0.2, 1], [2, 2, 0.5]], float)
    assert self_intersections(v, np.array([[0, 1, 2], [3, 4, 5]])).tolist() == [[0, 1]]
    v[3:] += [0, 0, 5]
    assert len(self_intersections(v, np.array([[0, 1, 2], [3, 4, 5]]))) == 0


def test_a_face_whose_far_edge_pierces_a_face_at_its_own_vertex_counts():
    v = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0.4, 0.4, -1], [0.4, 0.4, 1]], float)
    assert self_intersections(v, np.array([[0, 1, 2], [0, 3, 4]])).tolist() == [[0, 1]]


def test_rounding_makes_no_neighbours_intersect(shapes):
    v, f = shapes["sphere"](20)
    v = v + np.random.default_rng(0).normal(size=v.shape) * 0.004
    assert len(self_intersections(v, f)) == 0
    assert len(self_intersections(v + 1000.3, f)) == 0


@pytest.mark.parametrize("name", ["sphere", "torus", "frame"])
def test_clean_surfaces_have_none(shapes, name):
    assert len(self_intersections(*shapes[name]())) == 0


def test_faces_that_touch_do_not_count():
    v = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]], float)
    f = np.array([[0, 1, 2], [1, 3, 2], [0, 2, 1], [0, 1, 4]])  # flat neighbours, a double face, a fan at an edge
    assert len(self_intersections(v, f)) == 0


def test_agrees_with_all_pairs_on_a_crumpled_surface(shapes):
    v, f = shapes["sphere"](9)
    v = v + np.random.default_rng(1).normal(size=v.shape) * 0.12
    expected = brute_force(v, f)
    assert len(expected) > 20
    assert [tuple(p) for p in self_intersections(v, f).tolist()] == expected


def test_triangles_of_very_different_sizes_are_found(shapes):
    v, f = shapes["sphere"](40)
    plate = np.array([[-50.0, -50, 0.01], [50, -50, 0.013], [0, 80, 0.016]]), np.array([[0, 1, 2]])
    pairs = self_intersections(*concatenate((v, f), plate))
    z = (v - [0, 0, 0.01])[f][:, :, 2] - 0.003 * (v[f][:, :, 0] + 50) / 100 - 0.0045 * (v[f][:, :, 1] + 50) / 130
    crossing = np.flatnonzero((z.min(1) < 0) & (z.max(1) > 0))
    assert (pairs[:, 1] == len(f)).all()
    assert np.array_equal(pairs[:, 0], crossing)


def test_crossing_spheres_meet_along_one_closed_curve(shapes):
    v, f = shapes["sphere"](20)
    pairs = self_intersections(*concatenate((v, f), (v + np.array([0.711, 0.013, 0.029]), f)))
    assert len(pairs) > 50
    assert (pairs[:, 0] < len(f)).all()
    assert (pairs[:, 1] >= len(f)).all()


def test_empty_and_single_faces():
    assert self_intersections(np.zeros((0, 3)), np.zeros((0, 3), int)).shape == (0, 2)
    assert self_intersections(np.eye(3), np.array([[0, 1, 2]])).shape == (0, 2)
