"""OpenVDB volumes, .vdb, where the package openvdb or pyopenvdb is installed."""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import Any

import numpy as np

from invrender.errors import InputError
from invrender.io.files.memory import check_room
from invrender.io.volumes.arrays import choose
from invrender.io.volumes.axes import checked_frame
from invrender.io.volumes.grid import Grid, damaged, scalars, spacing
from invrender.nouns import Volume


def read_vdb(path: Path, key: str, frame: int | None = None) -> Grid:
    """The active voxels of a float grid as a dense one, within their bounding box and one voxel around it."""
    vdb = _openvdb(path)
    if frame:
        checked_frame(frame, 1, path)
    try:
        grids = {grid.name: grid for grid in vdb.readAllGridMetadata(str(path))}
        grid = vdb.read(str(path), choose(key, list(grids), path))
    except (OSError, RuntimeError, KeyError) as error:
        raise damaged(path, error) from error
    low, high = (np.array(corner, np.int64) for corner in grid.evalActiveVoxelBoundingBox())
    if (low > high).any():
        raise InputError(f"{path} has no active voxels", "export it again, with values in it")
    low, high = low - 1, high + 1
    check_room(path, 2 * 4 * math.prod(int(n) for n in high - low + 1))
    dense = np.zeros(tuple(high - low + 1), np.float32)
    grid.copyToArray(dense, ijk=tuple(int(n) for n in low))
    first = np.array(grid.transform.indexToWorld(tuple(float(n) for n in low)))
    axes = [np.array(grid.transform.indexToWorld(tuple(low + step))) - first for step in np.eye(3)]
    return Grid(dense.transpose(2, 1, 0)[None], np.stack(axes, 1), first)


def write_vdb(path: Path, volume: Volume) -> None:
    """A float grid called density; zeros are left out."""
    vdb = _openvdb(path)
    values = scalars(volume)
    if len(values) > 1:
        raise InputError(f"{path.name} can hold one channel, not {len(values)}", "write an .npz or .vti")
    steps, origin = spacing(volume)
    grid = vdb.FloatGrid()
    grid.name = "density"
    grid.copyFromArray(np.ascontiguousarray(values[0].T))
    matrix = [[steps[0], 0, 0, 0], [0, steps[1], 0, 0], [0, 0, steps[2], 0], [*origin, 1]]
    grid.transform = vdb.createLinearTransform(matrix)
    vdb.write(str(path), grids=[grid])


def _openvdb(path: Path) -> Any:
    for module in ("openvdb", "pyopenvdb"):
        try:
            return importlib.import_module(module)
        except ImportError:
            continue
    raise InputError(
        f"{path.name} needs OpenVDB's Python module, which is not installed",
        "install it with conda (`conda install -c conda-forge openvdb`), or convert the file to .npz, .vti or .nrrd",
    )
