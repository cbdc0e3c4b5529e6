"""Reading .stl, binary and ASCII.

Source: 3D Systems, StereoLithography interface specification, 1989. Normals are not read: the winding tells them, and
exporters write them as zeros or NaN. What begins with 'solid' may be either kind: the size of a binary file gives it
away.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.paths import shown
from invrender.io.meshes.binary import doubles
from invrender.io.meshes.parts import Part
from invrender.io.meshes.stl_colours import read_stl_colours
from invrender.io.meshes.text import Lines, numbers, plain, unreadable

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]

_AGAIN = "the file is damaged: export or download it again"
_HEADER, _RECORD = 84, 50
_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def read_stl(path: Path) -> list[Part]:
    """Read an .stl file: three vertices for each triangle.

    Raises:
        InputError: it is cut short, or holds another number of triangles than it says; or a line cannot be read.
    """
    content = path.read_bytes()
    ascii_ = _is_ascii(content)
    corners = _ascii(path, content) if ascii_ else _binary(path, content)
    if not len(corners):
        raise InputError(f"{path} has no faces", "export the objects along with the file")
    colours = None if ascii_ else read_stl_colours(content[:_HEADER], _records(content, len(corners))["attribute"])
    own = None if colours is None else np.repeat(colours, 3, axis=0)
    return [Part(corners.reshape(-1, 3), np.arange(3 * len(corners)).reshape(-1, 3), colours=own)]


def _is_ascii(content: bytes) -> bool:
    promised = _HEADER + _RECORD * int.from_bytes(content[80:84], "little")
    if len(content) >= _HEADER and len(content) == promised:
        return False
    start = plain(content[:65536])
    begins = re.search(rb"^\s*solid\b.*?\b(?:facet|endsolid)\b", start, re.MULTILINE | re.IGNORECASE | re.DOTALL)
    return begins is not None and b"\0" not in start


def _binary(path: Path, content: bytes) -> Floats:
    """[T,3,3] corners."""
    if len(content) < _HEADER:
        raise InputError(f"{path} is not an .stl file: {len(content)} bytes are too few", _AGAIN)
    count, there = int.from_bytes(content[80:84], "little"), (len(content) - _HEADER) // _RECORD
    if there < count and content[:_HEADER].isascii() and b"\0" not in content[:_HEADER]:
        raise InputError(f"{path} is not an .stl file: it is text without a solid", "export it as .stl, .obj or .ply")
    if there < count:
        raise InputError(f"{path} is cut short: {there} of {count} triangles are there", _AGAIN)
    if there > count:
        raise InputError(f"{path} says that it has {count} triangles, but holds {there}", _AGAIN)
    if len(content) > _HEADER + _RECORD * count:
        log.warning("%s has %d bytes behind its triangles.", shown(path.name), len(content) - _HEADER - _RECORD * count)
    corners: Floats = doubles(_records(content, count)["corners"])
    return corners


def _records(content: bytes, count: int) -> NDArray[Any]:
    return np.frombuffer(content, _TRIANGLE, count, _HEADER)


def _ascii(path: Path, content: bytes) -> Floats:
    """[T,3,3] corners of all solids."""
    text = plain(content)
    if not re.search(rb"^\s*facet\b", text, re.MULTILINE | re.IGNORECASE):  # any white space may stand between words
        text = re.sub(rb"\s(?=(?:facet|vertex|endloop|endfacet|endsolid)\b)", b"\n", text, flags=re.IGNORECASE)
    lines = Lines.of(text)
    vertices, facets = lines.are(b"vertex"), lines.are(b"facet")
    _check_blocks(path, lines, vertices, facets)
    rows = np.flatnonzero(vertices)
    wrong = rows[lines.count[rows] != 4]
    table = None if len(wrong) else numbers(lines.body(rows, len(b"vertex"))) if len(rows) else np.zeros(0)
    if table is None or len(table) != 3 * len(rows):
        bad = next((row for row in rows if lines.count[row] != 4 or numbers(lines.rest(row)) is None), rows[0])
        raise unreadable(path, lines, int(bad), "a vertex needs three numbers")
    return table.reshape(-1, 3, 3)


def _check_blocks(path: Path, lines: Lines, vertices: NDArray[np.bool_], facets: NDArray[np.bool_]) -> None:
    """Refuse facets that do not have three vertices, and a file that ends within one or within a solid."""
    ends = lines.are(b"endfacet")
    count = np.flatnonzero(facets)
    block = np.cumsum(facets)[vertices]  # the facet that each vertex is in, from 1
    sizes = np.bincount(block, minlength=len(count) + 1)
    if sizes[0]:
        raise unreadable(path, lines, int(vertices.argmax()), "a vertex outside of a facet")
    whole = min(int(ends.sum()), int((sizes[1:] == 3).sum()))
    if ends.sum() < len(count):
        raise InputError(f"{path} is cut short: {whole} of {len(count)} facets are whole", _AGAIN)
    if lines.are(b"solid").sum() > lines.are(b"endsolid").sum():
        raise InputError(f"{path} is cut short: no 'endsolid' follows its {len(count)} facets", _AGAIN)
    if (sizes[1:] != 3).any():
        first = int((sizes[1:] != 3).argmax())
        why = f"a facet of {sizes[1 + first]} vertices instead of three"
        raise unreadable(path, lines, int(count[first]), why)
    if ends.sum() > len(count):
        raise unreadable(path, lines, int(ends.argmax()), f"there are {len(count)} facets, but {ends.sum()} ends")
