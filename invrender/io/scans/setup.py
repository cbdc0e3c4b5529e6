"""The numbers of a scanner in a scan file, and from them or from vectors where source and detector stand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from invrender.cameras.scan import scan_geometry
from invrender.errors import InputError
from invrender.io.files.paths import existing_file, shown
from invrender.io.scans.angles import numbers_in, read_angles
from invrender.io.scans.arrays import ARRAYS, array_in
from invrender.io.scans.lengths import in_unit, length, lengths
from invrender.io.scenes.table import Table
from invrender.nouns.scan import Beam, ScanGeometry, ScanSetup

BEAMS: tuple[Beam, ...] = ("cone", "parallel", "fan")
DISTANCES = ("source_object", "source_detector")
NUMBERS = (
    *DISTANCES, "pixel", "detector_offset", "axis_offset", "tilt", "yaw", "pitch", "angles", "angle_unit", "direction",
    "rise",
)  # fmt: skip
ALIASES = {
    "source_object": ("dso", "sod", "sad", "sid", "srctoobject", "source_origin", "source_axis", "source_to_object"),
    "source_detector": ("dsd", "sdd", "srctodetector", "source_to_detector", "origin_detector"),
    "pixel": ("pixel_size", "pixel_pitch", "ddetector", "pixelsize", "spacing", "detector_pixel"),
    "axis_offset": ("cor", "center_of_rotation", "centre_of_rotation", "rotation_axis"),
    "angles": ("theta", "thetas", "phis", "projection_angles"),
}
"""What other programs call these numbers (TIGRE, ASTRA, LEAP, RTK, Nikon), in small letters."""


def refuse_missing(table: Table, key: str) -> None:
    """Say which key of other programs stands where one of ours is missing."""
    if table.has(key):
        return
    other = next((name for name in table.values if name.lower() in ALIASES.get(key, ())), None)
    if other is not None:
        raise table.wrong(f"has no '{key}', but '{shown(other)}'", f"call it {key}")


def read_setup(table: Table, size: tuple[int, int]) -> ScanSetup:
    """A scanner on a circle or a helix.

    Args:
        table: the top level of a scan file.
        size: (H, W) of the detector.

    Raises:
        InputError: a number is missing, no number, or impossible.
    """
    for key in ALIASES:
        refuse_missing(table, key)
    beam = beam_of(table)
    unit = unit_of(table)
    across, down = _pixel(table, unit)
    near, far = (0.0, 0.0) if beam == "parallel" else _distances(table, unit)
    magnification = far / near if near else 1.0
    return ScanSetup(
        beam,
        torch.from_numpy(read_angles(table)),
        size,
        (across, down),
        near,
        far,
        lengths(table, "detector_offset", unit, (across, down)),
        length(table, "axis_offset", unit, across / magnification, 0.0),
        table.number("tilt", 0.0, least=-180, most=180),
        table.number("yaw", 0.0, above=-90, below=90),
        table.number("pitch", 0.0, above=-90, below=90),
        length(table, "rise", unit, down / magnification, 0.0),
    )


def beam_of(table: Table) -> Beam:
    """The beam of a scan file."""
    named = table.choice("beam", BEAMS)
    return next(beam for beam in BEAMS if beam == named)


def unit_of(table: Table) -> str:
    """The unit of lengths, millimetres unless it says another."""
    return table.text("unit", "mm")


def _pixel(table: Table, unit: str) -> tuple[float, float]:
    if not table.has("pixel"):
        raise table.wrong("has no 'pixel'", f"add `pixel = ...`, the pitch at the detector in {unit}")
    values = table.values["pixel"]
    both = values if isinstance(values, list) else [values, values]
    if len(both) != 2:
        raise table.wrong(f"has {len(both)} numbers in pixel", "write one pitch, or [across, down]")
    across, down = (in_unit(table, "pixel", value, unit, None) for value in both)
    if min(across, down) <= 0:
        raise table.wrong(f"has pixel = {shown(repr(values), 60)}", "a pitch is above 0")
    return across, down


def _distances(table: Table, unit: str) -> tuple[float, float]:
    for key in DISTANCES:
        if not table.has(key):
            raise table.wrong(
                f"has no '{key}'", f'add `{key} = ...` in {unit}; without a source nearby, write beam = "parallel"'
            )
    near, far = (length(table, key, unit, None) for key in DISTANCES)
    if near <= 0 or far <= 0:
        raise table.wrong(f"has {DISTANCES[0]} = {near:g} and {DISTANCES[1]} = {far:g}", "distances are above 0")
    if far < near:
        raise table.wrong(
            f"has the detector ({far:g} {unit} from the source) before the axis ({near:g})",
            "source_detector is from the source to the detector, all of the way; are both in one unit?",
        )
    return near, far


def read_vectors(table: Table, vectors: Table, size: tuple[int, int]) -> tuple[ScanGeometry, bool]:
    """Source and detector as vectors, in ASTRA's order, and whether the frames' rows are to be turned over.

    A line for each projection: the source (of a parallel beam the direction of its rays), the detector's middle, the
    step from a column to the next, and that from a row to the next; x, y, z each.

    Raises:
        InputError: the file is missing or has other numbers.
    """
    path = table.path.parent / vectors.text("vectors").replace("\\", "/")
    existing_file(path, "file of vectors")
    key = vectors.text("key") if vectors.has("key") else None
    every = np.asarray(array_in(path, key, (2,)) if path.suffix.lower() in ARRAYS else numbers_in(path), np.float64)
    if every.shape[1] != 12 or not np.isfinite(every).all():
        raise InputError(
            f"{shown(path)} has {every.shape[1]} numbers for each projection, some maybe not finite",
            "it takes 12: source, detector's middle, step across, step down, x y z each",
        )
    return from_vectors(beam_of(table), every, size, path)


def from_vectors(
    beam: Beam, every: np.ndarray, size: tuple[int, int], path: Path | None = None
) -> tuple[ScanGeometry, bool]:
    """The same of numbers [N,12]; where rows run upwards, seen from the source, they are turned to run downwards."""
    source, centre, u, v = torch.from_numpy(every.copy()).reshape(-1, 4, 3).unbind(1)
    along = source if beam == "parallel" else centre - source
    if beam == "parallel":  # rays have no sense: the one that lets rows run downwards, if the others run upwards
        along = torch.where(
            (v[:, 2:] > 0) == ((torch.linalg.cross(u, v) * along).sum(1, keepdim=True) > 0), -along, along
        )
    facing = (torch.linalg.cross(u, v) * along).sum(1)
    flat = facing.abs() <= 1e-9 * u.norm(dim=1) * v.norm(dim=1) * along.norm(dim=1)
    if bool(flat.any()):
        raise InputError(
            f"{'the vectors' if path is None else shown(path)}: in projection {int(flat.double().argmax())} the "
            "detector lies along the rays, or has no width",
            "check the order of the numbers",
        )
    upwards = facing < 0
    if bool(upwards.any()) and not bool(upwards.all()):
        raise InputError(
            f"{'the vectors' if path is None else shown(path)}: the detector is seen from the front in some "
            "projections and from behind in others",
            "check the signs of its steps",
        )
    turned = bool(upwards.all())
    if beam == "parallel":
        source = torch.nn.functional.normalize(along, dim=1)
    return ScanGeometry(beam, source, centre, u, -v if turned else v, size), turned


def geometry_of(setup: ScanSetup) -> ScanGeometry:
    """Where source and detector stand."""
    return scan_geometry(setup)
