"""Distances between the two kinds of pixels of a mask."""

from __future__ import annotations

import numpy as np
import pytest

from invrender.geometry.pixel_distance import distance_to_others


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (1, 30), (30, 1), (17, 24), (24, 17)])
@pytest.mark.parametrize("share", [0.03, 0.5, 0.97])
def test_every_distance_is_that_to_the_nearest_pixel_of_the_other_kind(shape: tuple[int, int], share: float) -> None:
    inside = np.random.default_rng(4).random(shape) < share
    inside.flat[0], inside.flat[-1] = True, False
    places = np.stack(np.indices(shape), -1).reshape(-1, 2)
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    other = inside.reshape(-1)[:, None] != inside.reshape(-1)[None]
    expected = np.where(other, apart, np.inf).min(1).reshape(shape)
    assert np.array_equal(distance_to_others(inside), expected)


def test_one_pixel_measures_the_whole_image() -> None:
    inside = np.zeros((40, 60), bool)
    inside[10, 50] = True
    y, x = np.indices(inside.shape)
    expected = np.hypot(y - 10, x - 50)
    expected[10, 50] = 1
    assert np.allclose(distance_to_others(inside), expected, rtol=1e-15)
