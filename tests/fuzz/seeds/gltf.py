"""Seeds of glTF 2.0: textures and several nodes, sparse accessors, strips, a skin, and one file as base64.

Numbers that stand for types are those of the specification, section 3.6.2: 5121 unsigned bytes, 5123 unsigned shorts,
5125 unsigned integers, 5126 floats.
"""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import numpy as np

from seeds.seed import Seed, mesh_seed
from seeds.shapes import FACES, UV, VERTICES, checkers

CODES = {"u1": 5121, "u2": 5123, "u4": 5125, "f4": 5126}
TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}


class Buffer:
    """One buffer under construction, with its views and accessors."""

    def __init__(self) -> None:
        self.data = b""
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def view(self, data: bytes) -> int:
        """The number of a view of these bytes."""
        self.data += b"\0" * (-len(self.data) % 4)
        self.views.append({"buffer": 0, "byteOffset": len(self.data), "byteLength": len(data)})
        self.data += data
        return len(self.views) - 1

    def accessor(self, values: Any, kind: str, **more: Any) -> int:
        """The number of an accessor to [N] or [N,C] values."""
        array = np.asarray(values).astype("<" + kind)
        width = int(np.prod(array.shape[1:])) if array.ndim > 1 else 1
        entry = {"bufferView": self.view(array.tobytes()), "componentType": CODES[kind], "count": len(array)}
        if kind == "f4":
            flat = array.reshape(len(array), -1)
            entry |= {"min": flat.min(0).tolist(), "max": flat.max(0).tolist()}
        self.accessors.append({**entry, "type": TYPES[width], **more})
        return len(self.accessors) - 1


def _document(buffer: Buffer, primitive: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "asset": {"version": "2.0", "generator": "by hand"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "translation": [0, 1, 0], "rotation": [0, 0.6, 0, 0.8], "scale": [1, 1, 2]}],
        "meshes": [{"primitives": [primitive]}],
        "buffers": [{"byteLength": len(buffer.data)}],
        "bufferViews": buffer.views,
        "accessors": buffer.accessors,
        **more,
    }


def _glb(document: dict[str, Any], body: bytes) -> bytes:
    text = json.dumps(document).encode()
    chunks = b""
    for kind, part, fill in ((0x4E4F534A, text, b" "), (0x004E4942, body, b"\0")):
        padded = part + fill * (-len(part) % 4)
        chunks += struct.pack("<II", len(padded), kind) + padded
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _textured() -> bytes:
    """Two nodes below one, a texture that is moved, a second material with factors alone."""
    buffer = Buffer()
    place, uv = buffer.accessor(VERTICES, "f4"), buffer.accessor(UV, "f4")
    halves = [buffer.accessor(part.ravel(), "u2") for part in (FACES[:6], FACES[6:])]
    picture = buffer.view(checkers())
    attributes = {"POSITION": place, "TEXCOORD_0": uv}
    document = _document(
        buffer,
        {"attributes": attributes, "indices": halves[0], "material": 0, "mode": 4},
        materials=[
            {
                "name": "wood",
                "pbrMetallicRoughness": {"baseColorTexture": {"index": 0, "texCoord": 0}},
                "alphaMode": "OPAQUE",
            },
            {"pbrMetallicRoughness": {"baseColorFactor": [0.2, 0.4, 0.6, 1], "metallicFactor": 0}, "doubleSided": True},
        ],
        textures=[{"source": 0, "sampler": 0}],
        samplers=[{"wrapS": 10497, "wrapT": 33071, "magFilter": 9728}],
        images=[{"bufferView": picture, "mimeType": "image/png"}],
    )
    document["meshes"][0]["primitives"].append({"attributes": attributes, "indices": halves[1], "material": 1})
    document["nodes"] = [{"children": [1, 2]}, {"mesh": 0}, {"mesh": 0, "matrix": [*np.eye(3, 4).ravel(), 2, 0, 0, 1]}]
    return _glb(document, buffer.data)


