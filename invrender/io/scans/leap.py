"""LEAP's parameter file (LivermorE AI Projector): lines `key = value`, of parallel, fan, cone and modular beams.

At angle 0 the source stands on -Y and columns run along +X, rows along +Z; angles turn counterclockwise. Column
centerCol of row centerRow lies on the ray through the axis, which `tau` moves to the right of it; helicalPitch is mm a
radian, with the source at height 0 halfway.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from invrender.errors import InputError
from invrender.io.files.paths import shown
from invrender.io.scans.angles import spelled
from invrender.io.scans.imported import Array, Fields, Imported, box, key_values, lengths, plain

OLD = {
    "img_dimx": "numX", "img_dimy": "numY", "img_dimz": "numZ", "img_pwidth": "voxelWidth",
    "img_pheight": "voxelHeight", "img_offsetx": "offsetX", "img_offsety": "offsetY", "img_offsetz": "offsetZ",
    "proj_geometry": "geometry", "proj_nangles": "numAngles", "proj_nrows": "numRows", "proj_ncols": "numCols",
    "proj_pheight": "pixelHeight", "proj_pwidth": "pixelWidth", "proj_crow": "centerRow", "proj_ccol": "centerCol",
    "proj_arange": "angularRange", "proj_phis": "phis", "proj_sod": "sod", "proj_sdd": "sdd", "proj_tau": "tau",
    "proj_helicalpitch": "helicalPitch", "proj_srcpos": "sourcePositions", "proj_modcenter": "moduleCenters",
    "proj_rowvec": "rowVectors", "proj_colvec": "colVectors",
}  # fmt: skip
"""What the names were before."""


def from_leap(path: Path) -> Imported:
    """A parameter file of LEAP.

    Raises:
        InputError: a parameter is missing, or the detector is curved.
    """
    pairs = {OLD.get(key, key): value for key, value in key_values(path).items()}
    if pairs.get("detectorType", "flat").lower() == "curved":
        raise InputError(f"{shown(path)} has a curved detector, which is not read", "resample to a flat one first")
    split = {key: [word for word in value.replace(",", " ").split() if word] for key, value in pairs.items()}
    fields = Fields(path, {key: words for key, words in split.items() if words})
    kind = pairs.get("geometry", "").lower()
    if kind not in ("cone", "fan", "parallel", "modular"):
        raise InputError(f"{shown(path)} has the geometry '{shown(kind)}'", "known are cone, fan, parallel and modular")
    rows, columns = int(fields.number("numRows")), int(fields.number("numCols"))
    across, down = fields.number("pixelWidth"), fields.number("pixelHeight")
    table: dict[str, Any] = {"beam": "cone" if kind == "modular" else kind, "unit": "mm"}
    table |= {"columns": columns, "rows": rows}
    vectors = None
    if kind == "modular":
        names = ("sourcePositions", "moduleCenters", "colVectors", "rowVectors")
        source, centre, u, v = (fields.array(name).reshape(-1, 3) for name in names)
        vectors = np.concatenate([source, centre, u * across, v * down], 1)
    else:
        _on_circle(fields, kind, table, (across, down), (columns, rows))
    if fields.get("numX") is not None and fields.number("numX") > 0 and fields.number("voxelWidth", default=0) > 0:
        table["grid"] = _grid(fields, kind)
    return Imported("LEAP", table, vectors)


def _on_circle(
    fields: Fields, kind: str, table: dict[str, Any], pixel: tuple[float, float], counts: tuple[int, int]
) -> None:
    """Put the numbers of a circle or helix into the table."""
    if kind != "parallel":
        table |= {"source_object": plain(fields.number("sod")), "source_detector": plain(fields.number("sdd"))}
    table |= {"pixel": lengths(*pixel), "row_order": "up", "angle_unit": "degrees"}
    number = int(fields.number("numAngles"))
    if fields.get("phis") is not None:
        angles = fields.array("phis").reshape(-1)
    else:
        angles = np.arange(number) * fields.number("angularRange") / number
    table["angles"] = spelled(angles)
    right = ((counts[0] - 1) / 2 - fields.number("centerCol", default=(counts[0] - 1) / 2)) * pixel[0]
    up = ((counts[1] - 1) / 2 - fields.number("centerRow", default=(counts[1] - 1) / 2)) * pixel[1]
    if right or up:
        table["detector_offset"] = [right, -up]
    if fields.number("tau", default=0):
        table["axis_offset"] = fields.number("tau")
    pitch = fields.number("helicalPitch", default=0)
    if pitch:
        table["rise"] = 2 * math.pi * pitch


def _grid(fields: Fields, kind: str) -> dict[str, Any]:
    """The grid, whose heights LEAP counts from the row of centerRow."""
    counts = np.array([fields.number(name) for name in ("numX", "numY", "numZ")])
    width, height = fields.number("voxelWidth"), fields.number("voxelHeight")
    spacing = np.array([width, width, height])
    centre: Array = np.array([fields.number(name, default=0) for name in ("offsetX", "offsetY", "offsetZ")])
    rows, pitch = fields.number("numRows"), fields.number("pixelHeight")
    row = fields.number("centerRow", default=(rows - 1) / 2)
    helical = fields.number("helicalPitch", default=0)
    if kind != "modular":
        pitch *= fields.number("sod") / fields.number("sdd") if kind == "cone" else 1.0
        first = -row * pitch if not helical else (0.5 * (rows - 1) - row) * pitch - 0.5 * (counts[2] - 1) * height
        centre[2] += first + (counts[2] - 1) / 2 * height
    if helical:  # heights are counted from the first source here, and from halfway there
        number = fields.number("numAngles")
        turned = fields.array("phis").reshape(-1) if fields.get("phis") is not None else None
        span = fields.number("angularRange", default=0) * (number - 1) / number if turned is None else np.ptp(turned)
        centre[2] += math.radians(float(span)) / 2 * helical
    return box(centre, spacing, counts)
