"""Volumes of other people's packages: .nrrd through pynrrd, .nii and .nii.gz through nibabel, .vdb through openvdb.

The packages are optional (`pip install 'invrender[volumes]'`). Positions are kept as each file states them: NIfTI
counts x to the right and y to the front of the patient, ITK's formats to the left and the back.
"""

from __future__ import annotations

import importlib
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from invrender.errors import InputError
from invrender.io.volumes.arrays import choose
from invrender.io.volumes.grid import Array, Grid, damaged, default_axes, scalars, spacing
from invrender.nouns import Volume


def read_nrrd(path: Path) -> Grid:
    """Values, and the position from `space directions` and `space origin`, or from `spacings` and `axis mins`."""
    nrrd = package("nrrd", "pynrrd", path)
    try:
        values, header = nrrd.read(str(path), index_order="C")
    except _errors(nrrd.NRRDError) as error:
        raise damaged(path, error) from error
    try:
        return _nrrd_grid(np.asarray(values), header, path)
    except (ValueError, TypeError, IndexError) as error:
        raise damaged(path, error) from error


def write_nrrd(path: Path, volume: Volume) -> None:
    """float32 values, gzip-compressed, with space directions and origin."""
    nrrd = package("nrrd", "pynrrd", path)
    values = scalars(volume)
    steps, origin = spacing(volume)
    header: dict[str, Any] = {"space dimension": 3, "space origin": origin, "encoding": "gzip"}
    header["space directions"] = np.diag(steps)
    header["kinds"] = ["domain"] * 3
    data = values[0]
    if len(values) > 1:
        header["space directions"] = np.concatenate([np.full((1, 3), np.nan), np.diag(steps)])
        header["kinds"] = ["vector", *header["kinds"]]
        data = np.moveaxis(values, 0, -1)
    nrrd.write(str(path), np.ascontiguousarray(data), header, index_order="C")


def read_nifti(path: Path) -> Grid:
    """Scaled values and the position from the affine (x to the right, y to the front, z upwards)."""
    nibabel = package("nibabel", "nibabel", path)
    try:
        image = nibabel.load(str(path))
        values = np.asarray(image.dataobj)
        affine = np.asarray(image.affine, np.float64)
    except _errors(nibabel.filebasedimages.ImageFileError, nibabel.spatialimages.HeaderDataError) as error:
        raise damaged(path, error) from error
    while values.ndim > 3 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim == 5 and values.shape[3] == 1:
        values = values[:, :, :, 0]
    if values.ndim not in (3, 4):
        raise InputError(f"{path} has {values.ndim} dimensions", "use a volume of three dimensions")
    by_channel = values[None] if values.ndim == 3 else np.moveaxis(values, 3, 0)
    return Grid(by_channel.transpose(0, 3, 2, 1), affine[:3, :3], affine[:3, 3])


def write_nifti(path: Path, volume: Volume) -> None:
    """float32 values with an affine of spacing and origin; the header keeps the affine in float32."""
    nibabel = package("nibabel", "nibabel", path)
    values = scalars(volume)
    steps, origin = spacing(volume)
    affine = np.diag([*steps, 1.0])
    affine[:3, 3] = origin
    data = values[0].T if len(values) == 1 else values.transpose(3, 2, 1, 0)[:, :, :, None]
    image = nibabel.Nifti1Image(np.ascontiguousarray(data), affine)
    if len(values) > 1:
        image.header.set_intent("vector")
    nibabel.save(image, str(path))


def read_vdb(path: Path, key: str) -> Grid:
    """The active voxels of a float grid as a dense one, within their bounding box and one voxel around it."""
    vdb = _openvdb(path)
    try:
        grids = {grid.name: grid for grid in vdb.readAllGridMetadata(str(path))}
        grid = vdb.read(str(path), choose(key, list(grids), path))
    except (OSError, RuntimeError, KeyError) as error:
        raise damaged(path, error) from error
    low, high = (np.array(corner) for corner in grid.evalActiveVoxelBoundingBox())
    low, high = low - 1, high + 1
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


def package(module: str, name: str, path: Path) -> Any:
    """An optional package.

    Raises:
        InputError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(
            f"{path.name} needs the package {name}, which is not installed",
            f"run `pip install {name}`, or convert the file to .npz, .vti or .mha",
        ) from error


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


def _errors(*more: type[Exception]) -> tuple[type[Exception], ...]:
    """What these packages raise on damaged files."""
    return (OSError, EOFError, ValueError, KeyError, TypeError, OverflowError, AttributeError, zlib.error, *more)


def _nrrd_grid(values: Array, header: dict[str, Any], path: Path) -> Grid:
    """`values` come with the slowest axis first; the header's lists begin with the fastest."""
    directions = header.get("space directions")
    spatial = [True] * values.ndim
    if directions is not None:
        rows = [None if row is None else np.asarray(row, np.float64) for row in directions]
        spatial = [row is not None and not np.isnan(row).any() for row in rows]
    elif values.ndim == 4:
        kinds = header.get("kinds", [])
        first = values.shape[3] <= 4 and (not kinds or kinds[0] not in ("domain", "space"))
        spatial = [not first, True, True, first]
    if sum(spatial) != 3:
        raise InputError(f"{path} has {sum(spatial)} spatial axes", "use a volume of three dimensions")
    if values.ndim == 4:
        values = np.moveaxis(values, 3 - spatial.index(False), 0)
    elif values.ndim == 3:
        values = values[None]
    axes, origin = default_axes(values.shape[1:])
    if directions is not None:
        axes = np.stack([row for row, keep in zip(rows, spatial, strict=True) if keep and row is not None], 1)
        origin = np.zeros(3)
    elif "spacings" in header:
        axes = np.diag(np.asarray(header["spacings"], np.float64)[np.array(spatial)])
        origin = np.zeros(3)
    if "space origin" in header:
        origin = np.asarray(header["space origin"], np.float64)
    elif "axis mins" in header:
        origin = np.asarray(header["axis mins"], np.float64)[np.array(spatial)]
    return Grid(values, axes, origin)