def _sparse() -> dict[str, bytes]:
    """A .gltf with its buffer and its texture in files; one vertex is moved by a sparse accessor; colours as bytes.

    It is a scene, with cameras, lights and glass.
    """
    buffer = Buffer()
    place, uv = buffer.accessor(VERTICES, "f4"), buffer.accessor(np.round(UV * 65535), "u2", normalized=True)
    colours = buffer.accessor(np.full((8, 4), 200), "u1", normalized=True)
    indices = buffer.accessor(FACES.ravel(), "u1")
    buffer.accessors[place]["sparse"] = {
        "count": 1,
        "indices": {"bufferView": buffer.view(struct.pack("<H", 7)), "componentType": 5123},
        "values": {"bufferView": buffer.view(struct.pack("<3f", 0.5, 0.6, 0.7))},
    }
    attributes = {"POSITION": place, "TEXCOORD_0": uv, "COLOR_0": colours}
    document = _document(
        buffer,
        {"attributes": attributes, "indices": indices, "material": 0},
        materials=[{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
        textures=[{"source": 0}],
        images=[{"uri": "wood%20.png"}],
    )
    document["buffers"][0]["uri"] = "box.bin"
    _stage(document)
    return {"box.gltf": json.dumps(document, indent=1).encode(), "box.bin": buffer.data, "wood .png": checkers()}


def _stage(document: dict[str, Any]) -> None:
    """Add two cameras, a spot and the sun, and glass."""
    spot = {"type": "spot", "intensity": 20, "color": [1, 0.5, 0.5], "spot": {"outerConeAngle": 0.5}}
    document["extensions"] = {"KHR_lights_punctual": {"lights": [spot, {"type": "directional", "intensity": 3}]}}
    document["cameras"] = [
        {"type": "perspective", "perspective": {"yfov": 0.7, "aspectRatio": 1.5, "znear": 0.1}},
        {"type": "orthographic", "orthographic": {"xmag": 2, "ymag": 2, "znear": 0, "zfar": 9}},
    ]
    document["materials"][0]["extensions"] = {
        "KHR_materials_transmission": {"transmissionFactor": 0.9},
        "KHR_materials_ior": {"ior": 1.4},
    }
    first = len(document["nodes"])
    document["nodes"] += [{"camera": k, "translation": [0, k, 5]} for k in (0, 1)]
    document["nodes"] += [{"extensions": {"KHR_lights_punctual": {"light": k}}} for k in (0, 1)]
    document["scenes"][0]["nodes"] += range(first, first + 4)


def _strips() -> dict[str, bytes]:
    """A strip and a fan, the buffer as base64 in the file, and a morph target."""
    buffer = Buffer()
    place = buffer.accessor(VERTICES, "f4")
    moved = buffer.accessor(VERTICES * 0.1, "f4")
    strip, fan = buffer.accessor([3, 2, 7, 6, 4, 2, 0, 3, 1, 7, 5, 4, 1, 0], "u2"), buffer.accessor([0, 2, 3, 1], "u4")
    document = _document(
        buffer, {"attributes": {"POSITION": place}, "indices": strip, "mode": 5, "targets": [{"POSITION": moved}]}
    )
    document["meshes"][0]["weights"] = [0.5]
    document["meshes"].append({"primitives": [{"attributes": {"POSITION": place}, "indices": fan, "mode": 6}]})
    document["nodes"].append({"mesh": 1})
    document["scenes"][0]["nodes"].append(1)
    packed = base64.b64encode(buffer.data).decode()
    document["buffers"][0]["uri"] = f"data:application/octet-stream;base64,{packed}"
    return {"strips.gltf": json.dumps(document).encode()}


def _skin() -> bytes:
    """Two joints, and vertices that hang on both."""
    buffer = Buffer()
    attributes = {
        "POSITION": buffer.accessor(VERTICES, "f4"),
        "JOINTS_0": buffer.accessor([[0, 1, 0, 0]] * 8, "u1"),
        "WEIGHTS_0": buffer.accessor([[0.75, 0.25, 0, 0]] * 8, "f4"),
    }
    primitive = {"attributes": attributes, "indices": buffer.accessor(FACES.ravel(), "u2")}
    inverse = buffer.accessor(np.stack([np.eye(4)] * 2).reshape(2, 16), "f4")
    document = _document(buffer, primitive, skins=[{"joints": [1, 2], "inverseBindMatrices": inverse, "skeleton": 1}])
    document["nodes"] = [
        {"mesh": 0, "skin": 0},
        {"children": [2], "translation": [0, 1, 0]},
        {"rotation": [0, 0, 0, 1]},
    ]
    document["scenes"][0]["nodes"] = [0, 1]
    return _glb(document, buffer.data)


def seeds() -> list[Seed]:
    """All of them."""
    return [
        mesh_seed("glb", "box.glb", {"box.glb": _textured()}),
        mesh_seed("gltf", "box.gltf", _sparse()),
        mesh_seed("gltf-strips", "strips.gltf", _strips()),
        mesh_seed("glb-skin", "skin.glb", {"skin.glb": _skin()}),
    ]
