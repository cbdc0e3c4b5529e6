"""Containers, buffers and the files beside a .gltf."""

from __future__ import annotations

import base64
import json
import re
import struct

import numpy as np
import pytest

from invrender.errors import InputError
from invrender.io.meshes.read import read_mesh, read_units
from tests.io.meshes.gltf.conftest import BOX, SQUARE, SQUARE_FACES, SQUARE_UV, Builder, png

RED = np.full((2, 2, 3), (255, 0, 0), np.uint8)


def test_glb_holds_the_box_in_order(build: Builder):
    build.show(build.primitive())
    mesh = read_mesh(build.write())
    assert np.array_equal(mesh.vertices.numpy(), BOX)
    assert mesh.faces[:2].tolist() == [[0, 1, 3], [0, 3, 2]]
    assert mesh.material.is_default


@pytest.mark.parametrize("form", ["data:application/octet-stream;base64,", "data:;base64,", "data:,"])
def test_buffers_in_data_uris(build: Builder, form: str):
    build.show(build.primitive())
    plain = "".join(f"%{byte:02x}" for byte in build.blob)
    data = base64.b64encode(build.blob).decode() if "base64" in form else plain
    assert np.array_equal(read_mesh(build.write("a.gltf", form + data)).vertices.numpy(), BOX)


def browsers(kind: str, data: str) -> str:
    """Base64 as it is found in the wild."""
    if kind == "another alphabet":
        return data.replace("+", "-").replace("/", "_")
    if kind == "white space":
        return data[:30] + "\r\n\t " + data[30:] + "%0A"
    return data.rstrip("=") if kind == "no padding" else data


@pytest.mark.parametrize("kind", ["another alphabet", "white space", "no padding", "white space in the type"])
def test_base64_as_browsers_take_it(build: Builder, kind: str):
    box = (BOX + np.float32(0.789)) * np.float32(1.234)  # has both letters in which the alphabets differ
    build.show(build.primitive(box))
    build.blob += b"\0"
    data = base64.b64encode(build.blob).decode()
    assert "+" in data
    assert "/" in data
    assert data.endswith("=")
    form = "data:application/octet-stream; base64 ," if kind.endswith("type") else "data:;Base64,"
    assert np.array_equal(read_mesh(build.write("a.gltf", form + browsers(kind, data))).vertices.numpy(), box)


@pytest.mark.parametrize("uri", ["parts/box%20data%20%C3%A9.bin", "parts/box data é.bin", "parts\\box%20data%20é.bin"])
def test_buffer_files_with_escapes_below_the_folder(build: Builder, uri: str):
    build.show(build.primitive())
    (build.folder / "parts").mkdir()
    (build.folder / "parts" / "box data é.bin").write_bytes(build.blob)
    assert np.array_equal(read_mesh(build.write("a.gltf", uri)).vertices.numpy(), BOX)


BROKEN_URIS = {
    "not_there.bin": r"not_there\.bin, which is missing",
    "../secret.bin": "outside its folder",
    "%2e%2e/secret.bin": "outside its folder",
    "..\\secret.bin": "outside its folder",
    "/etc/passwd": "outside its folder",
    "https://example.org/box.bin": "not a file",
    "data:;base64": "without data",
    "data:;base64,é": "not base64",
    "data:;base64,AAAA!AAA": "not base64",
    "x" * 5000: "is missing",
    "a\0b": "is missing",
    "\ud800": "is missing",
}


@pytest.mark.parametrize("uri", BROKEN_URIS)
def test_buffers_that_cannot_be_had_are_named(build: Builder, uri: str):
    build.show(build.primitive())
    (build.folder.parent / "secret.bin").write_bytes(build.blob)
    with pytest.raises(InputError, match=BROKEN_URIS[uri]) as error:
        read_mesh(build.write("a.gltf", uri))
    assert len(str(error.value)) < 500
    assert str(error.value).isprintable() or "\n" in str(error.value)


def test_fields_that_are_null_are_missing(build: Builder):
    build.show({**build.primitive(), "material": None}, children=None, scale=None)
    build.document["animations"] = None
    assert np.array_equal(read_mesh(build.write()).vertices.numpy(), BOX)


