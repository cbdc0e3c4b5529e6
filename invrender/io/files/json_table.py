"""JSON files that hold an object: read with every fault named that a file of that kind can have."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

from invrender.errors import InputError
from invrender.io.files.paths import existing_file, nearest, shown

_LARGEST = 256 * 2**20  # bytes; a list of 100,000 poses takes a fifth of that
_OTHER_TEXT = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # UTF-32's marks start or end with the same bytes


def read_json_table(path: Path, what: str, example: str) -> dict[str, Any]:
    """The object in a JSON file (RFC 8259), a byte order mark before it or not.

    Args:
        path: of the file.
        what: what the file holds, for the message ('pose').
        example: the object that belongs there, for the message.

    Raises:
        InputError: the file is missing, too large, no JSON (with line and column), nested too deeply, or names a field
            twice.
    """
    text = _text(existing_file(path, what))
    try:
        table = json.loads(text, object_pairs_hook=_single)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        cause = f"is not valid JSON at {place}: {error.msg}" if text.strip() else "is empty"
        raise InputError(f"{shown(path)} {cause}", _remedy(text, error, example)) from error
    except RecursionError as error:
        raise InputError(f"{shown(path)} is nested too deeply to be a {what} file", f"write {example}") from error
    except ValueError as error:  # a field named twice, or an integer of thousands of digits
        raise InputError(f"{shown(path)} cannot be used: {str(error).partition(';')[0]}", "correct it") from error
    if not isinstance(table, dict):
        raise InputError(f"{shown(path)} holds no object of fields", f"write {example}")
    return table


def _remedy(text: str, error: json.JSONDecodeError, example: str) -> str:
    """What to do about a text that is no JSON: people write it as Python or JavaScript, where more is allowed."""
    there = text[error.pos :].lstrip()
    if not there.strip("\0"):
        return f"write {example}" if not text.strip() else "the file is cut short or followed by other bytes"
    if there.startswith(("//", "/*", "#")):
        return "delete the comment: JSON has none"
    if there[0] in "}]" and text[: error.pos].rstrip().endswith(","):
        return "delete the comma before it"
    if there[0] == "'":
        return "write names and texts in double quotes"
    return "correct that place in the file"


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            raise InputError(f"{shown(path)} takes {size / 2**20:.0f} MiB, above the limit of 256", "split the dataset")
        content = path.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{shown(path)} cannot be read: {error.strerror}", "check its permissions") from error
    except UnicodeDecodeError as error:
        kind = "UTF-16 text, not" if content[:2] in _OTHER_TEXT else "not text in"
        raise InputError(f"{shown(path)} is {kind} UTF-8", "save it as UTF-8") from error


def _single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's fields; of one that is there twice, readers disagree which counts."""
    table = dict(pairs)
    if len(table) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the field '{shown(twice)}' is there twice")
    return table


def check_names(path: Path, table: dict[str, Any], known: tuple[str, ...], what: str) -> None:
    """Refuse a table with a field that is none of those known.

    Args:
        path: the file that holds it.
        table: its fields.
        known: the names that it may have.
        what: the table is of, such as "a camera".

    Raises:
        InputError: naming the field, and the nearest one.
    """
    for name in table:
        if name not in known:
            close = nearest(name, known)
            hint = f"did you mean '{close}'? " if close else ""
            raise InputError(
                f"{shown(path)} has the field '{shown(name)}', which {what} does not know",
                f"{hint}known are {', '.join(known)}",
            )
