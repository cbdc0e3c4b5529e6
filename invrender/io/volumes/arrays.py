"""Volumes as plain arrays: .npz and .npy. Nothing is unpickled, and nothing is allocated that the file cannot hold."""

from __future__ import annotations

import logging
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.memory import check_room
from invrender.io.files.npz import BROKEN_HEADERS
from invrender.io.files.paths import nearest
from invrender.io.volumes.axes import unnamed
from invrender.io.volumes.grid import Array, Grid, damaged, default_axes, scalars, size_lie
from invrender.io.volumes.oblique import is_turned
from invrender.nouns import Volume

log = logging.getLogger(__name__)

_PLACE = ("bounds", "spacing", "origin", "placement")
_PLACE_LIMIT = 1 << 16  # bytes that such an array may have


def read_npz(path: Path, key: str, frame: int | None = None) -> Grid:
    """The array `key` (or the only grid) of an archive, placed by `bounds` [2,3], or by `spacing` and `origin`."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            headers = {name: _member_header(archive, info) for name, info in members.items()}
            grids = [n for n, head in headers.items() if head and (len(head[0]) >= 3 or head[1].hasobject)]
            name = choose(key, grids or [n for n in headers if n == key], path)
            values = _member(archive, members[name], path)
            small = [n for n in _PLACE if n in members and n != name and members[n].file_size <= _PLACE_LIMIT]
            arrays = {n: _member(archive, members[n], path) for n in small}
    except BROKEN_HEADERS as error:
        raise damaged(path, error) from error
    ours = name == "density" and "bounds" in arrays  # as `write_npz` has it
    return _positioned(unnamed(values, frame, path, ours), arrays, path)


def read_npy(path: Path, frame: int | None = None) -> Grid:
    """The array of the file, without a position in the world."""
    try:
        with path.open("rb") as file:
            values = _array(file, path.stat().st_size, path)
            more = path.stat().st_size - file.tell()
    except BROKEN_HEADERS as error:
        raise damaged(path, error) from error
    if more:
        log.warning("%s: %d more bytes follow the array; they are left out", path.name, more)
    values = unnamed(values, frame, path)
    return Grid(values, *default_axes(values.shape[1:]), spaced=False)


def write_npz(path: Path, volume: Volume) -> None:
    """`density` [D,H,W] or [C,D,H,W] float32, `bounds` [2,3] float64, `placement` [3,4] of a turned one, compressed."""
    arrays = {"density": _squeezed(volume), "bounds": volume.bounds.detach().cpu().double().numpy()}
    if volume.placement is not None:
        arrays["placement"] = volume.placement.detach().cpu().double().numpy()
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type] # one of its keywords is a bool


def write_npy(path: Path, volume: Volume) -> None:
    """The values alone; the position in the world is lost."""
    np.save(path, _squeezed(volume))


def choose(key: str, names: Sequence[str], path: Path) -> str:
    """The array that is meant: `key`, or the only one where `key` is the default name.

    Raises:
        InputError: there is none, or it is open which.
    """
    if key in names:
        return key
    if len(names) == 1 and key == "density":
        return names[0]
    if not names:
        raise InputError(f"{path} holds no grid of values", "write an array [z, y, x] under the name density")
    close = nearest(key, names)
    hint = f"did you mean {close}? " if close else ""
    raise InputError(f"{path} has no array '{key}'", f"{hint}choose one with --key: {', '.join(names)}")


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array in numpy's format; the file then stands where its data begin."""
    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version} of the format is not for plain numbers")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, kind = read(file)
    if any(n < 0 for n in shape):
        raise ValueError(f"the shape is {shape}")
    return shape, kind


def _array(file: IO[bytes], size: int, path: Path) -> Array:
    """An array from a file of that many bytes, its shape compared with them first."""
    shape, kind = _header(file)
    if kind.hasobject:
        raise InputError(
            f"{path} holds Python objects (a pickle), which could run any program and are not opened",
            "save a plain array: numpy.save('volume.npy', numpy.asarray(values, numpy.float32))",
        )
    needed, found = math.prod(shape) * kind.itemsize, size - file.tell()
    if needed > found:
        raise size_lie(path, shape, needed, found)
    check_room(path, needed)
    file.seek(0)
    return np.asarray(npy.read_array(file, allow_pickle=False))


def _member_header(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[tuple[int, ...], np.dtype[Any]] | None:
    """The header of one array of an archive; None where the member is none."""
    if not info.filename.endswith(".npy"):
        return None
    with archive.open(info) as file:
        return _header(file)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> Array:
    check_room(path, info.file_size)
    with archive.open(info) as file:
        return _array(file, info.file_size, path)


def _squeezed(volume: Volume) -> NDArray[np.float32]:
    values = scalars(volume)
    return values[0] if len(values) == 1 else values


def _positioned(values: Array, arrays: dict[str, Array], path: Path) -> Grid:
    shape = values.shape[1:]
    counts = np.array(shape[::-1], np.float64) - 1
    axes, origin = default_axes(shape)
    try:
        if "bounds" in arrays:
            bounds = _numbers(arrays["bounds"])
            if bounds.shape != (2, 3):  # six numbers in a row are in another order in VTK
                raise ValueError(f"bounds of shape {bounds.shape}")
            _check_corners(bounds, path)
            axes = np.diag((bounds[1] - bounds[0]) / np.maximum(counts, 1))
            return Grid(values, axes, bounds[0], _placement(arrays, path))
        if "spacing" in arrays:
            steps = np.broadcast_to(_numbers(arrays["spacing"]), (3,))
            _check_corners(np.stack([np.zeros(3), steps]), path)
            axes = np.diag(steps)
            origin = np.zeros(3)
        if "origin" in arrays:
            origin = _numbers(arrays["origin"]).reshape(3).copy()
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{path}: bounds, spacing or origin have a wrong shape ({error})",
            "bounds are 2 x 3 numbers (x, y, z of both corners), spacing and origin 3",
        ) from error
    return Grid(values, axes, origin, spaced="spacing" in arrays)


def _placement(arrays: dict[str, Array], path: Path) -> NDArray[np.float64] | None:
    if "placement" not in arrays:
        return None
    matrix = _numbers(arrays["placement"])
    fits = matrix.shape == (3, 4) and np.isfinite(matrix).all()
    if not fits or (np.abs(np.linalg.norm(matrix[:, :3], axis=0) - 1) > 1e-3).any() or not is_turned(matrix[:, :3]):
        raise InputError(f"{path}: its placement is no rotation and shift", "write 3 x 4 numbers, or leave it out")
    return matrix


def _numbers(values: Array) -> NDArray[np.float64]:
    if values.dtype.kind not in "iuf":
        raise ValueError(f"numbers of type {values.dtype}")
    return values.astype(np.float64)


def _check_corners(corners: NDArray[np.float64], path: Path) -> None:
    if not (np.isfinite(corners).all() and (corners[0] < corners[1]).all()):
        raise InputError(
            f"{path}: bounds or spacing {corners.tolist()} span no box",
            "write the lower corner first, and spacings above 0",
        )
