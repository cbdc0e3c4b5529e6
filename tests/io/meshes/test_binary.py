"""Damaged numbers of binary meshes: a signalling NaN is refused as any other, without a warning of numpy before it."""

from __future__ import annotations

import struct

import pytest

from invrender.errors import InputError
from invrender.io.meshes.read import read_mesh

SIGNALLING = struct.pack("<I", 0x7F800001)
CORNERS = struct.pack("<8f", 0, 0, 0, 1, 0, 0, 0, 1) + SIGNALLING
PLY = (
    b"ply\nformat binary_little_endian 1.0\nelement vertex 3\n"
    b"property float x\nproperty float y\nproperty float z\n"
    b"element face 1\nproperty list uchar int vertex_indices\nend_header\n" + CORNERS + struct.pack("<B3i", 3, 0, 1, 2)
)
STL = b" " * 80 + struct.pack("<I3f", 1, 0, 0, 1) + CORNERS + b"\0\0"


@pytest.mark.parametrize(("name", "content"), [("a.ply", PLY), ("a.stl", STL)])
def test_a_signalling_nan_is_refused_as_any_other(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="1 of 3 vertices are NaN"):
        read_mesh(tmp_path / name)
