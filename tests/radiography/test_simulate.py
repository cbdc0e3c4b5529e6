"""Simulated scans: statistics of what is recorded, and that preparing them brings the clean scan back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from invrender.backends import select
from invrender.cameras.scan import by_camera, scan_cameras, scan_geometry
from invrender.errors import InputError, UsageError
from invrender.nouns import Volume
from invrender.nouns.scan import ScanSetup
from invrender.radiography.prepare import prepared
from invrender.radiography.simulate import Defects, light_through, parse_defects, recorded
from invrender.samples.ellipsoids import FOUR, averaged, transmittances
from tests.radiography.shadows import NO_DEFECTS, counted, light, scan_of, setup

KERNELS = select("cpu", needs=("volumes",))
VOLUME = averaged(FOUR, 40)


def misfit(found: torch.Tensor, photons: float) -> float:
    """Root mean square error of transmittances, in standard deviations of the photons alone."""
    error = (found - light()) / (light() / photons).sqrt()
    return float(error[~found.isnan()].square().mean().sqrt())


def test_photons_are_counted() -> None:
    made = recorded(light(), 1e4, NO_DEFECTS, 1)
    photons = made.frames[0].astype(float)[:, 0] / made.gain
    every = np.stack([frame[:, 0] / made.gain for frame in made.frames])
    assert photons.mean() == pytest.approx(1e4, rel=0.01)
    assert every.var() == pytest.approx(1e4, rel=0.15)
    assert float(made.dark.abs().max()) == 0


def test_the_same_seed_records_the_same() -> None:
    once, again, other = (recorded(light(), 1e4, Defects(), seed) for seed in (1, 1, 2))
    assert np.array_equal(once.frames, again.frames)
    assert not np.array_equal(once.frames, other.frames)


def test_defects_are_there_and_each_can_be_left_out() -> None:
    clean = recorded(light(), 1e5, NO_DEFECTS, 1)
    assert recorded(light(), 1e5, replace(NO_DEFECTS, dark=True), 1).dark.mean() == pytest.approx(300, abs=2)
    flat = recorded(light(), 1e5, replace(NO_DEFECTS, flat=True), 1).flats[0].image
    assert float(flat[24, 24] / flat[0, 0]) > 1.2
    dead = recorded(light(), 1e5, replace(NO_DEFECTS, dead=True), 4).frames
    assert ((dead == 0).all(0) | (dead == 65535).all(0)).sum() in range(1, 8)
    air = recorded(light(), 1e5, replace(NO_DEFECTS, drift=True), 1).frames[:, :4].mean((1, 2))
    assert air.std() / air.mean() == pytest.approx(0.02, rel=0.5)
    assert clean.frames[:, :4].mean((1, 2)).std() / air.mean() < 0.001


@pytest.mark.parametrize(("photons", "seed"), [(1e3, 0), (2e4, 1), (2e4, 2)])
def test_what_went_wrong_is_put_right(photons: float, seed: int) -> None:
    made = prepared(counted(photons, Defects(), seed))
    assert misfit(made.transmittance, photons) < 1.3
    assert float(made.transmittance.isnan().float().mean()) < 0.01
    assert made.photons == pytest.approx(photons, rel=0.3)
    raw = recorded(light(), photons, Defects(), seed)
    bare = torch.from_numpy(raw.frames.astype(np.float32)) / raw.flats[0].image
    assert misfit(bare, photons) > 1.2 * misfit(made.transmittance, photons)


def test_a_clean_scan_is_not_spoilt() -> None:
    made = prepared(counted(2e4, NO_DEFECTS))
    assert misfit(made.transmittance, 2e4) < 1.08
    assert int(made.transmittance.isnan().sum()) == 0


def test_no_flats_and_drift_together() -> None:
    raw = recorded(light(), 2e4, Defects(flat=False, rings=False), 1)
    made = prepared(replace(scan_of(raw, setup()), flats=()))
    assert misfit(made.transmittance, 2e4) < 1.25


@pytest.mark.parametrize("beam", ["cone", "parallel", "fan"])
def test_light_through_a_volume_is_that_of_its_integrals(beam: str) -> None:
    size = (1, 24) if beam == "fan" else (24, 24)
    given = ScanSetup(beam, torch.tensor([0.0, 90.0]), size, (0.15, 0.15), 6.0, 9.0)  # type: ignore[arg-type]
    found, factor = light_through(VOLUME, scan_geometry(given), KERNELS, 3)
    assert found.shape == (2, *size)
    assert factor == 1
    truth = transmittances(FOUR, scan_cameras(scan_geometry(given)), 3)
    assert float((by_camera(found, scan_geometry(given)) - truth).abs().mean()) < 0.01


def test_rows_of_a_fan_come_in_the_order_of_projections() -> None:
    given = ScanSetup("fan", torch.tensor([0.0, 45.0, 90.0]), (6, 24), (0.1, 0.1), 6.0, 9.0)
    found, _ = light_through(VOLUME, scan_geometry(given), KERNELS, 1)
    one, _ = light_through(VOLUME, scan_geometry(replace(given, angles=given.angles[1:2])), KERNELS, 1)
    assert torch.allclose(found[1], one[0], atol=1e-6)


def test_a_pixel_integrates_light_and_not_depth() -> None:
    """Across the edge of a deep block half of the light is left, not the root of it."""
    values = torch.zeros(1, 16, 16, 16)
    values[:, :, :, 8:] = 100.0
    volume = Volume(values, torch.tensor([[-1.0] * 3, [1.0] * 3], dtype=torch.float64), "block")
    given = ScanSetup("parallel", torch.tensor([0.0]), (4, 3), (0.6, 0.4))
    found, _ = light_through(volume, scan_geometry(given), KERNELS, 8)
    assert 0.3 < float(found[0, 2, 1]) < 0.5


def test_impossible_wishes_are_refused() -> None:
    assert parse_defects("none") == NO_DEFECTS
    assert parse_defects("all") == Defects()
    assert parse_defects("dark, rings") == replace(NO_DEFECTS, dark=True, rings=True)
    with pytest.raises(UsageError, match="stains"):
        parse_defects("dark,stains")
    far = ScanSetup("parallel", torch.tensor([0.0]), (4, 4), (0.1, 0.1), detector_offset=(50.0, 0.0))
    with pytest.raises(InputError, match="no projection sees anything"):
        light_through(VOLUME, scan_geometry(far), KERNELS)
