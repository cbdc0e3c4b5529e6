"""MetaImage volumes: .mha (header and data in one file) and .mhd (data beside it), as ITK writes them.

The format: https://itk.org/Wiki/ITK/MetaIO/Documentation, and for its corners (LIST, HeaderSize, MET_LONG) ITK's
MetaIO sources. Its world counts x to the left and y to the back of a patient (LPS); ours is that of NIfTI (RAS).
"""

from __future__ import annotations

import logging
import re
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.volumes.axes import arrange
from invrender.io.volumes.grid import Grid, damaged, place, scalars
from invrender.io.volumes.payload import TO_THE_END, Part, beside, numbered
from invrender.io.volumes.samples import Encoding, Layout, read_samples
from invrender.nouns import Volume

log = logging.getLogger(__name__)

_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}  # fmt: skip
_SLOPE, _SHIFT = "ElementToIntensityFunctionSlope", "ElementToIntensityFunctionOffset"
_HEADER_LIMIT = 1 << 20
_LINE = 200  # bytes of the line that follows the header
_FIELD = re.compile(r"\s*(\w+)\s*[=:](.*)")  # MetaIO takes a colon as well
_KNOWN_FIELD = re.compile(
    rb"\s*(ObjectType|NDims|DimSize|Binary\w+|Element\w+|Compressed\w+|TransformMatrix|Rotation|Orientation|Offset|"
    rb"Position|Origin|CenterOfRotation|AnatomicalOrientation|HeaderSize|Comment|Modality)\s*=",
    re.IGNORECASE,
)
_RAS = np.array([-1.0, -1.0, 1.0])  # from LPS, and back
Fields = dict[str, str]  # names in lower case


def read_meta(path: Path, frame: int | None = None) -> Grid:
    """The grid with offset, spacing and directions of the header; `frame` of a fourth dimension."""
    with path.open("rb") as file:
        content = file.read(_HEADER_LIMIT)
    fields, start = _header(content, path)
    try:
        return _grid(fields, content, start, frame, path)
    except (ValueError, KeyError, OverflowError, OSError, EOFError, zlib.error) as error:
        raise damaged(path, f"field {error}" if isinstance(error, KeyError) else error) from error


def write_meta(path: Path, volume: Volume) -> None:
    """A compressed .mha of float32 values."""
    values = scalars(volume)
    axes, origin = place(volume)
    steps = np.linalg.norm(axes, axis=0)
    directions = _RAS[:, None] * (axes / steps) + 0.0
    data = zlib.compress(np.moveaxis(values, 0, -1).astype("<f4").tobytes(), 6)
    channels = f"ElementNumberOfChannels = {len(values)}\n" if len(values) > 1 else ""
    header = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = True\n"
        f"CompressedDataSize = {len(data)}\nTransformMatrix = {_row(directions.T.ravel())}\n"
        f"Offset = {_row(origin * _RAS)}\n"
        f"CenterOfRotation = 0 0 0\nElementSpacing = {_row(steps)}\nDimSize = {_row(values.shape[:0:-1])}\n"
        f"{channels}ElementType = MET_FLOAT\nElementDataFile = LOCAL\n"
    )
    path.write_bytes(header.encode() + data)


def _row(numbers: object) -> str:
    return " ".join(repr(n.item()) for n in np.asarray(numbers))


def _header(content: bytes, path: Path) -> tuple[Fields, int]:
    """The fields by name, and where the data begins; ElementDataFile ends the header."""
    fields: Fields = {}
    start = 0
    while start < len(content):
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        line = content[start:end].decode("latin-1")
        start = end + 1
        if not line.strip():
            continue
        found = _FIELD.fullmatch(line)
        if found is None:
            break
        fields[found[1].lower()] = found[2].strip()
        if found[1].lower() == "elementdatafile":
            _check_last(content[start : start + _LINE], path)
            return fields, start
    raise damaged(path, "its header has no ElementDataFile")


def _check_last(following: bytes, path: Path) -> None:
    """What follows ElementDataFile is data, or names of files, even where it reads like a field."""
    line = following.split(b"\n")[0]
    if _KNOWN_FIELD.match(line):
        raise InputError(
            f"{path}: the field {line.split(b'=')[0].decode('latin-1').strip()} follows ElementDataFile, "
            "which ends the header",
            "move the line with ElementDataFile behind all others",
        )


