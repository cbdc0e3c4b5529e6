"""Nikon's .xtekct: the numbers of a cone-beam scan beside the folder of its TIFFs.

As in CIL's reader: the object turns so that the source turns counterclockwise from 180 degrees, the pictures have their
first column on the right, seen from the source, and the axis lies -ObjectOffsetX to the right of the central ray; older
files have CentreOfRotationTop and -Bottom at the detector instead.
"""

from __future__ import annotations

import math
from pathlib import Path, PureWindowsPath
from typing import Any

from invrender.io.files.paths import is_folder
from invrender.io.scans.imported import Fields, Imported, key_values, lengths, plain


def from_nikon(path: Path) -> Imported:
    """An .xtekct file.

    Raises:
        InputError: a number is missing.
    """
    values = {key: value for key, value in key_values(path).items() if value}
    fields = Fields(path, values)
    near, far = fields.number("SrcToObject"), fields.number("SrcToDetector")
    pixel = fields.number("DetectorPixelSizeX"), fields.number("DetectorPixelSizeY")
    columns, rows = int(fields.number("DetectorPixelsX")), int(fields.number("DetectorPixelsY"))
    count, step = int(fields.number("Projections")), fields.number("AngularStep")
    turn = step * count
    table: dict[str, Any] = {
        "beam": "cone", "unit": str(fields.get("Units") or "mm"), "source_object": plain(near),
        "source_detector": plain(far), "pixel": lengths(*pixel), "columns": columns, "rows": rows,
        "column_order": "left", "angle_unit": "degrees",
        "angles": {"start": plain(fields.number("InitialAngle", default=0) - 180), "step": step, "count": count},
    }  # fmt: skip
    if abs(turn - round(turn)) < 1e-4:  # steps are written to a few digits
        table["angles"] = {"start": table["angles"]["start"], "span": round(turn), "count": count}
    top, bottom = (fields.number(f"CentreOfRotation{end}", default=0) for end in ("Top", "Bottom"))
    moved = fields.number("ObjectOffsetX", default=(top + bottom) / 2 * near / far)
    if moved:
        table["axis_offset"] = -moved
    leaning = math.degrees(math.atan2(bottom - top, rows * pixel[1]))
    roll = fields.number("ObjectRoll", default=leaning)
    if roll:
        table["tilt"] = -roll
    white = fields.number("WhiteLevel", default=0)
    table["preparation"] = {"i0": white if white > 0 else "auto"}
    table["projections"] = {"path": _pictures(path, values), "values": "counts"}
    return Imported("Nikon", table, None, _notes(fields))


def _pictures(path: Path, values: dict[str, str]) -> str:
    """Where the TIFFs are: in the folder that is named, else beside the file; those of the scan's name."""
    name = values.get("Name") or path.stem
    told = PureWindowsPath(values.get("InputFolderName", "")).name
    folder = told if told and is_folder(path.parent / told) else ""
    place = path.parent / folder
    for pattern in (f"{name}_*.tif", f"{name}*.tif", "*.tif"):
        if any(place.glob(pattern)):
            return f"{folder}/{pattern}" if folder else pattern
    return f"{name}_*.tif"


def _notes(fields: Fields) -> tuple[str, ...]:
    """What is in the file and has no place here."""
    lost = {
        "ObjectTilt": "the axis leans to the source",
        "DetectorOffsetX": "the detector is moved",
        "DetectorOffsetY": "the detector is moved",
    }
    found = {name: fields.number(name, default=0) for name in lost}
    return tuple(f"{name} = {value:g} ({lost[name]}) is not taken over" for name, value in found.items() if value)
