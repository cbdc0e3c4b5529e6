"""Volume metrics: exact answers for known errors, and skimage's SSIM."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from invrender.backends import select
from invrender.errors import InputError
from invrender.evaluate.volume import ssim, volume_metrics
from invrender.nouns import Volume
from invrender.samples import VOLUMES

KERNELS = select("torch", needs=("volumes",))


@pytest.fixture(scope="module")
def ball() -> Volume:
    return VOLUMES["double-sphere"](24)


def test_a_volume_against_itself(ball: Volume) -> None:
    same = volume_metrics(ball, ball, KERNELS, 2, 16)
    assert (same.psnr, same.relative_l2, same.heldout_psnr) == (math.inf, 0.0, math.inf)
    assert same.ssim == pytest.approx(1.0)


def test_a_known_error(ball: Volume) -> None:
    """An offset of 1 % of the peak is 40 dB."""
    peak = float(ball.values.max())
    m = volume_metrics(Volume(ball.values + 0.01 * peak, ball.bounds), ball, KERNELS, 2, 16)
    assert m.psnr == pytest.approx(40, abs=1e-3)
    norm = float(np.linalg.norm(ball.values.numpy()))
    assert m.relative_l2 == pytest.approx(0.01 * peak * math.sqrt(24**3) / norm, rel=1e-4)
    assert m.heldout_psnr is not None
    assert m.heldout_psnr_worst is not None
    assert 20 < m.heldout_psnr_worst <= m.heldout_psnr < 60


def test_ssim_is_that_of_skimage() -> None:
    from skimage.metrics import structural_similarity

    random = np.random.default_rng(0)
    a = random.random((20, 22, 24))
    b = a + 0.2 * random.random(a.shape)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.2}
    _, picture = structural_similarity(a, b, full=True, **options)
    assert ssim(a, b, 1.2) == pytest.approx(float(picture.mean()), rel=1e-6)


def test_another_resolution_is_resampled(ball: Volume) -> None:
    ramp = torch.linspace(0, 1, 9).expand(1, 9, 9, 9)
    fine = torch.linspace(0, 1, 17).expand(1, 17, 17, 17)
    m = volume_metrics(Volume(ramp, ball.bounds), Volume(fine, ball.bounds), KERNELS, 2, 16)
    assert m.resampled
    assert m.psnr > 100


def test_what_cannot_be_compared(ball: Volume) -> None:
    with pytest.raises(InputError, match="different places"):
        volume_metrics(Volume(ball.values, ball.bounds + 0.1), ball, KERNELS)
    with pytest.raises(InputError, match="nowhere above 0"):
        volume_metrics(ball, Volume(0 * ball.values, ball.bounds), KERNELS)
    negative = volume_metrics(Volume(ball.values - 0.1, ball.bounds), ball, KERNELS)
    assert negative.heldout_psnr is None
