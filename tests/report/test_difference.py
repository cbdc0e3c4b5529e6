"""Differences as people see them."""

from __future__ import annotations

import numpy as np
import pytest

from invrender.report.difference import EXCESS, MISSING, OUTLINE, enlarged, iou, outlines, psnr, signed


def test_what_is_missing_and_what_is_too_much_have_colours_of_their_own() -> None:
    target, estimate = np.zeros((20, 20)), np.zeros((20, 20))
    target[5:15, 3:12], estimate[5:15, 6:17] = 1, 1
    shown = outlines(np.full((20, 20, 3), 255, np.uint8), target, estimate).astype(int)
    blue, orange, both, neither = shown[9, 4], shown[9, 15], shown[9, 8], shown[1, 1]
    assert np.abs(blue - MISSING).sum() < np.abs(blue - EXCESS).sum()
    assert np.abs(orange - EXCESS).sum() < np.abs(orange - MISSING).sum()
    assert (both == 255).all() and (neither == 255).all()
    assert tuple(shown[9, 12]) == OUTLINE  # beyond the target's border
    assert iou(target, estimate) == pytest.approx(60 / 140)


def test_unknown_pixels_have_no_tint() -> None:
    known = np.zeros((8, 8), bool)
    shown = outlines(np.full((8, 8, 3), 255, np.uint8), np.ones((8, 8)), np.zeros((8, 8)), known)
    assert (shown == 255).all()
    assert iou(np.ones((8, 8)), np.zeros((8, 8)), known) == 1


def test_too_bright_is_red_and_too_dark_is_blue() -> None:
    target = np.full((1, 3, 3), 100, np.uint8)
    estimate = target.copy()
    estimate[0, 0], estimate[0, 1] = 200, 20
    (bright, dark, same) = signed(target, estimate)[0].astype(int)
    assert bright[0] > bright[2] + 100 and dark[2] > dark[0] + 100
    assert np.ptp(same) == 0 and same[0] > 240
    assert psnr(target, target) == 99
    assert psnr(np.zeros((2, 2), np.uint8), np.full((2, 2), 255, np.uint8)) == pytest.approx(0)


def test_pictures_are_scaled_to_their_longer_side() -> None:
    picture = np.zeros((10, 20, 3), np.uint8)
    assert enlarged(picture, 50).shape == (25, 50, 3)
    assert enlarged(picture, 10).shape == (5, 10, 3)
