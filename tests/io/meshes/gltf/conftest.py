"""A glTF file made by hand, field by field: every test says what is special about its own."""

from __future__ import annotations

import io
import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

TYPES = {"f4": 5126, "u4": 5125, "u2": 5123, "u1": 5121, "i2": 5122, "i1": 5120}
SHAPES = {(): "SCALAR", (2,): "VEC2", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}

# a closed box of size 1 x 2 x 3 with a corner at the origin: volume 6, faces outward
BOX = np.array([[x, y, z] for x in (0, 1) for y in (0, 2) for z in (0, 3)], "f4")
BOX_FACES = np.array(
    [0, 1, 3, 0, 3, 2, 4, 6, 7, 4, 7, 5, 0, 4, 5, 0, 5, 1, 2, 3, 7, 2, 7, 6, 0, 2, 6, 0, 6, 4, 1, 5, 7, 1, 7, 3], "u2"
)
# a square in the plane z = 0, and its coordinates in a picture (v down)
SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], "f4")
SQUARE_FACES = np.array([0, 1, 2, 0, 2, 3], "u2")
SQUARE_UV = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], "f4")


@dataclass
class Builder:
    """Collects bytes and JSON; `write` makes a .glb or .gltf of them."""

    folder: Path
    blob: bytearray = field(default_factory=bytearray)
    document: dict[str, Any] = field(default_factory=lambda: {"asset": {"version": "2.0"}})

    def add(self, kind: str, **fields: Any) -> int:
        """Append to a list at the top level; returns the number there."""
        self.document.setdefault(kind, []).append(fields)
        return len(self.document[kind]) - 1

    def view(self, data: bytes | np.ndarray, **fields: Any) -> int:
        """A buffer view of these bytes."""
        content = data if isinstance(data, bytes) else np.ascontiguousarray(data).tobytes()
        self.blob += b"\0" * (-len(self.blob) % 4)
        start = len(self.blob)
        self.blob += content
        return self.add("bufferViews", buffer=0, byteOffset=start, byteLength=len(content), **fields)

    def accessor(self, values: np.ndarray, **fields: Any) -> int:
        """An accessor of these values, with a view of its own where none is given."""
        if "bufferView" not in fields:
            fields["bufferView"] = self.view(values)
        kind, form = TYPES[values.dtype.str[1:]], SHAPES[values.shape[1:]]
        return self.add("accessors", **{"componentType": kind, "count": len(values), "type": form, **fields})

    def primitive(
        self, vertices: np.ndarray = BOX, faces: np.ndarray | None = BOX_FACES, **attributes: Any
    ) -> dict[str, Any]:
        """A primitive; attributes are arrays, or numbers of accessors."""
        every = {"POSITION": vertices, **attributes}
        numbers = {name: self.accessor(v) if isinstance(v, np.ndarray) else v for name, v in every.items()}
        indices = {} if faces is None else {"indices": self.accessor(faces)}
        return {"attributes": numbers, **indices}

    def show(self, *primitives: dict[str, Any], mesh: dict[str, Any] | None = None, **node: Any) -> int:
        """A node of the scene that shows a mesh of these primitives."""
        number = self.add("nodes", mesh=self.add("meshes", primitives=list(primitives), **(mesh or {})), **node)
        self.document.setdefault("scenes", [{"nodes": []}])[0]["nodes"].append(number)
        return number

    def picture(self, colours: np.ndarray, **fields: Any) -> int:
        """A texture of a picture [h,w,3] uint8, inside the file."""
        image = self.add("images", bufferView=self.view(png(colours)), mimeType="image/png")
        return self.add("textures", source=image, **fields)

    def textured(self, texture: int, factor: list[float] | None = None, **info: Any) -> int:
        """A material with that texture."""
        surface: dict[str, Any] = {"baseColorTexture": {"index": texture, **info}}
        return self.add(
            "materials", pbrMetallicRoughness={**surface, **({"baseColorFactor": factor} if factor else {})}
        )

    def write(self, name: str = "a.glb", uri: str | None = None) -> Path:
        """The file; with a URI, the buffer is named by it instead of being inside."""
        path, buffer = self.folder / name, {"byteLength": len(self.blob)}
        first = {**buffer, **({} if uri is None else {"uri": uri})}
        document = {**self.document, "buffers": [first, *self.document.get("buffers", [])]}
        text = json.dumps(document).encode()
        path.write_bytes(text if name.endswith(".gltf") else glb(text, bytes(self.blob)))
        return path


def glb(text: bytes, blob: bytes) -> bytes:
    """The bytes of a .glb."""
    text += b" " * (-len(text) % 4)
    blob += b"\0" * (-len(blob) % 4)
    head = struct.pack("<4sIIII", b"glTF", 2, 28 + len(text) + len(blob), len(text), 0x4E4F534A)
    return head + text + struct.pack("<II", len(blob), 0x004E4942) + blob


def png(colours: np.ndarray) -> bytes:
    """A PNG of [h,w,3] uint8."""
    file = io.BytesIO()
    Image.fromarray(colours).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def build(tmp_path: Path) -> Builder:
    """An empty file."""
    return Builder(tmp_path)
