"""Finding what the user named: existing files, known extensions, and the nearest name where there is a slip."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from invrender.errors import InputError, printable

_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip", ".7z")
_LONGEST = 120  # characters of a name that a message quotes


def shown(name: str | bytes | Path, longest: int = _LONGEST) -> str:
    """A name as messages quote it: control characters escaped, and the middle of very long ones left out."""
    text = printable(name.decode(errors="replace") if isinstance(name, bytes) else str(name))
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]}...{text[-half:]} ({len(text)} characters)"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The one of the `known` names that looks most like `name`, or None where none is alike."""
    if len(name) > 255:  # no file is called so, and the comparison takes the square of the length
        return None
    names = {other.lower(): other for other in known}
    found = difflib.get_close_matches(name.lower(), list(names), n=1, cutoff=0.6)
    return names[found[0]] if found else None


def listing(names: Iterable[str], limit: int = 5) -> str:
    """Names in one line: `a, b, c and 4 more`."""
    every = list(names)
    first = ", ".join(shown(name) for name in every[:limit])
    return first if len(every) <= limit else f"{first} and {len(every) - limit} more"


def is_file(path: Path) -> bool:
    """Whether there is such a file; a name that no file system takes (too long, with a NUL) is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether there is such a folder; a name that no file system takes is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def entries(folder: Path) -> list[str]:
    """The names in a folder, sorted; none where it is missing or closed to us."""
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except (OSError, ValueError):
        return []


def existing_file(path: Path, what: str) -> Path:
    """`path`, if it is a file.

    Args:
        path: as the user gave it.
        what: what the file should be, for the message ('mesh', 'image').

    Raises:
        InputError: it is missing (with the nearest name in its folder) or a folder.
    """
    if is_file(path):
        return path
    if is_folder(path):
        raise InputError(f"{shown(path)} is a folder, not a {what} file", f"name a {what} file")
    raise InputError(f"there is no file {shown(path)}", _missing_remedy(path, what))


def _missing_remedy(path: Path, what: str) -> str:
    folder = path.parent
    if not is_folder(folder):
        return f"the folder {shown(folder)} does not exist either; check the path"
    names = [name for name in entries(folder) if not name.startswith(".")]
    close = nearest(path.name, names)
    if close:
        return f"did you mean {folder / close}?"
    alike = [name for name in names if Path(name).suffix.lower() == path.suffix.lower()]
    if alike and path.suffix:
        return f"the {shown(path.suffix)} files there: {listing(alike)}"
    return f"there is no {what} of a similar name in {folder.resolve()}; check the path"


def check_extension(path: Path, known: Iterable[str], what: str, others: str = "") -> str:
    """The extension of `path` in lower case, with its dot.

    Raises:
        InputError: it is none of the `known` ones; `others` is said after these.
    """
    extension, extensions = path.suffix.lower(), tuple(known)
    if extension in extensions:
        return extension
    if extension in _PACKED and Path(path.stem).suffix.lower() in extensions:
        raise InputError(f"{shown(path.name)} is compressed", f"unpack it first, to {shown(path.stem)}")
    if not extension and not is_file(path):
        raise InputError(f"there is no {shown(path)}", _missing_remedy(path, what))
    kind = f"'{shown(path.suffix)}'" if extension else "without an extension"
    remedy = f"use one of {', '.join(extensions)}{others}"
    raise InputError(f"{shown(path.name)} ({kind}) is not a known {what} format", remedy)
