"""Reading .ply: encodings, names, strips, colours, textures, and counts that are not kept."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from invrender.errors import InputError
from invrender.io.meshes.read import read_mesh
from invrender.nouns import Mesh

BOX = [(x, y, z) for x in (0, 1) for y in (0, 2) for z in (0, 3)]
QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
TRIANGLES = [t for a, b, c, d in QUADS for t in ((a, b, c), (c, d, a))]
XYZ = "property float x\nproperty float y\nproperty float z\n"
LIST = "property list uchar int vertex_indices\n"
SQUARE = ["0 0 0", "1 0 0", "1 1 0", "0 1 0"]


def ply(folder: Path, header: str, data: str | bytes, form: str = "ascii") -> Mesh:
    path = folder / "a.ply"
    body = data.encode() if isinstance(data, str) else data
    path.write_bytes(f"ply\nformat {form} 1.0\n{header}end_header\n".encode() + body)
    return read_mesh(path)


def square(folder: Path, faces: list[str], properties: str = LIST, extra: str = "", rows: list[str] = SQUARE) -> Mesh:
    header = f"element vertex 4\n{XYZ}{extra}element face {len(faces)}\n{properties}"
    return ply(folder, header, "\n".join([*rows, *faces]) + "\n")


def is_box(mesh: Mesh) -> bool:
    body = trimesh.Trimesh(*mesh.numpy(), process=False)
    return bool(body.is_watertight and abs(body.volume - 6) < 1e-9 and len(mesh.vertices) == 8)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("mixed", [False, True])
def test_binary_of_either_order_with_further_properties(tmp_path, order, mixed):
    form = "binary_little_endian" if order == "<" else "binary_big_endian"
    faces = [*TRIANGLES[:2], *QUADS[1:]] if mixed else QUADS
    header = f"comment made by hand\nelement vertex 8\nproperty uchar flag\n{XYZ.replace('float', 'double')}"
    header += "property list uchar short seen_by\nelement camera 1\nproperty float64 f\n"
    header += f"element face {len(faces)}\nproperty int8 flag\n{LIST}property float quality\n"
    data = b"".join(struct.pack(order + "B3dB2h", 9, *v, 2, 5, 6) for v in BOX) + struct.pack(order + "d", 1)
    data += b"".join(struct.pack(f"{order}bB{len(f)}if", -1, len(f), *f, 0.5) for f in faces)
    assert is_box(ply(tmp_path, header, data, form))


@pytest.mark.parametrize("name", ["vertex_index", "vertexindices", "Vertex_Indices", "corners"])
def test_the_list_of_corners_under_any_name(tmp_path, name):
    assert len(square(tmp_path, ["4 0 1 2 3"], f"property list uint8 int32 {name}\n").faces) == 2


def test_line_ends_of_every_system(tmp_path):
    text = f"ply\nformat ascii 1.0\nelement vertex 4\n{XYZ}element face 1\n{LIST}end_header\n"
    text += "\n".join([*SQUARE, "4 0 1 2 3", ""])
    for end in ("\r\n", "\r"):
        (tmp_path / "a.ply").write_bytes(text.replace("\n", end).encode())
        assert len(read_mesh(tmp_path / "a.ply").faces) == 2


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16"])
def test_text_that_an_editor_saved_with_a_mark(tmp_path, coding):
    text = f"ply\nformat ascii 1.0\nelement vertex 4\n{XYZ}element face 1\n{LIST}end_header\n"
    (tmp_path / "a.ply").write_text(text + "\n".join([*SQUARE, "4 0 1 2 3", ""]), encoding=coding)
    assert len(read_mesh(tmp_path / "a.ply").faces) == 2


def test_textures_that_nothing_shows_are_told(tmp_path, caplog):
    Image.new("RGB", (2, 2), (255, 0, 0)).save(tmp_path / "red.png")
    square(tmp_path, ["4 0 1 2 3"], LIST + "comment TextureFile red.png\n")
    assert "names a picture, but has no texture coordinates" in caplog.text
    properties = LIST + "property list uchar float texcoord\nproperty int texnumber\ncomment TextureFile red.png\n"
    square(tmp_path, ["3 0 1 2 6 0 0 1 0 1 1 5"], properties)
    assert "faces of texture 5, but names 1" in caplog.text


def test_strips_wind_every_second_triangle_the_other_way(tmp_path):
    runs = [0, 1, 2, 3, -1, 4, 6, 5, 7, -1]
    header = f"element vertex 8\n{XYZ}element tristrips 1\nproperty list int int vertex_indices\n"
    data = np.array(BOX, "<f4").tobytes() + struct.pack(f"<i{len(runs)}i", len(runs), *runs)
    mesh = ply(tmp_path, header, data, "binary_little_endian")
    assert mesh.faces.tolist() == [[0, 1, 2], [2, 1, 3], [4, 6, 5], [5, 6, 7]]


def test_concave_polygons_keep_their_area(tmp_path):
    ring = ["3 0 0", "3 1 0", "1 1 0", "1 3 0", "0 3 0", "0 0 0"]
    mesh = ply(tmp_path, f"element vertex 6\n{XYZ}element face 1\n{LIST}", "\n".join([*ring, "6 0 1 2 3 4 5", ""]))
    assert trimesh.Trimesh(*mesh.numpy(), process=False).area == pytest.approx(5)


COLOURS = {"uchar": "180 20 20", "ushort": "46260 5140 5140", "float": "0.705882 0.078431 0.078431"}
COLOURS |= {"double": "180.0 20.0 20.0", "int": "180 20 20"}


@pytest.mark.parametrize("kind", COLOURS)
@pytest.mark.parametrize("names", ["red green blue", "diffuse_red diffuse_green diffuse_blue", "r g b"])
def test_colours_of_every_type_and_name(tmp_path, kind, names):
    extra = "".join(f"property {kind} {name}\n" for name in names.split())
    mesh = square(tmp_path, ["4 0 1 2 3"], LIST, extra, [f"{row} {COLOURS[kind]}" for row in SQUARE])
    assert mesh.colours is not None
    assert np.allclose(mesh.colours, [0.45641, 0.006995, 0.006995], atol=1e-5)


def test_every_face_keeps_its_own_colour(tmp_path):
    extra = "".join(f"property uchar {name}\n" for name in ("red", "green", "blue"))
    mesh = square(tmp_path, ["3 0 1 2 255 0 0", "3 0 2 3 0 0 255"], LIST + extra)
    assert mesh.colours is not None
    assert mesh.colours[mesh.faces].tolist() == [[[1, 0, 0]] * 3, [[0, 0, 1]] * 3]
    assert mesh.vertices[mesh.faces, 1].tolist() == [[0, 0, 1], [0, 1, 1]]


def test_colours_a_little_out_of_range_and_bytes_in_wide_integers(tmp_path):
    def colour(kind: str, row: str) -> list[float]:
        extra = "".join(f"property {kind} {name}\n" for name in ("red", "green", "blue"))
        mesh = square(tmp_path, ["4 0 1 2 3"], LIST, extra, [f"{each} {row}" for each in SQUARE])
        assert mesh.colours is not None
        return [round(value, 6) for value in mesh.colours[0].tolist()]

    assert colour("float", "-1e-7 1.0000001 0") == [0, 1, 0]
    assert colour("ushort", "255 0 0") == [1, 0, 0]
    assert colour("ushort", "65535 0 0") == [1, 0, 0]


@pytest.mark.parametrize("names", ["s t", "u v", "texture_u texture_v"])
def test_texture_coordinates_of_vertices(tmp_path, names):
    Image.new("RGB", (2, 2), (255, 0, 0)).save(tmp_path / "my skin.png")
    extra = "".join(f"property float {name}\n" for name in names.split()) + "comment TextureFile my skin.png\n"
    mesh = square(tmp_path, ["4 0 1 2 3"], LIST, extra, [f"{row} {row[:3]}" for row in SQUARE])
    assert mesh.uv is not None
    assert mesh.uv.tolist() == [[0, 0], [1, 0], [1, 1], [0, 1]]
    assert mesh.material.texture is not None
    assert mesh.material.texture[0, 0].tolist() == [1, 0, 0]


def test_texture_coordinates_at_corners_part_the_vertices(tmp_path, caplog):
    properties = LIST + "property list uchar float texcoord\ncomment TextureFile gone.png\n"
    mesh = square(tmp_path, ["3 0 1 2 6 0 0 1 0 1 1", "3 0 2 3 6 0 0 .5 .5 0 1"], properties)
    assert mesh.uv is not None
    assert mesh.uv[mesh.faces].tolist() == [[[0, 0], [1, 0], [1, 1]], [[0, 0], [0.5, 0.5], [0, 1]]]
    assert len(mesh.vertices) == 5
    assert "names the picture gone.png, which is missing" in caplog.text


def test_faces_with_textures_of_their_own_keep_both(tmp_path):
    Image.new("RGB", (2, 2), (255, 0, 0)).save(tmp_path / "red.png")
    Image.new("RGB", (2, 2), (0, 0, 255)).save(tmp_path / "blue.png")
    properties = LIST + "property list uchar float texcoord\nproperty int texnumber\n"
    properties += "comment TextureFile red.png\ncomment TextureFile blue.png\n"
    mesh = square(tmp_path, ["3 0 1 2 6 0 0 1 0 1 1 1", "3 0 2 3 6 0 0 1 1 0 1 0"], properties)
    assert mesh.material.texture is not None
    assert mesh.uv is not None
    height, width = mesh.material.texture.shape[:2]
    middle = mesh.uv[mesh.faces].mean(dim=1)
    seen = [mesh.material.texture[int((1 - v) * height), int(u * width)].tolist() for u, v in middle.tolist()]
    order = np.argsort(mesh.vertices[mesh.faces].mean(dim=1)[:, 1].numpy())  # the first face lies lower
    assert [seen[i] for i in order] == [[0, 0, 1], [1, 0, 0]]


def test_rows_beyond_the_promised_ones_and_faces_that_are_none_are_told(tmp_path, caplog):
    header = f"element vertex 4\n{XYZ}element face 2\n{LIST}"
    mesh = ply(tmp_path, header, "\n".join([*SQUARE, "3 0 1 2", "2 0 1", "3 0 2 3", ""]))
    assert len(mesh.faces) == 1
    assert "1 line(s) more than its header promises" in caplog.text
    assert "1 of 2 faces have fewer than three different corners" in caplog.text


ASCII = f"element vertex 4\n{XYZ}element face 1\n{LIST}"
REFUSED = {
    "4 of 99999999999 lines": (ASCII.replace("face 1", "face 99999999995"), SQUARE),
    "line 11: it has another number of entries": (ASCII, [SQUARE[0], "1 0", *SQUARE[2:], "3 0 1 2"]),
    "line 14: its list has another number": (ASCII, [*SQUARE, "5 0 1 2"]),
    "line 12: something else than numbers": (ASCII, [*SQUARE[:2], "1 q 0", SQUARE[3], "3 0 1 2"]),
    "without a list 'vertex_indices' (they have: foo)": (ASCII.replace("int vertex_ind", "float foo\ncomment "), None),
    "no faces (only lines)": (f"element vertex 4\n{XYZ}element edge 1\nproperty int a\n", [*SQUARE, "1"]),
    "no vertices with x, y and z": (ASCII.replace("float z", "float depth"), [*SQUARE, "3 0 1 2"]),
    "vertices are not whole numbers": (ASCII, [*SQUARE, "3 0 1 1.5"]),
    "line 9 of the header cannot be read: 'element face 1'": (ASCII + "element face 1\n", [*SQUARE, "3 0 1 2"]),
    "line 4 of the header": ("element vertex 4\nproperty foo x\n", SQUARE),
    "colours that are not in their range": (
        ASCII.replace("element face", "property uchar red\nproperty uchar green\nproperty uchar blue\nelement face"),
        [*(f"{row} 300 0 0" for row in SQUARE), "3 0 1 2"],
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_read_is_named(tmp_path, message):
    header, rows = REFUSED[message]
    with pytest.raises(InputError) as error:
        ply(tmp_path, header, "\n".join([*(rows or [*SQUARE, "3 0 1 2"]), ""]))
    assert message in error.value.cause
    assert error.value.remedy


@pytest.mark.parametrize(("count", "size", "message"), [(10**12, 48, "4 of 10"), (4, 48, "0 of 2"), (4, 50, "0 of 2")])
def test_binary_files_that_promise_too_much_are_refused_before_memory_is_taken(tmp_path, count, size, message):
    header = f"element vertex {count}\n{XYZ}element face 2\n{LIST}"
    with pytest.raises(InputError, match=message):
        ply(tmp_path, header, (b"\0" * 48 + b"\xff" * 9)[:size], "binary_little_endian")
