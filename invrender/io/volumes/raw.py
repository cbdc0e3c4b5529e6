"""Volumes without a header, .raw: the shape and the type come from the user, and a wrong one meets with suggestions."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from invrender.errors import InputError, UsageError
from invrender.io.files.memory import check_room
from invrender.io.volumes.axes import unnamed
from invrender.io.volumes.grid import Grid, default_axes, scalars
from invrender.nouns import Volume

_TYPES = ("uint8", "uint16", "float32", "float64")
_NAMED = re.compile(r"(?<!\d)(\d+)x(\d+)x(\d+)(?!\d)(?:.*?((?:u?int|float)\d+))?", re.IGNORECASE)


def read_raw(path: Path, shape: Sequence[int] | None, dtype: str | None, frame: int | None = None) -> Grid:
    """Numbers without a header: `shape` (z, y, x) or (c, z, y, x), x fastest, of type `dtype`.

    Raises:
        UsageError: shape or dtype are missing or impossible.
        InputError: the file is longer or shorter than that.
    """
    size = path.stat().st_size
    if shape is None or dtype is None:
        raise UsageError(
            f"{path.name} has no header that tells its shape and type",
            f"give both, z first: {_guess(path, size) or '--shape 64,128,128 --dtype uint8'}",
        )
    if len(shape) not in (3, 4) or min(shape) < 1:
        raise UsageError(
            f"the shape {', '.join(map(str, shape))} is no grid", "give the samples along z, y, x: --shape 64,128,128"
        )
    kind = _kind(dtype)
    needed = math.prod(shape) * kind.itemsize
    if needed != size:
        grid = " x ".join(str(n) for n in reversed(shape))
        raise InputError(
            f"{path}: {grid} samples of {kind.name} are {needed} bytes, but the file has {size}",
            _remedy(path, tuple(shape), kind, size),
        )
    check_room(path, 2 * needed)
    values = np.fromfile(path, kind).reshape(tuple(shape))
    values = unnamed(values, frame, path)
    return Grid(values, *default_axes(values.shape[1:]), spaced=False)


def write_raw(path: Path, volume: Volume) -> None:
    """The values alone as little-endian float32, x fastest."""
    scalars(volume).astype("<f4").tofile(path)


def _kind(text: str) -> np.dtype[np.generic]:
    try:
        kind: np.dtype[np.generic] = np.dtype(text)
    except (TypeError, ValueError, SyntaxError) as error:
        raise UsageError(f"there is no number type {text!r}", "use uint8, int16, '>u2' or float32") from error
    if kind.kind not in "biuf":
        raise UsageError(f"{text!r} is no type of real numbers", "use uint8, int16, '>u2' or float32")
    return kind


def _remedy(path: Path, shape: tuple[int, ...], kind: np.dtype[np.generic], size: int) -> str:
    """What would fit: another type, another number of slices, what the name says, or a header in front."""
    samples = math.prod(shape)
    fits = [f"--dtype {name}" for name in _TYPES if samples * np.dtype(name).itemsize == size]
    slice_bytes = math.prod(shape[1:]) * kind.itemsize
    if size % slice_bytes == 0 and size >= 2 * slice_bytes:
        fits.append(f"--shape {','.join(map(str, (size // slice_bytes, *shape[1:])))}")
    named = _guess(path, size)
    fits += [named] if named and not fits else []
    if fits:
        return f"what would fit: {', or '.join(fits)}"
    extra = size - samples * kind.itemsize
    if 0 < extra <= 65536:
        return (
            f"if {extra} bytes of header come first: tail -c +{extra + 1} {path.name} > data.raw; else correct --shape"
        )
    return "give the --shape (z, y, x) and the --dtype of the program that wrote it"


def _guess(path: Path, size: int) -> str | None:
    """Shape and type of which the name speaks (bonsai_256x256x256_uint8.raw, x first), or of a cube of that size."""
    named = _NAMED.search(path.stem)
    if named:
        shape = [int(n) for n in named.group(3, 2, 1)]
        types = [named[4].lower()] if named[4] else list(_TYPES)
        for name in types:
            if size == math.prod(shape) * _itemsize(name):
                return f"--shape {','.join(map(str, shape))} --dtype {name}"
    for name in _TYPES:
        side = round((size / _itemsize(name)) ** (1 / 3))
        if side > 1 and side**3 * _itemsize(name) == size:
            return f"--shape {side},{side},{side} --dtype {name}"
    return None


def _itemsize(name: str) -> int:
    bits = int(re.sub(r"\D", "", name))
    return bits // 8 if bits in (8, 16, 32, 64) else 0
