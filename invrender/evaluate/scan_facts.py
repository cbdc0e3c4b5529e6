"""What `inspect` says of a scan, and what a reconstruction should know before it begins."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from invrender.cameras.field_of_view import field_of_view, magnification
from invrender.cameras.rigs import evenly
from invrender.nouns.scan import Scan, ScanGeometry

Tensor = torch.Tensor

SAMPLED = 16  # frames that are looked at
BORDER = 0.02  # share of a frame's columns that make its border on each side


@dataclass(frozen=True)
class ScanFacts:
    """A scan in numbers; lengths in its unit, angles in degrees.

    Attributes:
        beam, values, unit: as the scan has them.
        projections, columns, rows: how many.
        magnification: from the axis to the detector.
        voxel: a pixel across at the axis.
        seen_across, seen_along: what the frames see at the axis.
        aside: share of the smaller side of the axis that the detector sees, of the larger one; 1: it stands central.
        opening: angle between the rays to a row's ends and to a column's ends; 0 of a parallel beam.
        turned: from the first angle to the last, and a step.
        step: between neighbouring angles, the median.
        missing: of the 180 degrees of directions that a slice takes, those that no projection shows.
        flats, dark: averaged fields that there are.
        air: what frames read at their borders over what they read without an object; None: nothing says that.
        least, greatest: of the numbers of the frames that were looked at.
        saturated, negative: shares of their pixels at the most that the numbers can hold, and below 0.
    """

    beam: str
    values: str
    unit: str
    projections: int
    columns: int
    rows: int
    magnification: float
    voxel: float
    seen_across: float
    seen_along: float
    aside: float
    opening: tuple[float, float]
    turned: float
    step: float
    missing: float
    flats: int
    dark: bool
    air: float | None
    least: float
    greatest: float
    saturated: float
    negative: float


def scan_facts(scan: Scan) -> ScanFacts:
    """The facts of a scan, by `SAMPLED` of its frames."""
    g = scan.geometry
    seen = field_of_view(g)
    frames = scan.frames[evenly(len(scan), SAMPLED)].float()
    height, width = g.size
    turned, step = _turned(scan)
    wide = opening(g)
    return ScanFacts(
        g.beam, scan.values, scan.unit, len(scan), width, height, magnification(g), seen.voxel[0],
        2 * seen.reach, seen.high - seen.low, seen.radius / seen.reach if seen.reach > 0 else 0.0, wide, turned, step,
        _missing(g, turned, step, wide[0]), len(scan.flats), scan.dark is not None, _air(scan, frames),
        float(frames.nan_to_num(0).min()), float(frames.nan_to_num(0).max()), _saturated(scan),
        float((frames < 0).double().mean()),
    )  # fmt: skip


def opening(g: ScanGeometry) -> tuple[float, float]:
    """Degrees between the rays to a row's ends, and between those to a column's ends, of the first frame."""
    if g.beam == "parallel":
        return 0.0, 0.0
    height, width = g.size
    middle = g.centre[0] - g.source[0]

    def between(step: Tensor, count: int) -> float:
        ends = torch.nn.functional.normalize(torch.stack([middle - step * count / 2, middle + step * count / 2]), dim=1)
        return math.degrees(math.acos(max(-1.0, min(1.0, float((ends[0] * ends[1]).sum())))))

    return between(g.u[0], width), 0.0 if g.beam == "fan" else between(g.v[0], height)


def _turned(scan: Scan) -> tuple[float, float]:
    """From the first angle to the last and a step, and the step."""
    if len(scan) < 2:
        return 0.0, 0.0
    if scan.setup is not None:
        angles = scan.setup.angles
    else:
        ahead = (
            scan.geometry.source if scan.geometry.beam == "parallel" else scan.geometry.centre - scan.geometry.source
        )
        found = torch.atan2(ahead[:, 1], ahead[:, 0])
        turns = torch.remainder(found.diff() + math.pi, 2 * math.pi) - math.pi
        angles = torch.rad2deg(torch.cat([torch.zeros(1, dtype=torch.float64), turns.cumsum(0)]))
    step = float(angles.sort().values.diff().median())
    return float(angles.max() - angles.min()) + step, step


def _missing(g: ScanGeometry, turned: float, step: float, wide: float) -> float:
    """Degrees of directions that are not measured through the whole field: what lacks to 180 and the opening."""
    needed = 180.0 + (0.0 if g.beam == "parallel" else wide)
    lacks = needed - turned
    return lacks if lacks > max(1.5 * step, 0.5) else 0.0


def light_of(scan: Scan, frames: Tensor) -> Tensor | None:
    """Transmittances of some frames [M,H,W] float32, not prepared any further; None: nothing says what counts mean."""
    if scan.values != "counts":
        return torch.exp(-frames) if scan.values == "line-integral" else frames
    i0 = scan.preparation.i0
    if not scan.flats and not isinstance(i0, int | float):
        return None
    dark = torch.zeros(scan.geometry.size) if scan.dark is None else scan.dark
    given = torch.full(scan.geometry.size, float(i0)) if isinstance(i0, int | float) else None
    open_beam = torch.stack([flat.image for flat in scan.flats]).mean(0) - dark if given is None else given - dark
    return (frames - dark) / torch.where(open_beam > 0, open_beam, torch.nan)


def _air(scan: Scan, frames: Tensor) -> float | None:
    """The median over frames of what the brighter border reads, as a share of what there is without an object."""
    light = light_of(scan, frames)
    if light is None:
        return None
    count = max(1, round(BORDER * scan.geometry.size[1]))
    sides = torch.stack([light[:, :, :count].flatten(1), light[:, :, -count:].flatten(1)], 1)
    return float(sides.nanmedian(2).values.amax(1).nanmedian())


def _saturated(scan: Scan) -> float:
    """The share of pixels at the most that 8 or 16 bits hold."""
    most = {torch.uint8: 255, torch.uint16: 65535, torch.int16: 32767}.get(scan.frames.dtype)
    if scan.values != "counts" or most is None:
        return 0.0
    return float((scan.frames[evenly(len(scan), SAMPLED)].int() == most).double().mean())
