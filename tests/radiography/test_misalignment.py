"""Moved cameras are those of a scanner with the numbers added."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from invrender.cameras.orbit import circular_orbit
from invrender.cameras.projection import intrinsics
from invrender.cameras.rays import camera_rays
from invrender.cameras.scan import scan_cameras, scan_geometry
from invrender.nouns.scan import Beam, ScanSetup
from invrender.radiography.misalignment import Misalignment, moved, pixel_at_axis

ANGLES = torch.arange(0, 360, 30, dtype=torch.float64)


@pytest.mark.parametrize("beam", ["cone", "parallel"])
def test_numbers_add_to_a_setup(beam: Beam) -> None:
    setup = ScanSetup(beam, ANGLES, (20, 30), (0.3, 0.2), 40.0, 60.0, rise=0.7)
    cameras = scan_cameras(scan_geometry(setup))
    orbit = circular_orbit(cameras, helix=True)
    assert orbit is not None
    pixel = pixel_at_axis(cameras, orbit.centre)
    found = camera_rays(moved(cameras, Misalignment(2.0, 3.0, -1.5, 7.0), orbit.axis, pixel))
    changed = dataclasses.replace(setup, axis_offset=2 * pixel, detector_offset=(3 * 0.3, -1.5 * 0.2), tilt=7.0)
    expected = camera_rays(scan_cameras(scan_geometry(changed)))

    assert pixel == pytest.approx(0.2 if beam == "cone" else 0.3)
    torch.testing.assert_close(found.direction, expected.direction, atol=1e-12, rtol=0)
    apart = torch.linalg.cross(found.origin - expected.origin, expected.direction)
    torch.testing.assert_close(apart, torch.zeros_like(apart), atol=1e-10, rtol=0)


def test_a_tilt_is_a_turn_of_the_camera_that_any_format_of_poses_holds() -> None:
    cameras = scan_cameras(scan_geometry(ScanSetup("cone", ANGLES, (20, 30), (0.2, 0.2), 40.0, 60.0)))
    tilted = moved(cameras, Misalignment(tilt=5.0), torch.tensor([0.0, 0, 1], dtype=torch.float64), 0.13)

    torch.testing.assert_close(tilted.projection[:, 0, 1], torch.zeros(12, dtype=torch.float64), atol=1e-12, rtol=0)
    torch.testing.assert_close(intrinsics(tilted)[0], intrinsics(cameras)[0])
