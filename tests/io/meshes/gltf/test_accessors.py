"""Accessors: strides, types, normalised integers, sparse ones, and counts that nothing stands behind."""

from __future__ import annotations

import numpy as np
import pytest

from invrender.errors import InputError
from invrender.io.meshes.read import read_mesh
from tests.io.meshes.gltf.conftest import BOX, BOX_FACES, Builder


def test_strides_and_offsets(build: Builder):
    mixed = np.zeros((8, 5), "f4")
    mixed[:, 2:] = BOX
    position = build.accessor(BOX, bufferView=build.view(mixed, byteStride=20), byteOffset=8)
    build.show(build.primitive(position))
    assert np.array_equal(read_mesh(build.write()).vertices.numpy(), BOX)


@pytest.mark.parametrize("kind", ["u1", "u2", "u4"])
def test_indices_of_every_type(build: Builder, kind: str):
    build.show(build.primitive(faces=BOX_FACES.astype(kind)))
    assert read_mesh(build.write()).faces.reshape(-1).tolist() == BOX_FACES.tolist()


def test_quantised_positions(build: Builder):
    build.document["extensionsRequired"] = ["KHR_mesh_quantization"]
    stored = np.zeros((8, 4), "u2")
    stored[:, :3] = BOX * 1000
    view = build.view(stored, byteStride=8)
    build.show(build.primitive(build.accessor(stored[:, :3], bufferView=view)), scale=[0.001] * 3)
    assert np.allclose(read_mesh(build.write()).vertices, BOX)


@pytest.mark.parametrize(("kind", "most"), [("i1", 127), ("u1", 255), ("i2", 32767), ("u2", 65535)])
def test_normalised_positions(build: Builder, kind: str, most: int):
    stored = np.round(BOX / 3 * most).astype(kind)
    build.show(build.primitive(build.accessor(stored, normalized=True)), scale=[3, 3, 3])
    assert np.allclose(read_mesh(build.write()).vertices, stored / most * 3)


def test_the_lowest_signed_integer_is_minus_one(build: Builder):
    stored = np.array([[-128, 0, 0], [-127, 127, 0], [0, 127, 0]], "i1")
    build.show(build.primitive(build.accessor(stored, normalized=True), faces=None))
    assert read_mesh(build.write()).vertices.tolist() == [[-1, 0, 0], [-1, 1, 0], [0, 1, 0]]


def sparse(build: Builder, rows: np.ndarray, values: np.ndarray) -> dict[str, object]:
    indices = {"bufferView": build.view(rows), "componentType": 5121 if rows.dtype == np.uint8 else 5123}
    return {"count": len(rows), "indices": indices, "values": {"bufferView": build.view(values)}}


def test_sparse_accessors_replace_what_they_list(build: Builder):
    flat = BOX * np.array([1, 0, 1], "f4")
    rows = np.flatnonzero(BOX[:, 1] > 0).astype("u2")
    build.show(build.primitive(build.accessor(flat, sparse=sparse(build, rows, BOX[rows]))))
    assert np.array_equal(read_mesh(build.write()).vertices.numpy(), BOX)


def test_sparse_accessors_without_data_start_from_zero(build: Builder):
    rows = np.flatnonzero(BOX.any(axis=1)).astype("u1")
    number = build.accessor(BOX, sparse=sparse(build, rows, BOX[rows]))
    del build.document["accessors"][number]["bufferView"]
    build.show(build.primitive(number))
    assert np.array_equal(read_mesh(build.write()).vertices.numpy(), BOX)


def test_minimum_and_maximum_are_not_trusted(build: Builder):
    build.show(build.primitive(build.accessor(BOX, min=[5, 5, 5], max=["x"])))
    assert np.array_equal(read_mesh(build.write()).vertices.numpy(), BOX)


BROKEN = {
    "counts 9 elements, but its bufferView holds 96 bytes": {"count": 9},
    "counts 1000000000000 elements": {"count": 10**12},
    "has a 'count' that is not a whole number": {"count": -8},
    "whole number from 0 on: 8.5": {"count": 8.5},
    "has no 'count'": {"count": None},
    "unknown componentType 5124": {"componentType": 5124},
    "has the type SCALAR, which does not suit POSITION": {"type": "SCALAR"},
    "names bufferViews 99, but there are": {"bufferView": 99},
    "but names no data": {"count": 10**9, "bufferView": None},
    "lacks its indices": {"sparse": {"count": 1}},
    "sparse is not an object": {"sparse": [1]},
    "byteOffset": {"byteOffset": "4"},
}


@pytest.mark.parametrize("message", BROKEN)
def test_broken_accessors_are_refused_by_name(build: Builder, message: str):
    number = build.accessor(BOX)
    accessor = build.document["accessors"][number]
    accessor.update(BROKEN[message])
    for name in [name for name, value in accessor.items() if value is None]:
        del accessor[name]
    build.show(build.primitive(number))
    with pytest.raises(InputError, match=message.replace("(", r"\(")) as error:
        read_mesh(build.write())
    assert "accessors[0]" in error.value.cause


def test_sparse_rows_outside_are_refused(build: Builder):
    rows = np.array([8], "u1")
    build.show(build.primitive(build.accessor(BOX, sparse=sparse(build, rows, BOX[:1]))))
    with pytest.raises(InputError, match="replaces element 8 of 8"):
        read_mesh(build.write())


def test_views_outside_their_buffer_are_refused(build: Builder):
    build.show(build.primitive())
    build.document["bufferViews"][1]["byteLength"] = 10**6
    with pytest.raises(InputError, match=r"bufferViews\[1\] ends at byte 1000096 of a buffer of 168"):
        read_mesh(build.write())
