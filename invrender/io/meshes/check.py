"""Checks on mesh files before they are parsed, for damage that trimesh passes over in silence."""

from __future__ import annotations

import logging
import re
import struct
from pathlib import Path

from invrender.errors import InputError

log = logging.getLogger(__name__)
_AGAIN = "the file is damaged: export or download it again"


def check_file(path: Path) -> bool:
    """Check a mesh file of a known extension.

    Returns:
        False where it names a material file that is missing, else True.

    Raises:
        InputError: the file is cut short, or damaged in a way that would change the mesh unnoticed.
    """
    extension = path.suffix.lower()
    _check_kind(path, extension)
    if extension == ".ply":
        _check_ply(path)
    elif extension == ".stl":
        _check_stl(path)
    elif extension == ".obj":
        content = path.read_bytes()
        _check_obj(path, content)
        return _material_file_found(path, content)
    return True


def _check_kind(path: Path, extension: str) -> None:
    """Refuse a file whose content is plainly of another format than its name says."""
    with path.open("rb") as file:
        start = file.read(65536)
    found = _kind(start)
    if found is None or found == extension:
        return
    if (
        extension == ".stl"
        and len(start) >= 84
        and path.stat().st_size == 84 + 50 * int.from_bytes(start[80:84], "little")
    ):
        return  # the header of a binary .stl may say anything
    raise InputError(f"{path} holds {found} data", f"rename it to {path.with_suffix(found).name}")


def _kind(start: bytes) -> str | None:
    """The extension that fits the first bytes of a mesh file, or None where they do not tell."""
    if start.startswith(b"glTF"):
        return ".glb"
    if re.match(rb"ply\r?\n", start):
        return ".ply"
    if start.lstrip().startswith(b"{"):
        return ".gltf"
    if re.match(rb"\s*solid\b", start) and re.search(rb"^\s*facet\s+normal", start, re.MULTILINE):
        return ".stl"
    if re.search(rb"^v[ \t]+[-+.\d]+[ \t]+[-+.\d]", start, re.MULTILINE):
        return ".obj"
    return None


def _check_obj(path: Path, content: bytes) -> None:
    """Refuse index 0: trimesh would take it for the last vertex."""
    zero = re.search(rb"^f[ \t](?:.*[ \t])?0+(?=[/\s]|$)", content, re.MULTILINE)
    if zero:
        line = content.count(b"\n", 0, zero.start()) + 1
        raise InputError(f"{path}, line {line}: a face uses vertex 0, but .obj counts from 1", _AGAIN)


def _material_file_found(path: Path, content: bytes) -> bool:
    named = re.search(rb"^mtllib[ \t]+(.+?)[ \t\r]*$", content, re.MULTILINE)
    if named is None:
        return True
    name = named.group(1).decode(errors="replace")
    if (path.parent / name).is_file():
        return True
    log.warning("%s names the material file %s, which is missing: it is shown in plain grey.", path.name, name)
    return False


def _check_ply(path: Path) -> None:
    """Refuse an ASCII .ply that is cut short: trimesh takes what is there (of a binary one it says so itself)."""
    content = path.read_bytes()
    header, separator, body = content.partition(b"end_header")
    if not content.startswith(b"ply") or not separator:
        raise InputError(f"{path} is not a .ply file (its header is missing)", _AGAIN)
    if b"format ascii" not in header:
        return
    declared = sum(int(count) for count in re.findall(rb"^element[ \t]+\w+[ \t]+(\d+)", header, re.MULTILINE))
    found = sum(1 for line in body.splitlines()[1:] if line.strip())
    if found < declared:
        raise InputError(f"{path} is cut short: {found} of {declared} lines are there", _AGAIN)


def _check_stl(path: Path) -> None:
    """Refuse a binary .stl whose size does not fit its count of triangles."""
    content = path.read_bytes()
    if content.lstrip().startswith(b"solid") and b"facet" in content[:4096]:
        return
    if len(content) < 84:
        raise InputError(f"{path} is not an .stl file: {len(content)} bytes are too few", _AGAIN)
    (count,) = struct.unpack("<I", content[80:84])
    if len(content) < 84 + 50 * count:
        raise InputError(f"{path} is cut short: {(len(content) - 84) // 50} of {count} triangles are there", _AGAIN)
