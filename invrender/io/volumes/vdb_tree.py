"""The tree of an OpenVDB grid: a root with children of 4096 voxels a side, those with 128, and leaves with 8.

Follows readTopology and readBuffers of OpenVDB's tree/RootNode.h, InternalNode.h, LeafNode.h and LeafNodeBool.h: first
comes which nodes there are, with the values of the inner ones' tiles, then the values of all leaves in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.io.files.memory import check_room
from invrender.io.volumes.vdb_bytes import Cursor
from invrender.io.volumes.vdb_compression import Array, Bytes, Coding, bits, read_values

Coordinates = NDArray[np.int64]

LEAF, LOWER, UPPER = 8, 128, 4096
"""Voxels along a side of a leaf and of the inner nodes."""

MASK_BYTES = LEAF**3 // 8
KINDS: dict[str, np.dtype[Any]] = {
    "float": np.dtype("<f4"),
    "double": np.dtype("<f8"),
    "half": np.dtype("<f2"),
    "int32": np.dtype("<i4"),
    "int64": np.dtype("<i8"),
    "bool": np.dtype(np.bool_),
    "mask": np.dtype(np.bool_),
}
"""Types of values that are read, by OpenVDB's name."""

_ORIGIN = 12  # bytes
_TOGETHER = 4096  # leaves whose values are unpacked at once
_TILE = 40  # bytes in memory


@dataclass(frozen=True)
class Tiles:
    """Boxes of one value each that are active, or differ from the background.

    Attributes:
        low: [T,3], the first voxel.
        values: [T] of the grid's type.
        active: [T].
    """

    low: Coordinates
    values: Array
    active: NDArray[np.bool_]


@dataclass(frozen=True)
class Topology:
    """Which nodes a tree has.

    Attributes:
        coding: how its values are kept; with the background.
        tiles: by the side of the box in voxels: 4096, 128 and 8.
        leaves: [L,3], the first voxel of each leaf, in the file's order.
        masks: [L,64], the active voxels of each: z fastest, from the lowest bit.
    """

    coding: Coding
    tiles: dict[int, Tiles]
    leaves: Coordinates
    masks: Bytes


def read_topology(cursor: Cursor, kind: str, half: bool, flags: int, path: Path) -> Topology:
    """The nodes of the tree at the cursor, which then stands at the leaves' values.

    Args:
        cursor: at the tree.
        kind: of its values, one of `KINDS`.
        half: whether they are kept as 16-bit floats.
        flags: how they are compressed.
        path: of the file.

    Raises:
        ValueError: the file ends before, or breaks the format's rules.
        MemoryLimitError: the tree does not fit.
    """
    cursor.number("i")  # how many values a voxel has; the library, too, goes on with one
    dtype = KINDS[kind]
    background = np.frombuffer(cursor.take(dtype.itemsize), dtype)[0]
    coding = Coding(dtype, half and dtype.kind == "f", flags, background)
    tiles, children = cursor.unpack("2I")
    boxes: dict[int, list[Tiles]] = {UPPER: [_root_tiles(cursor, tiles, coding)], LOWER: [], LEAF: []}
    leaves, masks, seen = [np.zeros((0, 3), np.int64)], [np.zeros((0, MASK_BYTES), np.uint8)], set()
    for _ in range(children):
        place = cursor.unpack("3i")
        if place in seen or any(n % UPPER for n in place):
            raise ValueError(f"there is a node at {place}, where none can be, or twice")
        seen.add(place)
        uppers, below = _read_node(cursor, np.array([place]), UPPER, coding)
        boxes[LOWER].append(uppers)
        for low in below:
            lowers, inside = _read_node(cursor, low[None], LOWER, coding)
            boxes[LEAF].append(lowers)
            leaves.append(inside)
            masks.append(np.frombuffer(cursor.take(MASK_BYTES * len(inside)), np.uint8).reshape(-1, MASK_BYTES))
        _check_room(path, boxes, dtype.itemsize)
    joined = {side: _joined(found, coding) for side, found in boxes.items()}
    return Topology(coding, joined, np.concatenate(leaves), np.concatenate(masks))


