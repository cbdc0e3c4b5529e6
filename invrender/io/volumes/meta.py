"""MetaImage volumes: .mha (header and data in one file) and .mhd (data beside it), as ITK writes them.

The format: https://itk.org/Wiki/ITK/MetaIO/Documentation
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.volumes.grid import Grid, damaged, scalars, size_lie, spacing
from invrender.nouns import Volume

_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i8", "MET_ULONG": "u8", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}  # fmt: skip
_HEADER_LIMIT = 65536


def read_meta(path: Path) -> Grid:
    """The grid with offset, spacing and directions of the header."""
    content = path.read_bytes()
    fields, start = _header(content, path)
    try:
        return _grid(fields, content[start:], path)
    except (ValueError, KeyError, zlib.error) as error:
        raise damaged(path, f"field {error}" if isinstance(error, KeyError) else error) from error


def write_meta(path: Path, volume: Volume) -> None:
    """A compressed .mha of float32 values."""
    values = scalars(volume)
    steps, origin = spacing(volume)
    data = zlib.compress(np.moveaxis(values, 0, -1).astype("<f4").tobytes(), 6)
    channels = f"ElementNumberOfChannels = {len(values)}\n" if len(values) > 1 else ""
    header = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = True\n"
        f"CompressedDataSize = {len(data)}\nTransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = {_row(origin)}\n"
        f"CenterOfRotation = 0 0 0\nElementSpacing = {_row(steps)}\nDimSize = {_row(values.shape[:0:-1])}\n"
        f"{channels}ElementType = MET_FLOAT\nElementDataFile = LOCAL\n"
    )
    path.write_bytes(header.encode() + data)


def _row(numbers: object) -> str:
    return " ".join(repr(n.item()) for n in np.asarray(numbers))


def _header(content: bytes, path: Path) -> tuple[dict[str, str], int]:
    """The fields by name, and where the data begins; ElementDataFile ends the header."""
    fields: dict[str, str] = {}
    start = 0
    while start < min(len(content), _HEADER_LIMIT):
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        name, equals, value = content[start:end].decode("latin-1").partition("=")
        if not equals:
            break
        fields[name.strip()] = value.strip()
        start = end + 1
        if name.strip() == "ElementDataFile":
            return fields, start
    raise damaged(path, "its header has no ElementDataFile")


def _grid(fields: dict[str, str], local: bytes, path: Path) -> Grid:
    if int(fields.get("NDims", "3")) != 3:
        raise InputError(f"{path} has {fields['NDims']} dimensions", "use a volume of three dimensions")
    counts = tuple(int(n) for n in fields["DimSize"].split())
    if len(counts) != 3 or min(counts) < 1:
        raise ValueError(f"DimSize = {fields['DimSize']}")
    if fields["ElementType"] not in _TYPES:
        raise ValueError(f"ElementType = {fields['ElementType']}")
    big = _is_true(fields, "BinaryDataByteOrderMSB") or _is_true(fields, "ElementByteOrderMSB")
    kind = np.dtype((">" if big else "<") + _TYPES[fields["ElementType"]])
    channels = int(fields.get("ElementNumberOfChannels", "1"))
    data = _data(fields, local, path)
    needed = int(np.prod(counts, dtype=object)) * channels * kind.itemsize
    if len(data) != needed:
        raise size_lie(path, counts[::-1], needed, len(data))
    values = np.frombuffer(data, kind).reshape(*counts[::-1], channels)
    matrix = _numbers(fields, ("TransformMatrix", "Rotation", "Orientation"), "1 0 0 0 1 0 0 0 1", 9)
    steps = _numbers(fields, ("ElementSpacing", "ElementSize"), "1 1 1", 3)
    origin = _numbers(fields, ("Offset", "Position", "Origin"), "0 0 0", 3)
    return Grid(np.moveaxis(values, 3, 0), matrix.reshape(3, 3).T * steps, origin)


def _data(fields: dict[str, str], local: bytes, path: Path) -> bytes:
    file = fields["ElementDataFile"]
    if file == "LOCAL":
        data = local
    else:
        beside = path.parent / file
        if not beside.is_file():
            raise InputError(f"{path} says that its data is in {file}, which is not there", "put both side by side")
        data = beside.read_bytes()
    if _is_true(fields, "CompressedData"):
        return zlib.decompress(data)
    skip = int(fields.get("HeaderSize", "0"))
    return data[skip:] if skip > 0 else data


def _is_true(fields: dict[str, str], name: str) -> bool:
    return fields.get(name, "False").lower() in ("true", "1")


def _numbers(fields: dict[str, str], names: tuple[str, ...], default: str, count: int) -> NDArray[np.float64]:
    text = next((fields[name] for name in names if name in fields), default)
    numbers = np.array([float(n) for n in text.split()])
    if len(numbers) != count:
        raise ValueError(f"{names[0]} = {text}")
    return numbers
