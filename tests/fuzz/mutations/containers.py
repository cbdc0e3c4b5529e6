"""Files as parts that can be damaged one by one and put together again, with checksums and lengths that are right.

Without this, nearly every change of a .png, .npz or .nii.gz would end at the checksum, and what reads the values behind
it would never see one.
"""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from mutations.raw import mutate_bytes
from mutations.text import mutate_text
from mutations.tree import mutate_json


@dataclass(frozen=True)
class Part:
    """A stretch of a file, and the function that damages it."""

    mutate: Callable[[bytes, Random], bytes]
    data: bytes


@dataclass(frozen=True)
class Container:
    """How a file comes apart into parts, and together again from what became of them."""

    split: Callable[[bytes], list[Part]]
    join: Callable[[list[bytes]], bytes]


def mutate_file(name: str, data: bytes, rng: Random) -> bytes:
    """A file, named for its kind, after one change; every fifth change is to its bytes as they lie on the disk."""
    container = container_of(name)
    if container is None or rng.random() < 0.2:
        return mutate_bytes(data, rng)
    try:
        parts = container.split(data)
    except (ValueError, struct.error, zlib.error, zipfile.BadZipFile, OSError, EOFError):  # by an earlier change
        return mutate_bytes(data, rng)
    victim = rng.randrange(len(parts))
    parts[victim] = replace(parts[victim], data=parts[victim].mutate(parts[victim].data, rng))
    return container.join([part.data for part in parts])


def container_of(name: str) -> Container | None:
    """By the longest extension that is known."""
    return next((CONTAINERS[end] for end in sorted(CONTAINERS, key=len, reverse=True) if name.endswith(end)), None)


def _whole(mutate: Callable[[bytes, Random], bytes]) -> Container:
    return Container(lambda data: [Part(mutate, data)], lambda parts: parts[0])


def _headed(marker: bytes) -> Container:
    """A header of text up to and with a marker, and a body."""

    def split(data: bytes) -> list[Part]:
        end = data.index(marker) + len(marker)
        return [Part(mutate_text, data[:end]), Part(mutate_bytes, data[end:])]

    return Container(split, b"".join)


def _split_glb(data: bytes) -> list[Part]:
    (length,) = struct.unpack_from("<I", data, 12)
    body = data[20 + length :]
    return [Part(mutate_json, data[20 : 20 + length].rstrip()), Part(mutate_bytes, body[8:])]


def _join_glb(parts: list[bytes]) -> bytes:
    text, body = (part + fill * (-len(part) % 4) for part, fill in zip(parts, (b" ", b"\0"), strict=True))
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(body), 0x004E4942) + body
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _split_npy(data: bytes) -> list[Part]:
    (length,) = struct.unpack_from("<H", data, 8)
    return [Part(mutate_text, data[10 : 10 + length].rstrip()), Part(mutate_bytes, data[10 + length :])]


def _join_npy(parts: list[bytes]) -> bytes:
    header = parts[0] + b" " * (-(len(parts[0]) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) % 65536) + header + parts[1]


def _split_png(data: bytes) -> list[Part]:
    """Each chunk as its four letters and its body; the pixels are unpacked."""
    parts, at = [], 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        parts.append(Part(_after_name, kind + (zlib.decompress(body) if kind == b"IDAT" else body)))
        at += 12 + length
    return parts


def _after_name(chunk: bytes, rng: Random) -> bytes:
    return chunk[:4] + mutate_bytes(chunk[4:], rng) if rng.random() < 0.9 else mutate_bytes(chunk, rng)


def _join_png(parts: list[bytes]) -> bytes:
    chunks = [part[:4] + (zlib.compress(part[4:]) if part[:4] == b"IDAT" else part[4:]) for part in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk[4:])) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )


def _split_npz(data: bytes) -> list[Part]:
    """The arrays' headers and values, and last the names, one a line."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        arrays = [part for name in names for part in _split_npy(archive.read(name))]
    return [*arrays, Part(mutate_text, "\n".join(names).encode())]


def _join_npz(parts: list[bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        names = parts[-1].decode("latin-1").replace("\0", "?").split("\n")
        for i, name in enumerate(dict.fromkeys(names)):
            pair = parts[2 * i : 2 * i + 2] if 2 * i + 2 < len(parts) else parts[:2]
            # a name alone would be stamped with the time of day
            archive.writestr(zipfile.ZipInfo(name[:200]), _join_npy(pair), zipfile.ZIP_DEFLATED)
    return written.getvalue()


def _gzipped(inner: Container) -> Container:
    return Container(
        lambda data: inner.split(gzip.decompress(data)), lambda parts: gzip.compress(inner.join(parts), mtime=0)
    )


def _cut(at: int) -> Container:
    """A header of so many bytes and a body, so that both get the same share of the damage."""
    return Container(lambda data: [Part(mutate_bytes, data[:at]), Part(mutate_bytes, data[at:])], b"".join)


def _deflated_mha() -> Container:
    """The header, and the values unpacked; the header's size of the packed data is left as the first writer put it."""
    plain = _headed(b"LOCAL\n")

    def split(data: bytes) -> list[Part]:
        header, body = plain.split(data)
        return [header, replace(body, data=zlib.decompress(body.data))]

    return Container(split, lambda parts: parts[0] + zlib.compress(parts[1]))


TEXT, TREE = _whole(mutate_text), _whole(mutate_json)
NIFTI = _cut(352)

CONTAINERS: dict[str, Container] = {
    **dict.fromkeys((".obj", ".mtl", ".txt", ".toml", ".nhdr", ".mhd", ".csv", "_ascii.ply", "_ascii.stl"), TEXT),
    **dict.fromkeys((".json", ".gltf"), TREE),
    ".ply": _headed(b"end_header\n"),
    ".stl": _cut(84),
    ".glb": Container(_split_glb, _join_glb),
    ".npy": Container(_split_npy, _join_npy),
    ".npz": Container(_split_npz, _join_npz),
    ".png": Container(_split_png, _join_png),
    ".nrrd": _headed(b"\n\n"),
    ".vti": _headed(b"<AppendedData"),
    "_ascii.vti": TEXT,
    ".mha": _headed(b"LOCAL\n"),
    "_packed.mha": _deflated_mha(),
    ".nii": NIFTI,
    ".nii.gz": _gzipped(NIFTI),
}
"""By the end of a file's name; others are bytes and nothing else."""
