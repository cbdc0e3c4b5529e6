"""TOML files: read with every fault named that a file can have, and written flat, with lists on one line."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import tomli_w

from invrender.errors import InputError
from invrender.io.files.paths import existing_file, shown

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_LARGEST = 2**26  # bytes; a scene of a thousand lights takes a thousandth of that


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """The keys and values of a file, a byte order mark before them or not.

    Args:
        path: of the file.
        what: what the file holds, for the message ('scene').

    Raises:
        InputError: it is missing, a folder, too large, not text, or not TOML (with the line).
    """
    existing_file(path, what)
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{shown(path)} is too large to be a {what} file", "keep meshes and pictures in their own")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{shown(path)} cannot be read: {error.strerror}", "check its permissions") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{shown(path)} is not text in UTF-8", "save it as UTF-8 in a text editor") from error
    return _parsed(path, text)


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # not TOML, integers of thousands of digits, deep nesting
        reason = shown(str(error).partition(";")[0])
        raise InputError(
            f"{shown(path)} is not TOML: {reason}", "write one `key = value` per line, texts in quotes"
        ) from error


def toml_text(table: dict[str, Any]) -> str:
    """A table as TOML, each list on a line of its own."""
    text = tomli_w.dumps(table)  # a text holds no line end, only its escape: those here are of lists and keys
    for broken, joined in ((r",\n\s*\]", "]"), (r"\[\n\s*", "["), (r",\n\s*", ", ")):
        text = re.sub(broken, joined, text)
    return text
