"""The container of glTF 2.0: the JSON, the binary chunk of a .glb, and the files and data: URIs that it names.

Source: glTF 2.0 specification, sections 3.6.1 (buffers), 3.10 (URIs) and 4 (GLB file format).
"""

from __future__ import annotations

import base64
import os
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.paths import shown
from invrender.io.meshes.gltf_json import AGAIN, Item, parse
from invrender.io.meshes.references import find_file

_JSON_CHUNK, _BINARY_CHUNK = 0x4E4F534A, 0x004E4942
COMPONENT_TYPES = {"<i1": 5120, "<u1": 5121, "<i2": 5122, "<u2": 5123, "<u4": 5125, "<f4": 5126}
MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")
NO_MESHOPT = "export it without compression (gltfpack: leave out -c)"


@dataclass(frozen=True)
class Document:
    """A glTF file.

    Attributes:
        root: its JSON.
        binary: the binary chunk of a .glb, or None.
    """

    root: Item
    binary: memoryview | None
    _lists: dict[str, list[Item]] = field(default_factory=dict)
    _buffers: dict[int, memoryview] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The file."""
        return self.root.path

    def all(self, name: str) -> list[Item]:
        """A list at the top level (`meshes`, `nodes`, ...)."""
        if name not in self._lists:
            self._lists[name] = self.root.items(name)
        return self._lists[name]

    def referred(self, item: Item, name: str, kind: str) -> Item:
        """The object of the list `kind` that the field `name` of an item points at."""
        every = self.all(kind)
        return every[item.index(name, len(every), kind)]

    def view(self, item: Item, name: str = "bufferView") -> memoryview:
        """The bytes of the buffer view that a field points at (without its stride).

        Raises:
            InputError: it lies outside its buffer, is compressed, or the buffer is not there.
        """
        view = self.referred(item, name, "bufferViews")
        data = self._buffer(view)
        start, length = view.integer("byteOffset", 0), view.integer("byteLength")
        if start + length > len(data):
            raise view.wrong(f"ends at byte {start + length} of a buffer of {len(data)}")
        return data[start : start + length]

    def _buffer(self, view: Item) -> memoryview:
        buffers = self.all("buffers")
        number = view.index("buffer", len(buffers), "buffers")
        if number not in self._buffers:
            buffer = buffers[number]
            compressed = any(view.extension(name) or buffer.extension(name) for name in MESHOPT)
            if compressed and not buffer.has("uri") and (number or self.binary is None):
                raise InputError(f"{self.path} is meshopt-compressed", NO_MESHOPT)
            self._buffers[number] = self._load(buffer, number)
        return self._buffers[number]

    def _load(self, buffer: Item, number: int) -> memoryview:
        length = buffer.integer("byteLength")
        if buffer.has("uri"):
            data = memoryview(resource(self.path, buffer.text("uri")))
        elif number == 0 and self.binary is not None:
            data = self.binary
        else:
            raise buffer.wrong("has neither a 'uri' nor the binary chunk of a .glb")
        if len(data) < length:
            found = f"{len(data)} of {length} bytes of {buffer.where}"
            raise InputError(f"{self.path} is cut short: {found} are there", AGAIN)
        return data[:length]


def with_array(document: Document, values: NDArray[Any], normalised: bool) -> int:
    """Add unpacked values [count, components] to a document; returns the number of their accessor."""
    values = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    buffers, views, accessors = (document.all(name) for name in ("buffers", "bufferViews", "accessors"))
    document._buffers[len(buffers)] = memoryview(values.tobytes())
    root = document.root
    buffers.append(Item(root.path, f"buffers[{len(buffers)}]", {"byteLength": values.nbytes}))
    view = {"buffer": len(buffers) - 1, "byteLength": values.nbytes}
    views.append(Item(root.path, f"bufferViews[{len(views)}]", view))
    accessor = {
        "bufferView": len(views) - 1,
        "componentType": COMPONENT_TYPES[values.dtype.str.replace("|", "<")],
        "count": len(values),
        "type": ("SCALAR", "VEC2", "VEC3", "VEC4")[values.shape[1] - 1],
        "normalized": normalised,
    }
    accessors.append(Item(root.path, f"accessors[{len(accessors)}]", accessor))
    return len(accessors) - 1


class AbsentFileError(InputError):
    """A file that a glTF names is not there, or not where a glTF may name files.

    Attributes:
        why: in words that go on from its name.
    """

    def __init__(self, cause: str, remedy: str, why: str) -> None:
        super().__init__(cause, remedy)
        self.why = why


def open_document(path: Path) -> Document:
    """Read a .glb or .gltf as far as its JSON.

    Raises:
        InputError: it is cut short, damaged, or not glTF 2.
    """
    content = path.read_bytes()
    binary = None
    if path.suffix.lower() == ".glb":
        content, binary = _chunks(memoryview(content), path)
    root = parse(content.rstrip(b"\0"), path)
    asset = root.item("asset")
    version = "" if asset is None else str(asset.values.get("version", ""))
    if not version.startswith("2"):
        raise InputError(f"{path} is not glTF 2 (its version is '{shown(version)}')", "export it as glTF 2.0")
    return Document(root, binary)


def _chunks(content: memoryview, path: Path) -> tuple[bytes, memoryview | None]:
    """The JSON and the binary chunk of a .glb."""
    if len(content) < 20 or bytes(content[:4]) != b"glTF":
        raise InputError(f"{path} is not a .glb file (it does not start with 'glTF')", "export or download it again")
    version, total, length, kind = struct.unpack("<IIII", content[4:20])
    if version != 2:
        raise InputError(f"{path} is not glTF 2 (its version is '{version}')", "export it as glTF 2.0")
    if len(content) < total or len(content) < 20 + length:
        whole = max(total, 20 + length)
        found = f"{len(content)} of {whole} bytes"
        raise InputError(f"{path} is cut short: {found} are there", "export or download it again")
    if kind != _JSON_CHUNK:
        raise InputError(f"{path} is damaged: its first chunk is not JSON", "export or download it again")
    return bytes(content[20 : 20 + length]), _binary(content[20 + length :])


def _binary(rest: memoryview) -> memoryview | None:
    """The first binary chunk among those after the JSON; other kinds are passed over, as glTF demands."""
    while len(rest) >= 8:
        length, kind = struct.unpack("<II", rest[:8])
        if kind == _BINARY_CHUNK:
            return rest[8 : 8 + length]
        rest = rest[8 + length :]
    return None


def resource(path: Path, uri: str) -> bytes:
    """What a URI in the glTF file `path` holds: data: URIs and files beside it.

    Raises:
        AbsentFileError: the file is not there, of the web, or outside the folder of `path`.
        InputError: the URI is damaged.
    """
    if uri[:5].lower() == "data:":
        return _data(path, uri)
    try:
        return _beside(path, uri).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {shown(uri)} cannot be read: {error.strerror}", "check its permissions") from error


def _data(path: Path, uri: str) -> bytes:
    kind, comma, data = uri[5:].partition(",")
    if not comma:
        raise InputError(f"{path} holds a data: URI without data: {shown(uri, 40)}", AGAIN)
    if not re.search(r"; *base64 *$", kind, re.IGNORECASE):
        return unquote_to_bytes(data)
    try:
        return base64.b64decode(_padded(unquote(data)), validate=True)
    except ValueError as error:  # binascii.Error, and characters beyond ASCII
        raise InputError(f"{path} holds a data: URI that is not base64: {shown(uri, 40)}", AGAIN) from error


def _padded(data: str) -> str:
    """Base64 as browsers take it, and in the alphabet of RFC 4648 section 5: without white space, padded."""
    letters = re.sub(r"\s+", "", data).rstrip("=").translate(str.maketrans("-_", "+/"))
    return letters + "=" * (-len(letters) % 4)


def _beside(path: Path, uri: str) -> Path:
    """The file that a URI names, in the folder of `path` or below it; of the folders before its name as many as fit."""
    scheme, _, rest = uri.partition(":")
    if scheme.lower() == "file":
        uri = rest
    elif "://" in uri:
        remedy = "download it, and name it by its file name"
        raise AbsentFileError(f"{path} names {shown(uri)}, which is not a file", remedy, "is not a file")
    for name in (unquote(uri), uri, unquote(uri.partition("?")[0])):
        inside = os.path.normpath(name.replace("\\", "/"))
        found = find_file(inside.lstrip("./") if _outside(inside) else inside, [path.parent])
        if found is not None and not _outside(os.path.relpath(found, path.parent)):  # "%2e%2e" means ".."
            return found
    if _outside(os.path.normpath(unquote(uri).replace("\\", "/"))):
        why = "lies outside the file's folder: put it beside the file"
        remedy = "put the file beside it, and name it so"
        raise AbsentFileError(f"{path} names {shown(uri)}, outside its folder", remedy, why)
    remedy = f"put it into {path.parent.resolve()}"
    raise AbsentFileError(f"{path} names {shown(uri)}, which is missing", remedy, "is missing")


def _outside(name: str) -> bool:
    return Path(name).is_absolute() or Path(name).parts[:1] == (os.pardir,)
