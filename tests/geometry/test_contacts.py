"""Handles of surfaces where voxels meet at an edge alone are taken away one voxel at a time, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.measure import marching_cubes

from invrender.geometry.connectivity import components, genus
from invrender.geometry.contacts import without_contacts


def field_of(voxels, value):
    """-1, and a value at some voxels."""
    field = np.full((12, 12, 5), -1, np.float32)
    field[tuple(np.array(voxels).T)] = value
    return field


def count(field):
    faces = marching_cubes(field, 1e-5)[1].astype(np.int64)
    parts = int(components(faces).max()) + 1
    return parts, parts - (len(np.unique(faces)) - len(faces) // 2) // 2


RING = [(x, y, 2) for x in range(2, 7) for y in range(2, 7) if (x in (2, 6) or y in (2, 6)) and (x, y) != (6, 6)]
"""It closes at the edge that (6, 5) and (5, 6) share, alone."""
BAR = [(x, y, 2) for x in range(7, 10) for y in (7, 8)]


@pytest.mark.parametrize("value", [2, 0.5])
def test_a_ring_that_closes_at_an_edge_is_cut_or_filled_where_that_is_allowed(value):
    field = field_of(RING, value)
    joined = count(field)[1]
    assert joined == (value > 1)  # the surface joins what is deeper inside than its neighbours are outside
    mended = without_contacts(field, 1.0, lambda voxel, cut: True, count)
    assert (mended is not None) == joined
    if mended is not None:
        assert count(mended) == (1, 0)
        assert genus(marching_cubes(mended, 1e-5)[1].astype(np.int64)) == 0
        assert (mended != field).sum() == 1


def test_what_an_image_needs_is_not_cut():
    asked = []
    field = field_of(RING, 2)

    def allowed(voxel, cut):
        asked.append((tuple(voxel[0]), cut))
        return False

    assert without_contacts(field, 1.0, allowed, count) is None
    assert {((6, 5, 2), True), ((5, 6, 2), True)} <= set(asked)


def test_parts_that_an_edge_alone_joins_stay_joined():
    """The ring's handle is real; without the edge, the bar beside it would be a part of its own."""
    field = field_of([*RING, (6, 6, 2), *BAR], 2)
    assert count(field) == (1, 1)
    asked = []
    assert without_contacts(field, 1.0, lambda voxel, cut: not asked.append(tuple(voxel[0])), count) is None
    assert (6, 6, 2) in asked
