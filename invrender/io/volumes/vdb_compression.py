"""The values of the nodes of an OpenVDB tree as the file keeps them: perhaps compressed, perhaps the active ones alone.

Follows `readCompressedValues` of OpenVDB's io/Compression.h. Each node begins with a byte that tells what is known of
its inactive values. With COMPRESS_ACTIVE_MASK these are left out, unless there are more than two different ones.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.io.volumes.vdb_bytes import Cursor

Array = NDArray[Any]
Bytes = NDArray[np.uint8]

COMPRESS_ZIP, COMPRESS_ACTIVE_MASK, COMPRESS_BLOSC = 1, 2, 4
_ALL_FLAGS = COMPRESS_ZIP | COMPRESS_ACTIVE_MASK | COMPRESS_BLOSC

# What the byte before a node's values means.
NO_MASK_OR_INACTIVE_VALS = 0  # all inactive values are the background
NO_MASK_AND_MINUS_BG = 1  # all are its negative
NO_MASK_AND_ONE_INACTIVE_VAL = 2  # all are the one that follows
MASK_AND_NO_INACTIVE_VALS = 3  # a mask tells the background (on) from its negative
MASK_AND_ONE_INACTIVE_VAL = 4  # a mask tells the background (on) from the one that follows
MASK_AND_TWO_INACTIVE_VALS = 5  # a mask tells the second that follows (on) from the first
NO_MASK_AND_ALL_VALS = 6  # all values are there, the inactive ones too

_BLOSC_HEADER = 16  # bytes; at 4 stands the size of the content, at 12 that of the chunk


@dataclass(frozen=True)
class Coding:
    """How the values of a grid are kept.

    Attributes:
        kind: the type of a value.
        half: whether such values are kept as 16-bit floats; inactive ones beside them are not.
        flags: COMPRESS_ZIP, COMPRESS_ACTIVE_MASK, COMPRESS_BLOSC, added.
        background: the value where nothing is.
    """

    kind: np.dtype[Any]
    half: bool
    flags: int
    background: Any

    @property
    def stored(self) -> np.dtype[Any]:
        """The type of the values in the file."""
        return np.dtype("<f2") if self.half else self.kind

    @property
    def negative(self) -> Any:
        """The background with the other sign; of a bool, the other value."""
        with np.errstate(over="ignore"):  # the least integer has none
            return not self.background if self.kind.kind == "b" else -self.background


def check_flags(flags: int) -> None:
    """Refuse a way of compression that is not known.

    Raises:
        ValueError: it is one.
    """
    if flags & ~_ALL_FLAGS:
        raise ValueError(f"the compression is {flags:#x}, and only the lowest three bits have a meaning")


def bits(masks: Bytes) -> NDArray[np.bool_]:
    """[N,8B] of masks [N,B]; the lowest bit comes first."""
    return np.unpackbits(masks, axis=1, bitorder="little").view(np.bool_)


def read_values(cursor: Cursor, masks: Bytes, coding: Coding, lead: int = 0) -> Array:
    """The values of nodes that follow each other, [N,S] of the grid's type, inactive ones too.

    Args:
        cursor: at the first node; afterwards behind the last.
        masks: [N,S/8], which values of each are active.
        coding: how they are kept.
        lead: bytes before each node's values that are skipped.

    Raises:
        ValueError: the file ends before, or breaks the format's rules.
    """
    active = bits(masks)
    size = active.shape[1]
    inactive = np.full((len(masks), 2), coding.background, coding.kind)
    second = np.zeros_like(active)
    dense = np.zeros(len(masks), np.bool_)
    chunks = []
    for node, count in enumerate(np.count_nonzero(active, axis=1).tolist()):
        cursor.take(lead)
        case = cursor.take(1)[0]
        if case > NO_MASK_AND_ALL_VALS:
            raise ValueError(f"the values at byte {cursor.place} are of kind {case}, which does not exist")
        if case != NO_MASK_OR_INACTIVE_VALS:
            _read_inactive(cursor, case, coding, inactive[node], second[node])
        dense[node] = case == NO_MASK_AND_ALL_VALS or not coding.flags & COMPRESS_ACTIVE_MASK
        chunks.append(_read_chunk(cursor, size if dense[node] else count, coding))
    result = np.where(second, inactive[:, 1:], inactive[:, :1])
    result[active | dense[:, None]] = np.frombuffer(b"".join(chunks), coding.stored)
    return result


def _read_inactive(cursor: Cursor, case: int, coding: Coding, values: Array, second: Array) -> None:
    """Fill in both inactive values of a node, [2], and where the second stands, [S]."""
    width = coding.kind.itemsize
    values[0] = coding.negative
    if case in (NO_MASK_AND_ONE_INACTIVE_VAL, MASK_AND_ONE_INACTIVE_VAL, MASK_AND_TWO_INACTIVE_VALS):
        count = 2 if case == MASK_AND_TWO_INACTIVE_VALS else 1
        values[:count] = np.frombuffer(cursor.take(count * width), coding.kind)
    if case in (MASK_AND_NO_INACTIVE_VALS, MASK_AND_ONE_INACTIVE_VAL, MASK_AND_TWO_INACTIVE_VALS):
        second[:] = bits(np.frombuffer(cursor.take(len(second) // 8), np.uint8)[None])[0]


def _read_chunk(cursor: Cursor, count: int, coding: Coding) -> bytes:
    """The bytes of `count` values, unpacked."""
    needed = count * coding.stored.itemsize
    if not coding.flags & (COMPRESS_BLOSC | COMPRESS_ZIP):
        return cursor.take(needed)
    if coding.half and count == 0:  # the library's way for halves: not even a size
        return b""
    length = cursor.number("q")
    if length <= 0:  # as it is, where packing would have made it longer
        if -length != needed:
            raise ValueError(f"{-length} bytes of values stand before byte {cursor.place}, and {needed} are needed")
        return cursor.take(needed)
    packed = cursor.take(length)
    return _unblosc(packed, needed) if coding.flags & COMPRESS_BLOSC else _unzip(packed, needed)


def _unzip(packed: bytes, needed: int) -> bytes:
    stream = zlib.decompressobj()
    found = stream.decompress(packed, needed + 1)
    if len(found) != needed:
        raise ValueError(f"packed values make {len(found)} bytes or more, and {needed} are needed")
    if not stream.eof:  # where the end is reached, so is the checksum
        raise ValueError("packed values are cut off")
    return found


def _unblosc(packed: bytes, needed: int) -> bytes:
    """A Blosc 1 chunk; its header is compared with what is needed before the library sees it."""
    import blosc

    if len(packed) < _BLOSC_HEADER:
        raise ValueError(f"a Blosc chunk of {len(packed)} bytes is shorter than its header")
    content, chunk = (int.from_bytes(packed[at : at + 4], "little") for at in (4, 12))
    if content != needed or chunk != len(packed):
        raise ValueError(f"a Blosc chunk tells {content} bytes in {chunk}, not {needed} in {len(packed)}")
    if not needed:
        return b""
    try:
        found: bytes = blosc.decompress(packed)
    except (blosc.blosc_extension.error, ValueError) as error:
        raise ValueError("a Blosc chunk cannot be unpacked") from error
    return found
