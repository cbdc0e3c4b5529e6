"""Straight colours of pixels that show some of the backdrop, against the mixtures that they were made of."""

from __future__ import annotations

import numpy as np

from invrender.segmentation.matting import unmixed


def test_the_backdrop_is_taken_out_of_mixed_pixels_alone():
    random = np.random.default_rng(2)
    cover = np.zeros((6, 9), np.float32)
    cover[:, 3:] = 1
    cover[:, 3] = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95)
    object_, backdrop = random.uniform(0.2, 0.9, (6, 9, 3)).astype(np.float32), np.float32([0.02, 0.1, 0.3])
    mixed = cover[..., None] * object_ + (1 - cover[..., None]) * backdrop
    found = unmixed(mixed, cover)
    np.testing.assert_allclose(found[:, 3], object_[:, 3], atol=1e-5)
    whole = (cover == 0) | (cover == 1)
    assert np.array_equal(found[whole], mixed[whole])


def test_pixels_that_hardly_show_the_object_stay_finite_and_masks_without_outline_change_nothing():
    picture = np.full((4, 4, 3), 0.01, np.float32)
    picture[1] = 0.5
    cover = np.zeros((4, 4), np.float32)
    cover[1] = 1e-7
    assert float(unmixed(picture, cover).max()) < 6
    assert unmixed(picture, np.ones((4, 4), np.float32)) is picture
    assert unmixed(picture, np.zeros((4, 4), np.float32)) is picture
