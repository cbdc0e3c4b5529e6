"""Volumes in .vdb files beside pictures: `vdb/NAME.00001.vdb` and `render/NAME.00001.png`, or both in one folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError, UsageError
from invrender.io.exr import read_exr
from invrender.io.files.paths import shown
from invrender.io.pairs.source import (
    Part,
    Sample,
    Source,
    files_below,
    matched,
    read_about,
    split_of,
    words_of,
)
from invrender.io.pixels import IMAGE_EXTENSIONS, read_header, read_picture
from invrender.io.volumes.grid import Grid
from invrender.io.volumes.vdb import read_vdb

log = logging.getLogger(__name__)
Array = NDArray[Any]

_ROUND = 8  # multiples of it are common sides of voxel grids
_WHOLE = 1e-3  # of a voxel, to which positions are whole numbers


@dataclass(frozen=True)
class _Box:
    """Where a file's values are: the position of the first in units of voxels, how many along x, y, z; its axes.

    Those of a file without values are 0.
    """

    first: NDArray[np.float64]
    shape: NDArray[np.int64]
    axes: NDArray[np.float64]


def vdb_source(root: Path, key: str, resolution: int | None) -> Source:
    """The samples of a folder of .vdb files and pictures; every file is read once to see how large they are.

    Args:
        root: the folder.
        key: which grid of each file.
        resolution: voxels along each side; None: as many as the values take, a multiple of 8.

    Raises:
        InputError: a file is missing or damaged, or their voxels differ in size.
        UsageError: the resolution is too small.
    """
    files = _matched_files(root)
    about = read_about(root)
    boxes = [_box(_read(volume, key), volume) for volume, _, _ in files]
    starts, needed = _places([volume for volume, _, _ in files], boxes)
    side = resolution or about.get("resolution") or -(-needed // _ROUND) * _ROUND
    sides = (side, side, side) if isinstance(side, int) else tuple(int(n) for n in side)
    _check_room(sides, starts, boxes, [volume for volume, _, _ in files])
    _check_pictures([picture for _, picture, _ in files])
    channels = 1 if about.get("channels") == 1 else 3
    first = picture_numbers(files[0][1])[..., :channels]
    parts = tuple(Part(str(volume.relative_to(root)), 1, split) for volume, _, split in files)

    def read() -> Iterator[Sample]:
        for (volume, picture, _), start, box in zip(files, starts, boxes, strict=True):
            voxels = np.zeros((1, *sides), np.float32)
            values, _ = _trimmed(_read(volume, key))
            voxels[0][tuple(slice(s, s + n) for s, n in zip(start, box.shape.tolist(), strict=True))] = values
            pixels = picture_numbers(picture)[..., :channels]
            if pixels.shape != first.shape or pixels.dtype != first.dtype:
                raise InputError(
                    f"{shown(picture)} is {pixels.dtype} {list(pixels.shape)}, and {shown(files[0][1])} {first.dtype} "
                    f"{list(first.shape)}",
                    "bring all pictures to one size, one type and as many channels",
                )
            yield Sample(str(volume.relative_to(root)), voxels, pixels)

    return Source(
        root, "OpenVDB files and pictures", parts, (1, *sides), first.shape, np.dtype(np.float32), first.dtype, read,
        about,
    )  # fmt: skip


def _matched_files(root: Path) -> list[tuple[Path, Path, str | None]]:
    volumes, pictures = (_by_number(files_below(root, kinds), root) for kinds in ((".vdb",), IMAGE_EXTENSIONS))
    if not (volumes.keys() & pictures.keys()) and len(volumes) == len(pictures) == 1:
        pictures = dict(zip(volumes, pictures.values(), strict=True))
    keys = matched(volumes, pictures, root)
    return [(volumes[key], pictures[key], split_of(words_of(str(volumes[key].relative_to(root))))) for key in keys]


def _by_number(files: Sequence[Path], root: Path) -> dict[tuple[str, ...], Path]:
    """Files by their split and the last number in their names, or where these are not unique by all of the names."""
    for numbers in (True, False):
        keys = [_key(path, root, numbers) for path in files]
        if len(set(keys)) == len(files) and all(len(key) > 1 for key in keys):
            return dict(zip(keys, files, strict=True))
    twice = next((key for key in keys if keys.count(key) > 1), None)
    names = [shown(path) for path, key in zip(files, keys, strict=True) if key == twice or twice is None]
    if len(names) < 2:
        raise InputError(f"{shown(root)} holds no .vdb files with pictures beside them", "name a folder with both")
    raise InputError(f"{names[0]} and {names[1]} have one name", "leave one picture for each volume in the folder")


def _key(path: Path, root: Path, numbers: bool) -> tuple[str, ...]:
    """The split of a file and the last number in its name, or all words of that."""
    words = [str(int(word)) if word.isdecimal() else word for word in words_of(path.stem)]
    chosen = [word for word in words if word.isdecimal()][-1:] if numbers else words
    return split_of(words_of(str(path.relative_to(root)))) or "", *chosen


def _read(path: Path, key: str) -> Grid:
    """A grid; of one without active voxels, as the first frames of an animation may be, one voxel of 0 at index 0."""
    try:
        grid = read_vdb(path, key)
    except InputError as error:
        if "no active voxels" not in error.cause:
            raise
        return Grid(np.zeros((1, 1, 1, 1), np.float32), np.zeros((3, 3)), np.zeros(3))
    if grid.values.shape[0] != 1:
        raise InputError(f"{shown(path)} holds {grid.values.shape[0]} channels", "choose a grid of one with --key")
    return grid


def _trimmed(grid: Grid) -> tuple[Array, NDArray[np.int64]]:
    """The values [x,y,z] within the box of those that are not 0, and which is the first."""
    values = grid.values[0].transpose(2, 1, 0)
    some = values != 0
    low, high = [], []
    for axis in range(3):
        held = np.flatnonzero(some.any(tuple(other for other in range(3) if other != axis)))
        low.append(int(held[0]) if held.size else 0)
        high.append(int(held[-1]) + 1 if held.size else 1)
    return values[tuple(slice(a, b) for a, b in zip(low, high, strict=True))], np.array(low)


def _box(grid: Grid, path: Path) -> _Box:
    values, low = _trimmed(grid)
    if not values.any():
        return _Box(np.zeros(3), np.ones(3, np.int64), np.zeros((3, 3)))
    try:
        first = np.asarray(np.linalg.solve(grid.axes, grid.origin) + low, np.float64)
    except np.linalg.LinAlgError as error:
        raise InputError(f"{shown(path)}: the axes of the grid lie in one plane", "export it again") from error
    return _Box(first, np.array(values.shape), grid.axes)


def _places(files: Sequence[Path], boxes: Sequence[_Box]) -> tuple[list[list[int]], int]:
    """The index of each file's first value in the samples' arrays, and the largest number of voxels along a side.

    Where all positions are whole numbers of voxels from the world's origin on, these are their indices, as those of
    grids that begin at (0, 0, 0); else they count from the corner of what all files hold together.
    """
    held = [box for box in boxes if box.axes.any()]
    if not held:
        raise InputError(f"{shown(files[0].parent)}: none of the files has active voxels", "export them again")
    for path, box in zip(files, boxes, strict=True):
        if box.axes.any() and not np.allclose(box.axes, held[0].axes, rtol=1e-4, atol=1e-9):
            raise InputError(
                f"the voxels of {shown(path)} are not of the size or direction of those of the others",
                "resample them to one spacing",
            )
    firsts = np.stack([box.first for box in boxes])
    whole = np.abs(firsts - np.round(firsts)).max() < _WHOLE
    if not whole or firsts.min() < -_WHOLE:
        corner = np.stack([box.first for box in held]).min(0)
        log.warning(
            "%s: grids begin at no index, or below 0; they are placed from their common corner on", files[0].parent
        )
        firsts = np.maximum(firsts - corner, 0)
    starts = np.round(firsts).astype(np.int64)
    needed = int((starts + np.stack([box.shape for box in boxes])).max())
    return starts.tolist(), needed


def _check_room(sides: Sequence[int], starts: Sequence[Sequence[int]], boxes: Sequence[_Box], files: Any) -> None:
    for start, box, path in zip(starts, boxes, files, strict=True):
        end = (np.array(start) + box.shape).tolist()
        if any(e > side for e, side in zip(end, sides, strict=True)):
            raise UsageError(
                f"--resolution is {max(sides)}, and {shown(path)} has values up to index {max(end) - 1}",
                f"give --resolution {max(end)} or more, or leave it out",
            )
    if max(sides) > 1024:
        raise InputError(
            f"{shown(files[0].parent)}: the grids take {max(sides)} voxels along a side", "resample them to fewer"
        )


def _check_pictures(pictures: Sequence[Path]) -> None:
    """Refuse pictures of several sizes before any work."""
    sizes = [read_header(path).size for path in pictures]
    for path, size in zip(pictures, sizes, strict=True):
        if size != sizes[0]:
            raise InputError(
                f"{shown(path)} is {size[1]} x {size[0]} pixels, and {shown(pictures[0])} {sizes[0][1]} x "
                f"{sizes[0][0]}",
                "bring all pictures to one size",
            )


def picture_numbers(path: Path) -> Array:
    """A picture's numbers [H,W,C], grey or colours, as stored; alpha is left out.

    Raises:
        InputError: it is missing or damaged.
    """
    if path.suffix.lower() == ".exr":
        return read_exr(path)[..., :3]
    values = read_picture(path).values
    return values.astype(np.uint16) if values.dtype.kind == "i" else values
