"""What lies in a folder after a command: files that can be read, whose numbers are finite, and nothing half-written."""

from __future__ import annotations

import csv
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

TEMPORARY = re.compile(r"\..*\.tmp.*|.*\.tmp")
FLOAT = 5126  # glTF's number for float32
NOT_FINITE = re.compile(r"(?<![\w./\-])[-+]?(nan|inf|infinity)(?![\w./\-])", re.IGNORECASE)


def faults_of_outputs(folder: Path, inputs: set[str]) -> list[str]:
    """What is wrong with the files that a command wrote, as short sentences; `inputs` are not its own."""
    return list(_faults(folder, inputs))


def _faults(folder: Path, inputs: set[str]) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name in inputs or not path.is_file():
            continue
        if TEMPORARY.fullmatch(path.name):
            yield f"temporary file left: {re.sub('[0-9a-f]{8}', '*', path.name)}"
        elif path.suffix in CHECKS:
            fault = _fault(path)
            if fault:
                yield f"{path.name}: {fault}"


def _fault(path: Path) -> str:
    try:
        return CHECKS[path.suffix](path)
    except (
        OSError,
        ValueError,
        KeyError,
        IndexError,
        struct.error,
        zlib.error,
        zipfile.BadZipFile,
        SyntaxError,
    ) as error:
        return f"cannot be read ({type(error).__name__}: {error})"


def _finite(arrays: dict[str, np.ndarray]) -> str:
    wrong = [name for name, values in arrays.items() if values.dtype.kind == "f" and not np.isfinite(values).all()]
    return f"not finite: {', '.join(wrong)}" if wrong else ""


def _npy(path: Path) -> str:
    return _finite({"values": np.load(path)})


def _npz(path: Path) -> str:
    with np.load(path) as arrays:
        return _finite(dict(arrays))


def _picture(path: Path) -> str:
    with Image.open(path) as image:
        for frame in range(getattr(image, "n_frames", 1)):
            image.seek(frame)
            image.load()
    return ""


def _json(path: Path) -> str:
    def refuse(word: str) -> None:
        raise ValueError(f"{word} in it")

    json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    return ""


def _csv(path: Path) -> str:
    with path.open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    return "not finite" if any(NOT_FINITE.fullmatch(cell) for cell in cells) else ""


def _glb(path: Path) -> str:
    data = path.read_bytes()
    magic, _version, total, length = struct.unpack_from("<4sIII", data)
    if magic != b"glTF" or total != len(data):
        return "no whole glTF file"
    document, body = json.loads(data[20 : 20 + length]), data[28 + length :]
    arrays = {}
    for i, accessor in enumerate(document.get("accessors", [])):
        if accessor["componentType"] == FLOAT:
            view = document["bufferViews"][accessor["bufferView"]]
            start = view.get("byteOffset", 0)
            arrays[f"accessor {i}"] = np.frombuffer(body[start : start + view["byteLength"]], "<f4")
    return _finite(arrays)


def _ply(path: Path) -> str:
    """The vertices, which come first and are numbers of fixed width."""
    header, _, body = path.read_bytes().partition(b"end_header\n")
    element = header.partition(b"element vertex ")[2].partition(b"element")[0].split(b"\n")
    kinds = {b"float": "<f4", b"double": "<f8", b"uchar": "u1", b"int": "<i4"}
    fields = [
        (words[2].decode(), kinds[words[1]]) for words in map(bytes.split, element[1:]) if words[:1] == [b"property"]
    ]
    vertices = np.frombuffer(body, np.dtype(fields), int(element[0]))
    return _finite({name: vertices[name] for name, _ in fields})


CHECKS: dict[str, Callable[[Path], str]] = {
    ".npy": _npy, ".npz": _npz, ".png": _picture, ".gif": _picture, ".json": _json, ".csv": _csv, ".glb": _glb,
    ".ply": _ply,
}  # fmt: skip
