"""Projections, flat and dark frames: stacks and folders of pictures, and arrays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.paths import existing_file, is_file, is_folder, shown
from invrender.io.pixels import check_pixels, open_picture, page_count, unpack
from invrender.io.scans.arrays import ARRAYS, array_in
from invrender.io.scenes.table import Table

Array = NDArray[Any]

TIFF = (".tif", ".tiff")
PICTURES = (*TIFF, ".png")
FORMATS = (*PICTURES, *ARRAYS, ".raw")
KEYS = ("path", "key", "order", "shape", "dtype", "skip_bytes")
_NUMBER = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Frames:
    """Frames as they are stored.

    Attributes:
        values: [N,H,W]; maybe mapped from disk.
        names: of the frames.
    """

    values: Array
    names: tuple[str, ...]


def read_frames(table: Table, default_order: str = "NHW") -> Frames:
    """The frames that a table of a scan file names by `path`, with `key` and `order` of an array.

    Raises:
        InputError: they are missing, damaged, no grey pictures, or differ in size.
    """
    path = table.text("path")
    place = table.path.parent / path.replace("\\", "/")
    files = _files(table, place)
    if len(files) > 1 or files[0].suffix.lower() in PICTURES:
        return _pictures(files)
    found = _raw(table, files[0]) if files[0].suffix.lower() == ".raw" else array_in(files[0], _key(table))
    ordered = _ordered(table, found, default_order)
    digits = len(str(len(ordered) - 1))
    return Frames(ordered, tuple(f"projection {i:0{digits}d}" for i in range(len(ordered))))


def _key(table: Table) -> str | None:
    return table.text("key") if table.has("key") else None


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A key by which names are sorted as people count: img2 before img10."""
    parts = _NUMBER.split(name.lower())
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)


def _files(table: Table, place: Path) -> list[Path]:
    """The file, or the pictures of a folder or a pattern, in natural order."""
    if any(mark in place.name for mark in "*?["):
        if not is_folder(place.parent):
            raise InputError(f"there is no folder {shown(place.parent)}", f"mend path in {shown(table.path)}")
        every = (each for each in place.parent.glob(place.name) if not each.name.startswith("."))
        found = [each for each in every if each.suffix.lower() in FORMATS]
        if not found:
            raise InputError(f"no file is called {shown(place)}", f"mend path in {shown(table.path)}")
        return sorted(found, key=lambda each: natural(each.name))
    if not is_folder(place):
        existing_file(place, "file or folder of projections")
        if place.suffix.lower() not in FORMATS:
            raise InputError(
                f"{shown(place.name)} is no known format of projections",
                f"use one of {', '.join(FORMATS)}, or a folder",
            )
        return [place]
    every = [each for each in place.iterdir() if is_file(each) and not each.name.startswith(".")]
    kinds = {kind: [each for each in every if each.suffix.lower() in kind] for kind in (TIFF, (".png",), (".npy",))}
    kinds = {kind: files for kind, files in kinds.items() if files}
    if not kinds:
        raise InputError(f"the folder {shown(place)} holds no TIFF, PNG or .npy files", "check path")
    if len(kinds) > 1:
        told = ", ".join(f"{len(files)} {kind[0]}" for kind, files in kinds.items())
        raise InputError(
            f"the folder {shown(place)} holds files of several kinds: {told}",
            f'say which: path = "{place.name}/*{next(iter(kinds))[0]}"',
        )
    return sorted(next(iter(kinds.values())), key=lambda each: natural(each.name))


def _pictures(files: list[Path]) -> Frames:
    """Pages of one stack, or one picture a file; put one by one into an array of what is stored."""
    names: list[str] = []
    stack: Array | None = None
    count = _pages(files[0]) if len(files) == 1 else len(files)
    for name, page in _each(files):
        if stack is None:
            stack = np.empty((count, *page.shape), page.dtype)
        if page.shape != stack.shape[1:]:
            raise InputError(
                f"{name} has {page.shape[1]} x {page.shape[0]} pixels, and {names[0]} has "
                f"{stack.shape[2]} x {stack.shape[1]}",
                "leave it out, or scale all to one size; a path with * chooses among a folder's files",
            )
        if page.dtype != stack.dtype:
            stack = stack.astype(np.result_type(stack, page))
        stack[len(names)] = page
        names.append(name)
    assert stack is not None
    return Frames(stack, tuple(names))


def _pages(path: Path) -> int:
    with open_picture(path) as image:
        return page_count(image)


def _each(files: list[Path]) -> Iterator[tuple[str, Array]]:
    for path in files:
        if path.suffix.lower() == ".npy":
            yield path.name, np.asarray(array_in(path, dimensions=(2,)))
            continue
        with open_picture(path) as image:
            pages = page_count(image)
            if len(files) > 1 and pages > 1:
                raise InputError(f"{shown(path)} holds {pages} pages, beside other files", "name the one stack by path")
            for number in range(pages):
                image.seek(number)
                check_pixels(path, (image.height, image.width))
                yield (path.name if pages == 1 else f"{path.name} page {number + 1}"), _grey(unpack(image).values, path)


def _grey(values: Array, path: Path) -> Array:
    if values.shape[2] == 3 and not (values == values[..., :1]).all():
        raise InputError(f"{shown(path)} is no grey picture: its colours differ", "write one number per pixel")
    return values[..., 0]


def _raw(table: Table, path: Path) -> Array:
    shape = [int(n) for n in table.numbers("shape", 3)]
    skipped = int(table.number("skip_bytes", 0, least=0))
    name = table.text("dtype") if table.has("dtype") else "uint16"
    try:
        dtype = np.dtype(name)
    except TypeError as error:
        raise table.wrong(
            f"has dtype = '{shown(name)}'", "use uint8, uint16, float32, or >u2 for big-endian"
        ) from error
    needed, held = skipped + int(np.prod(shape)) * dtype.itemsize, path.stat().st_size
    if min(shape) < 1 or needed > held:
        raise InputError(
            f"{shown(path)} has {held} bytes, and {shape} of {name} take {needed}", "check shape, dtype and skip_bytes"
        )
    return np.memmap(path, dtype, "c", skipped, tuple(shape))


def _ordered(table: Table, values: Array, default: str) -> Array:
    """An array [N,H,W] of one whose axes are in another order."""
    letters = table.text("order").upper() if table.has("order") else default if values.ndim == 3 else "HW"
    missing = {"N", "H", "W"} - set(letters)
    if len(letters) != values.ndim or len(set(letters)) != len(letters) or set(letters) - set("NHW") or "W" in missing:
        raise table.wrong(
            f"has order = '{shown(letters)}' for an array of shape {list(values.shape)}",
            "name its axes: N projections, H rows, W columns; NHW, HNW (sinograms), NW (one row)",
        )
    for letter in missing:
        values, letters = values[None], letter + letters
    return values.transpose([letters.index(letter) for letter in "NHW"])


def averaged(tables: list[Table], size: tuple[int, int]) -> NDArray[np.float32]:
    """[H,W]: the mean of all frames that tables name.

    Raises:
        InputError: they have another size than the projections.
    """
    total, count = np.zeros(size), 0
    for table in tables:
        frames = read_frames(table)
        if frames.values.shape[1:] != size:
            height, width = frames.values.shape[1:]
            raise table.wrong(
                f"names frames of {width} x {height} pixels, and the projections have {size[1]} x {size[0]}",
                "name those of the same detector, with the same binning and cut",
            )
        for frame in frames.values:
            total += frame
        count += len(frames.values)
    mean: NDArray[np.float32] = (total / count).astype(np.float32)
    return mean
