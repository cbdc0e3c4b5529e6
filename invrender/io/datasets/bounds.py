"""The box that a dataset says holds its object: told outright, or the points that structure from motion found.

Points say so only where they surround what the cameras look at. Where the background has points as well, as behind
photographs of a room, they tell nothing of the object; nor does instant-ngp's `aabb_scale`, which bounds its scene.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.datasets.colmap_text import lines_of
from invrender.io.datasets.posed import PosedImage
from invrender.io.files.paths import is_file, shown
from invrender.io.meshes.binary import doubles
from invrender.io.meshes.ply_data import read_tables
from invrender.io.meshes.ply_header import read_header

log = logging.getLogger(__name__)
Points = NDArray[np.float64]
_FEWEST = 100
_PERCENTILES = (1.0, 99.0)
_MARGIN = 0.1  # of the longest side, on each side: where an object is smooth, it has no points
_TRACK, _ERROR = 3, 2.0  # views that saw a point at least, and pixels by which they missed it at most


def told_bounds(value: Any, where: str) -> torch.Tensor | None:
    """[2,3] float64 of the field `bounds`, or None where it is not there.

    Raises:
        InputError: it is no box.
    """
    if value is None:
        return None
    try:
        bounds = np.asarray(value, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{where}: 'bounds' are no numbers", "write both corners, [[x, y, z], [x, y, z]]") from error
    if bounds.shape != (2, 3) or not (np.abs(bounds) < 1e150).all() or not (bounds[1] > bounds[0]).all():
        raise InputError(f"{where}: 'bounds' are no box", "write both corners, the lower one first")
    return torch.from_numpy(bounds)


def box_of(points: Points, views: Sequence[PosedImage]) -> torch.Tensor | None:
    """[2,3] float64 around nearly all points, where they are an object's; else None.

    An object's they are where every camera stands outside of the box and has its middle within 45 degrees of its axis.
    """
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < _FEWEST or not views:
        return None
    low, high = np.percentile(points, _PERCENTILES, axis=0)
    margin = _MARGIN * (high - low).max()
    low, high = low - margin, high + margin
    world = np.stack([view.world_to_camera for view in views])
    middle = world[:, :3, :3] @ ((low + high) / 2) + world[:, :3, 3]
    position = -(np.transpose(world[:, :3, :3], (0, 2, 1)) @ world[:, :3, 3:])[..., 0]
    inside = ((position > low) & (position < high)).all(axis=1)
    ahead = -middle[:, 2] > np.hypot(middle[:, 0], middle[:, 1])
    if inside.any() or not ahead.all():
        return None
    return torch.from_numpy(np.stack([low, high]))


def colmap_points(model: Path) -> Points:
    """[P,3] the reliable points of a COLMAP model; none where it holds none, or (and it is said) a damaged file."""
    binary, text = model / "points3D.bin", model / "points3D.txt"
    try:
        if is_file(binary):
            return _binary(binary.read_bytes())
        return _text(text) if is_file(text) else np.empty((0, 3))
    except (struct.error, ValueError, OSError) as error:
        log.warning("the points of %s cannot be read, and tell no bounds: %s", shown(model), shown(str(error)))
        return np.empty((0, 3))


def _binary(content: bytes) -> Points:
    (total,) = struct.unpack_from("<Q", content)
    offset, points = 8, []
    for _ in range(total):
        x, y, z, error, track = struct.unpack_from("<8x3d3xdQ", content, offset)
        if track >= _TRACK and error <= _ERROR:
            points.append((x, y, z))
        offset += 51 + 8 * track
    return np.array(points, np.float64).reshape(-1, 3)


def _text(path: Path) -> Points:
    points = []
    for _, line in lines_of(path):
        parts = line.split()
        if len(parts) >= 8 + 2 * _TRACK and float(parts[7]) <= _ERROR:
            points.append([float(part) for part in parts[1:4]])
    return np.array(points, np.float64).reshape(-1, 3)


def ply_points(path: Path) -> Points:
    """[P,3] the vertices of a .ply file; none where it is missing.

    Raises:
        InputError: it is damaged.
    """
    if not is_file(path):
        return np.empty((0, 3))
    content = path.read_bytes()
    vertex = read_tables(path, content, read_header(path, content)).get("vertex", {})
    if not all(axis in vertex for axis in "xyz"):
        return np.empty((0, 3))
    return np.stack([doubles(vertex[axis].values) for axis in "xyz"], axis=1)
