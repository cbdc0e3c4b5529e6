"""A detector's tilt is told by pictures half a turn apart."""

from __future__ import annotations

import pytest

from invrender.backends import select
from invrender.cameras.orbit import circular_orbit
from invrender.radiography.calibration_problem import Placed
from invrender.radiography.calibration_views import Recorded
from invrender.radiography.misalignment import Misalignment, pixel_at_axis
from invrender.radiography.opposite_pictures import Mirrored, opposite_tilt
from tests.radiography.test_calibration import views


def told(beam: str, count: int, arc: float, by: Misalignment, photons: float = 0.0) -> Mirrored | None:
    cameras, depth, weight = views(beam, count, arc, by, photons, (64, 64))  # type: ignore[arg-type]
    orbit = circular_orbit(cameras)
    assert orbit is not None
    data = Recorded(cameras, orbit, depth, weight, pixel_at_axis(cameras, orbit.centre))
    cpu = select("cpu", None, ("volumes",))
    return opposite_tilt(data, Placed(axis=by.axis, tilt=by.tilt + 0.1), cpu, 28)


@pytest.mark.parametrize(("tilt", "photons"), [(0.5, 0.0), (-1.2, 1e4), (0.0, 1e4)])
@pytest.mark.parametrize(("beam", "most"), [("parallel", 0.03), ("cone", 0.06)])
def test_tilts(beam: str, most: float, tilt: float, photons: float) -> None:
    found = told(beam, 24, 360, Misalignment(axis=1.5, tilt=tilt), photons)
    assert found is not None
    assert found.tilt == pytest.approx(tilt, abs=most)


def test_without_opposite_pictures_there_is_nothing_to_tell() -> None:
    assert told("parallel", 24, 170, Misalignment(tilt=0.5)) is None
    assert told("cone", 21, 360, Misalignment(tilt=0.5)) is None  # between two views, 17 degrees apart
