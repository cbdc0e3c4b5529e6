"""Reading Wavefront .obj: polygons with texture coordinates, vertex colours and materials.

Source: Alias/Wavefront, Advanced Visualizer manual, appendix B1 "Object files (.obj)", 1995; colours behind the
position of a vertex are a custom of MeshLab and scanners, those in comments `#MRGB` one of ZBrush.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from invrender.colour import srgb_to_linear
from invrender.errors import InputError
from invrender.io.files.paths import shown
from invrender.io.meshes.obj_faces import Corners, read_corners
from invrender.io.meshes.obj_materials import Look, read_looks
from invrender.io.meshes.parts import Part
from invrender.io.meshes.polygons import Triangles, triangulate
from invrender.io.meshes.text import Integers, Lines, decoded, join_continued, numbers, plain, unreadable

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]

_FREE_FORM = b"curv curv2 surf cstype deg bmat step parm trim hole scrv sp end con vp bsp bzp cdc cdp res".split()
_KNOWN = b"v vt vn f fo l p g o s mg usemtl mtllib usemap maplib lod bevel c_interp d_interp shadow_obj trace_obj ctech"
_PASSED = [*_KNOWN.split(), b"stech"]
_NAMED = re.compile(rb"\s*(?:usemtl|mtllib|usemap|maplib|o|g)\s", re.IGNORECASE)  # a name may hold a '#'


def read_obj(path: Path, clear: bool = False, only: int | None = None) -> list[Part]:
    """Read an .obj file and the materials that it names: one part for each of these.

    Args:
        path: of the file.
        clear: whether light goes through what lets it; else all is opaque, which is said.
        only: the number of the one object that is wanted, see `obj_objects`.

    Raises:
        InputError: there are no faces, a line cannot be read, or an index points at nothing.
    """
    text = plain(path.read_bytes())
    lines = Lines.of(join_continued(_without_comments(text)))
    _check_statements(path, lines)
    vertex_lines, uv_lines = lines.are(b"v"), lines.are(b"vt")
    points, colours = _vertices(path, lines, np.flatnonzero(vertex_lines))
    colours = _painted(path, text, len(points)) if colours is None else colours
    uv = _texture_coordinates(path, lines, np.flatnonzero(uv_lines))
    corners = read_corners(path, lines, vertex_lines, uv_lines)
    triangles = triangulate(points, corners.vertex, corners.sizes)
    _tell_degenerate(path, lines, corners, triangles)
    groups, looks = _groups(path, lines, corners.rows, clear)
    group, drawn = groups[triangles.polygon], triangles.corners
    if only is not None:
        here = _objects(lines, corners.rows)[0][triangles.polygon] == only
        group, drawn = group[here], drawn[here]
    ordered = drawn[np.argsort(group, kind="stable")]
    ends = np.cumsum(np.bincount(group, minlength=len(looks)))
    chosen = zip(looks, np.split(ordered, ends[:-1]), strict=True)
    return [_part(points, colours, uv, corners, own, look) for look, own in chosen if len(own)]


def obj_objects(path: Path) -> list[tuple[str, int]]:
    """The objects of an .obj file, by `o` statements or else by `g`: their names, and how many polygons each has.

    One without a name holds what comes before the first statement; only those with polygons count.
    """
    lines = Lines.of(join_continued(_without_comments(plain(path.read_bytes()))))
    number, names = _objects(lines, np.flatnonzero(lines.are(b"f", b"fo")))
    return list(zip(names, np.bincount(number, minlength=len(names)).tolist(), strict=True))


def _objects(lines: Lines, rows: Integers) -> tuple[Integers, list[str]]:
    """The number of the object of each face line [P], and the names of those that have any, in their order."""
    starts = np.flatnonzero(lines.are(b"o") if lines.are(b"o").any() else lines.are(b"g"))
    names = ["", *(_name(lines, row) for row in starts)]
    at = np.searchsorted(starts, rows)
    used = list(dict.fromkeys(names[i] for i in np.flatnonzero(np.bincount(at))))
    places = {name: i for i, name in enumerate(used)}
    return np.array([places.get(name, 0) for name in names])[at], used


def _without_comments(text: bytes) -> bytes:
    """The text with what follows a '#' taken out, but for lines that hold names."""

    def keep(found: re.Match[bytes]) -> bytes:
        start = text.rfind(b"\n", 0, found.start()) + 1
        return found.group() if _NAMED.match(text, start, found.start()) else b""

    return re.sub(rb"#[^\n]*", keep, text) if b"#" in text else text


def _check_statements(path: Path, lines: Lines) -> None:
    """Refuse files without faces, saying what they hold instead, and say which statements nothing here knows."""
    if not lines.are(b"f", b"fo").any():
        raise _without_faces(path, lines)
    unknown = np.flatnonzero(~lines.are(*_PASSED, *_FREE_FORM))
    for row in unknown:
        if not lines.line(row)[:1].isalpha():
            raise unreadable(path, lines, int(row), "a line must begin with a statement")
    if len(unknown):
        log.warning(
            "%s: %d line(s) hold a statement that is not known and are passed over; the first is line %d: '%s'.",
            shown(path.name), len(unknown), lines.number(unknown[0]), shown(lines.line(unknown[0]), 40),
        )  # fmt: skip
    if lines.are(b"surf").any():
        log.warning("%s holds free-form surfaces as well, which are passed over.", shown(path.name))


def _without_faces(path: Path, lines: Lines) -> InputError:
    free = np.flatnonzero(lines.are(*_FREE_FORM))
    if len(free):
        words = shown(", ".join(sorted({lines.line(row).split()[0].decode(errors="replace") for row in free[:999]})))
        return InputError(f"{path} has no faces, only free-form geometry ({words})", "export it as polygons")
    if len(lines.first) and not lines.are(*_PASSED).any():
        remedy = "give it the extension of its format, or export it as .obj, .glb, .ply or .stl"
        return InputError(f"{path} is not an .obj file: none of its lines is a statement of that format", remedy)
    if not lines.are(b"v").any():
        return InputError(f"{path} holds no geometry: the scene is empty", "export the objects along with the scene")
    only = "lines" if lines.are(b"l").any() else "points"
    return InputError(f"{path} has no faces (only {only})", "use a triangle mesh; a point cloud must be meshed first")


def _vertices(path: Path, lines: Lines, rows: Integers) -> tuple[Floats, Floats | None]:
    """Positions [V,3], and linear colours [V,3] where the file has any: x y z, or with w, r g b, r g b a."""
    table = _table(path, lines, rows, (3, 4, 6, 7), "a vertex needs three numbers, or six with a colour")
    coloured = lines.count[rows] > 5
    if not coloured.any():
        return table[:, :3], None
    colours = _colours(path, table[coloured, 3:6])
    if not coloured.all():
        log.warning("%s: %d of %d vertices have no colour: white.", shown(path.name), int((~coloured).sum()), len(rows))
    everywhere = np.ones((len(rows), 3))
    everywhere[coloured] = colours
    return table[:, :3], everywhere


def _colours(path: Path, values: Floats) -> Floats:
    """[V,3] linear colours from numbers up to 1, 255 or 65535."""
    if not np.isfinite(values).all() or values.min() < -0.01 or values.max() > 65535:
        raise InputError(f"{path} has vertex colours that are not in 0 to 255", "export it again, or without colours")
    top = values.max()
    rounding = top <= 1.01 and (values != np.round(values)).any()
    scale = 1.0 if top <= 1 or rounding else 255.0 if top <= 255 else 65535.0
    return srgb_to_linear(np.clip(values / scale, 0.0, 1.0))


def _painted(path: Path, text: bytes, count: int) -> Floats | None:
    """[V,3] linear colours that ZBrush writes into comments (#MRGB and eight hexadecimal digits a vertex), or None."""
    found = re.findall(rb"^#MRGB[ \t]+((?:[0-9a-fA-F]{8})+)[ \t]*$", text, re.MULTILINE)
    values = np.frombuffer(bytes.fromhex(b"".join(found).decode()), np.uint8).reshape(-1, 4)
    if not len(values):
        return None
    if len(values) != count:
        log.warning("%s has #MRGB colours of %d of %d vertices: left out.", shown(path.name), len(values), count)
        return None
    return srgb_to_linear(values[:, 1:] / 255.0)


def _texture_coordinates(path: Path, lines: Lines, rows: Integers) -> Floats:
    """[T,2] u and v; v is 0 where it is left out, and a third coordinate has no use."""
    return _table(path, lines, rows, (1, 2, 3), "a texture coordinate needs two numbers")[:, :2]


def _table(path: Path, lines: Lines, rows: Integers, sizes: tuple[int, ...], why: str) -> Floats:
    """[R,max(sizes)] the numbers of these lines, 0 where a line has fewer.

    Raises:
        InputError: a line has something else, or another number of them.
    """
    count = lines.count[rows] - 1
    table = np.zeros((len(rows), max(sizes)))
    wrong = ~np.isin(count, sizes)
    values = None if wrong.any() else numbers(_bodies(lines, rows))
    if values is None or len(values) != count.sum():
        raise unreadable(path, lines, _first_wrong(lines, rows, wrong), why)
    table[np.arange(max(sizes)) < count[:, None]] = values
    return table


def _bodies(lines: Lines, rows: Integers) -> bytes:
    """What follows the keyword; v and vt differ in length, and one call is for one kind alone."""
    return lines.body(rows, len(lines.line(rows[0]).split(None, 1)[0])) if len(rows) else b""


def _first_wrong(lines: Lines, rows: Integers, wrong: NDArray[np.bool_]) -> int:
    for row, known in zip(rows, wrong, strict=True):
        if known or numbers(lines.rest(row)) is None:
            return int(row)
    return int(rows[0])


def _tell_degenerate(path: Path, lines: Lines, corners: Corners, triangles: Triangles) -> None:
    """Say which faces are no surface; refuse a file of which nothing else is left."""
    count = int(triangles.degenerate.sum())
    if count:
        row = int(corners.rows[triangles.degenerate.argmax()])
        text = f"{count} of {len(corners.rows)} faces have fewer than three different corners"
        if count == len(corners.rows):
            raise unreadable(path, lines, row, text)
        log.warning("%s: %s and are left out; the first is line %d.", shown(path.name), text, lines.number(row))


def _groups(path: Path, lines: Lines, rows: Integers, clear: bool) -> tuple[Integers, list[Look]]:
    """Which look each face line has [P], and the looks; those before any usemtl have none."""
    users = np.flatnonzero(lines.are(b"usemtl"))
    names = ["", *(_name(lines, row) for row in users)]
    libraries = [_name(lines, row) for row in np.flatnonzero(lines.are(b"mtllib"))]
    at = np.searchsorted(users, rows)
    used = list(dict.fromkeys(names[i] for i in np.flatnonzero(np.bincount(at))))
    places = {name: i for i, name in enumerate(used)}
    index = np.array([places.get(name, 0) for name in names])
    return index[at], read_looks(path, libraries, used, clear)


def _name(lines: Lines, row: int | np.integer) -> str:
    return decoded(lines.rest(row).replace(b"\x01", b" ")).strip()


def _part(points: Floats, colours: Floats | None, uv: Floats, corners: Corners, chosen: Integers, look: Look) -> Part:
    """The triangles [T,3] of one material, with the vertices that they use in the file's order.

    A vertex stands once for each of its texture coordinates; corners without one, of a material that has others, are at
    (0, 0), as in other programs.
    """
    flat = chosen.reshape(-1)
    pairs = corners.vertex[flat] * (len(uv) + 1) + corners.uv[flat] + 1
    kept, faces = np.unique(pairs, return_inverse=True)
    vertex, texture = np.divmod(kept, len(uv) + 1)
    placed = None
    if texture.any():
        placed = np.concatenate([np.zeros((1, 2)), uv])[texture] * look.scale + look.shift
    if look.clamp and placed is not None and ((placed < -1e-3) | (placed > 1.001)).any():
        name = "" if look.material is None else look.material.name
        log.warning("Material '%s': its picture repeats, although it has the option -clamp on.", shown(name))
    own = None if colours is None else colours[vertex]
    material = look.material if placed is not None else look.bare
    return Part(points[vertex], faces.reshape(-1, 3).astype(np.int64), placed, own, material)
