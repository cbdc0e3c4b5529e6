"""KHR_draco_mesh_compression, through the optional package DracoPy."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

from invrender.errors import InputError
from invrender.io.meshes.gltf_file import Document, with_array
from invrender.io.meshes.gltf_json import AGAIN, Item

EXTENSION = "KHR_draco_mesh_compression"
TRIANGLES = 4  # the mode of a primitive


def can_unpack() -> bool:
    """Whether the decoder is installed."""
    return find_spec("DracoPy") is not None


def no_decoder(document: Document) -> InputError:
    """The error for a file that needs it."""
    remedy = "run 'pip install DracoPy', or export it without compression"
    return InputError(f"{document.path} is Draco-compressed", remedy)


def unpacked(document: Document, primitive: Item) -> Item:
    """The primitive itself, or one whose accessors hold what its Draco data decode to.

    Raises:
        InputError: the data are damaged, do not hold what they promise, or need a decoder that is not installed.
    """
    packed = primitive.extension(EXTENSION)
    names = None if packed is None else packed.item("attributes")
    attributes = primitive.item("attributes")
    if packed is None or names is None or attributes is None:
        return primitive
    if not can_unpack():
        if _has_fallback(document, attributes):
            return primitive
        raise no_decoder(document)
    mesh = _decode(document, packed)
    found = {name: _attribute(document, attributes, names, name, mesh) for name in names.values if attributes.has(name)}
    indices = with_array(document, np.asarray(mesh.faces, "<u4").reshape(-1, 1), False)
    # the decoder hands over lists of triangles, whatever the mode says (strips are a way to pack them)
    triangles = {"mode": TRIANGLES, "indices": indices}
    fields = {**primitive.values, "attributes": {**attributes.values, **found}, **triangles}
    return Item(primitive.path, primitive.where, fields)


def _has_fallback(document: Document, attributes: Item) -> bool:
    """Whether the positions are there uncompressed as well."""
    return attributes.has("POSITION") and document.referred(attributes, "POSITION", "accessors").has("bufferView")


def _decode(document: Document, packed: Item) -> Any:
    import DracoPy

    data = bytes(document.view(packed))
    try:
        return DracoPy.decode(data)
    except (DracoPy.FileTypeException, RuntimeError, ValueError, EOFError, LookupError, TypeError) as error:
        raise packed.wrong("holds Draco data that cannot be decoded") from error


def _attribute(document: Document, attributes: Item, names: Item, name: str, mesh: Any) -> int:
    """The number of a new accessor for one attribute."""
    number = names.integer(name)
    stored = [each for each in mesh.attributes if each["unique_id"] == number]
    if not stored:
        raise names.wrong(f"names the Draco attribute {number} for {name}, which its data do not hold")
    values = np.asarray(stored[0]["data"])
    accessor = document.referred(attributes, name, "accessors")
    promised = accessor.integer("count")
    if name == "POSITION" and len(values) < promised:
        raise InputError(f"{document.path} holds {len(values)} of {promised} vertices in its Draco data", AGAIN)
    return with_array(document, _stored(values.reshape(len(values), -1)), accessor.flag("normalized"))


def _stored(values: Any) -> Any:
    """Values in a type that accessors know."""
    narrow = {"f8": "f4", "i4": "f4", "i8": "f4", "u8": "u4"}
    return values.astype(narrow.get(values.dtype.str[1:], values.dtype))
