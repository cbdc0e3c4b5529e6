"""Files that a mesh file names: found although written on another machine.

A name may hold backslashes, quotes, percent signs for characters, another case or coding than on disk, or the folders
of the machine it was made on; of those the last ones are looked for beside the file that names it, longest tail first.
"""

from __future__ import annotations

import contextlib
import os
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

_CODINGS = ("cp1252", "gbk", "shift_jis", "euc_kr", "cp1251")  # what programs on Windows wrote before UTF-8


def find_file(name: str, folders: Sequence[Path]) -> Path | None:
    """The file that a name means, or None.

    Args:
        name: as the file has it.
        folders: where to look, in order.
    """
    for spelling in _spellings(name):
        for parts in _tails(spelling):
            for folder in folders:
                found = _descend(folder, parts)
                if found is not None:
                    return found
    return None


def _spellings(name: str) -> Iterator[str]:
    """The name as it is, then what it means if it is percent-encoded, or its characters are bytes of another coding."""
    yield name
    if "%" in name:
        yield unquote(name)
    if name.isascii() or not all(ord(letter) < 256 for letter in name):
        return
    raw = name.encode("latin-1")
    yield os.fsdecode(raw)
    for coding in _CODINGS:
        with contextlib.suppress(UnicodeDecodeError):
            yield raw.decode(coding)


def _tails(name: str) -> Iterator[tuple[str, ...]]:
    """The folders and name of a path, as it is and then without its first folders; nothing where there is no name."""
    text = name.strip().strip("\"'").strip()
    if "\0" in text or len(text) > 4096:  # no system has such a path
        return
    yield from ((text,),) if text and "/" not in text and "\\" not in text else ()
    parts = PurePosixPath(text.replace("\\", "/")).parts
    for k in range(len(parts)):
        yield parts[k:]


def _descend(folder: Path, parts: tuple[str, ...]) -> Path | None:
    """A file below a folder, by its exact name or else by one that differs in case or accents only."""
    try:
        if (folder.joinpath(*parts)).is_file():
            return folder.joinpath(*parts)
        for part in parts:
            if part.endswith(":") or part == "/":
                return None
            folder = folder / part if part == ".." or (folder / part).exists() else _other_case(folder, part)
        return folder if folder.is_file() else None
    except OSError:  # a name too long, or a folder that may not be read
        return None


def _other_case(folder: Path, name: str) -> Path:
    alike = sorted(entry for entry in folder.iterdir() if _same(entry.name) == _same(name))
    return alike[0] if alike else folder / name


def _same(name: str) -> str:
    """What names share that differ in case, or in whether an accent is a character of its own (as macOS has it)."""
    return unicodedata.normalize("NFC", name).lower()
