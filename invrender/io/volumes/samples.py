"""The samples of volumes whose header is text: from the parts of its data to one array, counted first."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from invrender.errors import InputError
from invrender.io.files.memory import check_room
from invrender.io.volumes.grid import Array, size_lie
from invrender.io.volumes.payload import TO_THE_END, Packing, Part, raw_bytes, unpacked

log = logging.getLogger(__name__)

Encoding = Literal["raw", "text", "hex"] | Packing


@dataclass(frozen=True)
class Layout:
    """How samples are stored.

    Attributes:
        shape: of the array, the slowest axis first.
        kind: of its numbers, with their byte order.
        encoding: raw bytes, decimal text, hexadecimal text, or packed bytes.
        skip: bytes to leave out after unpacking, for packed data.
    """

    shape: tuple[int, ...]
    kind: np.dtype[np.generic]
    encoding: Encoding = "raw"
    skip: int = 0


def read_samples(header: Path, parts: Sequence[Part], layout: Layout) -> Array:
    """The array of a layout, its samples spread evenly over the parts.

    Raises:
        InputError: there are fewer samples than promised, or so many more that it is open which are meant.
        MemoryLimitError: they do not fit.
        ValueError, OSError, EOFError, zlib.error: the data are damaged.
    """
    count = math.prod(layout.shape)
    if count % len(parts):
        raise InputError(
            f"{header}: {count} samples cannot be spread evenly over {len(parts)} files", "name one file for each slice"
        )
    if len(parts) == 1:
        return _part(header, parts[0], layout, count).reshape(layout.shape)
    check_room(header, 2 * count * layout.kind.itemsize)
    pieces = [_part(header, part, layout, count // len(parts)) for part in parts]
    return np.concatenate(pieces).reshape(layout.shape)


def _part(header: Path, part: Part, layout: Layout, count: int) -> Array:
    if layout.encoding == "text":
        return _numbers(part, layout, count)
    needed = count * layout.kind.itemsize
    if layout.encoding == "hex":
        data, extra = _from_hex(part, needed)
    elif layout.encoding == "raw":
        data, extra = raw_bytes(part, needed)
    else:
        data, extra = unpacked(part, needed + layout.skip, layout.encoding)
        data = data[layout.skip :]
    if extra < 0:
        raise size_lie(part.path, _shown(layout), needed, needed + extra)
    if extra and part.start != TO_THE_END:
        _check_extra(header, part, layout, extra)
    return np.frombuffer(data, layout.kind)


def _shown(layout: Layout) -> tuple[int, ...]:
    return layout.shape[:-1] if len(layout.shape) > 3 and layout.shape[-1] == 1 else layout.shape


def _check_extra(header: Path, part: Part, layout: Layout, extra: int) -> None:
    """Bytes that follow are left out where they cannot be a part of the grid; it is open in the other cases."""
    needed = math.prod(layout.shape) * layout.kind.itemsize
    slowest = needed // layout.shape[0]  # bytes of one slice
    if layout.encoding == "raw" and extra >= (slowest if part.attached else 3):
        raise InputError(
            f"{part.path}: the header of {header.name} promises {needed} bytes, and there are {extra} more",
            "correct the header's sizes, or tell where the data begin (MetaImage: HeaderSize, -1 for the file's end; "
            "NRRD: byte skip)",
        )
    log.warning("%s: more bytes than the %d of the header's samples; they are left out", part.path.name, needed)


def _from_hex(part: Part, needed: int) -> tuple[bytes, int]:
    with part.path.open("rb") as file:
        file.seek(max(part.start, 0))
        data = bytes.fromhex(b"".join(file.read().split()).decode("ascii"))  # lines may break within a byte
    return data[:needed], len(data) - needed


def _numbers(part: Part, layout: Layout, count: int) -> Array:
    with part.path.open("rb") as file:
        file.seek(max(part.start, 0))
        words = file.read().replace(b",", b" ").split()
    if len(words) != count:
        raise InputError(
            f"{part.path}: the header promises {count} numbers, and there are {len(words)}",
            "the file is cut off or its header is wrong: export it again",
        )
    return np.array(words, np.float64)
