"""Scores of pictures against photographs, on pictures whose scores are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from invrender.colour import srgb_to_linear
from invrender.evaluate.pictures import compared, mean_scores, scores

SIZE = (32, 48)


def discs(left: float = 24.0) -> tuple[np.ndarray, np.ndarray]:
    """A grey disc over black, and its coverage."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    cover = ((x - left) ** 2 + (y - 16) ** 2 < 100).astype(float)
    return np.repeat(0.5 * cover[..., None], 3, 2), cover


def test_a_constant_error_has_its_decibels_where_the_object_is() -> None:
    target, mask = discs()
    found = scores(target + 0.1 * mask[..., None], mask, target, mask)
    assert found.psnr_shared == pytest.approx(20)
    assert found.psnr_masked == pytest.approx(20)
    assert found.psnr_whole == pytest.approx(20 - 10 * math.log10(mask.mean()))
    assert found.iou == 1


def test_a_miss_costs_masked_but_not_shared_decibels() -> None:
    target, mask = discs()
    half = mask * (np.arange(SIZE[1]) < 24)
    found = scores(target * half[..., None], half, target, mask)
    assert found.psnr_shared == pytest.approx(120)
    share = 1 - half.sum() / mask.sum()
    assert found.psnr_masked == pytest.approx(-10 * math.log10(share * 0.25))
    assert found.iou == pytest.approx(1 - share)
    assert found.ssim < 0.9


def test_unknown_pixels_do_not_count() -> None:
    target, mask = discs()
    known = np.arange(SIZE[1])[None].repeat(SIZE[0], 0) < 24
    wrong = np.where(known[..., None], target, 1.0)
    drawn = torch.from_numpy(np.concatenate([srgb_to_linear(wrong), np.where(known, mask, 1.0)[..., None]], -1))[None]
    images = torch.from_numpy(srgb_to_linear(target))[None].float()
    masks = torch.from_numpy(mask)[None].float()
    (found,) = compared(drawn, images, masks, torch.from_numpy(known)[None].float()).each
    assert found.iou == pytest.approx(1)
    assert found.psnr_whole > 60
    assert compared(drawn, images, masks).each[0].psnr_whole < 10


def test_views_that_tell_nothing_are_left_out_of_the_mean() -> None:
    target, mask = discs()
    nothing = scores(target * 0, mask * 0, target, mask)
    assert math.isnan(nothing.psnr_shared)
    both = mean_scores([nothing, scores(target, mask, target, mask)])
    assert both.psnr_shared == pytest.approx(120)
    assert both.iou == pytest.approx(0.5)
