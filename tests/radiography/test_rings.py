"""Rings: gains that no flat knows are found to within noise, and clean frames are left as they are."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from invrender.radiography.prepare import prepared
from invrender.radiography.rings import take_off_rings
from tests.radiography.shadows import NOTHING, exact, light, setup

VIEWS = 48
AXIS = (torch.arange(48) - 23.5).abs() < 4


def gains() -> torch.Tensor:
    """[48,48] of a detector: single pixels, and two columns."""
    random = torch.Generator().manual_seed(0)
    off = (torch.rand(48, 48, generator=random) < 0.03) * 0.05 * torch.randn(48, 48, generator=random)
    off[:, 9] += 0.04
    off[:, 35] -= 0.03
    return off


def misfit(frames: torch.Tensor, beam: str = "cone") -> float:
    """Root mean square error of line integrals, of what all frames have in common."""
    return float((frames.log() - light(beam, VIEWS).log()).mean(0).square().mean().sqrt())


@pytest.mark.parametrize("beam", ["cone", "parallel"])
def test_gains_are_taken_off(beam: str) -> None:
    frames = light(beam, VIEWS) * torch.exp(gains())
    before = misfit(frames, beam)
    rings = take_off_rings(frames, AXIS)
    assert misfit(frames, beam) < before / 2
    assert rings.pixels >= 100
    assert rings.size == pytest.approx(0.035, rel=0.3)


@pytest.mark.parametrize("beam", ["cone", "parallel"])
def test_exact_frames_stay_as_they_are(beam: str) -> None:
    frames = light(beam, VIEWS).clone()
    rings = take_off_rings(frames, AXIS)
    assert rings.pixels <= 2
    assert misfit(frames, beam) < 3e-4


def test_a_column_is_taken_off_behind_the_object_too() -> None:
    """Rows beside the object tell what rows that see its edge come and go cannot."""
    frames = light("cone", VIEWS) * torch.ones(48)
    frames[:, :, 12] *= 1.04
    take_off_rings(frames, AXIS)
    assert float((frames.log() - light("cone", VIEWS).log())[:, :, 12].abs().max()) < 0.005


def test_noise_is_no_ring() -> None:
    frames = torch.poisson(light("cone", VIEWS) * 1e4, generator=torch.Generator().manual_seed(1)) / 1e4
    before = misfit(frames)
    rings = take_off_rings(frames, AXIS)
    assert rings.pixels < 0.005 * 48 * 48
    assert misfit(frames) < 1.1 * before


def test_gains_that_change_are_followed() -> None:
    time = torch.linspace(-1, 1, 144)[:, None, None]
    frames = torch.exp(-0.5 * torch.ones(144, 20, 20))
    frames = torch.poisson(frames * 1e5, generator=torch.Generator().manual_seed(1)) / 1e5
    frames[:, 7:8, 7:8] *= torch.exp(0.02 + 0.03 * time)
    rings = take_off_rings(frames)
    assert rings.drifting == 1
    assert float((frames[:40, 7, 7].mean() / frames[-40:, 7, 7].mean()).log().abs()) < 0.005


def test_the_columns_around_the_axis_keep_what_looks_like_a_ring() -> None:
    """A thin rod on the axis stands still in all frames."""
    frames = light("parallel", VIEWS).clone()
    frames[:, :, 23:25] *= 0.8
    made = prepared(exact(setup("parallel", VIEWS), frames, replace(NOTHING, rings=True)))
    assert torch.equal(made.transmittance[:, :, 22:26], frames[:, :, 22:26])
    aside = frames.roll(12, 2)
    made = prepared(exact(setup("parallel", VIEWS), aside, replace(NOTHING, rings=True)))
    assert not torch.equal(made.transmittance[:, :, 35:37], aside[:, :, 35:37])


def test_few_projections_and_masked_pixels_are_left_alone() -> None:
    few = light("cone", VIEWS)[:8] * torch.exp(gains())
    assert take_off_rings(few.clone()).pixels == 0
    frames = light("cone", VIEWS) * torch.exp(gains())
    frames[:, 4, 4], frames[::2, 6, 6] = torch.nan, torch.nan
    known = ~frames.isnan()
    take_off_rings(frames)
    assert torch.equal(~frames.isnan(), known)
