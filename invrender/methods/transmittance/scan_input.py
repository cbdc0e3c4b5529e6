"""From a scan to what a run from transmittance works on: projections, prepared, and a grid about the axis."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch

from invrender.cameras.field_of_view import FieldOfView, field_of_view
from invrender.cameras.rigs import evenly
from invrender.errors import InputError
from invrender.evaluate.scan_facts import scan_facts
from invrender.evaluate.scan_findings import check_scan
from invrender.findings import Finding
from invrender.io.scans import read_scan
from invrender.methods.transmittance.measurement import DEEPEST, Measurement, Noise
from invrender.methods.transmittance.settings import TransmittanceSettings
from invrender.nouns.scan import Scan
from invrender.radiography.prepare import Prepared, prepared
from invrender.radiography.switches import switched
from invrender.run.memory import check_memory

Tensor = torch.Tensor
Shape = tuple[int, int, int]


@dataclass(frozen=True)
class ScanInput:
    """A scan ready to be reconstructed.

    Attributes:
        measurement: its projections; of a fan one for each row, rows first.
        shape, bounds: of the grid.
        findings: what looks wrong in it.
        log: what was done to the frames and how the grid was chosen, a line each.
    """

    measurement: Measurement
    shape: Shape
    bounds: Tensor
    findings: tuple[Finding, ...]
    log: tuple[str, ...]


def read_input(
    settings: TransmittanceSettings, shape: Shape | None, bounds: Tensor | None, noise: Noise | None
) -> ScanInput:
    """Read, choose and prepare the projections of a scan file.

    Args:
        settings: `views` of the projections are used, spread evenly; `size` averages pixels until none is larger.
        shape, bounds: of the grid, where they are given; else the file's, else what the frames see.
        noise: what is said of it; else what the preparation found.

    Raises:
        InputError: the file or what it names cannot be used.
        MemoryLimitError: the job would not fit.
    """
    scan = read_scan(settings.input)
    scan = replace(scan, preparation=switched(scan.preparation, vars(settings)))
    scan = scaled(chosen(scan, settings.views), settings.size)
    if len(scan) < 2:
        raise InputError("the scan has one projection, which does not fix a volume", "give 12 or more, from all around")
    findings = check_scan(scan_facts(scan))
    shape, bounds, told = grid_of(scan, shape, bounds)
    check_memory(shape, scan.frames.numel() // scan.preparation.downscale**2)
    made = prepared(scan)
    return ScanInput(measurement_of(made, scan, noise), shape, bounds, (*findings, *made.findings), (*made.log, *told))


def chosen(scan: Scan, count: int | None) -> Scan:
    """So many projections of a scan, spread evenly; all of them where it has no more."""
    if count is None or count >= len(scan):
        return scan
    picked = evenly(len(scan), count)
    g = scan.geometry
    few = replace(g, source=g.source[picked], centre=g.centre[picked], u=g.u[picked], v=g.v[picked])
    setup = scan.setup and replace(scan.setup, angles=scan.setup.angles[picked])
    names = tuple(scan.names[i] for i in picked) if scan.names else ()
    return replace(scan, geometry=few, setup=setup, frames=scan.frames[picked], names=names)


def scaled(scan: Scan, size: int | None) -> Scan:
    """A scan whose frames are averaged until their longer side has at most `size` pixels."""
    longest = max(scan.geometry.size)
    if size is None or longest <= size:
        return scan
    factor = math.ceil(longest / size)
    return replace(scan, preparation=replace(scan.preparation, downscale=max(factor, scan.preparation.downscale)))


def grid_of(scan: Scan, shape: Shape | None, bounds: Tensor | None) -> tuple[Shape, Tensor, tuple[str, ...]]:
    """The grid's samples along z, y, x, the positions of its first and last, and how they were chosen."""
    seen = field_of_view(scan.geometry)
    bounds = scan.bounds if bounds is None else bounds
    shape = (scan.grid if bounds is scan.bounds else None) if shape is None else shape
    factor = scan.preparation.downscale
    cell = min(seen.voxel) * factor if scan.geometry.size[0] > 1 else seen.voxel[0] * factor
    if bounds is None:
        bounds, natural = _around_axis(seen, cell, flat=scan.geometry.size[0] == 1)
        told = _told(seen, cell, natural, scan.unit)
    else:
        natural = _cubic(bounds, cell)
        told = ()
    if scan.geometry.size[0] == 1:
        told = (*told, "one row of pixels: the grid has two equal slices")
    return shape or natural, bounds, told


def _around_axis(seen: FieldOfView, cell: float, flat: bool) -> tuple[Tensor, Shape]:
    """The box around the cylinder that is seen, of cubic cells with their samples at the middle of each."""
    if seen.reach <= 0:
        raise InputError(
            "the axis of rotation lies outside the detector: no frame sees it",
            "check axis_offset and detector_offset, their signs and their unit; or pass --bounds",
        )
    if seen.high <= seen.low:
        raise InputError(
            "no height of the axis of rotation is seen by all frames",
            "check detector_offset, pitch and the vectors' order; or pass --bounds",
        )
    across = max(2, round(2 * seen.reach / cell))
    down = 2 if flat else max(2, round((seen.high - seen.low) / cell))
    middle, half = (seen.low + seen.high) / 2, (across - 1) / 2 * cell
    up = (down - 1) / 2 * cell
    corners = [[-half, -half, middle - up], [half, half, middle + up]]
    return torch.tensor(corners, dtype=torch.float64), (down, across, across)


def _cubic(bounds: Tensor, cell: float) -> Shape:
    counts = ((bounds[1] - bounds[0]) / cell).round().long() + 1
    width, height, depth = (max(2, int(n)) for n in counts)
    return depth, height, width


def _told(seen: FieldOfView, cell: float, shape: Shape, unit: str) -> tuple[str, ...]:
    return (
        f"grid: {shape[2]} x {shape[1]} x {shape[0]} cells of {cell:.4g} {unit}, a pixel at the axis; the frames see "
        f"{2 * seen.reach:.4g} {unit} across and {seen.high - seen.low:.4g} {unit} along it",
    )


def measurement_of(made: Prepared, scan: Scan, noise: Noise | None) -> Measurement:
    """Optical depths and weights of prepared projections.

    Unlike a dataset's, they may exceed 1: noise and drifting flat fields do that.
    """
    if noise is None:
        noise = Noise("poisson", made.photons) if made.photons >= 1 else Noise("float")
    known = made.transmittance.isfinite()
    seen = known & (made.transmittance > (math.exp(-DEEPEST) if noise.kind == "float" else 0.0))
    if not bool(seen.any()):
        raise InputError("no pixel has any light", "check flat and dark frames, and what `values` says")
    light = torch.where(seen, made.transmittance, 1.0)
    power = {"float": 0, "8bit": 2, "poisson": 1}[noise.kind]
    weight = light.clamp(max=1.0) ** power if made.weight is None else made.weight
    return Measurement(
        made.cameras, -light.log().float(), (seen * weight).float(), noise, int((~seen).sum()), _names(made, scan)
    )


def _names(made: Prepared, scan: Scan) -> tuple[str, ...]:
    """What to call the views: as the projections; the rows of a fan by their number too."""
    count = len(made.cameras)
    names = made.names or scan.names
    if not names or len(names) == count:
        return names
    rows = count // len(names)
    return tuple(f"{name} row {row}" for row in range(rows) for name in names)
