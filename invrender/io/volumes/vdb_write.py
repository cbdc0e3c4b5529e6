"""Writing .vdb: one grid of floats called density, without the voxels that are zero, its values packed with zlib."""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.volumes.grid import place, scalars
from invrender.io.volumes.vdb_compression import (
    COMPRESS_ACTIVE_MASK,
    COMPRESS_ZIP,
    NO_MASK_OR_INACTIVE_VALS,
    Array,
    Bytes,
)
from invrender.io.volumes.vdb_file import MAGIC, TREE_END, TREE_START
from invrender.io.volumes.vdb_tree import LEAF, LOWER, UPPER
from invrender.nouns import Volume

NAME = "density"
_VERSION, _LIBRARY = 224, (10, 0)  # of the format, and one of the library's that writes it
_NO_VALUES = struct.pack("<bq", NO_MASK_OR_INACTIVE_VALS, 0)  # of an inner node without tiles
_TOGETHER = 4096  # leaves that are packed at once


def write_vdb(path: Path, volume: Volume) -> None:
    """A grid of floats called density; voxels of zero are left out, and the same volume gives the same bytes.

    Raises:
        InputError: the volume has several channels, or is zero everywhere.
    """
    values = scalars(volume)
    if len(values) > 1:
        raise InputError(f"{path.name} can hold one channel, not {len(values)}", "write an .npz or .vti")
    blocks = _blocks(values[0])
    leaves = np.argwhere(blocks.any((3, 4, 5)))
    if not len(leaves):
        raise InputError(f"{path.name} holds only what is not zero, and all of this volume is", "write an .npz or .vti")
    leaves = leaves[_in_order(leaves)]
    masks, buffers = _pack(blocks, leaves)
    head = _head(volume, values[0])
    tree = b"".join(_topology(leaves, masks))
    start = _start(hashlib.sha256(head + tree + buffers).hexdigest(), len(head), len(tree), len(buffers))
    with path.open("wb") as file:
        file.writelines((start, head, tree, buffers))


