"""TIGRE's geometry: a .mat of MATLAB's `geo` and `angles`, or the fields of Python's in .json or .npz.

TIGRE (Biguri et al. 2016): the source stands on +X at angle 0 and turns counterclockwise about Z, columns run to the
right and rows upwards, seen from the source. Python has sizes as (v, u) and (z, y, x), MATLAB as (u, v) and (x, y, z).
The detector is turned by Rz(roll) Ry(pitch) Rx(yaw), the scanner by Euler's angles Z, Y, Z.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from invrender.errors import InputError
from invrender.io.files.paths import shown
from invrender.io.scans.angles import spelled
from invrender.io.scans.imported import Array, Fields, Imported, box, lengths, read_json


def from_tigre(path: Path) -> Imported:
    """A geometry of TIGRE.

    Raises:
        InputError: a field is missing or has another shape.
    """
    fields = _fields(path)
    matlab = path.suffix.lower() == ".mat"
    angles = fields.array("angles")
    angles = angles.T if angles.ndim == 2 and angles.shape[0] in (1, 3) and angles.shape[1] not in (1, 3) else angles
    angles = angles.reshape(len(angles), -1) if angles.ndim == 2 else angles.reshape(-1, 1)
    count = len(angles)

    def each(name: str, width: int, default: Any = None) -> Array:
        return _each(fields.array(name, default=default), count, width, path, name)

    far, near = each("DSD", 1), each("DSO", 1)
    flip = slice(None) if matlab else slice(None, None, -1)
    (columns, rows), (across, down) = (_pair(fields, name)[flip] for name in ("nDetector", "dDetector"))
    offset = each("offDetector", 2, [0, 0])[:, flip]
    origin = each("offOrigin", 3, [0, 0, 0])[:, flip]
    turned, shift = each("rotDetector", 3, [0, 0, 0]), each("COR", 1, 0)
    parallel = str(fields.get("mode") or "cone").strip().lower() == "parallel"
    table: dict[str, Any] = {"beam": "parallel" if parallel else "cone", "unit": "mm"}
    table |= {"columns": int(columns), "rows": int(rows)}
    still = not turned.any() and all((x == x[:1]).all() for x in (far, near, offset, origin, shift))
    vectors, centre = None, origin[0]
    if still and not angles[:, 1:].any():
        if not parallel:
            table |= {"source_object": float(near[0, 0]), "source_detector": float(far[0, 0])}
        table |= {"pixel": lengths(across, down), "row_order": "up", "angle_unit": "degrees"}
        table["angles"] = spelled(np.degrees(angles[:, 0]) + 90)
        if offset[0].any():
            table["detector_offset"] = [float(offset[0, 0]), -float(offset[0, 1])]
        if shift[0, 0]:
            table["axis_offset"] = -float(shift[0, 0])
    else:
        moves = bool((origin != origin[:1]).any())
        centre = np.zeros(3) if moves else origin[0]
        vectors = _vectors(angles, (near[:, 0], far[:, 0]), (across, down), offset, turned, shift[:, 0], parallel)
        if moves:
            vectors[:, 3:6] -= origin
            vectors[:, :3] -= 0 if parallel else origin
    if fields.get("nVoxel") is not None and fields.get("dVoxel", "sVoxel") is not None:
        samples = fields.array("nVoxel").reshape(-1)[flip]
        spacing = fields.array("dVoxel", default=[]).reshape(-1)[flip]
        spacing = spacing if len(spacing) == 3 else fields.array("sVoxel").reshape(-1)[flip] / samples
        table["grid"] = box(centre, spacing, samples)
    return Imported("TIGRE", table, vectors)


def _fields(path: Path) -> Fields:
    """The fields of `geo`, with `angles` among them."""
    suffix = path.suffix.lower()
    if suffix == ".json":
        values = read_json(path)
    elif suffix == ".npz":
        with np.load(path, allow_pickle=False) as archive:
            values = {name: archive[name] for name in archive.files}
    else:
        values = _from_mat(path)
    inner = values.get("geo")
    if isinstance(inner, dict):
        values = {**inner, **{key: value for key, value in values.items() if key != "geo"}}
    return Fields(path, values)


def _from_mat(path: Path) -> dict[str, Any]:
    from scipy.io import loadmat

    try:
        values = loadmat(path, simplify_cells=True)
    except (OSError, ValueError, TypeError, NotImplementedError) as error:
        raise InputError(
            f"{shown(path)} cannot be read: {shown(str(error), 80)}", "save it with save(..., 'geo', 'angles', '-v7')"
        ) from error
    return {key: value for key, value in values.items() if not key.startswith("__")}


def _pair(fields: Fields, name: str) -> Array:
    found = fields.array(name).reshape(-1)
    if len(found) != 2:
        raise InputError(f"{shown(fields.path)}: {name} has {len(found)} numbers", "it takes two")
    return found


def _each(values: Array, count: int, width: int, path: Path, name: str) -> Array:
    """[count,width] of one value for all projections, or one for each, along either axis."""
    if values.size == width:
        return np.broadcast_to(values.reshape(1, width), (count, width))
    if values.size == count * width:
        return values.reshape(count, width) if values.shape[0] == count else values.reshape(width, count).T
    raise InputError(
        f"{shown(path)}: {name} has shape {list(values.shape)}, and there are {count} angles",
        "give one for all, or one for each angle",
    )


def _vectors(
    angles: Array, distances: tuple[Array, Array], pixel: tuple[float, float], offset: Array, turned: Array,
    shift: Array, parallel: bool,
) -> Array:  # fmt: skip
    near, far = distances
    full = np.concatenate([angles, np.zeros((len(angles), 3))], 1)[:, :3]
    whole = _about("z", full[:, 0]) @ _about("y", full[:, 1]) @ _about("z", full[:, 2])
    detector = _about("z", turned[:, 0]) @ _about("y", turned[:, 1]) @ _about("x", turned[:, 2])
    zero = np.zeros(len(angles))
    source = np.stack([np.full(len(angles), -1.0) if parallel else near, zero, zero], 1)
    centre = np.stack([near - far, offset[:, 0], offset[:, 1]], 1)
    u, v = detector[:, :, 1] * pixel[0], detector[:, :, 2] * pixel[1]
    aside = shift[:, None] * np.stack([-np.sin(full[:, 0]), np.cos(full[:, 0]), zero], 1)
    parts = [np.einsum("nij,nj->ni", whole, each) for each in (source, centre, u, v)]
    return np.concatenate([parts[0] + (0 if parallel else aside), parts[1] + aside, parts[2], parts[3]], 1)


def _about(axis: str, angle: Array) -> Array:
    """[N,3,3] rotations about an axis."""
    c, s, zero, one = np.cos(angle), np.sin(angle), np.zeros_like(angle), np.ones_like(angle)
    rows = {
        "x": [[one, zero, zero], [zero, c, -s], [zero, s, c]],
        "y": [[c, zero, s], [zero, one, zero], [-s, zero, c]],
        "z": [[c, -s, zero], [s, c, zero], [zero, zero, one]],
    }[axis]
    return np.stack([np.stack(row, -1) for row in rows], 1)
