"""Objects twice as wide as the detector: inside the field of view the values are right, and the rest is marked."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from invrender.backends import select
from invrender.cameras.scan import scan_cameras, scan_geometry
from invrender.methods.transmittance.measurement import Noise, measure
from invrender.methods.transmittance.method import planned
from invrender.methods.transmittance.settings import TransmittanceSettings
from invrender.methods.transmittance.task import Task
from invrender.methods.transmittance.truncated import widened
from invrender.nouns.scan import ScanSetup
from invrender.samples.ellipsoids import Ellipsoid, transmittances
from invrender.solve.loop import Loop

Tensor = torch.Tensor

BOUNDS = torch.tensor([[-0.95, -0.95, -0.2], [0.95, 0.95, 0.2]], dtype=torch.float64)
SHAPE = (5, 20, 20)
WIDE = (Ellipsoid((0.0, 0.0, 0.0), (2.0, 1.7, 1.9), 0.3), Ellipsoid((0.3, 0.2, 0.0), (0.3, 0.3, 0.3), 0.3))


def scanned(beam: str, radius: float = 1.0, rows: int = 8) -> Task:
    pixel = 2 * radius / 24 * (1.6 if beam == "cone" else 1.0)
    setup = ScanSetup(beam, torch.arange(40) * 9.0, (rows, 24), (pixel, pixel), 8.0, 12.8)  # type: ignore[arg-type]
    cameras = scan_cameras(scan_geometry(setup))
    return Task(measure(cameras, transmittances(WIDE, cameras), Noise()), SHAPE, BOUNDS, 1.0, None)


def solved(task: Task, settings: TransmittanceSettings) -> Tensor:
    plan = planned(task.measurement, task.shape, task.bounds, settings, select("cpu", needs=("volumes",)))
    for _ in (loop := Loop(plan.following)):
        pass
    return plan.result(loop.state.finished).density


def profile(task: Task, density: Tensor) -> tuple[Tensor, Tensor]:
    """Values found along x through the middle, within the field of view, and the true ones."""
    depth, height, width = task.shape
    x = torch.linspace(float(task.bounds[0, 0]), float(task.bounds[1, 0]), width)
    y = torch.linspace(float(task.bounds[0, 1]), float(task.bounds[1, 1]), height)
    row = int(y.abs().argmin())
    assert task.field_of_view is not None
    inside = task.field_of_view[depth // 2, row] & (x.abs() < 0.9)
    truth = 0.3 + 0.3 * ((x - 0.3) ** 2 + (y[row] - 0.2) ** 2 < 0.3**2)
    return density[depth // 2, row][inside], truth[inside]


@pytest.mark.parametrize("beam", ["parallel", "cone"])
def test_the_grid_goes_on_where_the_object_does(beam: str) -> None:
    given = scanned(beam)
    task = widened(given, TransmittanceSettings(Path()), select("torch"))
    assert float(task.bounds[1, 0]) > 1.6
    assert float(task.bounds[1, 0]) < 2.6
    cell = (task.bounds[1] - task.bounds[0]) / (torch.tensor(task.shape[::-1]) - 1)
    before = (BOUNDS[1] - BOUNDS[0]) / (torch.tensor(SHAPE[::-1]) - 1)
    assert torch.allclose(cell, before)
    assert task.field_of_view is not None
    assert task.field_of_view.shape == task.shape
    seen = task.field_of_view[task.shape[0] // 2]
    x = torch.linspace(float(task.bounds[0, 0]), float(task.bounds[1, 0]), task.shape[2])
    assert float(x[seen.any(0)].abs().max()) == pytest.approx(1.0, abs=0.12)
    assert "cut the object off" in task.log[-1]


@pytest.mark.parametrize("beam", ["parallel", "cone"])
@pytest.mark.parametrize("solver", ["fdk", "fista", "os-sart"])
def test_values_inside_are_right_and_do_not_rise_towards_the_rim(beam: str, solver: str) -> None:
    settings = TransmittanceSettings(Path(), solver=solver, iterations=40)  # type: ignore[arg-type]
    task = widened(scanned(beam), settings, select("torch"))
    found, truth = profile(task, solved(task, settings))
    away = (found - truth).abs()
    flat = truth == truth.min()
    assert float(away.median()) < 0.05  # a sixth: smooth errors of this size are what the data cannot tell
    middle, rim = found[flat][len(found[flat]) // 3], found[flat][[0, -1]].mean()
    assert float((rim - middle).abs()) < 0.06
    assert float((found[flat] - 0.3).abs().max()) < 0.09


def test_a_grid_that_was_asked_for_stays_and_views_that_hold_all_change_nothing() -> None:
    asked = TransmittanceSettings(Path(), grid="20x20x5")
    task = widened(scanned("cone"), asked, select("torch"))
    assert task.shape == SHAPE
    assert task.field_of_view is not None
    whole = scanned("cone", 2.6, 24)
    assert widened(whole, TransmittanceSettings(Path()), select("torch")) is whole
