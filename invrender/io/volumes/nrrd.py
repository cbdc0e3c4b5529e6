"""NRRD volumes: .nrrd (header and data in one file) and .nhdr (data beside it).

The format: https://teem.sourceforge.net/nrrd/format.html. Positions come out counted to the right, the front and
upwards (RAS) where the header names a patient's directions, and as they are where it does not.
"""

from __future__ import annotations

import gzip
import logging
import re
import zlib
from pathlib import Path

import numpy as np

from invrender.errors import InputError
from invrender.io.volumes import grid
from invrender.io.volumes.axes import FOUR, arrange
from invrender.io.volumes.grid import Grid, damaged, scalars
from invrender.io.volumes.nrrd_header import NrrdHeader, parse_header
from invrender.io.volumes.nrrd_place import place, roles
from invrender.io.volumes.payload import TO_THE_END, Part, beside, numbered
from invrender.io.volumes.samples import Encoding, Layout, read_samples
from invrender.nouns import Volume

log = logging.getLogger(__name__)

_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_ENCODINGS: dict[str, Encoding] = {
    "raw": "raw", "txt": "text", "text": "text", "ascii": "text", "hex": "hex", "gz": "gzip", "gzip": "gzip",
    "bz2": "bzip2", "bzip2": "bzip2",
}  # fmt: skip
_UNITS = {"metre": '"m"', "millimetre": '"mm"', "micrometre": '"um"'}
_OTHER_FOURS = frozenset(("rgba-color", "quaternion", "2d-matrix"))  # kinds of the standard


def read_nrrd(path: Path, frame: int | None = None) -> Grid:
    """Values, and the position from space directions and origin, or from spacings and axis mins; one `frame`."""
    try:
        header = parse_header(path)
        other = sorted(_OTHER_FOURS.intersection(header.words("kinds")))
        if other:
            log.warning("%s: samples are of the kind %s; four channels are %s", path.name, other[0], FOUR)
        values = _values(header, path)
        which = roles(header)
        values = arrange(values, which, frame, path)
        return Grid(values, *place(header, which), units=_unit(header))
    except (ValueError, KeyError, IndexError, OverflowError, OSError, EOFError, zlib.error) as error:
        raise damaged(path, f"field {error}" if isinstance(error, KeyError) else error) from error


def _unit(header: NrrdHeader) -> str | None:
    """The unit of length, where all axes of space have the same one that is known."""
    named = set(re.findall(r'"([^"]*)"', header.fields.get("spaceunits", "")))
    known = {name for name, short in _UNITS.items() if short.strip('"') in named}
    return known.pop() if len(named) == 1 and known else None


def write_nrrd(path: Path, volume: Volume) -> None:
    """float32 values, gzip-compressed, with space directions and origin."""
    values = scalars(volume)
    axes, origin = grid.place(volume)
    several = len(values) > 1
    sizes = [*([len(values)] if several else []), *values.shape[:0:-1]]
    directions = [*(["none"] if several else []), *(_vector(row) for row in axes.T)]
    lines = (
        "NRRD0005",
        "type: float",
        f"dimension: {len(sizes)}",
        "space: right-anterior-superior",
        f"sizes: {' '.join(map(str, sizes))}",
        f"space directions: {' '.join(directions)}",
        f"kinds: {'vector ' if several else ''}domain domain domain",
        "endian: little",
        "encoding: gzip",
        f"space origin: {_vector(origin)}",
        *([f"space units: {' '.join([_UNITS[volume.units]] * 3)}"] if volume.units in _UNITS else []),
    )
    data = np.moveaxis(values, 0, -1).astype("<f4").tobytes()
    path.write_bytes("\n".join(lines).encode() + b"\n\n" + gzip.compress(data, 6, mtime=0))


def _vector(numbers: np.typing.NDArray[np.float64]) -> str:
    return f"({','.join(repr(float(n)) for n in numbers)})"


def _values(header: NrrdHeader, path: Path) -> np.typing.NDArray[np.generic]:
    """The array, its slowest axis first."""
    encoding = header.fields.get("encoding", "raw").lower()
    if encoding not in _ENCODINGS:
        raise InputError(f"{path} has the encoding {encoding}", "save it with encoding gzip or raw")
    skip = int(header.fields.get("byteskip", "0"))
    if skip < TO_THE_END or (skip == TO_THE_END and encoding != "raw"):
        raise ValueError(f"byte skip: {skip} for {encoding} data")
    plain = encoding == "raw"
    layout = Layout(header.sizes[::-1], _kind(header, encoding), _ENCODINGS[encoding], 0 if plain else skip)
    lines = int(header.fields.get("lineskip", "0"))
    parts = [_skipped(part, lines, skip if plain else 0) for part in _parts(header, path)]
    return read_samples(path, parts, layout)


def _kind(header: NrrdHeader, encoding: str) -> np.dtype[np.generic]:
    name = " ".join(header.fields["type"].lower().split())
    code = next((code for code, names in _TYPES.items() if name in names), None)
    if code is None:
        raise ValueError(f"type: {name}")
    endian = header.fields.get("endian", "little").lower()
    if endian not in ("little", "big"):
        raise ValueError(f"endian: {endian}")
    if "endian" not in header.fields and code[1] != "1" and _ENCODINGS[encoding] != "text":
        raise ValueError("the field endian is missing")
    return np.dtype((">" if endian == "big" else "<") + code)


def _skipped(part: Part, lines: int, skip: int) -> Part:
    """The part behind so many lines and bytes (`TO_THE_END`: as many as needed before the end)."""
    if skip == TO_THE_END:
        return Part(part.path, TO_THE_END, part.attached)
    with part.path.open("rb") as file:
        file.seek(part.start)
        for _ in range(lines):
            if not file.readline():
                raise ValueError(f"line skip: {lines}")
        return Part(part.path, file.tell() + skip, part.attached)


def _parts(header: NrrdHeader, path: Path) -> list[Part]:
    """The data in the file itself, in one beside it, in a list of them, or in numbered ones."""
    name = header.fields.get("datafile")
    if name is None:
        if header.data_start is None:
            raise ValueError("no line ends the header, and no data file is named")
        return [Part(path, header.data_start, attached=True)]
    words = name.split()
    if words and words[0] == "LIST":
        files = [line.strip() for line in header.following if line.strip()]
        if not files:
            raise ValueError("data file: LIST, and no file follows")
        return [Part(beside(path, file)) for file in files]
    if "%" not in name or len(words) < 4:
        return [Part(beside(path, name))]
    low, high, step = (int(word) for word in words[1:4])
    if step == 0:
        raise ValueError(f"data file: {name}")
    numbers = range(low, high + (1 if step > 0 else -1), step)
    return [Part(file) for file in numbered(path, words[0], numbers, max(header.sizes))]
