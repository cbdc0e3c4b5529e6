"""Extensions: what is required and unknown is refused by name, compression without its decoder too; pictures."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, features

from invrender.errors import InputError
from invrender.io.meshes import gltf_draco
from invrender.io.meshes.read import read_mesh
from tests.io.meshes.gltf.conftest import BOX, BOX_FACES, SQUARE, SQUARE_FACES, SQUARE_UV, Builder, png

RED = np.full((2, 2, 3), (255, 0, 0), np.uint8)


@pytest.mark.parametrize("name", ["ACME_packed_vertices", "KHR_texture_basisu2", "EXT_mesh_manifold\x07"])
def test_unknown_required_extensions_are_refused_by_name(build: Builder, name: str):
    build.show(build.primitive())
    build.document["extensionsRequired"] = ["KHR_materials_unlit", name]
    with pytest.raises(InputError, match=f"requires the glTF extension {name[:17]}"):
        read_mesh(build.write())


def test_extensions_that_change_nothing_here_may_be_required(build: Builder):
    build.show(build.primitive())
    build.document["extensionsRequired"] = ["KHR_materials_unlit", "KHR_lights_punctual", "MSFT_lod", "VRMC_vrm"]
    build.document["extensionsUsed"] = ["ACME_anything", "EXT_meshopt_compression", "KHR_draco_mesh_compression"]
    assert read_mesh(build.write()).faces.shape == (12, 3)


@pytest.mark.parametrize("name", ["EXT_meshopt_compression", "KHR_meshopt_compression"])
@pytest.mark.parametrize("required", [True, False])
def test_meshopt_is_refused_without_its_fallback(build: Builder, name: str, required: bool):
    build.show(build.primitive())
    build.document["extensionsRequired" if required else "extensionsUsed"] = [name]
    packed = {"buffer": 0, "byteLength": 10, "byteStride": 12, "count": 8, "mode": "ATTRIBUTES"}
    build.document["bufferViews"][0].update(buffer=1, extensions={name: packed})
    build.add("buffers", byteLength=96, extensions={name: {"fallback": True}})
    with pytest.raises(InputError, match=r"meshopt-compressed\n.*without compression"):
        read_mesh(build.write())


def draco(build: Builder, fallback: bool = False) -> None:
    packer = pytest.importorskip("DracoPy")
    data = packer.encode(BOX, BOX_FACES.reshape(-1, 3).astype("u4"), quantization_bits=14, preserve_order=True)
    view = build.view(data)
    primitive = build.primitive(build.accessor(BOX))
    if not fallback:
        for accessor in build.document["accessors"]:
            del accessor["bufferView"]
    extension = {"bufferView": view, "attributes": {"POSITION": 0}}
    build.show({**primitive, "extensions": {"KHR_draco_mesh_compression": extension}})
    build.document["extensionsUsed"] = ["KHR_draco_mesh_compression"]


def test_draco_is_unpacked(build: Builder):
    draco(build)
    build.document["extensionsRequired"] = ["KHR_draco_mesh_compression"]
    mesh = read_mesh(build.write())
    found = mesh.vertices[mesh.faces].numpy()
    assert np.allclose(found, BOX[BOX_FACES.reshape(-1, 3)], atol=1e-3)


def test_draco_strips_decode_to_triangles(build: Builder):
    draco(build)
    build.document["meshes"][0]["primitives"][0]["mode"] = 5
    assert read_mesh(build.write()).faces.shape == (12, 3)


def test_damaged_draco_is_refused(build: Builder):
    draco(build)
    build.document["bufferViews"][0]["byteLength"] = 20
    with pytest.raises(InputError, match="Draco data that cannot be decoded"):
        read_mesh(build.write())


@pytest.mark.parametrize("required", [True, False])
def test_draco_without_its_decoder_is_refused(build: Builder, monkeypatch: pytest.MonkeyPatch, required: bool):
    monkeypatch.setattr(gltf_draco, "find_spec", lambda name: None)
    extension = {"bufferView": build.view(b"DRACO"), "attributes": {"POSITION": 0}}
    build.show({**build.primitive(), "extensions": {"KHR_draco_mesh_compression": extension}})
    del build.document["accessors"][0]["bufferView"]
    if required:
        build.document["extensionsRequired"] = ["KHR_draco_mesh_compression"]
    with pytest.raises(InputError, match=r"Draco-compressed\n.*pip install DracoPy"):
        read_mesh(build.write())


def test_draco_with_a_fallback_needs_no_decoder(build: Builder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gltf_draco, "find_spec", lambda name: None)
    extension = {"bufferView": build.view(b"DRACO"), "attributes": {"POSITION": 0}}
    build.show({**build.primitive(), "extensions": {"KHR_draco_mesh_compression": extension}})
    assert np.array_equal(read_mesh(build.write()).vertices.numpy(), BOX)


def textured(build: Builder, **texture: object) -> None:
    material = build.textured(build.add("textures", **texture))
    build.show({**build.primitive(SQUARE, SQUARE_FACES, TEXCOORD_0=SQUARE_UV), "material": material})


def image(build: Builder, data: bytes) -> int:
    return build.add("images", bufferView=build.view(data), mimeType="image/png")


KTX2 = b"\xabKTX 20\xbb\r\n\x1a\n" + b"\0" * 80


def test_ktx2_is_said(build: Builder, caplog: pytest.LogCaptureFixture):
    build.document["extensionsRequired"] = ["KHR_texture_basisu"]
    textured(build, extensions={"KHR_texture_basisu": {"source": image(build, KTX2)}})
    assert read_mesh(build.write()).material.texture is None
    assert "is KTX2 (KHR_texture_basisu), which nothing here reads" in caplog.text


def test_the_fallback_of_ktx2_is_used(build: Builder, caplog: pytest.LogCaptureFixture):
    packed = {"KHR_texture_basisu": {"source": image(build, KTX2)}}
    textured(build, source=image(build, png(RED)), extensions=packed)
    assert read_mesh(build.write()).material.texture is not None
    assert not caplog.text


@pytest.mark.skipif(not features.check("webp"), reason="this Pillow was built without WebP")
def test_webp_is_read(build: Builder):
    file = io.BytesIO()
    Image.fromarray(RED).save(file, "WEBP", lossless=True)
    textured(build, extensions={"EXT_texture_webp": {"source": image(build, file.getvalue())}})
    texture = read_mesh(build.write()).material.texture
    assert texture is not None
    assert texture[0, 0].tolist() == [1, 0, 0]


@pytest.mark.parametrize("data", [b"", b"text", png(RED)[:50], b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_damaged_pictures_are_said(build: Builder, caplog: pytest.LogCaptureFixture, data: bytes):
    textured(build, source=image(build, data))
    assert read_mesh(build.write()).material.texture is None
    assert "images[0] cannot be read" in caplog.text


def huge_png(side: int) -> bytes:
    """A header and one byte of pixels."""
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0")))
    packed = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.mark.parametrize("side", [10_001, 60_000])
def test_huge_pictures_are_refused_from_their_header(build: Builder, side: int):
    textured(build, source=image(build, huge_png(side)))
    with pytest.raises(InputError, match=r"the picture images.0. is too large"):
        read_mesh(build.write())
