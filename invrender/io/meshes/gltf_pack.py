"""Packing arrays into the one buffer of a .glb, with the views and accessors that point into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pygltflib

_FLOAT, _UNSIGNED_INT = 5126, 5125
_VERTEX_TARGET, _INDEX_TARGET = 34962, 34963
_KINDS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}


class Packer:
    """Collects arrays; each call returns the index that glTF refers to them by."""

    def __init__(self) -> None:
        self._blob = bytearray()
        self._views: list[pygltflib.BufferView] = []
        self._accessors: list[pygltflib.Accessor] = []

    def vectors(self, values: NDArray[np.float32], bounds: bool = False) -> int:
        """An accessor of one vector per vertex.

        Args:
            values: [V,2|3|4] float32.
            bounds: write minimum and maximum as well (glTF demands them of positions).
        """
        import pygltflib as gltf

        accessor = gltf.Accessor(
            bufferView=self._view(np.ascontiguousarray(values, "<f4").tobytes(), _VERTEX_TARGET),
            componentType=_FLOAT,
            count=len(values),
            type=_KINDS[values.shape[1]],
        )
        if bounds:
            accessor.min, accessor.max = values.min(axis=0).tolist(), values.max(axis=0).tolist()
        return self._accessor(accessor)

    def indices(self, faces: NDArray[np.int64]) -> int:
        """An accessor of the corners of the triangles [F,3]."""
        import pygltflib as gltf

        view = self._view(np.ascontiguousarray(faces, "<u4").tobytes(), _INDEX_TARGET)
        return self._accessor(
            gltf.Accessor(bufferView=view, componentType=_UNSIGNED_INT, count=faces.size, type="SCALAR")
        )

    def raw(self, data: bytes) -> int:
        """A view of raw bytes (an image)."""
        return self._view(data, None)

    def finish(self, document: pygltflib.GLTF2) -> None:
        """Hand all of it to the document."""
        import pygltflib as gltf

        document.bufferViews, document.accessors = self._views, self._accessors
        document.buffers = [gltf.Buffer(byteLength=len(self._blob))]
        document.set_binary_blob(bytes(self._blob))

    def _view(self, data: bytes, target: int | None) -> int:
        import pygltflib as gltf

        view = gltf.BufferView(buffer=0, byteOffset=len(self._blob), byteLength=len(data), target=target)
        self._views.append(view)
        self._blob += data
        self._blob += b"\0" * (-len(self._blob) % 4)  # accessors must start at multiples of four
        return len(self._views) - 1

    def _accessor(self, accessor: pygltflib.Accessor) -> int:
        self._accessors.append(accessor)
        return len(self._accessors) - 1
