"""Finding what the user named: existing files, known extensions, and the nearest name where there is a slip."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from invrender.errors import InputError


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The one of the `known` names that looks most like `name`, or None where none is alike."""
    names = {other.lower(): other for other in known}
    found = difflib.get_close_matches(name.lower(), list(names), n=1, cutoff=0.6)
    return names[found[0]] if found else None


def listing(names: Iterable[str], limit: int = 5) -> str:
    """Names in one line: `a, b, c and 4 more`."""
    every = list(names)
    shown = ", ".join(every[:limit])
    return shown if len(every) <= limit else f"{shown} and {len(every) - limit} more"


def existing_file(path: Path, what: str) -> Path:
    """`path`, if it is a file.

    Args:
        path: as the user gave it.
        what: what the file should be, for the message ('mesh', 'image').

    Raises:
        InputError: it is missing (with the nearest name in its folder) or a folder.
    """
    if path.is_file():
        return path
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a {what} file", f"name a {what} file")
    raise InputError(f"there is no file {path}", _missing_remedy(path, what))


def _missing_remedy(path: Path, what: str) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"the folder {folder} does not exist either; check the path"
    names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    close = nearest(path.name, names)
    if close:
        return f"did you mean {folder / close}?"
    alike = [name for name in names if Path(name).suffix.lower() == path.suffix.lower()]
    if alike:
        return f"the {path.suffix} files there: {listing(alike)}"
    return f"there is no {what} of a similar name in {folder.resolve()}; check the path"


def check_extension(path: Path, known: Iterable[str], what: str) -> str:
    """The extension of `path` in lower case, with its dot.

    Raises:
        InputError: it is none of the `known` ones.
    """
    extension, extensions = path.suffix.lower(), tuple(known)
    if extension in extensions:
        return extension
    kind = f"'{path.suffix}'" if extension else "without an extension"
    raise InputError(f"{path.name} ({kind}) is not a known {what} format", f"use one of {', '.join(extensions)}")
