"""Arrays in .npy, .npz and HDF5 files, mapped from disk where that is possible."""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.paths import listing, nearest, shown

Array = NDArray[Any]
HDF5 = (".h5", ".hdf5", ".hdf", ".nxs")
ARRAYS = (".npy", ".npz", *HDF5)
DAMAGED = (OSError, ValueError, EOFError, OverflowError, SyntaxError, TypeError, KeyError, struct.error, zlib.error,
           tokenize.TokenError, zipfile.BadZipFile)  # fmt: skip


def array_in(path: Path, key: str | None = None, dimensions: tuple[int, ...] = (2, 3)) -> Array:
    """An array of numbers in a file; of .npy mapped from disk, copied where it is written to.

    Args:
        path: .npy, .npz or HDF5.
        key: which of several; None: the only one of as many dimensions.
        dimensions: that it may have.

    Raises:
        InputError: the file is damaged, or holds no such array, or several (their names are said).
    """
    found: Any
    try:
        if path.suffix.lower() == ".npy":
            found = np.lib.format.open_memmap(path, mode="c")
        elif path.suffix.lower() == ".npz":
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                shapes = {name: archive[name].shape for name in archive.files}
                found = archive[_chosen(path, shapes, key, dimensions)]
        else:
            found = _from_hdf5(path, key, dimensions)
    except DAMAGED as error:
        raise InputError(f"{shown(path)} cannot be read: {shown(str(error), 100)}", "export it again") from error
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "biuf":
        raise InputError(f"{shown(path)} holds no array of real numbers", "save plain numbers")
    if found.ndim not in dimensions:
        raise InputError(
            f"{shown(path)} holds an array of shape {list(found.shape)}",
            f"it takes one of {' or '.join(str(n) for n in dimensions)} dimensions",
        )
    return found


def _from_hdf5(path: Path, key: str | None, dimensions: tuple[int, ...]) -> Array:
    try:
        import h5py
    except ImportError as error:
        raise InputError(f"{shown(path)} takes h5py, which is not installed", "pip install h5py") from error
    with h5py.File(path, "r") as file:
        shapes: dict[str, tuple[int, ...]] = {}

        def note(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "biuf":
                shapes[name] = item.shape

        file.visititems(note)
        return np.asarray(file[_chosen(path, shapes, key, dimensions)])


def _chosen(path: Path, shapes: dict[str, tuple[int, ...]], key: str | None, dimensions: tuple[int, ...]) -> str:
    """The name of the array that is meant."""
    if key is not None:
        name = key.strip("/") if key not in shapes else key
        if name in shapes:
            return name
        close = nearest(name, shapes)
        raise InputError(
            f"{shown(path)} has no array '{shown(key)}'",
            f"did you mean '{close}'?" if close else f"it holds {listing(shapes)}",
        )
    fitting = [name for name, shape in shapes.items() if len(shape) in dimensions]
    if len(fitting) == 1:
        return fitting[0]
    what = f"{len(fitting)} arrays that it could be" if fitting else "no array that it could be"
    held = listing(f"{name} {list(shape)}" for name, shape in shapes.items())
    raise InputError(f"{shown(path)} holds {what}: {held}", "name one: key = ..." if fitting else "check the file")
