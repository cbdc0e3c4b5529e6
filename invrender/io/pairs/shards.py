"""The files of shards: written in one piece each, read a few samples at a time, mapped only while they are copied.

A file that stays mapped would count as memory of the process, page by page, until all of it is there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.atomic import atomic_path
from invrender.io.files.paths import existing_file
from invrender.io.pairs.meta import Layout, Shard

Array = NDArray[Any]
AGAIN = "make or import the data set again: what is whole of it is kept"


def encode(values: Array, kind: str) -> Array:
    """Floats as a shard holds them; of uint8, 0 to 1 become 0 to 255.

    Raises:
        InputError: a value is NaN or infinite, or too large for float16.
    """
    if not np.isfinite(values).all():
        raise InputError("there are values that are NaN or infinite", "repair what they were made of")
    if kind == "uint8":
        return (values.clip(0, 1) * 255 + 0.5).astype(np.uint8)
    if np.abs(values).max(initial=0) > np.finfo(np.float16).max:
        raise InputError("there are values above 65504, the largest of float16", "scale them down")
    return values.astype(np.float16)


def write_shard(folder: Path, shard: Shard, layout: Layout, voxels: Array, pictures: Array) -> None:
    """Write both files of a shard; the pictures last, so that a shard with these is whole.

    Args:
        folder: of the data set.
        shard, layout: what it is, and what its samples are like.
        voxels: [N,C,D,H,W] in the layout's type; `pictures`: [N,H,W,C].

    Raises:
        UsageError: there is no room, or the place cannot be written to.
        ValueError: the arrays are not what the layout says.
    """
    for name, (array, shape, kind) in _files(shard, layout, voxels, pictures).items():
        if array.shape != (len(shard.objects), *shape) or array.dtype != kind:
            raise ValueError(f"{name} would hold {array.dtype} {array.shape}, not {kind} {shape}")
        with atomic_path(folder / name) as temporary, temporary.open("wb") as file:
            np.save(file, np.ascontiguousarray(array), allow_pickle=False)


def _files(shard: Shard, layout: Layout, voxels: Any, pictures: Any) -> Mapping[str, tuple[Any, tuple[int, ...], str]]:
    return {
        shard.voxels: (voxels, layout.voxels, layout.voxel_type),
        shard.pictures: (pictures, layout.pictures, layout.picture_type),
    }


def check_shard(folder: Path, shard: Shard, layout: Layout) -> None:
    """Refuse a shard whose files are not whole or not as the layout says; their values are not looked at.

    Raises:
        InputError: naming the file, and what is wrong with it.
    """
    for name, (_, shape, kind) in _files(shard, layout, None, None).items():
        path = existing_file(folder / name, "shard")
        offset, found, order, dtype = _header(path)
        wanted = (len(shard.objects), *shape)
        if found[1:] != shape or dtype != np.dtype(kind) or order:
            raise InputError(f"{path} holds {dtype} {list(found)}, and the others {kind} {list(wanted)}", AGAIN)
        if found[0] != wanted[0]:
            raise InputError(f"{path} holds {found[0]} samples, and meta.json says {wanted[0]}", AGAIN)
        size, needed = path.stat().st_size, offset + int(np.prod(found, dtype=np.int64)) * dtype.itemsize
        if size != needed:
            raise InputError(f"{path} is cut short or overlong: it has {size} bytes of {needed}", AGAIN)


def _header(path: Path) -> tuple[int, tuple[int, ...], bool, np.dtype[Any]]:
    """Where the values of an .npy begin, their shape, whether columns run fastest, and their type."""
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, fortran, dtype = read(file)
            return file.tell(), shape, fortran and len(shape) > 1, dtype
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path} is damaged: {str(error)[:120]}", AGAIN) from error


def read_rows(path: Path, rows: Sequence[int], into: Array) -> None:
    """Copy some samples of a shard's file.

    Args:
        path: of an .npy that `check_shard` has passed.
        rows: which samples.
        into: [len(rows), ...] of the file's type.

    Raises:
        InputError: the file has gone, was cut short since, or holds NaN or infinite values.
    """
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        np.take(mapped, np.asarray(rows), axis=0, out=into, mode="clip")
    except (OSError, ValueError, EOFError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)[:120]
        raise InputError(f"{path} cannot be read: {reason}", AGAIN) from error
    if into.dtype.kind == "f" and not np.isfinite(into).all():
        bad = [row for row, values in zip(rows, into, strict=True) if not np.isfinite(values).all()]
        raise InputError(f"{path} holds NaN or infinite values in sample {bad[0]}", AGAIN)
