"""Checks on .glb and .gltf before they are parsed: damage, and compression that would come out as garbage."""

from __future__ import annotations

import json
import struct
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from invrender.errors import InputError

_JSON_CHUNK = 0x4E4F534A
_AGAIN = "export or download it again"


def check_gltf(path: Path) -> None:
    """Refuse a .glb or .gltf that is cut short, not glTF 2, or packed in a way that nothing here unpacks.

    Raises:
        InputError: with what is wrong.
    """
    header = _header(path)
    version = str(header.get("asset", {}).get("version", "")) if isinstance(header.get("asset"), dict) else ""
    if not version.startswith("2"):
        raise InputError(f"{path} is not glTF 2 (its version is '{version}')", "export it as glTF 2.0")
    used = set(header.get("extensionsUsed", [])) | set(header.get("extensionsRequired", []))
    if "KHR_draco_mesh_compression" in used and find_spec("DracoPy") is None:
        raise InputError(f"{path} is Draco-compressed", "run 'pip install DracoPy', or export it without compression")
    if "EXT_meshopt_compression" in used:
        raise InputError(f"{path} is meshopt-compressed", "export it without compression (gltfpack: leave out -c)")
    if _has_normalised_positions(header):
        raise InputError(f"{path} holds normalised integer positions", "export it with float positions")


def gltf_units(path: Path) -> str:
    """What `asset.extras` calls one unit; glTF itself means metres.

    Raises:
        InputError: the file is damaged.
    """
    asset = _header(path).get("asset")
    extras = asset.get("extras") if isinstance(asset, dict) else None
    units = extras.get("units") if isinstance(extras, dict) else None
    return units if isinstance(units, str) else "metre"


def _header(path: Path) -> dict[str, Any]:
    """The JSON part of the file."""
    content = path.read_bytes()
    if path.suffix.lower() == ".glb":
        if len(content) < 20 or content[:4] != b"glTF":
            raise InputError(f"{path} is not a .glb file (it does not start with 'glTF')", _AGAIN)
        _, _, total, length, kind = struct.unpack("<4sIIII", content[:20])
        if len(content) < total:
            raise InputError(f"{path} is cut short: {len(content)} of {total} bytes are there", _AGAIN)
        if kind != _JSON_CHUNK:
            raise InputError(f"{path} is damaged: its first chunk is not JSON", _AGAIN)
        content = content[20 : 20 + length]
    try:
        header = json.loads(content)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"{path} is not valid JSON: {error.msg} ({place})", _AGAIN) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not valid JSON: it is not text in UTF-8", _AGAIN) from error
    if not isinstance(header, dict):
        raise InputError(f"{path} is not glTF: its JSON is not an object", _AGAIN)
    return header


def _has_normalised_positions(header: dict[str, Any]) -> bool:
    accessors = header.get("accessors", [])
    used = {
        p.get("attributes", {}).get("POSITION") for mesh in header.get("meshes", []) for p in mesh.get("primitives", [])
    }
    return any(accessors[i].get("normalized", False) for i in used if isinstance(i, int) and i < len(accessors))
