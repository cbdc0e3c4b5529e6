"""ASTRA's projection geometries: the dictionary of create_proj_geom in .json or .npz, or vectors in .npy or text.

At angle 0 the source stands on -Y, columns run along +X and rows along +Z; with the angle all turn counterclockwise
(astra.geom_2vec). Data of three dimensions are [rows, projections, columns], sinograms [projections, columns].
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from invrender.errors import InputError
from invrender.io.files.paths import shown
from invrender.io.scans.angles import numbers_in, spelled
from invrender.io.scans.arrays import array_in
from invrender.io.scans.imported import Array, Fields, Imported, lengths, plain, read_json

TYPES = ("parallel", "parallel_vec", "fanflat", "fanflat_vec", "parallel3d", "parallel3d_vec", "cone", "cone_vec")


def from_astra(path: Path) -> Imported:
    """A projection geometry of ASTRA.

    Raises:
        InputError: a field is missing, or the type is not known.
    """
    fields = Fields(path, _values(path))
    kind = str(fields.get("type") or "").strip()
    if kind not in TYPES:
        raise InputError(f"{shown(path)} has the type '{shown(kind)}'", f"known are {', '.join(TYPES)}")
    flat = not kind.startswith(("parallel3d", "cone"))
    beam = "parallel" if kind.startswith("parallel") else "fan" if flat else "cone"
    columns = int(fields.number("DetectorCount", "DetectorColCount"))
    table: dict[str, Any] = {"beam": beam, "unit": "mm", "columns": columns}
    table["rows"] = 1 if flat else int(fields.number("DetectorRowCount"))
    table["projections"] = {"order": "NW" if flat else "HNW"}
    notes = ("ASTRA knows no unit: mm is written, change it where lengths are others",)
    if kind.endswith("_vec"):
        return Imported("ASTRA", table, _lifted(fields.array("Vectors"), path), notes)
    across = fields.number("DetectorWidth", "DetectorSpacingX")
    down = across if flat else fields.number("DetectorSpacingY")
    if beam != "parallel":
        near = fields.number("DistanceOriginSource")
        far = near + fields.number("DistanceOriginDetector")
        table |= {"source_object": plain(near), "source_detector": plain(far)}
    table |= {"pixel": lengths(across, down), "row_order": "up", "angle_unit": "degrees"}
    table["angles"] = spelled(np.degrees(fields.array("ProjectionAngles").reshape(-1)))
    return Imported("ASTRA", table, None, notes)


def _values(path: Path) -> dict[str, Any]:
    suffix = path.suffix.lower()
    if suffix == ".json":
        return read_json(path)
    if suffix == ".npz":
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    vectors = array_in(path, dimensions=(2,)) if suffix == ".npy" else numbers_in(path)
    raise InputError(
        f"{shown(path)} holds {'x'.join(map(str, vectors.shape))} numbers, and not how large the detector is",
        'write {"type": "cone_vec", "DetectorRowCount": .., "DetectorColCount": .., "Vectors": [..]} as .json; or a '
        "scan.toml with [geometry] vectors = ... that names this file",
    )


def _lifted(vectors: Array, path: Path) -> Array:
    """[N,12]: vectors of three dimensions, or those of two [N,6] in the plane of Z = 0."""
    if vectors.ndim == 2 and vectors.shape[1] == 12:
        return vectors
    if vectors.ndim != 2 or vectors.shape[1] != 6:
        raise InputError(
            f"{shown(path)}: Vectors has shape {list(vectors.shape)}", "it takes [N, 12], or [N, 6] in 2-D"
        )
    zero = np.zeros((len(vectors), 1))
    pitch = np.linalg.norm(vectors[:, 4:6], axis=1, keepdims=True)
    source, centre, u = (np.concatenate([vectors[:, i : i + 2], zero], 1) for i in (0, 2, 4))
    return np.concatenate([source, centre, u, zero, zero, pitch], 1)
