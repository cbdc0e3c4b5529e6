"""Surfaces stay embedded: motions that cross sheets are taken back, thin parts get smaller triangles."""

import numpy as np
import trimesh

from invrender.geometry.connectivity import components, genus, is_closed_manifold
from invrender.geometry.embedded import remesh_embedded, roll_back
from invrender.geometry.intersections import self_intersections
from invrender.geometry.remesh import remesh


def slab(thickness: float):
    box = trimesh.creation.box((2.0, 2.0, thickness))
    return remesh(np.asarray(box.vertices), np.asarray(box.faces), 0.15)


def test_a_motion_through_the_opposite_sheet_is_taken_back_there_and_not_far_away():
    v, f = slab(0.2)
    distance = np.linalg.norm(v - [0.5, 0.5, 0.1], axis=1)
    moved = v - [0.0, 0.0, 0.5] * np.exp(-((distance / 0.12) ** 2))[:, None] * (v[:, 2] > 0.05)[:, None]
    moved += [0.01, 0.0, 0.0]
    assert len(self_intersections(moved, f)) > 0
    kept, left = roll_back(v, moved, f)
    assert left == 0 and len(self_intersections(kept, f)) == 0
    far = np.linalg.norm((v - [0.5, 0.5, 0])[:, :2], axis=1) > 1.6
    assert np.array_equal(kept[far], moved[far])


def test_a_harmless_motion_is_kept_to_the_bit():
    v, f = slab(0.2)
    kept, left = roll_back(v, 1.5 * v, f)
    assert left == 0
    assert np.array_equal(kept, 1.5 * v)


def test_a_tunnel_narrower_than_an_edge_is_remeshed_without_intersections():
    ring = trimesh.creation.annulus(r_min=0.04, r_max=1.0, height=0.3, sections=48)
    found = remesh_embedded(np.asarray(ring.vertices), np.asarray(ring.faces), 0.25)
    v, f = found.vertices, found.faces
    assert found.changed and found.left == 0
    assert is_closed_manifold(f)
    assert genus(f) == 1
    assert len(self_intersections(v, f)) == 0


def test_where_no_attempt_succeeds_the_surface_stays_as_it_was(shapes):
    v, f = shapes["frame"]()
    found = remesh_embedded(v, f, 4.0)
    v2, f2 = found.vertices, found.faces
    assert not found.changed
    assert np.array_equal(v2, v) and np.array_equal(f2, f)
    assert len(self_intersections(v2, f2)) == 0
    assert genus(f2) == genus(f)


def test_intersections_that_are_tolerated_do_not_keep_the_triangles_from_changing(shapes):
    v, f = shapes["frame"]()
    found = remesh_embedded(v, f, 4.0, tolerated=len(f))
    assert found.changed
    assert found.left == len(self_intersections(found.vertices, found.faces)) > 0


def test_components_smaller_than_an_edge_survive(shapes):
    crumb, g = shapes["sphere"](6)
    v, f = shapes["torus"]()
    offset = np.array([[0.0, 0, 2], [0, 0, -2]])
    v = np.concatenate([v, *(0.02 * crumb + o for o in offset)])
    f = np.concatenate([f, *(g + len(v) - (2 - k) * len(crumb) for k in range(2))])
    found = remesh_embedded(v, f, 0.1)
    v2, f2 = found.vertices, found.faces
    assert is_closed_manifold(f2)
    assert components(f2).max() == 2
    assert genus(f2) == 1
    assert len(self_intersections(v2, f2)) == 0
