"""Zingers and broken pixels are found, and what looks a little like them is left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from invrender.radiography.noise import CountNoise
from invrender.radiography.outliers import broken_pixels, zingers
from invrender.radiography.prepare import prepared
from tests.radiography.shadows import NOTHING, exact, light, setup

EXACT = CountNoise()


def noisy(photons: float = 1e4, seed: int = 0) -> torch.Tensor:
    return torch.poisson(light() * photons, generator=torch.Generator().manual_seed(seed)) / photons


def test_spots_of_single_frames_are_found() -> None:
    frames, hit = noisy(), torch.zeros_like(light(), dtype=torch.bool)
    for frame, row, column in ((0, 0, 0), (3, 24, 24), (7, 10, 47), (7, 30, 12)):
        hit[frame, row, column] = True
    hit[12, 20, 20:22] = True
    hit[12, 21, 20] = True  # three beside each other
    assert torch.equal(zingers(frames + 0.4 * hit, CountNoise(1e4)), hit)


def test_spots_in_the_sinogram_of_one_row_are_found() -> None:
    row, hit = noisy()[:, 24:25], torch.zeros(24, 1, 48, dtype=torch.bool)
    hit[3, 0, 20] = hit[11, 0, 31] = True
    assert torch.equal(zingers(row + 0.5 * hit, CountNoise(1e4)), hit)


@pytest.mark.parametrize("frames", [light(), noisy(), noisy(300)])
def test_clean_frames_have_none(frames: torch.Tensor) -> None:
    noise = EXACT if frames is light() else CountNoise(1e4 if frames.std(0).mean() < 0.2 else 300)
    assert int(zingers(frames, CountNoise(300) if float(frames[:, 0].std()) > 0.03 else noise).sum()) == 0


def test_wires_and_cracks_stay() -> None:
    frames = torch.full((2, 40, 40), 0.5)
    frames[0, 20, 5:35] = 0.1  # a wire that absorbs
    frames[1, 5:35, 20] = 0.9  # a crack: all but its ends is too long for a spot
    found = zingers(frames, EXACT)
    assert not bool(found[0].any())
    assert int(found[1].sum()) <= 4


def test_edges_and_corners_stay() -> None:
    frames = torch.full((1, 40, 40), 0.1)
    frames[0, 10:30, 10:30] = 1.0
    assert not bool(zingers(frames, EXACT).any())


def test_broken_pixels_of_each_kind_are_found() -> None:
    frames = noisy()
    random = torch.Generator().manual_seed(3)
    frames[:, 10, 10] = 0.0  # dead
    frames[:, 20, 30] = 1.6  # hot
    frames[:, 24, 24] = 0.45  # stuck where the object passes
    frames[:, 5, 40] = 1 + 0.5 * torch.randn(24, generator=random)  # flickering
    frames[:, 40, 5] = torch.nan
    found, _ = broken_pixels(frames)
    assert {tuple(at) for at in found.nonzero().tolist()} >= {(10, 10), (20, 30), (5, 40), (40, 5)}
    assert int(found.sum()) <= 6


@pytest.mark.parametrize("beam", ["cone", "parallel"])
def test_a_clean_detector_has_none(beam: str) -> None:
    assert int(broken_pixels(light(beam))[0].sum()) == 0
    assert int(broken_pixels(noisy(1000))[0].sum()) == 0


def test_a_pixel_of_another_gain_is_not_broken() -> None:
    frames = noisy()
    frames[:, 24, 20] *= 1.05
    found, usual = broken_pixels(frames)
    assert not bool(found.any())
    assert float(usual[24, 20]) > 0.005
    assert not bool(zingers(frames - usual, CountNoise(1e4)).any())


def test_steps_are_switches() -> None:
    frames = light().clone()
    frames[3, 24, 24] += 0.5
    frames[:, 10, 10] = 0.2
    on = prepared(exact(setup(), frames, replace(NOTHING, zingers=True, dead_pixels=True)))
    off = prepared(exact(setup(), frames, NOTHING))
    assert int(off.transmittance.isnan().sum()) == 0
    assert bool(on.transmittance[3, 24, 24].isnan())
    assert bool(on.transmittance[:, 10, 10].isnan().all())
    assert int(on.transmittance.isnan().sum()) == 25
    assert any("zingers: 1 pixels" in line for line in on.log)
    assert any("broken pixels: 1 of 2304" in line for line in on.log)
