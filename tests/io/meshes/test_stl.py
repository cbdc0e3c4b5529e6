"""Reading .stl: which kind it is, text of every style, and counts that are not kept."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from invrender.errors import InputError
from invrender.io.meshes.read import read_mesh
from invrender.nouns import Mesh

FACET = "facet normal 0 0 1\n outer loop\n  vertex 0 0 0\n  vertex 1 0 0\n  vertex 0 1 0\n endloop\nendfacet\n"
CORNERS = [[[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 0, 0], [0, 1, 0], [0, 0, 1]]]


def stl(folder: Path, content: str | bytes) -> Mesh:
    path = folder / "a.stl"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_mesh(path)


def binary(header: bytes, count: int, corners: object = CORNERS, attribute: object = 0) -> bytes:
    table = np.zeros(2, [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    table["normal"], table["corners"] = np.nan, corners
    table["attribute"] = attribute
    return header.ljust(80) + struct.pack("<I", count) + table.tobytes()


@pytest.mark.parametrize("header", [b"", b"solid made by a CAD program", b"solid x\nfacet normal 0 0 1", b"v 1 2 3\n"])
def test_binary_whatever_its_header_says(tmp_path, header):
    mesh = stl(tmp_path, binary(header, 2))
    assert mesh.vertices.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3]]


COLOURED = {
    "Magics, the second in the header's colour": (
        b"COLOR=\xff\x00\xff\xff,MATERIAL=",
        [31, 0x8000],
        [1, 0, 0],
        [1, 0, 1],
    ),
    "VisCAM, the second without": (b"", [0x8000 | 31, 0], [0, 0, 1], [1, 1, 1]),
}


@pytest.mark.parametrize("name", COLOURED)
def test_colours_of_either_custom(tmp_path, name):
    header, attribute, first, second = COLOURED[name]
    mesh = stl(tmp_path, binary(header, 2, attribute=attribute))
    assert mesh.colours is not None
    assert mesh.colours[mesh.faces].tolist() == [[first] * 3, [second] * 3]


def test_attributes_that_are_no_colours_are_none(tmp_path):
    assert stl(tmp_path, binary(b"", 2, attribute=[0x8001, 7])).colours is None


TEXTS = {
    "names": f"solid my vertex facet\n{FACET}endsolid my vertex facet\n",
    "capitals": f"solid\n{FACET}endsolid\n".upper(),
    "broken normals": f"solid\n{FACET.replace('0 0 1', 'nan -1.#IND nan')}endsolid\n",
    "no normals": f"solid\n{FACET.replace(' 0 0 1', '')}endsolid\n",
    "carriage returns": f"solid\n{FACET}endsolid\n".replace("\n", "\r"),
    "a comment first": f"# made by hand\nsolid\n{FACET}endsolid\n",
    "a name of 9000 letters": f"solid {'x' * 9000}\n{FACET}endsolid\n",
    "one line": f"solid a {FACET}endsolid a".replace("\n", " "),
    "padded at the end": f"solid\n{FACET}endsolid\n\x1a\0\0",
    "mark and tabs": "\ufeff" + f"solid\n{FACET}endsolid\n".replace(" ", "\t").replace("\n", "\r\n"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_of_every_style(tmp_path, name):
    assert stl(tmp_path, TEXTS[name]).vertices.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]


def test_all_solids_of_a_text_and_all_digits(tmp_path):
    far = FACET.replace("vertex 0 ", "vertex 500000.1234567 ").replace("vertex 1 ", "vertex 500001 ")
    mesh = stl(tmp_path, f"solid a\n{far}endsolid a\nsolid b\n{far.replace('normal 0', 'normal 1')}endsolid b\n")
    assert len(mesh.faces) == 2
    assert mesh.vertices[0, 0].item() == 500000.1234567


LONG = FACET.replace(" endloop", "  vertex 1 1 0\n endloop")
REFUSED = {
    "1 of 2 facets are whole": f"solid\n{FACET}{FACET[:60]}",
    "no 'endsolid' follows its 1 facets": f"solid\n{FACET}",
    "line 2: a facet of 4 vertices": f"solid\n{LONG}endsolid",
    "line 5: a vertex needs three numbers ('vertex 1 0 zz')": f"solid\n{FACET.replace('1 0 0', '1 0 zz')}endsolid",
    "line 2: a vertex outside of a facet": f"solid\nvertex 1 2 3\n{FACET}endsolid",
    "1 of 3 vertices are NaN": f"solid\n{FACET.replace('1 0 0', '1 nan 0')}endsolid",
    "has no faces": "solid nothing\nendsolid nothing\n",
    "line 4: a vertex needs": f"solid\n{FACET.replace('0 0', '0,5 0')}endsolid",
    "text without a solid": "ISO-10303-21;\n" + "HEADER;\n" * 20,
    "says that it has 1 triangles, but holds 2": binary(b"", 1),
    "2 of 4294967295 triangles": binary(b"", 2**32 - 1),
    "coordinates up to 1e+38": binary(b"", 2, 1e38 * np.array(CORNERS)),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_read_is_named(tmp_path, message):
    with pytest.raises(InputError) as error:
        stl(tmp_path, REFUSED[message])
    assert message in error.value.cause
    assert error.value.remedy


def test_bytes_behind_the_triangles_are_told(tmp_path, caplog):
    assert len(stl(tmp_path, binary(b"", 2) + b"\n\n").faces) == 2
    assert "2 bytes behind its triangles" in caplog.text
