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


def test_turned_grids_are_compared_where_they_lie(ball: Volume, caplog: pytest.LogCaptureFixture) -> None:
    """Two files of one grid may have frames of their own; grids that are turned otherwise cannot be compared."""
    turn = torch.tensor([[0.8, -0.6, 0, 3], [0.6, 0.8, 0, 1], [0, 0, 1, 0]], dtype=torch.float64)
    moved = torch.tensor([0.5, -2.0, 1.0], dtype=torch.float64)
    one = Volume(ball.values, ball.bounds, placement=turn)
    shifted = torch.cat([turn[:, :3], (turn[:, 3] - turn[:, :3] @ moved)[:, None]], 1)
    assert volume_metrics(Volume(ball.values, ball.bounds + moved, placement=shifted), one, KERNELS, 2, 16).psnr > 200
    assert not caplog.text
    with pytest.raises(InputError, match="different places"):
        volume_metrics(Volume(ball.values, ball.bounds, placement=shifted), one, KERNELS, 2, 16)
    other = torch.cat([turn[:, :3].T, turn[:, 3:]], 1)
    with pytest.raises(InputError, match="turned against each other"):
        volume_metrics(Volume(ball.values, ball.bounds, placement=other), one, KERNELS, 2, 16)
    volume_metrics(ball, one, KERNELS, 2, 16)
    assert "as if in the frame of the other" in caplog.text


def test_another_resolution_is_resampled(ball: Volume) -> None:
    ramp = torch.linspace(0, 1, 9).expand(1, 9, 9, 9)
    fine = torch.linspace(0, 1, 17).expand(1, 17, 17, 17)
    m = volume_metrics(Volume(ramp, ball.bounds), Volume(fine, ball.bounds), KERNELS, 2, 16)
    assert m.resampled
    assert m.psnr > 100


@pytest.mark.parametrize("layers", [2, 3, 5])
def test_a_grid_thinner_than_the_window_has_an_ssim(ball: Volume, layers: int) -> None:
    """Two constants a and b: the structural similarity is (2 a b + c1) / (a^2 + b^2 + c1) everywhere."""
    one = torch.ones(1, layers, 8, 8)
    m = volume_metrics(Volume(0.5 * one, ball.bounds), Volume(one, ball.bounds), KERNELS, 2, 16)
    assert m.ssim == pytest.approx((2 * 0.5 + 1e-4) / (0.5**2 + 1 + 1e-4))
    assert math.isfinite(m.psnr)


@pytest.mark.parametrize("unit", [1e-30, 1e-18, 1e18, 1e37])
def test_metrics_do_not_depend_on_the_unit_of_values(ball: Volume, unit: float) -> None:
    values = ball.values / ball.values.max()
    expected = volume_metrics(Volume(0.9 * values, ball.bounds), Volume(values, ball.bounds), KERNELS, 2, 16)
    found = volume_metrics(Volume(0.9 * unit * values, ball.bounds), Volume(unit * values, ball.bounds), KERNELS, 2, 16)
    assert found.psnr == pytest.approx(expected.psnr, abs=1e-3)
    assert found.ssim == pytest.approx(expected.ssim, abs=1e-5)
    assert found.heldout_psnr == pytest.approx(expected.heldout_psnr, abs=0.1)


def test_colours_are_compared_with_colours_alone(ball: Volume) -> None:
    dense = 40 * ball.values
    colours = torch.cat([dense, torch.full_like(ball.values, 0.5).expand(3, *ball.shape)])
    other = torch.cat([dense, torch.full_like(ball.values, 0.25).expand(3, *ball.shape)])
    with pytest.raises(InputError, match="the result holds extinction and colours, and the reference one value"):
        volume_metrics(Volume(colours, ball.bounds), ball, KERNELS)
    same = volume_metrics(Volume(colours, ball.bounds), Volume(colours, ball.bounds), KERNELS, 2, 16)
    assert (same.psnr, same.heldout_psnr) == (math.inf, math.inf)
    darker = volume_metrics(Volume(other, ball.bounds), Volume(colours, ball.bounds), KERNELS, 2, 16)
    assert darker.psnr == math.inf  # the extinction is the same
    assert darker.heldout_psnr is not None
    assert 10 < darker.heldout_psnr < 25  # what is opaque differs by 0.25 in three of four channels


def test_what_cannot_be_compared(ball: Volume) -> None:
    with pytest.raises(InputError, match="different places"):
        volume_metrics(Volume(ball.values, ball.bounds + 0.1), ball, KERNELS)
    with pytest.raises(InputError, match="and do not overlap: "):
        volume_metrics(Volume(ball.values, ball.bounds + 3), ball, KERNELS)
    with pytest.raises(InputError, match="nowhere above 0"):
        volume_metrics(ball, Volume(0 * ball.values, ball.bounds), KERNELS)
    negative = volume_metrics(Volume(ball.values - 0.1, ball.bounds), ball, KERNELS)
    assert negative.heldout_psnr is None