def leaf_values(cursor: Cursor, tree: Topology, kind: str) -> Iterator[tuple[slice, Array]]:
    """Stretches of the tree's leaves, each with their values [N,8,8,8] along x, y, z.

    Raises:
        ValueError: the file ends before, or breaks the format's rules.
    """
    for start in range(0, len(tree.leaves), _TOGETHER):
        chosen = slice(start, min(start + _TOGETHER, len(tree.leaves)))
        masks = tree.masks[chosen]
        if kind in ("bool", "mask"):
            values = _read_bools(cursor, len(masks), kind)
        else:
            values = read_values(cursor, masks, tree.coding, lead=MASK_BYTES)
        yield chosen, values.reshape(-1, LEAF, LEAF, LEAF)


def _read_bools(cursor: Cursor, count: int, kind: str) -> Array:
    """Leaves of bools: the mask, the origin, and the values as another mask; a mask is its own values."""
    start = MASK_BYTES + _ORIGIN if kind == "bool" else 0
    record = MASK_BYTES + _ORIGIN + (MASK_BYTES if kind == "bool" else 0)
    found = np.frombuffer(cursor.take(count * record), np.uint8).reshape(count, record)
    return bits(found[:, start : start + MASK_BYTES])


def _root_tiles(cursor: Cursor, count: int, coding: Coding) -> Tiles:
    record = np.dtype([("low", "<i4", 3), ("value", coding.kind), ("active", "u1")])
    found = np.frombuffer(cursor.take(count * record.itemsize), record)
    low = found["low"].astype(np.int64)
    if (low % UPPER).any():
        raise ValueError("a tile of the root is not where one can be")
    return _worth(Tiles(low, found["value"], found["active"] != 0), coding)


def _read_node(cursor: Cursor, low: Coordinates, side: int, coding: Coding) -> tuple[Tiles, Coordinates]:
    """An inner node whose first voxel is `low` [1,3]: its tiles, and the first voxels of its children [K,3]."""
    step = LOWER if side == UPPER else LEAF
    across = side // step
    masks = np.frombuffer(cursor.take(2 * across**3 // 8), np.uint8).reshape(2, -1)
    child, active = bits(masks)
    values = read_values(cursor, masks[1:], coding)[0]
    slots = np.flatnonzero(~child & (active | (values != coding.background)))
    tiles = Tiles(_corners(slots, low, step, across), values[slots], active[slots])
    return tiles, _corners(np.flatnonzero(child), low, step, across)


def _corners(slots: NDArray[Any], low: Coordinates, step: int, across: int) -> Coordinates:
    """The first voxels of slots, [K,3]; z is fastest."""
    return low + step * np.stack(np.unravel_index(slots, (across,) * 3), 1)


def _worth(tiles: Tiles, coding: Coding) -> Tiles:
    kept = tiles.active | (tiles.values != coding.background)
    return Tiles(tiles.low[kept], tiles.values[kept], tiles.active[kept])


def _joined(found: list[Tiles], coding: Coding) -> Tiles:
    none = Tiles(np.zeros((0, 3), np.int64), np.zeros(0, coding.kind), np.zeros(0, np.bool_))
    parts = [none, *found]
    return Tiles(*(np.concatenate([getattr(tiles, name) for tiles in parts]) for name in ("low", "values", "active")))


def _check_room(path: Path, boxes: dict[int, list[Tiles]], width: int) -> None:
    """Before more of a tree is read: its tiles, which are small in a file, and the voxels that they stand for."""
    tiles = sum(len(part.values) for found in boxes.values() for part in found)
    voxels = sum(side**3 * int(part.active.sum()) for side, found in boxes.items() for part in found)
    check_room(path, _TILE * tiles + width * voxels)