def test_short_buffers_are_refused(build: Builder):
    build.show(build.primitive())
    (build.folder / "a.bin").write_bytes(build.blob[:-1])
    with pytest.raises(InputError, match=r"cut short: 167 of 168 bytes"):
        read_mesh(build.write("a.gltf", "a.bin"))


def test_unknown_chunks_are_passed_over(build: Builder):
    build.show(build.primitive())
    content = bytearray(build.write().read_bytes())
    end = 20 + struct.unpack("<I", content[12:16])[0]
    content[end:end] = struct.pack("<II", 4, 0x12345678) + b"more"
    content[8:12] = struct.pack("<I", len(content))
    path = build.folder / "b.glb"
    path.write_bytes(content)
    assert np.array_equal(read_mesh(path).vertices.numpy(), BOX)


def square(build: Builder, **image: object) -> None:
    material = build.textured(build.add("textures", source=build.add("images", **image)))
    build.show({**build.primitive(SQUARE, SQUARE_FACES, TEXCOORD_0=SQUARE_UV), "material": material})


def test_picture_files_are_found(build: Builder):
    square(build, uri="my%20red.png")
    (build.folder / "my red.png").write_bytes(png(RED))
    texture = read_mesh(build.write()).material.texture
    assert texture is not None
    assert texture.tolist() == [[[1, 0, 0]] * 2] * 2


def test_pictures_in_data_uris_are_read(build: Builder):
    square(build, uri="data:image/png;base64," + base64.b64encode(png(RED)).decode())
    assert read_mesh(build.write()).material.texture is not None


def test_a_missing_picture_is_named_and_the_mesh_shown_without(build: Builder, caplog: pytest.LogCaptureFixture):
    square(build, uri="gone%20away.png")
    mesh = read_mesh(build.write())
    assert mesh.material.texture is None
    assert mesh.material.albedo == (1, 1, 1)
    assert "gone%20away.png is missing" in caplog.text


OUTSIDE = {
    "../red.png": r"\.\./red\.png lies outside the file's folder",
    "/etc/passwd": "lies outside",
    "file:///etc/passwd": "lies outside",
    "https://example.org/red.png": "is not a file",
}


@pytest.mark.parametrize("uri", OUTSIDE)
def test_pictures_outside_the_folder_are_told_and_not_opened(
    build: Builder, caplog: pytest.LogCaptureFixture, uri: str
):
    square(build, uri=uri)
    (build.folder.parent / "red.png").write_bytes(png(RED))
    assert read_mesh(build.write()).material.texture is None
    assert re.search(OUTSIDE[uri], caplog.text)


@pytest.mark.parametrize(
    "uri",
    [
        "/home/me/maps/roug%C3%A9.png",
        "../maps/roug%C3%A9.png",
        "file:///C:/me/maps/roug%C3%A9.png",
        "maps/rougé.png?v=2",
    ],
)
def test_pictures_are_found_below_the_folder_under_names_of_another_machine(build: Builder, uri: str):
    square(build, uri=uri)
    (build.folder / "maps").mkdir()
    (build.folder / "maps" / "rouge\u0301.png").write_bytes(png(RED))  # as macOS writes it
    assert read_mesh(build.write()).material.texture is not None


def test_units_are_told(build: Builder):
    build.show(build.primitive())
    assert read_units(build.write()) == "metre"
    build.document["asset"]["extras"] = {"units": "mm\x1b"}
    assert read_units(build.write("b.gltf", "a.bin")) == "mm\\x1b"


def test_json_that_no_parser_takes_is_refused(build: Builder):
    texts = {
        "[" * 200_000: "nested too deep",
        '{"asset": {"version": ' + "9" * 5000 + "}}": "too long",
        json.dumps([1]): "not an object",
        '{"asset": 3}': "asset is not an object",
        '{"asset": {"version": 1.0}}': "not glTF 2",
    }
    for text, word in texts.items():
        (build.folder / "a.gltf").write_text(text)
        with pytest.raises(InputError, match=word):
            read_mesh(build.folder / "a.gltf")
