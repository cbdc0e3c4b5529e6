"""Writing volumes as TIFF, one float32 page a slice, so that ImageJ and Fiji find the spacing; and as PNG slices.

TIFF 6.0 (Adobe, 1992), uncompressed, all pages in one block, as ImageJ writes them; from 4 GB on BigTIFF
(https://www.awaresystems.be/imaging/tiff/bigtiff.html), which Fiji reads through Bio-Formats. ImageJ keeps the spacing
of slices in the first page's description, and that of pixels as resolution (ij.io.FileSaver).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.volumes.grid import spacing
from invrender.nouns import Volume

UNITS = {"metre": "m", "centimetre": "cm", "millimetre": "mm", "micrometre": "um", "inch": "inch"}
_SHORT, _LONG, _TEXT, _RATIONAL, _LONG8 = 3, 4, 2, 5, 16  # types of fields
_CODES = {_SHORT: "H", _LONG: "I", _LONG8: "Q"}
_MOST = 2**32 - 2**24  # bytes in a TIFF of 32-bit offsets, with room for what describes them
_MOST_RATIONAL = 2**32 - 1
Field = tuple[int, int, int, bytes]
"""Tag, type, count and content."""


def write_tiff(path: Path, volume: Volume, slices: tuple[int, int] | None = None, big: bool | None = None) -> None:
    """Pages of float32, the first slice first; ImageJ's spacing, unit, origin and display range.

    Args:
        path: of the file.
        volume: of one channel.
        slices: the first one and the one behind the last; None: all.
        big: whether it is a BigTIFF; None: where it has to be.

    Raises:
        InputError: the volume has several channels.
    """
    if len(volume.values) != 1:
        raise InputError(f"{path.name} can hold one channel, not {len(volume.values)}", "write an .nrrd or .npz")
    first, end = slices or (0, volume.shape[0])
    height, width = volume.shape[1:]
    page = 4 * height * width
    large = (end - first) * (page + 400) > _MOST if big is None else big
    start = 16 if large else 8
    with path.open("wb") as file:
        place = start + (end - first) * page
        file.write(struct.pack("<2sHHHQ", b"II", 43, 8, 0, place) if large else struct.pack("<2sHI", b"II", 42, place))
        for one in _pages(volume, first, end):
            file.write(one.tobytes())
        about = _description(volume, end - first)
        for number in range(end - first):
            fields = _fields(volume, start + number * page, about if number == 0 else b"", large)
            last = number == end - first - 1
            place = _write_directory(file, fields, place, last, large)


def _pages(volume: Volume, first: int, end: int) -> Iterator[NDArray[np.float32]]:
    """One slice after the other: the whole is not copied."""
    for values in volume.values[0, first:end]:
        yield np.ascontiguousarray(values.detach().cpu().numpy(), "<f4")


def _description(volume: Volume, pages: int) -> bytes:
    steps, origin = spacing(volume)
    lines = [
        "ImageJ=1.54f", f"images={pages}", *([f"slices={pages}"] if pages > 1 else []),
        *([f"unit={UNITS[volume.units]}"] if volume.units in UNITS else []),
        f"spacing={float(steps[2])!r}", "loop=false",
        f"min={float(volume.values.min())!r}", f"max={float(volume.values.max())!r}",
        *(f"{axis}origin={float(-low / step)!r}" for axis, low, step in zip("xyz", origin, steps, strict=True)),
    ]  # fmt: skip
    return "\n".join(lines).encode("ascii") + b"\n\0"


def _fields(volume: Volume, place: int, description: bytes, large: bool) -> list[Field]:
    """Of one page, in the order of their tags."""
    height, width = volume.shape[1:]
    across, down = (_rational(1 / float(step)) for step in spacing(volume)[0][:2])
    offset = _LONG8 if large else _LONG
    return [
        _number(256, _LONG, width), _number(257, _LONG, height), _number(258, _SHORT, 32), _number(259, _SHORT, 1),
        _number(262, _SHORT, 1), *([(270, _TEXT, len(description), description)] if description else []),
        _number(273, offset, place), _number(277, _SHORT, 1), _number(278, _LONG, height),
        _number(279, offset, 4 * height * width), (282, _RATIONAL, 1, across), (283, _RATIONAL, 1, down),
        _number(296, _SHORT, 1), _number(339, _SHORT, 3),
    ]  # fmt: skip


def _number(tag: int, kind: int, value: int) -> Field:
    return tag, kind, 1, struct.pack("<" + _CODES[kind], value)


def _rational(value: float) -> bytes:
    """The fraction of two 32-bit numbers that comes nearest."""
    most = _MOST_RATIONAL if value <= 1 else max(1, int(_MOST_RATIONAL / value))
    found = Fraction(min(value, float(_MOST_RATIONAL))).limit_denominator(most)
    if found.numerator == 0:
        return struct.pack("<II", 1, _MOST_RATIONAL)
    return struct.pack("<II", found.numerator, found.denominator)


def _write_directory(file: BinaryIO, fields: list[Field], place: int, last: bool, large: bool) -> int:
    """A page's directory at `place`, and behind it what its entries do not hold; returns where the next begins."""
    inline = 8 if large else 4
    word, count = ("Q", "Q") if large else ("I", "H")
    entry = 4 + 2 * inline
    behind = place + struct.calcsize("<" + count) + entry * len(fields) + inline
    entries, more = b"", b""
    for tag, kind, number, content in fields:
        if len(content) > inline:
            value = struct.pack("<" + word, behind + len(more))
            more += content + bytes(len(content) % 2)
        else:
            value = content.ljust(inline, b"\0")
        entries += struct.pack("<HH" + word, tag, kind, number) + value
    following = behind + len(more)
    following += following % 2
    file.write(struct.pack("<" + count, len(fields)) + entries)
    file.write(struct.pack("<" + word, 0 if last else following) + more)
    file.write(bytes(following - behind - len(more)))
    return following
