"""Reading .obj: indices, polygons, layout of the text, colours, and what is refused by line number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

from invrender.errors import InputError
from invrender.io.meshes.read import read_mesh
from invrender.nouns import Mesh

SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"
UV = "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
BOX = [(x, y, z) for x in (0, 1) for y in (0, 2) for z in (0, 3)]
QUADS = [(1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4)]


def obj(folder: Path, text: str | bytes) -> Mesh:
    path = folder / "a.obj"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_mesh(path)


def area(mesh: Mesh) -> float:
    return float(trimesh.Trimesh(*mesh.numpy(), process=False).area)


def refused(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as error:
        obj(folder, text)
    assert error.value.remedy
    return error.value.cause


def test_negative_indices_count_back_from_their_own_line(tmp_path):
    text = ""
    for start in (0, 5):
        text += "".join(f"v {start + x} {y} {z}\n" for x, y, z in BOX)
        text += "".join("f " + " ".join(str(i - 9) for i in quad) + "\n" for quad in QUADS)
    mesh = obj(tmp_path, text)
    bodies = trimesh.Trimesh(*mesh.numpy(), process=False).split()
    assert [round(body.volume, 9) for body in bodies] == [6.0, 6.0]
    assert mesh.vertices.amax(dim=0).tolist() == [6, 2, 3]


def test_concave_polygons_keep_their_area_and_stay_closed(tmp_path):
    ring = [(3, 0), (3, 1), (1, 1), (1, 3), (0, 3), (0, 0)]
    text = "".join(f"v {x} {y} {z}\n" for z in (0, 1) for x, y in ring)
    text += "f 7 8 9 10 11 12\nf 6 5 4 3 2 1\n"
    text += "".join(f"f {i + 1} {(i + 1) % 6 + 1} {(i + 1) % 6 + 7} {i + 7}\n" for i in range(6))
    body = trimesh.Trimesh(*obj(tmp_path, text).numpy(), process=False)
    assert body.is_watertight
    assert (body.area, body.volume) == pytest.approx((22, 5))


@pytest.mark.parametrize("turn", range(4))
def test_an_arrow_head_is_cut_at_its_notch_wherever_it_begins(tmp_path, turn):
    corners = np.roll([2, 3, 4, 1], turn)
    mesh = obj(tmp_path, f"v 0 0 0\nv 2 -2 0\nv 0 2 0\nv -2 -2 0\nf {' '.join(map(str, corners))}\n")
    assert area(mesh) == pytest.approx(4)


def test_polygons_far_from_the_origin_and_warped_ones_keep_their_corners(tmp_path):
    ring = [(0, 0), (4, 0), (4, 4), (3, 1), (2, 3), (1, 1), (0, 4)]
    lift = [0, 0.1, 0, -0.1, 0, 0.1, 0]
    text = "".join(f"v {5e5 + x} {5.4e6 + y} {z}\n" for (x, y), z in zip(ring, lift, strict=True))
    mesh = obj(tmp_path, text + "f 1 2 3 4 5 6 7\n")
    flat = Mesh(mesh.vertices * torch.tensor([1, 1, 0]), mesh.faces)
    assert len(mesh.faces) == 5
    assert area(flat) == pytest.approx(9, abs=1e-6)


def test_a_wound_up_band_keeps_its_area(tmp_path):
    angle = np.linspace(0, 6 * np.pi, 300)
    turn = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    ring = np.concatenate([(angle + 4)[:, None] * turn, ((angle + 2)[:, None] * turn)[::-1]])
    x, y = ring.T
    text = "".join(f"v {float(a)!r} {float(b)!r} 0\n" for a, b in ring)
    mesh = obj(tmp_path, f"{text}f {' '.join(map(str, range(1, 601)))}\n")
    assert area(mesh) == pytest.approx(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


RINGS = {
    "a notch that reaches the other side": ([(0, 0), (2, 0), (2, 2), (1, 0), (0, 2)], "1 4 2 3 4 5", 2),
    "two squares that share a corner": ([(0, 0), (1, 0), (1, 1), (0, 1), (2, 1), (2, 2), (1, 2)], "1 2 3 5 6 7 3 4", 2),
    "a spike": ([(0, 0), (2, 0), (2, 2), (0, 2), (3, 1), (2, 1)], "1 2 6 5 6 3 4", 4),
    "a hole with a bridge to it": (
        [(0, 0), (4, 0), (4, 4), (0, 4), (1, 1), (1, 3), (3, 3), (3, 1)],
        "1 2 3 4 1 5 6 7 8 5",
        12,
    ),
    "corners given twice": (
        [(0, 0), (4, 0), (4, 3), (3, 3), (3, 3), (2, 3), (2, 1), (1, 1), (1, 1), (0, 1)],
        "1 2 3 4 5 6 7 8 9 10",
        8,
    ),
}


@pytest.mark.parametrize("name", RINGS)
def test_polygons_that_touch_themselves_cover_what_they_enclose(tmp_path, name):
    points, ring, enclosed = RINGS[name]
    corners = ring.split()
    for turn in range(len(corners)):
        text = "".join(f"v {x} {y} 0\n" for x, y in points)
        assert area(obj(tmp_path, f"{text}f {' '.join(corners[turn:] + corners[:turn])}\n")) == pytest.approx(enclosed)


def test_a_crossing_polygon_ends_with_all_its_triangles(tmp_path):
    text = "".join(f"v {np.cos(4 * np.pi * k / 5)} {np.sin(4 * np.pi * k / 5)} 0\n" for k in range(5))
    assert len(obj(tmp_path, text + "f 1 2 3 4 5\n").faces) == 3


LAYOUTS = {
    "tabs, indents and comments": "\tv\t0\t0\t0 # a\n  v 1 0 0#b\n v 1 1 0\nv 0 1 0\n\tf\t1 2 3 4 # end \\\n",
    "continued": "v 0 \\\n0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 \\\n  3 \\ \n 4\n",
    "a comment ends in a backslash": "# C:\\models\\\n" + SQUARE + "f 1 2 3 4",
    "carriage returns": (SQUARE + "f 1 2 3 4\n").replace("\n", "\r"),
    "mark and CR LF": "\ufeff" + (SQUARE + "f 1 2 3 4\n").replace("\n", "\r\n"),
    "weights": SQUARE.replace(" 0\n", " 0 1\n") + "f 1 2 3 4\n",
    "capitals": (SQUARE + "f 1 2 3 4\n").upper(),
    "padded at the end": SQUARE + "f 1 2 3 4\n\0\0\x1a",
    "two bytes a letter, no mark": (SQUARE + "f 1 2 3 4\n").encode("utf-16-be"),
    "four bytes a letter": (SQUARE + "f 1 2 3 4\n").encode("utf-32"),
    "names with spaces": "o my box\ng a b\ns off\n" + SQUARE + "f 1 2 3 4\n",
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_same_square_in_every_layout(tmp_path, name):
    mesh = obj(tmp_path, LAYOUTS[name])
    assert mesh.vertices.tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
    assert area(mesh) == 1


def test_faces_that_mix_corner_forms_are_all_read(tmp_path, caplog):
    text = SQUARE + UV + "vn 0 0 1\nf 1 2 3\nf 1/1 3/3 4/4\nf 1//1 2//1 4//1\nf 2/2/1 3/3/1 4/4/1\nf 2/ 3/ 4/\n"
    mesh = obj(tmp_path, text)
    assert len(mesh.faces) == 5
    assert area(mesh) == 2.5
    assert mesh.uv is not None
    assert mesh.material.texture is None
    assert not caplog.records


def test_faces_that_are_no_surface_are_told(tmp_path, caplog):
    assert len(obj(tmp_path, SQUARE + "f 1 2 3\nf 1 2\nf 1 1 2\n").faces) == 1
    assert "2 of 3 faces have fewer than three different corners" in caplog.text
    assert "the first is line 6" in caplog.text


@pytest.mark.parametrize("scale", [1, 255, 65535])
def test_vertex_colours_span_one_a_byte_or_two(tmp_path, scale):
    rows = ((0, 0, 0.2), (1, 0, 1.0), (0, 1, 0.0))
    text = "".join(f"v {x} {y} 0 {c * scale} {0.2 * scale} 0\n" for x, y, c in rows)
    mesh = obj(tmp_path, text + "f 1 2 3\n")
    assert mesh.colours is not None
    assert np.allclose(mesh.colours[:, 0], [0.0331, 1, 0], atol=1e-4)


def test_colours_a_little_out_of_range_are_rounding(tmp_path):
    mesh = obj(tmp_path, SQUARE.replace(" 0\n", " 0 -1e-7 1.0000001 0.5\n") + "f 1 2 3\n")
    assert mesh.colours is not None
    assert mesh.colours[0, :2].tolist() == [0, 1]


def test_decimal_commas_are_named(tmp_path):
    with pytest.raises(InputError, match="line 1: a vertex needs three numbers") as error:
        obj(tmp_path, SQUARE.replace("0 0 0", "0,5 0 0") + "f 1 2 3\n")
    assert "decimal point" in error.value.remedy


def test_colours_that_zbrush_paints_into_comments(tmp_path, caplog):
    paint = "#MRGB ffff0000ff00ff00\n#MRGB ff0000ffff000000\n"
    mesh = obj(tmp_path, SQUARE + paint + "f 1 2 3 4\n")
    assert mesh.colours is not None
    assert mesh.colours.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]
    assert obj(tmp_path, SQUARE + paint[:23] + "f 1 2 3 4\n").colours is None
    assert "#MRGB colours of 2 of 4 vertices" in caplog.text


def test_texture_indices_into_nothing_are_told(tmp_path, caplog):
    assert obj(tmp_path, SQUARE + "f 1/1/1 2/2/2 3/3/3\n").uv is None
    assert "faces name texture coordinates, but there are none" in caplog.text


def test_vertices_without_a_colour_among_others_are_white_and_told(tmp_path, caplog):
    mesh = obj(tmp_path, "v 0 0 0 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    assert mesh.colours is not None
    assert mesh.colours.tolist() == [[0, 0, 0], [1, 1, 1], [1, 1, 1]]
    assert "2 of 3 vertices have no colour" in caplog.text


REFUSED = {
    "line 5: a face uses vertex 9, but there are 4": SQUARE + "f 1 2 9\n",
    "line 5: a face uses vertex -9": SQUARE + "f -1 -2 -9\n",
    "line 9: a face uses texture coordinate 9": SQUARE + UV + "f 1/1 2/2 3/9\n",
    "line 6: a face needs corners": SQUARE + "f 1 2 3\nf 1 2 x\n",
    "line 5: a face needs corners": SQUARE + "f 1.5 2 3\n",
    "line 7: a face needs corners": SQUARE + "f 1 \\\n 2 3\nf 1/1/1/1 2 3\n",
    "line 6: a line must begin with a statement ('3 4')": SQUARE + "f 1 2\n3 4\n",
    "line 1: a vertex needs three numbers": "v 0 0 0 1 2\n" + SQUARE + "f 1 2 3\n",
    "line 2: a texture coordinate needs two": "vt 1 1\nvt a b\n" + SQUARE + "f 1 2 3\n",
    "1 of 3 texture coordinates are NaN": SQUARE + UV.replace("1 1", "nan 1") + "f 1/1 2/2 3/3\n",
    "vertex colours that are not in 0 to 255": SQUARE.replace(" 0\n", " 0 -1 0 0\n") + "f 1 2 3\n",
    "only free-form geometry (cstype, curv)": SQUARE + "cstype bspline\ncurv 0 1 1 2 3 4\n",
    "none of its lines is a statement": "OFF\n3 1 0\n0 0 0\n",
    "its faces have no area": "v 0 0 0\nv 1 1 1\nv 2 2 2\nf 1 2 3\n",
    "all vertices of its faces coincide": "v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n",
    "is only 1e-300 wide": SQUARE.replace("1", "1e-300") + "f 1 2 3 4\n",
    "no faces (only lines)": SQUARE + "l 1 2\n",
    "'\\x1b[2Jx'": SQUARE + "\x1b[2Jx\nf 1 2 3\n",
    "1 of 1 faces have fewer than three": SQUARE + "f 1 2\n",
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_read_is_named(tmp_path, message):
    assert message in refused(tmp_path, REFUSED[message])


def test_statements_that_nothing_knows_are_told(tmp_path, caplog):
    assert len(obj(tmp_path, SQUARE + "f 1 2 3\nzap 1 2\n").faces) == 1
    assert "the first is line 6: 'zap 1 2'" in caplog.text
