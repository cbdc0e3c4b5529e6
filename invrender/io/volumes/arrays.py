"""Volumes as plain arrays: .npz, .npy and headerless .raw files."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError, UsageError
from invrender.io.files.paths import nearest
from invrender.io.volumes.grid import Array, Grid, channels_first, damaged, default_axes, scalars, size_lie
from invrender.nouns import Volume

_BROKEN = (ValueError, EOFError, OSError, KeyError, zipfile.BadZipFile, zlib.error)


def read_npz(path: Path, key: str) -> Grid:
    """The array `key` (or the only grid) of an archive, placed by `bounds` [2,3], or by `spacing` and `origin`."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except _BROKEN as error:
        raise damaged(path, error) from error
    name = choose(key, [name for name, array in arrays.items() if array.ndim >= 3], path)
    values = channels_first(arrays[name], path)
    return _positioned(values, arrays, path)


def read_npy(path: Path) -> Grid:
    """The array of the file, without a position in the world."""
    try:
        values = np.load(path, allow_pickle=False)
    except _BROKEN as error:
        raise damaged(path, error) from error
    values = channels_first(np.asarray(values), path)
    return Grid(values, *default_axes(values.shape[1:]))


def read_raw(path: Path, shape: Sequence[int] | None, dtype: str | None) -> Grid:
    """Numbers without a header: `shape` (z, y, x) or (c, z, y, x), x fastest, of type `dtype`.

    Raises:
        UsageError: shape or dtype are missing or impossible.
        InputError: the file is longer or shorter than that.
    """
    if shape is None or dtype is None:
        raise UsageError(
            f"{path.name} has no header that tells its shape and type",
            "give both, z first: --shape 64,128,128 --dtype uint8",
        )
    if len(shape) not in (3, 4) or min(shape) < 1:
        raise UsageError(
            f"the shape {', '.join(map(str, shape))} is no grid", "give the samples along z, y, x: --shape 64,128,128"
        )
    try:
        kind = np.dtype(dtype)
    except TypeError as error:
        raise UsageError(f"there is no number type {dtype!r}", "use uint8, int16, '>u2' or float32") from error
    needed, found = int(np.prod(shape)) * kind.itemsize, path.stat().st_size
    if needed != found:
        raise size_lie(path, tuple(shape), needed, found)
    values = channels_first(np.fromfile(path, kind).reshape(tuple(shape)), path)
    return Grid(values, *default_axes(values.shape[1:]))


def write_npz(path: Path, volume: Volume) -> None:
    """`density` [D,H,W] or [C,D,H,W] float32 and `bounds` [2,3] float64, compressed."""
    np.savez_compressed(path, density=_squeezed(volume), bounds=volume.bounds.detach().cpu().double().numpy())


def write_npy(path: Path, volume: Volume) -> None:
    """The values alone; the position in the world is lost."""
    np.save(path, _squeezed(volume))


def write_raw(path: Path, volume: Volume) -> None:
    """The values alone as little-endian float32, x fastest."""
    scalars(volume).astype("<f4").tofile(path)


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


def _squeezed(volume: Volume) -> NDArray[np.float32]:
    values = scalars(volume)
    return values[0] if len(values) == 1 else values


def _positioned(values: Array, arrays: dict[str, Array], path: Path) -> Grid:
    shape = values.shape[1:]
    counts = np.array(shape[::-1], np.float64) - 1
    axes, origin = default_axes(shape)
    try:
        if "bounds" in arrays:
            bounds = np.asarray(arrays["bounds"], np.float64).reshape(2, 3)
            return Grid(values, np.diag((bounds[1] - bounds[0]) / np.maximum(counts, 1)), bounds[0])
        if "spacing" in arrays:
            axes = np.diag(np.broadcast_to(np.asarray(arrays["spacing"], np.float64), (3,)))
            origin = np.zeros(3)
        if "origin" in arrays:
            origin = np.asarray(arrays["origin"], np.float64).reshape(3).copy()
    except ValueError as error:
        raise InputError(
            f"{path}: bounds, spacing or origin have a wrong shape ({error})",
            "bounds are 2 x 3 numbers (x, y, z of both corners), spacing and origin 3",
        ) from error
    return Grid(values, axes, origin)
