"""The data of volumes whose header is text (MetaImage, NRRD): which files hold it, unpacked no further than promised.

A header may only name files in its own folder or below, so that an archive from elsewhere reads nothing else.
"""

from __future__ import annotations

import bz2
import gzip
import re
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Literal

from invrender.errors import InputError
from invrender.io.files.memory import check_room
from invrender.io.files.paths import nearest

TO_THE_END = -1
_LONGEST = 1000  # letters of a file's name with its folders
_GZIP = b"\x1f\x8b"
_MOST_DEFLATED = 1100  # a deflated byte holds at most 1032 (https://zlib.net/zlib_tech.html)
Packing = Literal["zlib", "gzip", "bzip2"]
"""How data are packed; zlib may turn out to be gzip."""

_PATTERN = re.compile(r"%(0?\d{0,2})d")


@dataclass(frozen=True)
class Part:
    """A stretch of a file that holds samples.

    Attributes:
        path: of the file.
        start: where the stretch begins, or `TO_THE_END`: as many bytes as needed before the file's end.
        attached: whether the header precedes the data in the same file.
    """

    path: Path
    start: int = 0
    attached: bool = False


def beside(header: Path, name: str) -> Path:
    """The file that a header names, looked for in its folder; another case of the letters will do.

    Raises:
        InputError: it is missing, or would lie outside that folder.
    """
    plain = name.replace("\\", "/")
    parts = PurePosixPath(plain)
    if len(name) > _LONGEST:
        raise InputError(f"{header} says that its data is in a file with a name of {len(name)} letters", "correct it")
    if parts.is_absolute() or PureWindowsPath(name).drive or ".." in parts.parts or not plain.isprintable():
        raise InputError(
            f"{header} says that its data is in {name!r}, outside its own folder",
            f"put that file beside {header.name} and write its name alone into the header",
        )
    path = header.parent / parts
    if path.is_file():
        return path
    names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    alike = [entry for entry in names if entry.lower() == path.name.lower()]
    if alike and (path.parent / alike[0]).is_file():
        return path.parent / alike[0]
    close = nearest(path.name, [entry for entry in names if entry != header.name])
    hint = f" (or write {close} into the header, if that is it)" if close else ""
    raise InputError(f"{header} says that its data is in {name}, which is not there", f"put both side by side{hint}")


def numbered(header: Path, pattern: str, numbers: range, limit: int) -> list[Path]:
    """The files of a pattern such as slice_%03d.raw, of which there may be at most `limit`.

    Raises:
        InputError: the pattern makes no sense, or a file is missing.
    """
    if len(_PATTERN.findall(pattern)) != 1 or pattern.count("%") != 1 or not 0 < len(numbers) <= limit:
        raise InputError(
            f"{header} names its data {pattern} for {len(numbers)} numbers, which fits no grid of {limit} slices",
            "use one %d, such as slice_%03d.raw, and the first number, the last and the step",
        )
    width = _PATTERN.findall(pattern)[0] or "1"
    return [beside(header, _PATTERN.sub(f"{number:{width}d}", pattern)) for number in numbers]


def raw_bytes(part: Part, needed: int) -> tuple[bytes, int]:
    """`needed` bytes of a part as they are, and how many there are beyond them; fewer where the file ends before."""
    size = part.path.stat().st_size
    start = max(0, size - needed) if part.start == TO_THE_END else part.start
    if size - start < needed:
        return b"", size - start - needed
    with part.path.open("rb") as file:
        file.seek(start)
        return file.read(needed), size - start - needed


def unpacked(part: Part, needed: int, kind: Packing) -> tuple[bytes, int]:
    """`needed` bytes of a part that is packed, and 1 where there are more; fewer, and how many lack, else.

    Raises:
        MemoryLimitError: that many do not fit.
        OSError, EOFError, zlib.error: it is damaged.
    """
    packed = part.path.stat().st_size - part.start
    if kind != "bzip2" and needed > _MOST_DEFLATED * max(packed, 1):
        return b"", -needed
    check_room(part.path, needed)
    with part.path.open("rb") as file:
        file.seek(part.start)
        if kind == "zlib" and file.read(2) != _GZIP:
            file.seek(part.start)
            data = zlib.decompressobj().decompress(file.read(), needed + 1)
            return data[:needed], len(data) - needed
        file.seek(part.start)
        stream = bz2.BZ2File(file) if kind == "bzip2" else gzip.GzipFile(fileobj=file)
        data = stream.read(needed)
        return data, 1 if len(data) == needed and _goes_on(stream) else len(data) - needed


def _goes_on(stream: bz2.BZ2File | gzip.GzipFile) -> bool:
    try:
        return bool(stream.read(1))
    except (OSError, EOFError):  # something else follows, such as a line break: the data are whole
        return False
