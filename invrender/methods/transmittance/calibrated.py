"""Scans whose geometry is found from their views first, and a word where it should have been."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from invrender.errors import UsageError
from invrender.findings import Finding
from invrender.io.datasets.transforms import transforms_table
from invrender.io.files.atomic import atomic_write_text
from invrender.kernels import Backend
from invrender.methods.transmittance import doubts, report, task
from invrender.methods.transmittance.air import check_air, read_air
from invrender.methods.transmittance.settings import TransmittanceSettings
from invrender.methods.transmittance.task import Result, Task
from invrender.radiography.calibration import Calibration, Suspicion, calibrate, suspicion, told
from invrender.run.folder import RunFolder

POSES = "calibrated_transforms.json"


@dataclass(frozen=True)
class Calibrated(Task):
    """A task whose cameras are not those of the input.

    Attributes:
        calibration: how they were found.
    """

    calibration: Calibration | None = None


def load(settings: TransmittanceSettings, backend: Backend) -> Task:
    """Read the input, check it, and find its geometry where that is asked for.

    Raises:
        UsageError: settings that make no sense.
        InputError: an input that cannot be used.
        MemoryLimitError: the job would not fit.
    """
    given = task.load(settings, backend)
    if settings.calibrate == "none":
        return given
    if given.reference is not None:
        raise UsageError("--calibrate goes with a scan or a dataset, and the input is a volume", "leave it out")
    data = given.measurement
    found = calibrate(data.cameras, data.depth, data.weight, settings.calibrate, backend)
    cell = (given.bounds[1] - given.bounds[0]) / (torch.tensor(given.shape[::-1]) - 1)
    light = torch.where(data.weight > 0, torch.exp(-data.depth), torch.nan)
    names = tuple(data.name(i) for i in range(len(data.cameras)))
    air = read_air(light, found.cameras, given.bounds, cell)
    check_air(air, "transmittance", float(light.nan_to_num(0).max()), data.noise.deviation, names)
    known = {field.name: getattr(given, field.name) for field in dataclasses.fields(given)}
    known["measurement"] = dataclasses.replace(data, cameras=found.cameras)
    return Calibrated(**known, calibration=found)


def calibration_of(given: Task) -> Calibration | None:
    """How a task's geometry was found, if it was."""
    return given.calibration if isinstance(given, Calibrated) else None


def notices(given: Task) -> list[str]:
    """What a user should know beforehand."""
    found = calibration_of(given)
    lines = [] if found is None else [*found.log, f"geometry: {told(found)}", _scan_numbers(found)]
    return [*task.notices(given), *lines]


def _scan_numbers(found: Calibration) -> str:
    by = found.by
    return (
        f"in a scan.toml that is axis_offset {by.axis * found.pixel:+.5g} (world units, at the axis), "
        f"detector_offset {by.u:+.3f}, {by.v:+.3f} pixels, tilt {by.tilt:+.3f} degrees, added to what is there"
    )


def measure_with_geometry(given: Task, result: Result, backend: Backend) -> dict[str, Any]:
    """What metrics.json holds; where the geometry was not asked for, whether views want the axis elsewhere."""
    metrics = report.measure(given, result, backend)
    found, data = calibration_of(given), given.measurement
    if found is not None:
        off = {f"{name}_uncertainty": value for name, value in found.uncertainty.items()}
        shares = {"misfit": found.misfit, "misfit_before": found.before}
        poses = {} if _poses(given, found) is None else {"poses": POSES}
        return {**metrics, "calibration": {**asdict(found.by), **off, "pixel": found.pixel, **shares, **poses}}
    seen = None if given.reference is not None else suspicion(data.cameras, data.depth, data.weight, backend)
    return metrics if seen is None else {**metrics, "geometry": asdict(seen)}


def doubt(given: Task, metrics: Mapping[str, Any]) -> Sequence[Finding]:
    """What looks wrong in a result."""
    seen = metrics.get("geometry")
    if seen is None or not Suspicion(**seen).serious:
        return doubts.doubt(given, metrics)
    return (  # which explains what else looks wrong
        Finding(
            f"the axis of rotation seems to be seen {abs(seen['axis']):.2f} px farther to the "
            f"{'right' if seen['axis'] > 0 else 'left'} than the cameras say",
            f"try --calibrate axis: it took {seen['gain']:.0%} off the misfit of a coarse grid",
        ),
    )


def write(run: RunFolder, given: Task, result: Result) -> None:
    """Write the density, and poses that were found."""
    report.write(run, given, result)
    found = calibration_of(given)
    table = None if found is None else _poses(given, found)
    if table is not None:
        atomic_write_text(run.file(POSES), json.dumps(table, indent=1) + "\n")


def _poses(given: Task, found: Calibration) -> dict[str, Any] | None:
    """What transforms.json holds of the cameras found; None of detectors for which it has no words."""
    names = [given.measurement.name(i) for i in range(len(found.cameras))]
    try:
        return transforms_table(found.cameras, names)
    except UsageError:  # turned out of the plane that rays cross: the log's numbers say where it stands
        return None


def rows(m: dict[str, Any]) -> list[tuple[str, str]]:
    """The lines of the summary."""
    found = m.get("calibration")
    lines = report.rows(m)
    if found is None:
        return lines
    parts = [
        f"{name} {found[name]:+.3f} +- {found[f'{name}_uncertainty']:.3f} {'degrees' if name == 'tilt' else 'px'}"
        for name in ("axis", "u", "v", "tilt")
        if f"{name}_uncertainty" in found
    ]
    return [("geometry found", ", ".join(parts) or "nothing that the views tell"), *lines]


def files(m: dict[str, Any]) -> str:
    """The main results."""
    return report.files(m) + (f", {POSES}" if "poses" in m.get("calibration", {}) else "")
