"""The faces of an .obj file: corners as v, v/vt, v//vn or v/vt/vn, counted from 1 or backwards from the last."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from invrender.io.files.paths import shown
from invrender.io.meshes.text import Integers, Lines, integers, unreadable

log = logging.getLogger(__name__)

_CORNER = re.compile(rb"[-+]?\d+(/[-+]?\d*){0,2}")


class Corners(NamedTuple):
    """The corners of all faces, one face after the other.

    Attributes:
        vertex: [K] position in the list of vertices, from 0.
        uv: [K] position in the list of texture coordinates, from 0; -1 where a corner has none.
        sizes: [P] how many corners each face has.
        rows: [P] the line of each face.
    """

    vertex: Integers
    uv: Integers
    sizes: Integers
    rows: Integers


def read_corners(path: Path, lines: Lines, vertices: NDArray[np.bool_], uv: NDArray[np.bool_]) -> Corners:
    """Read all face statements.

    Args:
        path: for messages.
        lines: of the file.
        vertices, uv: [L] which lines hold a vertex, and which a texture coordinate.

    Raises:
        InputError: a line that is not a face, or indices that point at nothing, by line number.
    """
    rows = np.flatnonzero(lines.are(b"f", b"fo"))  # fo: what early versions called it
    sizes = lines.count[rows] - 1
    triples = _triples(lines.body(rows, 2), int(sizes.sum())) if len(rows) else np.zeros((0, 2), np.int64)
    if triples is None:
        raise _culprit(path, lines, rows)
    owner = np.repeat(rows, sizes)
    found = []
    for name, column, kind in (("vertex", 0, vertices), ("texture coordinate", 1, uv)):
        index = triples[:, column]
        count, before = int(kind.sum()), np.cumsum(kind)[owner]
        if column == 1 and not count and index.any():
            log.warning("%s: faces name texture coordinates, but there are none.", shown(path.name))
            index = np.zeros_like(index)
        place = np.where(index > 0, index - 1, before + index)
        place[index == 0] = -1
        wrong = (place < 0) | (place >= count) if column == 0 else (index != 0) & ((place < 0) | (place >= count))
        if wrong.any():
            first = int(wrong.argmax())
            number = f"{name} {index[first]}"
            why = "but .obj counts from 1" if index[first] == 0 else f"but there are {count}"
            raise unreadable(path, lines, int(owner[first]), f"a face uses {number}, {why}")
        found.append(place)
    return Corners(found[0], found[1], sizes, rows)


def _triples(body: bytes, count: int) -> Integers | None:
    """[K,2] vertex and texture index of each corner (0: none), or None where something else is there."""
    body = body.replace(b"//", b"/0/")
    body = re.sub(rb"/(?=\s|$)", b"/0", body) if b"/" in body else body
    data = np.frombuffer(body, np.uint8)
    white = np.concatenate([[True], data <= 32])
    starts = np.flatnonzero(white[:-1] & ~white[1:])
    if len(starts) != count:
        return None
    slashes = np.bincount(np.searchsorted(starts, np.flatnonzero(data == ord("/")), "right") - 1, minlength=count)
    values = integers(body.replace(b"/", b" "))
    if values is None or len(values) != count + slashes.sum() or (slashes > 2).any():
        return None
    places = np.cumsum(slashes + 1) - slashes - 1
    texture = np.where(slashes > 0, values[np.minimum(places + 1, max(len(values) - 1, 0))], 0) if count else places
    return np.stack([values[places], texture], axis=1)


def _culprit(path: Path, lines: Lines, rows: Integers) -> Exception:
    """The error that names the first line with something else than corners."""
    for row in rows:
        if not all(_CORNER.fullmatch(word) for word in lines.rest(row).replace(b"\x01", b" ").split()):
            return unreadable(path, lines, int(row), "a face needs corners such as 1, 1/2, 1//3 or 1/2/3")
    return unreadable(path, lines, int(rows[0]), "the faces from here on are not understood")
