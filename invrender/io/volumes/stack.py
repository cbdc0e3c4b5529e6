"""Volumes as folders of slices, one TIFF or PNG file each, in the order of the numbers in their names.

The first slice is at the bottom (z = 0) and the first row at y = 0, as in TIFF stacks of one file. Where `slices.toml`
lies beside them, it tells what pictures cannot: how far samples are apart and what a pixel's number stands for.

    spacing = [0.5, 0.5, 1.0]   # along x, y, z
    origin = [0.0, 0.0, 0.0]    # of the first sample
    units = "millimetre"
    scale = 0.001               # a value is offset + scale * number
    offset = -1.0
"""

from __future__ import annotations

import itertools
import logging
import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from invrender.errors import InputError
from invrender.io.files.memory import check_room
from invrender.io.files.paths import listing
from invrender.io.volumes.grid import Array, Grid, default_axes
from invrender.io.volumes.tiff import GREY, open_slice

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

log = logging.getLogger(__name__)

ABOUT = "slices.toml"
PICTURES = (".tif", ".tiff", ".png", ".bmp")
_NOTES = (".txt", ".log", ".csv", ".xml", ".ini", ".md", ".db", ".pcr", ".vgi", ".info", ".jpg", ".jpeg")
_POSES = ("_par.txt", "cameras.txt", "images.txt")  # which make a dataset of pictures
_LOOKED_AT = 20


def is_stack(folder: Path) -> bool:
    """Whether a folder holds pictures of one channel, two or more, and else nothing but notes."""
    found = _entries(folder)
    slices = [entry for entry in found if entry.suffix.lower() in PICTURES]
    if len(slices) < 2:
        return False
    if (folder / ABOUT).is_file():
        return True
    others = [entry for entry in found if entry not in slices]
    if any(entry.name.lower().endswith(_POSES) for entry in others):
        return False
    if any(entry.is_dir() or entry.suffix.lower() not in _NOTES for entry in others):
        return False
    grey = [_is_grey(entry) for entry in slices[:_LOOKED_AT]]
    return True in grey and False not in grey


def read_stack(folder: Path) -> Grid:
    """The slices as [1,z,y,x] with the type that their numbers have.

    Raises:
        InputError: one cannot be read, is of another size or type, or has colours; two have one number.
        MemoryLimitError: they do not fit.
    """
    files = _in_order([entry for entry in _entries(folder) if entry.suffix.lower() in PICTURES], folder)
    first, steps, units = open_slice(files[0])
    check_room(folder, len(files) * first.nbytes + 2 * 4 * len(files) * first.size)
    values = np.empty((1, len(files), *first.shape), first.dtype)
    for number, file in enumerate(files):
        one = first if number == 0 else open_slice(file)[0]
        if one.shape != first.shape or one.dtype != first.dtype:
            raise InputError(
                f"{file} has {_kind(one)}, and {files[0].name} has {_kind(first)}",
                "take what is no slice of this volume out of the folder, or export all slices alike",
            )
        values[0, number] = one
    about = _about(folder)
    if "scale" in about or "offset" in about:
        values = values * np.float64(about.get("scale", 1.0)) + np.float64(about.get("offset", 0.0))
        values = values.astype(np.float32)
    told = about.get("spacing", steps)
    if told is None:
        return Grid(values, *default_axes(values.shape[1:]), spaced=False)
    return Grid(
        values, np.diag(told), np.array(about.get("origin", [0.0] * 3), np.float64), units=about.get("units", units)
    )


def natural(name: str) -> list[tuple[int, int | str]]:
    """A key that sorts names as people count: slice_9 before slice_10."""
    return [(0, int(part)) if part.isdigit() else (1, part.lower()) for part in re.findall(r"[0-9]+|[^0-9]+", name)]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise InputError(f"{folder} cannot be looked into: {error.strerror}", "check its permissions") from error


def _is_grey(picture: Path) -> bool | None:
    """Whether a picture has one channel; None where it cannot be read."""
    try:
        with Image.open(picture) as image:
            return image.mode in GREY
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _in_order(files: Sequence[Path], folder: Path) -> list[Path]:
    """Sorted by the numbers in their names; gaps in those are said, and numbers that two files have are refused."""
    kinds = {entry.suffix.lower().replace(".tiff", ".tif") for entry in files}
    if len(kinds) > 1:
        raise InputError(f"{folder} holds slices of several formats: {listing(sorted(kinds))}", "keep one of them")
    ordered = sorted(files, key=lambda entry: natural(entry.name))
    numbers = _counting([entry.stem for entry in ordered])
    if numbers is None:
        return ordered
    twice = [b for a, b in itertools.pairwise(numbers) if a == b]
    if twice:
        raise InputError(f"{folder}: two slices have the number {twice[0]}", "leave one of each in the folder")
    steps = [b - a for a, b in itertools.pairwise(numbers)]
    usual = min(steps)
    missing = [a + usual for a, step in zip(numbers, steps, strict=False) if step != usual]
    if missing:
        log.warning(
            "%s: the numbers of the slices have gaps (%s); they are stacked as if there were none",
            folder.name,
            listing([f"no {n}" for n in missing], 3),
        )
    return ordered


def _counting(stems: Sequence[str]) -> list[int] | None:
    """The number that counts in names that are alike but for one number; None where there is none."""
    parts = [re.findall(r"[0-9]+|[^0-9]+", stem) for stem in stems]
    if len({len(part) for part in parts}) != 1:
        return None
    differ = [column for column in zip(*parts, strict=True) if len(set(column)) > 1]
    if len(differ) != 1 or not all(part.isdigit() for part in differ[0]):
        return None
    return [int(part) for part in differ[0]]


def _kind(values: Array) -> str:
    return f"{values.shape[1]} x {values.shape[0]} pixels of {values.dtype}"


def _about(folder: Path) -> dict[str, Any]:
    """What `slices.toml` says, each entry checked."""
    file = folder / ABOUT
    if not file.is_file():
        return {}
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8-sig"))
        for name, value in said.items():
            if name in ("spacing", "origin"):
                good = len(value) == 3 and all(math.isfinite(n) and (n > 0 or name == "origin") for n in value)
            elif name in ("scale", "offset"):
                good = math.isfinite(value)
            else:
                good = name == "units" and isinstance(value, str)
            if not good:
                raise ValueError(f"{name} is {value!r}")
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{file}: {error}", "it may hold spacing and origin (three numbers), units, scale and offset"
        ) from error
    return said
