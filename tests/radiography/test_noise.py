"""Noise, logarithms and weights against numbers that are known."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from invrender.cameras.scan import scan_cameras, scan_geometry
from invrender.radiography.downscale import coarser, coarser_geometry, coarser_setup
from invrender.radiography.logarithm import hardened, positive
from invrender.radiography.noise import CountNoise, estimated
from invrender.radiography.prepare import prepared
from invrender.samples.ellipsoids import FOUR, transmittances
from tests.radiography.shadows import NO_DEFECTS, NOTHING, counted, exact, light, setup


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("photons", [100, 1e3, 1e4, 1e5])
def test_photons_are_counted_from_frames(photons: float) -> None:
    frames = torch.poisson(light() * photons, generator=random()) / photons
    assert estimated(frames).photons == pytest.approx(photons, rel=0.15)


def test_photons_are_counted_from_the_sinogram_of_one_row() -> None:
    frames = torch.poisson(light("cone", 48)[:, 24:25] * 1e4, generator=random()) / 1e4
    assert estimated(frames).photons == pytest.approx(1e4, rel=0.3)


def test_photons_are_those_of_the_beam_where_it_is_bright() -> None:
    beam = 1 - 0.6 * torch.linspace(-1, 1, 48) ** 2 * torch.ones(48, 1)
    frames = torch.poisson(light() * 1e4 * beam, generator=random()) / (1e4 * beam)
    assert estimated(frames, beam).photons == pytest.approx(1e4, rel=0.15)


def test_a_detector_has_noise_of_its_own() -> None:
    deep = light() ** 6
    frames = torch.poisson(deep * 1e4, generator=random()) / 1e4
    frames += 0.005 * torch.randn(frames.shape, generator=random(1))
    found = estimated(frames)
    assert found.detector == pytest.approx(0.005, rel=0.2)
    assert found.photons == pytest.approx(1e4, rel=0.4)
    assert found.equivalent == pytest.approx(1 / (1e-4 + 2.5e-5), rel=0.2)


def test_exact_frames_have_none() -> None:
    assert estimated(light()).photons == 0
    made = prepared(exact(setup(), light()))
    assert made.weight is None
    assert made.photons == 0
    assert torch.equal(made.transmittance, light())


def test_logarithms_of_few_photons_are_fair() -> None:
    """Photons are counted with a mean of 10: their logarithms alone would be 1/20 too small."""
    light_ = torch.full((1, 200, 200), 0.1)
    frames = torch.poisson(light_ * 100, generator=random()) / 100
    value, weight = positive(frames, CountNoise(100))
    truth = -float(torch.tensor(0.1).log())
    assert float(-value.log().mean()) == pytest.approx(truth, abs=0.01)
    plain = -frames[frames > 0].log().mean()
    assert float(plain) > truth + 0.04
    assert float(weight.mean()) == pytest.approx(0.1, rel=0.05)


def test_weights_are_inverse_variances() -> None:
    noise = CountNoise(1e4, 0.01)
    for level in (1.0, 0.3, 0.05):
        frames = torch.full((1, 100, 100), level)
        frames = frames + noise.variance(frames).sqrt() * torch.randn(frames.shape, generator=random())
        value, weight = positive(frames, noise)
        variance = float(value.log().var())
        assert float(weight.mean()) == pytest.approx(1 / noise.equivalent / variance, rel=0.1)


def test_nothing_that_is_dark_is_lost() -> None:
    frames = torch.tensor([[[-0.01, 0.0, 0.005], [0.0, -0.002, 0.0], [0.01, 0.0, torch.nan]]])
    value, weight = positive(frames, CountNoise(1e3, 0.005))
    assert int((value > 0).sum()) == 8
    assert bool(value[0, 2, 2].isnan())
    assert float(weight[0, 2, 2]) == 0
    assert float(weight.amax()) < 0.1


def test_a_brighter_beam_weighs_more() -> None:
    frames = torch.ones(1, 4, 4)
    _, weight = positive(frames, CountNoise(1e4), torch.tensor([0.5, 1.0, 1.0, 2.0]).expand(4, 4))
    assert weight[0, 0].tolist() == pytest.approx([0.5, 1, 1, 2], rel=1e-4)


def test_beam_hardening_is_undone() -> None:
    depth = -light().log()
    measured = torch.exp(-(-1 + torch.sqrt(1 + 4 * 0.1 * depth)) / 0.2)  # p + 0.1 p^2 = depth
    found, slope = hardened(measured, (1.0, 0.1))
    assert torch.allclose(found, light(), atol=1e-5)
    assert torch.allclose(slope, 1 + 0.2 * -measured.log(), atol=1e-4)
    given = exact(setup(), measured, type(NOTHING)(beam_hardening=(1.0, 0.1)))
    made = prepared(given)
    assert torch.allclose(made.transmittance, light(), atol=1e-5)
    assert "beam hardening: line integrals p become 1 p + 0.1 p^2" in made.log


@pytest.mark.parametrize(("size", "factor"), [(48, 2), (47, 2), (50, 3)])
@pytest.mark.parametrize("beam", ["cone", "parallel"])
def test_averaged_frames_are_those_of_a_coarser_detector(beam: str, size: int, factor: int) -> None:
    """Rays of the coarser detector hit the middles of the blocks: it sees what was averaged."""
    given = replace(setup(beam, 6, size), detector_offset=(0.2, -0.1), tilt=3.0)
    fine = scan_geometry(given)
    frames = transmittances(FOUR, scan_cameras(fine), 2)
    coarse = coarser_geometry(fine, factor)
    direct = transmittances(FOUR, scan_cameras(coarse), 2 * factor)
    assert float((coarser(frames, factor) - direct).abs().max()) < 1e-5
    again = scan_geometry(coarser_setup(given, factor))
    straight = replace(given, tilt=0.0)
    if size % factor == 0:
        assert torch.allclose(again.centre, coarse.centre)
        assert torch.allclose(again.u, coarse.u)
    assert torch.allclose(
        scan_geometry(coarser_setup(straight, factor)).centre, coarser_geometry(scan_geometry(straight), factor).centre
    )


def test_masked_pixels_do_not_spoil_the_average() -> None:
    frames = torch.ones(1, 4, 4)
    frames[0, 0, 0], frames[0, 2:, 2:] = torch.nan, torch.nan
    assert torch.equal(coarser(frames, 2)[0].nan_to_num(-1), torch.tensor([[1.0, 1.0], [1.0, -1.0]]))


def test_a_scan_is_averaged() -> None:
    made = prepared(counted(1e4, NO_DEFECTS, preparation=type(NOTHING)(downscale=2)))
    assert made.transmittance.shape == (24, 24, 24)
    assert made.cameras.size == (24, 24)
    assert made.photons == pytest.approx(4e4, rel=0.25)
    assert float((made.transmittance - coarser(light(), 2)).square().mean().sqrt()) < 0.006
    assert any(line.startswith("downscaled: 2 x 2") for line in made.log)
