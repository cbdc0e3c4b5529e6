"""Accessors of glTF 2.0: typed arrays in buffers. Source: specification, sections 3.6.2 (accessors) and 3.11.

Counts are compared with the bytes that are there before anything is allocated; `min` and `max` are not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.io.files.paths import shown
from invrender.io.meshes.binary import doubles
from invrender.io.meshes.gltf_file import COMPONENT_TYPES, Document
from invrender.io.meshes.gltf_json import Item

_TYPES = {number: name for name, number in COMPONENT_TYPES.items()}
_COMPONENTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_MOST_ZEROS = 2**24  # elements of an accessor that no bytes stand behind

Numbers = NDArray[Any]


@dataclass(frozen=True)
class Rows:
    """Which elements of the accessors of a primitive are wanted.

    Attributes:
        count: how many elements each of them must have.
        chosen: [N] int64, the ones to return, or None for all.
    """

    count: int
    chosen: NDArray[np.int64] | None = None


def floats(
    document: Document, owner: Item, name: str, widths: tuple[int, ...], rows: Rows | None = None, scale: bool = False
) -> NDArray[np.float64]:
    """The values of the accessor that a field points at.

    Args:
        document: the file.
        owner: the object that holds the field.
        name: of the field.
        widths: how many components an element may have.
        rows: which elements; None: all, however many there are.
        scale: take integers over their range even where the accessor does not say `normalized`.

    Returns:
        [count, components] float64; normalised integers are in [0, 1] or [-1, 1].

    Raises:
        InputError: the accessor has other components or another count, or its data are not there.
    """
    accessor, values = _checked(document, owner, name, widths, rows)
    return _decoded(values, scale or accessor.flag("normalized"))


def integers(
    document: Document, owner: Item, name: str, widths: tuple[int, ...], rows: Rows | None = None
) -> NDArray[np.int64]:
    """The same for an accessor of unsigned integers: [count, components] int64."""
    accessor, values = _checked(document, owner, name, widths, rows)
    if values.dtype.kind != "u":
        raise accessor.wrong(f"has a type that does not suit {name}: it needs unsigned integers")
    return values.astype(np.int64)


def _checked(
    document: Document, owner: Item, name: str, widths: tuple[int, ...], rows: Rows | None
) -> tuple[Item, Numbers]:
    accessor = document.referred(owner, name, "accessors")
    if _width(accessor) not in widths:
        raise accessor.wrong(f"has the type {accessor.text('type')}, which does not suit {name}")
    values = _elements(document, accessor)
    if rows is None:
        return accessor, values
    if len(values) != rows.count:
        raise accessor.wrong(f"has {len(values)} elements for {name}, but there are {rows.count} vertices")
    return accessor, values if rows.chosen is None else values[rows.chosen]


def _decoded(values: Numbers, normalised: bool) -> NDArray[np.float64]:
    """Normalised integers over their range (section 3.11)."""
    result = doubles(values)
    if not normalised or values.dtype.kind == "f":
        return result
    divided: NDArray[np.float64] = np.maximum(result / np.iinfo(values.dtype).max, -1.0)
    return divided


def length(document: Document, owner: Item, name: str) -> int:
    """How many elements the accessor that a field points at has; its data are there."""
    return len(_elements(document, document.referred(owner, name, "accessors")))


def _elements(document: Document, accessor: Item) -> Numbers:
    """[count, components] as stored, sparse ones filled in."""
    count, dtype, width = accessor.integer("count"), _dtype(accessor), _width(accessor)
    sparse = accessor.item("sparse")
    if accessor.has("bufferView"):
        view = document.referred(accessor, "bufferView", "bufferViews")
        stride = view.integer("byteStride", 0)
        values = _strided(document, accessor, count, dtype, width, stride)
    elif count > _MOST_ZEROS:
        raise accessor.wrong(f"counts {count} elements, but names no data")
    else:
        values = np.zeros((count, width), dtype)
    return values if sparse is None else _filled(document, sparse, values)


def _dtype(item: Item) -> np.dtype[Any]:
    kind = item.integer("componentType")
    if kind not in _TYPES:
        raise item.wrong(f"has the unknown componentType {kind}")
    return np.dtype(_TYPES[kind])


def _width(accessor: Item) -> int:
    kind = accessor.text("type")
    if kind not in _COMPONENTS:
        raise accessor.wrong(f"has the type '{shown(kind)}', which suits nothing here")
    return _COMPONENTS[kind]


def _strided(document: Document, item: Item, count: int, dtype: np.dtype[Any], width: int, stride: int = 0) -> Numbers:
    """`count` elements in the bytes of a buffer view, `stride` bytes apart (0: closely packed)."""
    data = document.view(item)
    start, size = item.integer("byteOffset", 0), width * dtype.itemsize
    stride = stride or size
    if stride < size:
        raise item.wrong(f"has elements of {size} bytes, but a byteStride of {stride}")
    if count and start + stride * (count - 1) + size > len(data):
        raise item.wrong(f"counts {count} elements, but its bufferView holds {len(data)} bytes")
    if count == 0:
        return np.zeros((0, width), dtype)
    return np.ndarray((count, width), dtype, data, start, (stride, dtype.itemsize))


def _filled(document: Document, sparse: Item, values: Numbers) -> Numbers:
    """The values with those that `sparse` lists in their places."""
    indices, replacing = sparse.item("indices"), sparse.item("values")
    if indices is None or replacing is None:
        raise sparse.wrong("lacks its indices or its values")
    count = sparse.integer("count")
    rows = _strided(document, indices, count, _dtype(indices), 1)[:, 0].astype(np.int64)
    if len(rows) and (rows.min() < 0 or rows.max() >= len(values)):
        raise sparse.wrong(f"replaces element {int(rows.max())} of {len(values)}")
    filled = values.copy()
    filled[rows] = _strided(document, replacing, count, values.dtype, values.shape[1])
    return filled
