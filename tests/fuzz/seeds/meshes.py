"""Seeds of .obj, .ply and .stl."""

from __future__ import annotations

import struct

import numpy as np

from seeds.seed import Seed, mesh_seed
from seeds.shapes import FACES, UV, VERTICES, checkers

MTL = b"""newmtl paint
Ka 0.1 0.1 0.1
Kd 0.8 0.7 0.6
d 1.0
map_Kd -s 1 1 1 wood.png
newmtl plain
Kd 0.2 0.3 0.9
"""


def _rows(letter: str, rows: np.ndarray) -> str:
    return "".join(f"{letter} {' '.join(f'{value:g}' for value in row)}\n" for row in rows)


def _obj() -> dict[str, bytes]:
    faces = [" ".join(f"{i + 1}/{i + 1}" for i in face) for face in FACES]
    groups = [
        "usemtl paint",
        *(f"f {face}" for face in faces[:6]),
        "g other",
        "usemtl plain",
        *(f"f {f}" for f in faces[6:]),
    ]
    text = "# a box\nmtllib box.mtl\no box\n" + _rows("v", VERTICES) + _rows("vt", UV) + "\n".join(groups) + "\n"
    return {"box.obj": text.encode(), "box.mtl": MTL, "wood.png": checkers()}


def _obj_polygons() -> dict[str, bytes]:
    """Quads by negative indices, normals, colours after the positions, and a line that goes on."""
    colours = np.concatenate([VERTICES, VERTICES + 0.5], 1)
    quads = ("-8 -6 -5 -7", "-4 -3 -1 -2", "-8 -7 -3 -4", "-6 -2 -1 -5", "-8 -4 -2 -6", "-7 -5 \\\n-1 -3")
    faces = "".join(
        "f " + " ".join(f"{i}//1" if i != "\\\n-1" else "\\\n-1//1" for i in q.split(" ")) + "\n" for q in quads
    )
    return {"quads.obj": (_rows("v", colours) + "vn 0 0 1\ns off\n" + faces + "l 1 2\n").encode()}


PLY_HEADER = """ply
format {} 1.0
comment units metre
element vertex 8
property float x
property float y
property float z
property uchar red
property uchar green
property uchar blue
element face 12
property list uchar int vertex_indices
end_header
"""
COLOURS = (255 * (VERTICES + 0.5)).astype(np.uint8)


def _ply_ascii() -> bytes:
    points = "".join(f"{x:g} {y:g} {z:g} {r} {g} {b}\n" for (x, y, z), (r, g, b) in zip(VERTICES, COLOURS, strict=True))
    return (PLY_HEADER.format("ascii") + points + "".join(f"3 {a} {b} {c}\n" for a, b, c in FACES)).encode()


def _ply_binary(order: str, name: str) -> bytes:
    points = (struct.pack(f"{order}3f3B", *p, *c) for p, c in zip(VERTICES, COLOURS, strict=True))
    faces = (struct.pack(f"{order}B3i", 3, *face) for face in FACES)
    return PLY_HEADER.format(f"binary_{name}_endian").encode() + b"".join([*points, *faces])


def _stl_ascii() -> bytes:
    lines = ["solid box"]
    for face in FACES:
        lines += ["facet normal 0 0 0", " outer loop"]
        lines += [f"  vertex {x:g} {y:g} {z:g}" for x, y, z in VERTICES[face]]
        lines += [" endloop", "endfacet"]
    return ("\n".join([*lines, "endsolid box"]) + "\n").encode()


def _stl_binary() -> bytes:
    triangles = (struct.pack("<12fH", 0, 0, 0, *VERTICES[face].ravel(), 0) for face in FACES)
    return b"a box".ljust(80) + struct.pack("<I", len(FACES)) + b"".join(triangles)


def seeds() -> list[Seed]:
    """All of them."""
    return [
        mesh_seed("obj", "box.obj", _obj()),
        mesh_seed("obj-polygons", "quads.obj", _obj_polygons()),
        mesh_seed("ply-ascii", "box_ascii.ply", {"box_ascii.ply": _ply_ascii()}),
        mesh_seed("ply-little", "box.ply", {"box.ply": _ply_binary("<", "little")}),
        mesh_seed("ply-big", "box.ply", {"box.ply": _ply_binary(">", "big")}),
        mesh_seed("stl-ascii", "box_ascii.stl", {"box_ascii.stl": _stl_ascii()}),
        mesh_seed("stl-binary", "box.stl", {"box.stl": _stl_binary()}),
    ]
