"""Parts, Euler numbers and surroundings of sets of voxels, held against scipy and scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import euler_number as reference

from invrender.geometry.voxel_parts import euler_number, labelled, widened

EVERYWHERE = np.ones((3, 3, 3), bool)


@pytest.fixture(params=[0.03, 0.1, 0.3, 0.6, 0.95])
def sets(request):
    """Random sets of voxels of all shapes, some of which are a point, a line or a plane."""
    random = np.random.default_rng(0)
    return [random.random(random.integers(1, 13, 3)) < request.param for _ in range(30)]


def test_parts_are_numbered_as_by_scipy(sets):
    for inside in sets:
        (part, count), (expected, expected_count) = labelled(inside), ndimage.label(inside, EVERYWHERE)
        assert count == expected_count
        np.testing.assert_array_equal(part, expected)


@pytest.mark.parametrize(("corners", "neighbours"), [(False, 1), (True, 3)])
def test_euler_numbers_are_those_of_scikit_image(sets, corners, neighbours):
    for inside in sets:
        assert euler_number(inside, corners) == reference(inside, neighbours)


@pytest.mark.parametrize("times", [1, 4])
def test_sets_are_widened_as_by_scipy(sets, times):
    for inside in sets:
        np.testing.assert_array_equal(widened(inside, times), ndimage.binary_dilation(inside, EVERYWHERE, times))
