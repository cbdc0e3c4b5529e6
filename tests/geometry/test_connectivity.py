import numpy as np
import pytest

from invrender.errors import InputError
from invrender.geometry.connectivity import (
    components,
    edge_table,
    euler_characteristic,
    genus,
    is_closed_manifold,
    is_watertight,
    largest_component,
    merge_vertices,
    orient_outward,
    signed_volume,
)

TETRAHEDRON = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)


def test_edges_of_a_tetrahedron():
    t = edge_table(TETRAHEDRON, 4)
    assert t.vertices.tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]
    for (a, b), (f, g), (c, d) in zip(t.vertices, t.faces, t.opposite, strict=True):
        assert set(TETRAHEDRON[f]) == {a, b, c}
        assert set(TETRAHEDRON[g]) == {a, b, d}
        corner = TETRAHEDRON[f].tolist()
        assert corner[(corner.index(a) + 1) % 3] == b


SHARING_AN_EDGE = np.concatenate([TETRAHEDRON, np.array([0, 1, 4, 5])[TETRAHEDRON]])


@pytest.mark.parametrize(
    "faces",
    [
        TETRAHEDRON[1:],
        np.concatenate([TETRAHEDRON, TETRAHEDRON]),
        SHARING_AN_EDGE,
        SHARING_AN_EDGE[::-1],
        TETRAHEDRON[:0],
    ],
)
def test_edge_table_refuses_what_is_not_a_closed_manifold(faces):
    with pytest.raises(InputError, match="closed manifold"):
        edge_table(faces, 6)
    assert not is_closed_manifold(faces)


def test_counts(shapes):
    v, f = shapes["torus"]()
    both = np.concatenate([f, TETRAHEDRON + len(v)])
    assert is_watertight(both)
    assert euler_characteristic(both) == 2
    assert genus(both) == 1
    assert np.bincount(components(both)).tolist() == [len(f), 4]
    assert genus(both[1:]) is None
    assert genus(TETRAHEDRON[:0]) is None


def test_volume_and_orientation():
    assert signed_volume(CORNERS, TETRAHEDRON) == pytest.approx(1 / 6)
    turned = TETRAHEDRON[:, ::-1]
    assert signed_volume(CORNERS + 1e6, turned) == pytest.approx(-1 / 6)
    assert signed_volume(CORNERS, orient_outward(CORNERS, turned)) == pytest.approx(1 / 6)


def test_merging_a_triangle_soup_closes_it(shapes):
    v, f = shapes["sphere"](12)
    soup = v[f].reshape(-1, 3), np.arange(3 * len(f)).reshape(-1, 3)
    assert not is_watertight(soup[1])
    v2, f2 = merge_vertices(*soup)
    assert is_watertight(f2)
    assert len(v2) == len(v)
    assert np.array_equal(v2[f2], v[f])


def test_the_largest_component_is_the_one_of_most_volume(shapes):
    v, f = shapes["sphere"](12)
    v2, f2 = largest_component(np.concatenate([v * 0.5, v]), np.concatenate([f, f + len(v)]))
    assert np.array_equal(v2, v)
    assert np.array_equal(f2, f)
