"""Sample volumes: finite densities in the unit frame, the same every time, each with the shape its name promises."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import label

from invrender.samples import VOLUMES, describe


@pytest.mark.parametrize("name", VOLUMES)
def test_densities_are_finite_and_stay_off_the_border(name):
    volume = VOLUMES[name](32)
    values = volume.values[0].numpy()
    assert values.shape == (32, 32, 32)
    assert np.array_equal(volume.bounds, [[-0.5] * 3, [0.5] * 3])
    assert np.isfinite(values).all()
    assert values.min() == 0
    assert 0.4 < values.max() < 4
    border = values.copy()
    border[1:-1, 1:-1, 1:-1] = 0
    assert border.max() < 0.02 * values.max()
    assert np.array_equal(values, VOLUMES[name](32).values[0].numpy())
    assert describe(name).endswith(".")


@pytest.mark.parametrize(
    ("name", "bodies", "holes"), [("volume-torus", 1, 1), ("double-sphere", 2, 1), ("helix", 1, 1)]
)
def test_the_shapes_have_their_parts(name, bodies, holes):
    solid = VOLUMES[name](64).values[0].numpy() > 0.12
    assert label(solid)[1] == bodies
    assert (label(~solid)[1] - 1 >= holes) == (name == "double-sphere")  # only the shell encloses air


def test_the_phantom_has_the_grey_of_its_brain():
    head = VOLUMES["shepp-logan"](64).values[0].numpy()
    assert abs(float(np.median(head[head > 0.05])) - 0.2) < 1e-6
    assert head.max() == 1
