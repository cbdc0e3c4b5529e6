"""The geometry that analytic views were made with is found from them, with an uncertainty that holds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from invrender.backends import select
from invrender.cameras.orbit import circular_orbit
from invrender.cameras.rays import camera_rays
from invrender.cameras.scan import scan_cameras, scan_geometry
from invrender.errors import InputError
from invrender.nouns import Cameras
from invrender.nouns.scan import Beam, ScanSetup
from invrender.radiography.calibration import calibrate, suspicion
from invrender.radiography.misalignment import Misalignment, moved, pixel_at_axis
from invrender.samples.ellipsoids import FOUR, transmittances

Views = tuple[Cameras, torch.Tensor, torch.Tensor]


def views(
    beam: Beam, count: int, arc: float, by: Misalignment, photons: float = 0.0, size: tuple[int, int] = (32, 32)
) -> Views:
    """Cameras as they are said to be; optical depths and weights as they are seen by those that are off."""
    angles = torch.arange(count, dtype=torch.float64) * arc / count
    pitch = 2.6 / size[1] * (1.0 if beam == "parallel" else 1.5)
    cameras = scan_cameras(scan_geometry(ScanSetup(beam, angles, size, (pitch, pitch), 6.0, 9.0)))
    orbit = circular_orbit(cameras)
    assert orbit is not None
    light = transmittances(FOUR, moved(cameras, by, orbit.axis, pixel_at_axis(cameras, orbit.centre)))
    if photons:
        counts = np.random.default_rng(0).poisson(light.double().numpy() * photons)
        light = torch.from_numpy((counts.clip(1) / photons).astype(np.float32))
    return cameras, -light.log(), light if photons else torch.ones_like(light)


@pytest.mark.parametrize(("beam", "arc", "photons"), [("cone", 360, 1e4), ("parallel", 360, 0.0)])
def test_axis_and_tilt(beam: Beam, arc: float, photons: float) -> None:
    by = Misalignment(axis=3.3, tilt=0.5)
    found = calibrate(*views(beam, 20, arc, by, photons, (40, 48)), "all", select("cpu", None, ("volumes",)))

    assert found.by.axis == pytest.approx(3.3, abs=0.1)
    assert found.by.tilt == pytest.approx(0.5, abs=0.1)
    assert abs(found.by.axis - 3.3) < 4 * found.uncertainty["axis"] < 0.4
    assert abs(found.by.tilt - 0.5) < 4 * found.uncertainty["tilt"]
    assert "u" in found.held
    assert found.misfit < found.before / 2


def test_the_cameras_are_those_that_saw() -> None:
    by = Misalignment(axis=-3.0)
    cameras, depth, weight = views("cone", 24, 360, by)
    found = calibrate(cameras, depth, weight, "axis", select("cpu", None, ("volumes",)))
    orbit = circular_orbit(cameras)
    assert orbit is not None
    true = camera_rays(moved(cameras, by, orbit.axis, found.pixel))
    rays = camera_rays(found.cameras)

    apart = torch.linalg.cross(rays.origin - true.origin, true.direction).norm(dim=1)
    assert float(apart.max()) < 0.1 * found.pixel


def test_a_detector_aside() -> None:
    found = calibrate(*views("cone", 24, 360, Misalignment(u=4.3)), "offset", select("cpu", None, ("volumes",)))
    assert found.by.u == pytest.approx(4.3, abs=0.1)
    assert abs(found.by.v) < 4 * found.uncertainty.get("v", math.inf)


def test_one_row() -> None:
    found = calibrate(
        *views("cone", 24, 360, Misalignment(axis=-3.0), size=(1, 48)), "all", select("cpu", None, ("volumes",))
    )
    assert found.by.axis == pytest.approx(-3.0, abs=0.1)
    assert found.held["tilt"] == "there is one row"


def test_no_opposite_views() -> None:
    found = calibrate(*views("cone", 24, 140, Misalignment(axis=3.0)), "axis", select("cpu", None, ("volumes",)))
    assert "axis" in found.held or abs(found.by.axis - 3.0) < 4 * found.uncertainty["axis"]


def test_cameras_that_turn_about_nothing() -> None:
    cameras, depth, weight = views("cone", 12, 360, Misalignment())
    cameras.world_to_camera[3, 0, 3] += 1.0
    with pytest.raises(InputError, match="do not turn about one axis"):
        calibrate(cameras, depth, weight, "axis", select("cpu", None, ("volumes",)))


@pytest.mark.parametrize(
    ("beam", "count", "arc", "photons"),
    [("cone", 24, 360, 0.0), ("parallel", 10, 180, 1e3), ("cone", 16, 100, 0.0), ("parallel", 24, 180, 1e4)],
)
def test_no_suspicion_of_a_right_axis(beam: Beam, count: int, arc: float, photons: float) -> None:
    seen = suspicion(*views(beam, count, arc, Misalignment(), photons), select("cpu", None, ("volumes",)))
    assert seen is not None and not seen.serious


@pytest.mark.parametrize(("beam", "arc", "axis"), [("cone", 360, 2.0), ("parallel", 180, -4.0)])
def test_suspicion_of_a_wrong_axis(beam: Beam, arc: float, axis: float) -> None:
    seen = suspicion(*views(beam, 24, arc, Misalignment(axis=axis), 1e4), select("cpu", None, ("volumes",)))
    assert seen is not None and seen.serious
    assert seen.axis == pytest.approx(axis, abs=0.3)