def _grid(fields: Fields, content: bytes, start: int, frame: int | None, path: Path) -> Grid:
    dimensions = int(fields.get("ndims", "3"))
    counts = tuple(int(n) for n in fields["dimsize"].split())
    if len(counts) != dimensions or min(counts, default=0) < 1:
        raise ValueError(f"DimSize = {fields['dimsize']}")
    if dimensions not in (3, 4):
        raise InputError(f"{path} has {dimensions} dimensions", "use a volume of three dimensions")
    if float(fields.get(_SLOPE.lower(), "1")) != 1 or float(fields.get(_SHIFT.lower(), "0")) != 0:
        log.warning("%s: %s and %s are left out, as ITK does", path.name, _SLOPE, _SHIFT)
    channels = int(fields.get("elementnumberofchannels", "1"))
    if channels < 1:
        raise ValueError(f"ElementNumberOfChannels = {channels}")
    layout = Layout((*counts[::-1], channels), _kind(fields), _encoding(fields))
    values = read_samples(path, _parts(fields, content, start, counts[-1], path), layout)
    return Grid(arrange(values, "tzyxc"[4 - dimensions :], frame, path), *_place(fields, dimensions, path))


def _kind(fields: Fields) -> np.dtype[np.generic]:
    name = fields["elementtype"].upper().removesuffix("_ARRAY")  # of several channels
    if name not in _TYPES:
        raise ValueError(f"ElementType = {name}")
    big = _is_true(fields, "binarydatabyteordermsb") or _is_true(fields, "elementbyteordermsb")
    return np.dtype((">" if big else "<") + _TYPES[name])


def _encoding(fields: Fields) -> Encoding:
    if not _is_true(fields, "binarydata", "True"):
        return "text"
    return "zlib" if _is_true(fields, "compresseddata") else "raw"


def _place(fields: Fields, dimensions: int, path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Axes and origin of x, y, z, turned from LPS to RAS."""
    unit = " ".join(str(n) for n in np.eye(dimensions, dtype=int).ravel())
    matrix = _numbers(fields, ("TransformMatrix", "Rotation", "Orientation"), unit, dimensions**2)
    steps = _numbers(fields, ("ElementSpacing", "ElementSize"), "1 " * dimensions, dimensions)[:3]
    origin = _numbers(fields, ("Offset", "Position", "Origin"), "0 " * dimensions, dimensions)[:3]
    if (steps <= 0).any():
        raise InputError(
            f"{path}: the spacing {', '.join(f'{step:g}' for step in steps)} is impossible",
            "give each axis a spacing above 0; an axis that runs backwards has -1 in TransformMatrix",
        )
    axes = matrix.reshape(dimensions, dimensions)[:3, :3].T * steps
    return _RAS[:, None] * axes + 0.0, _RAS * origin + 0.0


def _parts(fields: Fields, content: bytes, start: int, slices: int, path: Path) -> list[Part]:
    """Where the data are: in the file itself, in one beside it, in a list of them, or in numbered ones."""
    skip = int(fields.get("headersize", "0"))
    if skip < TO_THE_END:
        raise ValueError(f"HeaderSize = {skip}")
    name = fields["elementdatafile"]
    first = name.split()[0].upper() if name.split() else ""
    if first == "LOCAL":
        return [Part(path, skip or start, attached=True)]
    if first == "LIST":
        lines = content[start:].decode("latin-1").splitlines()
        return [Part(beside(path, line.strip()), skip) for line in lines if line.strip()] or _no_files()
    if "%" not in name:
        return [Part(beside(path, name), skip)]
    pattern, *numbers = name.rsplit(maxsplit=3) if len(name.split()) > 3 else name.split()
    low, high, step = ([int(n) for n in numbers] + [1, slices, 1][len(numbers) :])[:3]
    return [Part(file, skip) for file in numbered(path, pattern, range(low, high + 1, max(step, 1)), slices)]


def _no_files() -> list[Part]:
    raise ValueError("ElementDataFile = LIST, and no file follows")


def _is_true(fields: Fields, name: str, default: str = "False") -> bool:
    return fields.get(name, default).lower() in ("true", "1", "t")


def _numbers(fields: Fields, names: tuple[str, ...], default: str, count: int) -> NDArray[np.float64]:
    text = next((fields[name.lower()] for name in names if name.lower() in fields), default)
    numbers = np.array([float(n) for n in text.split()])
    if len(numbers) != count:
        raise ValueError(f"{names[0]} = {text}")
    return numbers
