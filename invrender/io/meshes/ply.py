"""Reading .ply: polygons and triangle strips, colours, texture coordinates at vertices or at the corners of faces.

Names differ between programs: Stanford's tools, MeshLab, Blender, CloudCompare, VCGlib and scanners are followed.
"""

from __future__ import annotations

import codecs
import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.paths import shown
from invrender.io.meshes.binary import doubles
from invrender.io.meshes.parts import Part
from invrender.io.meshes.ply_colours import cut_at_colours, read_colours
from invrender.io.meshes.ply_data import Column, Table, read_tables
from invrender.io.meshes.ply_header import AGAIN, Header, read_header
from invrender.io.meshes.ply_textures import Wedges, cut_at_wedges, find_wedges, tell_unshown, textures, vertex_uv
from invrender.io.meshes.polygons import Triangles, triangulate
from invrender.io.meshes.text import Integers, plain
from invrender.nouns import Material

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]

_INDICES = ("vertex_indices", "vertex_index", "vertexindices", "vertexindex", "vertices", "indices", "vertex_list")
_FACES = ("face", "faces", "polygon", "polygons")


def read_ply(path: Path) -> list[Part]:
    """Read a .ply file: one part, or one for each texture that its faces name.

    Raises:
        InputError: it is damaged, holds another number of rows than it promises, or no faces.
    """
    content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        content = plain(content)
    header = read_header(path, content)
    tables = read_tables(path, content, header)
    vertex = tables.get("vertex") or tables.get("vertices") or {}
    if not all(axis in vertex and vertex[axis].sizes is None for axis in "xyz"):
        raise _without(path, header, "vertices with x, y and z")
    points = np.stack([doubles(vertex[axis].values) for axis in "xyz"], axis=1)
    face = next((tables[name] for name in _FACES if name in tables), {})
    strips = tables.get("tristrips") or tables.get("tristrip") or {}
    if not face and not strips:
        raise _without(path, header, "faces")
    indices = _indices(path, face) if face else None
    triangles = None if indices is None else _polygons(path, points, indices)
    faces = np.zeros((0, 3), np.int64)
    if indices is not None and triangles is not None:
        faces = indices.values.astype(np.int64)[triangles.corners]
    if strips:
        faces = np.concatenate([faces, _strips(path, strips, len(points))])
    if not len(faces):
        raise _without(path, header, "faces")
    colours = read_colours(path, vertex)
    uv = vertex_uv(vertex)
    painted = None if triangles is None or colours is not None else read_colours(path, face)
    if painted is not None and triangles is not None:
        source, faces, colours = cut_at_colours(painted, triangles, faces)
        points, uv = points[source], None if uv is None else uv[source]
    pictures = textures(path, header)
    wedges = None if indices is None else find_wedges(path, face, indices.lengths, triangles)
    tell_unshown(path, pictures, uv is not None, wedges)
    if wedges is None or strips:
        return [Part(points, faces, uv, colours, pictures[0] if pictures and uv is not None else None)]
    return _wedge_parts(points, faces, colours, wedges, pictures)


def _without(path: Path, header: Header, what: str) -> InputError:
    """The error for a file in which something is missing that a mesh needs."""
    filled = [element.name for element in header.elements if element.count]
    if what == "faces" and "vertex" in filled:
        only = "lines" if "edge" in filled else "points"
        remedy = "use a triangle mesh; a point cloud must be meshed first"
        return InputError(f"{path} has no faces (only {only})", remedy)
    return InputError(f"{path} has no {what} (its elements: {shown(', '.join(filled)) or 'none'})", AGAIN)


def _polygons(path: Path, points: Floats, indices: Column) -> Triangles:
    """How the polygons are cut; what is no polygon is said."""
    corners, sizes = indices.values.astype(np.int64), indices.lengths
    _check_range(path, corners, sizes, len(points))
    triangles = triangulate(points, corners, sizes)
    if triangles.degenerate.any():
        count = int(triangles.degenerate.sum())
        log.warning(
            "%s: %d of %d faces have fewer than three different corners and are left out; the first is face %d.",
            shown(path.name), count, len(sizes), int(triangles.degenerate.argmax()),
        )  # fmt: skip
    return triangles


def _indices(path: Path, face: Table) -> Column:
    """The list of vertices of each face: by its name, or as the only list of integers."""
    named = [face[name] for name in _INDICES if name in face and face[name].sizes is not None]
    lists = [column for column in face.values() if column.sizes is not None and column.kind.kind in "iu"]
    if not named and len(lists) != 1:
        names = shown(", ".join(face))
        raise InputError(f"{path} has faces without a list 'vertex_indices' (they have: {names})", AGAIN)
    found = named[0] if named else lists[0]
    if not ((np.abs(found.values) < 2**53) & (found.values == np.floor(found.values))).all():
        raise InputError(f"{path} has faces whose vertices are not whole numbers", AGAIN)
    return found


def _check_range(path: Path, corners: Integers, sizes: Integers, count: int) -> None:
    wrong = (corners < 0) | (corners >= count)
    if wrong.any():
        bad = len(np.unique(np.repeat(np.arange(len(sizes)), sizes)[wrong]))
        raise InputError(
            f"{path}: {bad} of {len(sizes)} faces point at vertices that do not exist (there are {count})",
            "the file is damaged: export it again",
        )


def _strips(path: Path, table: Table, count: int) -> Integers:
    """[F,3] the triangles of strips: each further vertex makes one with the two before it; -1 begins a new strip.

    Every second triangle of a strip is wound the other way round; triangles with a repeated vertex only join strips.
    """
    found = _indices(path, table)
    runs, sizes = found.values.astype(np.int64), found.lengths
    if ((runs < -1) | (runs >= count)).any():
        raise InputError(f"{path} has strips of vertices that do not exist (there are {count})", AGAIN)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    begins = np.concatenate([[True], (runs[:-1] == -1) | (owner[1:] != owner[:-1])])[: len(runs)]
    position = np.arange(len(runs)) - np.maximum.accumulate(np.where(begins, np.arange(len(runs)), 0))
    last = np.flatnonzero((position >= 2) & (runs != -1))
    faces = np.stack([runs[last - 2], runs[last - 1], runs[last]], axis=1)
    odd = position[last] % 2 == 1
    faces[odd] = faces[odd][:, [1, 0, 2]]
    a, b, c = faces.T
    kept: Integers = faces[(a != b) & (b != c) & (c != a)]
    return kept


def _wedge_parts(
    points: Floats, faces: Integers, colours: Floats | None, wedges: Wedges, pictures: list[Material | None]
) -> list[Part]:
    """A part for each texture number; vertices stand once for each of their texture coordinates."""
    parts = []
    for number in np.unique(wedges.texture):
        chosen = wedges.texture == number
        vertex, own, uv = cut_at_wedges(faces[chosen], wedges.uv[chosen])
        material = pictures[number] if 0 <= number < len(pictures) else None
        parts.append(Part(points[vertex], own, uv, None if colours is None else colours[vertex], material))
    return parts