def _blocks(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values [z,y,x], with zeros to whole leaves, as leaves [x,y,z] of voxels [x,y,z]."""
    padded = np.pad(values, [(0, -n % LEAF) for n in values.shape])
    z, y, x = (n // LEAF for n in padded.shape)
    return padded.reshape(z, LEAF, y, LEAF, x, LEAF).transpose(4, 2, 0, 5, 3, 1)


def _in_order(leaves: NDArray[np.int64]) -> NDArray[np.int64]:
    """The file's order of leaves [L,3], told by their places: by the root's node, the one below, the place in it."""
    keys = [*(leaves * LEAF // UPPER).T, *(leaves * LEAF // LOWER).T, *leaves.T]
    return np.lexsort(keys[::-1])


def _pack(blocks: Array, leaves: NDArray[np.int64]) -> tuple[Bytes, bytes]:
    """The masks of the leaves, [L,64], and their values as in the file: mask, kind, size, packed active values."""
    masks = []
    buffers = bytearray()
    for start in range(0, len(leaves), _TOGETHER):
        values = blocks[tuple(leaves[start : start + _TOGETHER].T)].reshape(-1, LEAF**3)
        active = values != 0
        masks.append(np.packbits(active, axis=1, bitorder="little"))
        content = values[active].astype("<f4").tobytes()
        ends = 4 * np.cumsum(np.count_nonzero(active, axis=1))
        for mask, begin, end in zip(masks[-1], [0, *ends[:-1].tolist()], ends.tolist(), strict=True):
            buffers += mask.tobytes()
            buffers += bytes([NO_MASK_OR_INACTIVE_VALS])
            buffers += _zipped(content[begin:end])
    return np.concatenate(masks), bytes(buffers)


def _zipped(values: bytes) -> bytes:
    """Behind the size; where packing does not make it shorter, as it is, which a negative size says."""
    packed = zlib.compress(values)
    if len(packed) < len(values):
        return struct.pack("<q", len(packed)) + packed
    return struct.pack("<q", -len(values)) + values


def _topology(leaves: NDArray[np.int64], masks: Bytes) -> list[bytes]:
    """The tree: one value per voxel, the background 0, no tiles at the root, and the nodes with their leaves' masks."""
    uppers, lowers = leaves * LEAF // UPPER, leaves * LEAF // LOWER
    starts = _starts(uppers)
    parts = [struct.pack("<ifII", 1, 0.0, 0, len(starts))]
    for begin, end in zip(starts, [*starts[1:], len(leaves)], strict=True):
        parts.append(struct.pack("<3i", *(UPPER * uppers[begin]).tolist()))
        inner = [begin + start for start in _starts(lowers[begin:end])]
        parts.append(_node(lowers[inner], UPPER // LOWER))
        for first, last in zip(inner, [*inner[1:], end], strict=True):
            parts.append(_node(leaves[first:last], LOWER // LEAF))
            parts.append(masks[first:last].tobytes())
    return parts


def _starts(places: NDArray[np.int64]) -> list[int]:
    """Where runs of equal rows begin."""
    change = (places[1:] != places[:-1]).any(1)
    return [0, *(1 + np.flatnonzero(change)).tolist()]


def _node(children: NDArray[np.int64], across: int) -> bytes:
    """An inner node of `across` slots a side with children at these places, counted in their own size."""
    slots = np.zeros(across**3, np.bool_)
    slots[np.ravel_multi_index(tuple((children % across).T), (across,) * 3)] = True
    return np.packbits(slots, bitorder="little").tobytes() + bytes(across**3 // 8) + _NO_VALUES


def _head(volume: Volume, values: NDArray[np.float32]) -> bytes:
    """How the grid is packed, what is said of it, and its transform."""
    active = values != 0
    sides = [np.flatnonzero(active.any(tuple({0, 1, 2} - {axis}))) for axis in (2, 1, 0)]
    about = [
        ("file_bbox_max", "vec3i", struct.pack("<3i", *(int(side[-1]) for side in sides))),
        ("file_bbox_min", "vec3i", struct.pack("<3i", *(int(side[0]) for side in sides))),
        ("file_voxel_count", "int64", struct.pack("<q", np.count_nonzero(active))),
        ("name", "string", NAME.encode()),
    ]
    said = b"".join(_text(name) + _text(kind) + struct.pack("<I", len(value)) + value for name, kind, value in about)
    flags = struct.pack("<II", COMPRESS_ZIP | COMPRESS_ACTIVE_MASK, len(about))
    return flags + said + _map(volume)


def _map(volume: Volume) -> bytes:
    """From coordinates of voxels to the world; a matrix (points are rows) where the grid is turned."""
    axes, origin = place(volume)
    if volume.placement is not None:
        matrix = np.eye(4)
        matrix[:3, :3], matrix[3, :3] = axes.T, origin
        return _text("AffineMap") + matrix.astype("<f8").tobytes()
    steps = np.diag(axes)
    kind = "UniformScaleTranslateMap" if len(set(steps.tolist())) == 1 else "ScaleTranslateMap"
    vectors: list[Any] = [origin, steps, np.abs(steps), 1 / steps, 1 / steps**2, 0.5 / steps]
    return _text(kind) + np.concatenate(vectors).astype("<f8").tobytes()


def _start(digest: str, head: int, tree: int, buffers: int) -> bytes:
    """The file up to the grid, of which these are the lengths; the digest takes the place of a random identifier."""
    identifier = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
    start = MAGIC + struct.pack("<3IB", _VERSION, *_LIBRARY, 1) + identifier.encode() + struct.pack("<Ii", 0, 1)
    start += _text(NAME) + _text(f"{TREE_START}float{TREE_END}") + _text("")
    place = len(start) + 3 * 8
    return start + struct.pack("<3q", place, place + head + tree, place + head + tree + buffers)


def _text(text: str) -> bytes:
    return struct.pack("<I", len(text.encode())) + text.encode()
