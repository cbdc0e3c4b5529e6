"""Rays that pass both ways say where the axis of rotation is seen."""

from __future__ import annotations

import pytest
import torch

from invrender.cameras.orbit import circular_orbit
from invrender.cameras.scan import scan_cameras, scan_geometry
from invrender.nouns.scan import Beam, ScanSetup
from invrender.radiography.calibration_views import recorded
from invrender.radiography.misalignment import Misalignment, moved, pixel_at_axis
from invrender.radiography.opposite_views import Opposite, opposite_views
from invrender.samples.ellipsoids import FOUR, transmittances


def seen(beam: Beam, angles: torch.Tensor, axis: float, said: float = 0.0) -> Opposite | None:
    """What views say of which the axis is seen so far from the middle, while the cameras say another place."""
    pitch = 0.06 if beam == "parallel" else 0.09
    cameras = scan_cameras(scan_geometry(ScanSetup(beam, angles.double(), (24, 48), (pitch, pitch), 6.0, 9.0)))
    orbit = circular_orbit(cameras)
    assert orbit is not None
    pixel = pixel_at_axis(cameras, orbit.centre)
    depth = -transmittances(FOUR, moved(cameras, Misalignment(axis=axis), orbit.axis, pixel)).log()
    told = moved(cameras, Misalignment(axis=said), orbit.axis, pixel)
    orbit = circular_orbit(told)
    assert orbit is not None
    return opposite_views(recorded(told, orbit, depth, torch.ones_like(depth)))


@pytest.mark.parametrize(
    ("beam", "arc", "count"), [("parallel", 360, 24), ("parallel", 180, 32), ("cone", 360, 32), ("cone", 220, 32)]
)
def test_within_a_quarter_of_a_pixel(beam: Beam, arc: float, count: int) -> None:
    angles = torch.arange(count) * arc / count
    for axis, said in ((3.3, 0.0), (-6.0, 2.0)):
        found = seen(beam, angles, axis, said)
        assert found is not None and found.clear
        assert found.axis == pytest.approx(axis - said, abs=0.25)


def test_angles_in_any_order() -> None:
    order = torch.randperm(32, generator=torch.Generator().manual_seed(0))
    found = seen("cone", (torch.arange(32) * 360 / 32)[order], 3.3)
    assert found is not None and found.axis == pytest.approx(3.3, abs=0.25)


def test_nothing_where_no_ray_passes_both_ways() -> None:
    assert seen("cone", torch.arange(24) * 4.0, 2.0) is None
