"""Attributes of vertices are carried from one mesh of a surface to another."""

import numpy as np
import pytest
import trimesh

from invrender.errors import UsageError
from invrender.geometry.attributes import transferred
from invrender.geometry.remesh import remesh


def test_what_is_linear_in_space_arrives_as_it_was(shapes):
    v, f = shapes["torus"]()
    to_v, to_f = remesh(v, f, 0.12)
    assert (transferred(np.full((len(v), 1), 0.7), v, f, to_v, to_f) == 0.7).all()
    slope = np.array([[1.0, -2.0], [0.5, 0.0], [0.0, 3.0]])
    found = transferred(v @ slope, v, f, to_v, to_f)
    assert np.abs(found - to_v @ slope).max() < 0.02  # by how much the meshes differ


def test_the_sides_of_a_thin_sheet_keep_their_own_colours():
    box = trimesh.creation.box((2.0, 2.0, 0.02))
    v, f = remesh(np.asarray(box.vertices), np.asarray(box.faces), 0.2)
    to_v, to_f = remesh(v, f, 0.13)
    to_v = to_v * [1.0, 1.0, 0.3]  # nearer to the middle than to either side
    found = transferred((v[:, 2:] > 0).astype(float), v, f, to_v, to_f)[:, 0]
    inner = (np.abs(to_v[:, :2]) < 0.7).all(1)
    assert np.array_equal(found[inner] > 0.5, to_v[inner, 2] > 0)


def test_triangles_without_area_give_what_their_nearest_corner_has():
    v = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]])
    f = np.array([[0, 1, 2]])
    found = transferred(np.eye(3), v, f, np.array([[0.1, 0, 0], [1.9, 0, 0], [1.0, 1, 0]]), f)
    assert np.array_equal(found, np.eye(3)[[0, 2, 1]])


def test_a_row_per_vertex_is_needed(shapes):
    v, f = shapes["sphere"](8)
    with pytest.raises(UsageError, match="rows of attributes"):
        transferred(v[:-1], v, f, v, f)
