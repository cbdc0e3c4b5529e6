"""Checks that hold for mesh files of every kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from invrender.errors import InputError
from invrender.io.files.stand_ins import stand_in
from invrender.io.meshes.parts import Array, Part

LARGEST_UV = 1e5  # pictures are drawn with float32, which has a step of 1/128 there
_PACKED = (
    (b"\x1f\x8b", "compressed (gzip)", "unpack it with gunzip, and name it without .gz"),
    (b"PK\x03\x04", "a zip archive", "unpack it, and name the mesh in it"),
)


def check_kind(path: Path, extension: str) -> None:
    """Refuse a file whose content is plainly of another format than its name says.

    Raises:
        InputError: with the name that would fit.
    """
    with path.open("rb") as file:
        start = file.read(65536)
    if extension == ".stl" and len(start) >= 84:
        count = int.from_bytes(start[80:84], "little")
        if path.stat().st_size == 84 + 50 * count:
            return  # the header of a binary .stl may say anything
    packed = ((what, remedy) for sign, what, remedy in _PACKED if start.startswith(sign))
    stranger = stand_in(start) or next(packed, None)
    if stranger is not None:
        raise InputError(f"{path} is {stranger[0]}", stranger[1])
    found = _kind(start)
    if found is None or found == extension:
        return
    raise InputError(f"{path} holds {found} data", f"rename it to {path.with_suffix(found).name}")


def _kind(start: bytes) -> str | None:
    """The extension that fits the first bytes of a mesh file, or None where they do not tell."""
    start = start.removeprefix(b"\xef\xbb\xbf")
    if start.startswith(b"glTF"):
        return ".glb"
    if re.match(rb"ply[ \t]*[\r\n]", start):
        return ".ply"
    if start.lstrip().startswith(b"{"):
        return ".gltf"
    if re.match(rb"\s*solid\b", start) and re.search(rb"^\s*facet\s+normal", start, re.MULTILINE | re.IGNORECASE):
        return ".stl"
    if re.search(rb"^v[ \t]+[-+.\d]+[ \t]+[-+.\d]", start, re.MULTILINE):
        return ".obj"
    return None


def check_parts(parts: Sequence[Part], path: Path) -> None:
    """Refuse faces without vertices, and positions and texture coordinates that are no numbers.

    Raises:
        InputError: with the first of them.
    """
    vertices, faces = sum(len(part.vertices) for part in parts), sum(len(part.faces) for part in parts)
    wrong = sum(int(((part.faces < 0) | (part.faces >= len(part.vertices))).any(axis=1).sum()) for part in parts)
    if wrong:
        raise InputError(
            f"{path}: {wrong} of {faces} faces point at vertices that do not exist (there are {vertices})",
            "the file is damaged: export it again",
        )
    _check_finite([part.vertices for part in parts], path, "vertices", "vertex")
    # a texture coordinate that no face shows does no harm
    shown = [part.uv[part.used] for part in parts if part.uv is not None]
    _check_finite(shown, path, "texture coordinates", "number")
    textured = [part.uv[part.used] for part in parts if part.textured and part.uv is not None]
    largest = max((float(np.abs(uv).max()) for uv in textured), default=0.0)
    if largest > LARGEST_UV:
        raise InputError(
            f"{path} has texture coordinates up to {largest:.3g}: no digit is left for the place in the picture",
            f"repair them in the program that made the mesh: {LARGEST_UV:g} is the largest",
        )


def _check_finite(arrays: Sequence[Array], path: Path, what: str, one: str) -> None:
    bad = np.concatenate([~np.isfinite(array).all(axis=1) for array in arrays]) if len(arrays) else np.zeros(0, bool)
    if bad.any():
        raise InputError(
            f"{path}: {int(bad.sum())} of {len(bad)} {what} are NaN or infinite (the first is {one} {bad.argmax()})",
            f"repair the mesh in the program that made it, or remove those {what}",
        )
