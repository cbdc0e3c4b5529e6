"""The outline of a .vdb file: its grids by name, and for each where its transform and its tree are.

Follows OpenVDB's io/Archive.cc and io/GridDescriptor.cc.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.volumes.vdb_bytes import Cursor
from invrender.io.volumes.vdb_compression import check_flags
from invrender.io.volumes.vdb_maps import read_map
from invrender.io.volumes.vdb_tree import KINDS, leaf_values, read_topology

MAGIC = b" BDV\0\0\0\0"
TREE_START, TREE_END = "Tree_", "_5_4_3"
"""Of the name of a grid's type; between stands that of its values."""

_OLDEST, _NEWEST = 222, 225
_HALF = "_HalfFloat"
_SEPARATOR = "\x1e"  # between a name and the number that tells it from others like it
_UUID = 36  # letters


@dataclass(frozen=True)
class Entry:
    """A grid of a file.

    Attributes:
        name: by which it is chosen, such as density or, where several have that name, density[1].
        unique: the file's own form of it.
        kind: the type of the values, as OpenVDB calls it, or of the whole tree where that is not the usual one.
        half: whether they are kept as 16-bit floats.
        parent: the unique name of the grid whose tree it shares; empty where it has its own.
        place: where its transform is, in bytes.
        blocks: where the values of its leaves are; None where they come right behind the tree.
    """

    name: str
    unique: str
    kind: str
    half: bool
    parent: str
    place: int
    blocks: int | None


@dataclass(frozen=True)
class Head:
    """What comes before a grid's tree: its compression, and axes [3,3] and origin [3] of its transform."""

    flags: int
    axes: NDArray[np.float64]
    origin: NDArray[np.float64]


def read_entries(cursor: Cursor, path: Path) -> list[Entry]:
    """All grids of a file.

    Raises:
        InputError: it is of a version that is not read; or its parts are not told, and hold what cannot be skipped.
        ValueError: it breaks the format's rules.
    """
    if cursor.take(len(MAGIC)) != MAGIC:
        raise ValueError("it does not begin as OpenVDB's files do")
    version, _, _, offsets = cursor.unpack("3IB")
    if not _OLDEST <= version <= _NEWEST:
        raise InputError(
            f"{path} is of version {version} of OpenVDB's format; read are {_OLDEST} to {_NEWEST}",
            f"save it again with {'an older' if version > _NEWEST else 'a newer'} OpenVDB, or convert it to .npz",
        )
    cursor.take(_UUID)
    _skip_metadata(cursor)
    entries: list[Entry] = []
    for _ in range(max(0, cursor.number("i"))):  # each takes bytes, so a wrong number ends with the file
        entry, end = _read_entry(cursor)
        if not offsets:
            entry = replace(entry, place=cursor.place, blocks=None)
            _skip_grid(cursor, entry, path)
        elif not cursor.place <= entry.place <= (entry.place if entry.blocks is None else entry.blocks) <= end:
            raise ValueError(f"the places of the grid {entry.name} are out of order")
        else:
            cursor.seek(end)
        entries.append(entry)
    return _named(entries)


def read_head(cursor: Cursor, path: Path) -> Head:
    """The part of a grid before its tree, which is where the cursor then stands.

    Raises:
        InputError: the transform is not linear.
        ValueError: the file breaks the format's rules.
    """
    flags = cursor.number("I")
    check_flags(flags)
    _skip_metadata(cursor)
    return Head(flags, *read_map(cursor, path))


def _read_entry(cursor: Cursor) -> tuple[Entry, int]:
    """A grid as the file lists it, and where the next one begins."""
    unique, tree, parent = cursor.text(), cursor.text(), cursor.text()
    place, blocks, end = cursor.unpack("3q")
    half = tree.endswith(_HALF)
    kind = tree.removesuffix(_HALF)
    if kind.startswith(TREE_START) and kind.endswith(TREE_END):
        kind = kind.removeprefix(TREE_START).removesuffix(TREE_END)
    return Entry(unique, unique, kind, half, parent, place, None if parent else blocks), end


def _named(entries: list[Entry]) -> list[Entry]:
    """Names as people write them: without the number where it is not needed, else with [number] behind."""
    plain = [entry.unique.split(_SEPARATOR)[0] for entry in entries]
    counts = Counter(plain)
    names = []
    for entry, name in zip(entries, plain, strict=True):
        _, separator, number = entry.unique.partition(_SEPARATOR)
        alone = name and counts[name] == 1
        names.append(name if alone or not separator else f"{name}[{number}]")
    return [replace(entry, name=name) for entry, name in zip(entries, names, strict=True)]


def _skip_metadata(cursor: Cursor) -> None:
    """Past pairs of a name and a value; each value has its type and its length before it."""
    for _ in range(cursor.number("I")):
        cursor.text()
        cursor.text()
        cursor.take(cursor.number("I"))


def _skip_grid(cursor: Cursor, entry: Entry, path: Path) -> None:
    """Past a grid in a file that was written as a stream, which does not tell where it ends."""
    head = read_head(cursor, path)
    if entry.parent:
        return
    if entry.kind not in KINDS:
        raise InputError(
            f"{path} was written as a stream, and of its grid {entry.name} ({entry.kind}) no end is known",
            "write it as a file (openvdb::io::File), or without that grid",
        )
    tree = read_topology(cursor, entry.kind, entry.half, head.flags, path)
    for _ in leaf_values(cursor, tree, entry.kind):
        pass
