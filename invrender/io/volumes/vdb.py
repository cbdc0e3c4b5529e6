"""OpenVDB volumes, .vdb, read without the library: the active voxels of a grid and what is between them."""

from __future__ import annotations

import mmap
import struct
import zlib
from pathlib import Path

import numpy as np

from invrender.errors import InputError
from invrender.io.files.memory import check_room
from invrender.io.volumes.arrays import choose
from invrender.io.volumes.axes import checked_frame
from invrender.io.volumes.grid import Grid, damaged
from invrender.io.volumes.vdb_bytes import Cursor
from invrender.io.volumes.vdb_compression import Array
from invrender.io.volumes.vdb_file import Entry, Head, read_entries, read_head
from invrender.io.volumes.vdb_tree import KINDS, LEAF, LOWER, UPPER, Coordinates, Topology, leaf_values, read_topology

_VAST = 2**28  # voxels in a box, a GiB of floats
_THIN = 5e-3  # share of them that are active


def read_vdb(path: Path, key: str, frame: int | None = None) -> Grid:
    """The active voxels of a grid of numbers as a dense one, within their bounding box and one voxel around it.

    Inactive voxels in that box have the value that the file gives them; bools become 0 and 1.

    Args:
        path: the file.
        key: the name of the grid; where several share it, with a number behind: density[1].
        frame: None or 0; there is one.

    Raises:
        InputError: there is no such grid, it has no active voxels, holds no numbers or has a transform that is not
            linear; or they lie scattered in a vast box; or the file is damaged or of another version.
        MemoryLimitError: the box does not fit.
    """
    if frame:
        checked_frame(frame, 1, path)
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _read(Cursor(data), path, key)
    except (OSError, ValueError, struct.error, zlib.error) as error:
        raise damaged(path, error) from error


def _read(cursor: Cursor, path: Path, key: str) -> Grid:
    entries = read_entries(cursor, path)
    name = choose(key, [entry.name for entry in entries], path)
    entry = next(entry for entry in entries if entry.name == name)
    cursor.seek(entry.place)
    place = read_head(cursor, path)
    owner, head = _owner(cursor, entry, entries, place, path)
    if owner.kind not in KINDS:
        numbers = ", ".join(other.name for other in entries if other.kind in KINDS)
        raise InputError(
            f"{path}: the grid {name} holds {owner.kind}, not one number per voxel",
            f"choose another with --key: {numbers}" if numbers else "write a grid of floats into the file",
        )
    tree = read_topology(cursor, owner.kind, owner.half, head.flags, path)
    if owner.blocks is not None:
        cursor.seek(owner.blocks)
    low, values = _dense(cursor, tree, owner.kind, path)
    return Grid(values[None], place.axes, place.axes @ low + place.origin)


def _owner(cursor: Cursor, entry: Entry, entries: list[Entry], head: Head, path: Path) -> tuple[Entry, Head]:
    """The grid that has the tree of `entry`, itself or another one; the cursor then stands there."""
    if not entry.parent:
        return entry, head
    found = [other for other in entries if other.unique == entry.parent and not other.parent]
    if not found:
        raise ValueError(f"the grid {entry.name} shares its voxels with one that is not there")
    cursor.seek(found[0].place)
    return found[0], read_head(cursor, path)


def _dense(cursor: Cursor, tree: Topology, kind: str, path: Path) -> tuple[Coordinates, Array]:
    """The first voxel [3] of the box around what is active, with a margin of one, and its values [z,y,x]."""
    low, high = _active_box(tree, path)
    base, end = low // LEAF * LEAF, -(-high // LEAF) * LEAF
    counts = [int(n) for n in (end - base) // LEAF]
    _check_box(tree, counts, path)
    dense = np.full([LEAF * n for n in reversed(counts)], tree.coding.background, tree.coding.kind)
    blocks = dense.reshape(counts[2], LEAF, counts[1], LEAF, counts[0], LEAF).transpose(4, 2, 0, 5, 3, 1)
    _fill_tiles(blocks, tree, base)
    for chosen, values in leaf_values(cursor, tree, kind):
        slots = (tree.leaves[chosen] - base) // LEAF
        inside = ((slots >= 0) & (slots < counts)).all(1)
        blocks[tuple(slots[inside].T)] = values[inside]
    (x, y, z), (to_x, to_y, to_z) = low - base, high - base
    cut = dense[z:to_z, y:to_y, x:to_x]
    return low, cut.view(np.uint8) if cut.dtype == bool else cut


def _active_box(tree: Topology, path: Path) -> tuple[Coordinates, Coordinates]:
    """The first voxel [3] of the box and the one behind its last, margin included."""
    lows, highs = [], []
    for side, tiles in tree.tiles.items():
        lows.append(tiles.low[tiles.active])
        highs.append(tiles.low[tiles.active] + side)
    filled = tree.masks.any(1)
    masks = tree.masks[filled].reshape(-1, LEAF, LEAF)  # [x,y], with z in the bits
    along_z = np.unpackbits(np.bitwise_or.reduce(masks, (1, 2)), bitorder="little").reshape(-1, LEAF)
    along = np.stack([masks.any(2), masks.any(1), along_z.astype(np.bool_)], 1)  # [L,3,8]
    lows.append(tree.leaves[filled] + along.argmax(2))
    highs.append(tree.leaves[filled] + LEAF - along[:, :, ::-1].argmax(2))
    low, high = np.concatenate(lows), np.concatenate(highs)
    if not len(low):
        raise InputError(f"{path} has no active voxels", "export it again, with values in it")
    return low.min(0) - 1, high.max(0) + 1


def _check_box(tree: Topology, counts: list[int], path: Path) -> None:
    """Before a box of so many leaves along x, y, z is made: a few voxels far from the rest, or damage, make it vast."""
    voxels = LEAF**3 * counts[0] * counts[1] * counts[2]
    active = sum(side**3 * int(np.count_nonzero(tiles.active)) for side, tiles in tree.tiles.items())
    active += int(np.unpackbits(tree.masks).sum(dtype=np.int64))
    if voxels > _VAST and active < _THIN * voxels:
        box = " x ".join(str(LEAF * n) for n in counts)
        raise InputError(
            f"{path}: {active} active voxels lie scattered in a box of {box}, too thin to be read as one grid",
            "clip it to the part that matters in the program that made it (Houdini: VDB Clip), or export it coarser",
        )
    check_room(path, 2 * max(4, tree.coding.kind.itemsize) * voxels)


def _fill_tiles(blocks: Array, tree: Topology, base: Coordinates) -> None:
    """Put the values of tiles into the box: [x,y,z] blocks of [x,y,z] voxels, of which the first voxel is `base`."""
    counts = np.array(blocks.shape[:3])
    for side in (UPPER, LOWER):
        tiles = tree.tiles[side]
        first = (tiles.low - base) // LEAF
        start, end = np.maximum(first, 0), np.minimum(first + side // LEAF, counts)
        for tile in np.flatnonzero((start < end).all(1)):
            blocks[tuple(map(slice, start[tile], end[tile]))] = tiles.values[tile]
    tiles = tree.tiles[LEAF]
    slots = (tiles.low - base) // LEAF
    inside = ((slots >= 0) & (slots < counts)).all(1)
    blocks[tuple(slots[inside].T)] = tiles.values[inside, None, None, None]
