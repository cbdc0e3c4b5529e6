"""The header of a .ply file: its elements, their properties, and its comments.

Source: G. Turk, The PLY polygon file format, 1994; the names with bits (int32, float64) are a later custom.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from invrender.errors import InputError
from invrender.io.files.paths import shown
from invrender.io.meshes.text import decoded

AGAIN = "the file is damaged: export or download it again"

_TYPES = {"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4"}
_TYPES |= {"int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4"}
_TYPES |= {"float32": "f4", "float64": "f8", "double": "f8", "int64": "i8", "uint64": "u8", "long": "i8"}
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_MAX_HEADER = 2**20


@dataclass(frozen=True)
class Property:
    """A property of each row of an element.

    Attributes:
        name: in lower case.
        kind: the type of its numbers, without byte order.
        length: the type of the number of numbers before a list; None for a single number.
    """

    name: str
    kind: np.dtype
    length: np.dtype | None = None


@dataclass(frozen=True)
class Element:
    """A table of the file: `count` rows, each with these properties in turn."""

    name: str
    count: int
    properties: tuple[Property, ...]

    @property
    def least(self) -> int:
        """The bytes that a row takes at least (lists empty)."""
        return sum((each.length or each.kind).itemsize for each in self.properties)


@dataclass(frozen=True)
class Header:
    """What stands before the data.

    Attributes:
        order: '' for ASCII, '<' or '>' for the byte order of a binary file.
        elements: in the order of the data.
        comments: without the word itself.
        size: bytes of the header; the data begin there.
    """

    order: str
    elements: tuple[Element, ...]
    comments: tuple[str, ...]
    size: int


def read_header(path: Path, content: bytes) -> Header:
    """Read the header of a file's content.

    Raises:
        InputError: it is missing, or a line of it cannot be read (by number).
    """
    end = re.search(rb"(?:^|[\r\n])[ \t]*end_header[ \t]*(\r\n|\n|\r)", content[:_MAX_HEADER] + b"\n")
    if not re.match(rb"ply[ \t]*[\r\n]", content) or end is None:
        raise InputError(f"{path} is not a .ply file (its header is missing)", AGAIN)
    lines = content[: end.start()].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    order, elements, comments = None, list[Element](), list[str]()
    for number, line in enumerate(lines[1:], 2):
        words = decoded(line).split()
        if words[:1] == ["format"] and len(words) > 1:
            order = _ORDERS.get(words[1])
        elif words[:1] in (["comment"], ["obj_info"]):
            comments.append(decoded(line).strip().partition(" ")[2].strip())
        elif words:
            try:
                _declare(elements, words)
            except (ValueError, KeyError, IndexError) as error:
                text = shown(line)
                raise InputError(f"{path}, line {number} of the header cannot be read: '{text}'", AGAIN) from error
    if order is None:
        raise InputError(f"{path} does not say whether it is ascii, or binary of which byte order", AGAIN)
    return Header(order, tuple(elements), tuple(comments), min(end.end(), len(content)))


def _declare(elements: list[Element], words: list[str]) -> None:
    """Add an element, or a property to the last one.

    Raises:
        ValueError, KeyError, IndexError: the words are neither.
    """
    if words[0] == "element":
        if not re.fullmatch(r"\d{1,15}", words[2]) or words[1].lower() in (each.name for each in elements):
            raise ValueError(words[2])
        elements.append(Element(words[1].lower(), int(words[2]), ()))
        return
    if words[0] != "property":
        raise ValueError(words[0])
    last = elements.pop()
    is_list = words[1] == "list"
    name, kind = (words[4], words[3]) if is_list else (words[2], words[1])
    length = np.dtype(_TYPES[words[2]]) if is_list else None
    if length is not None and length.kind == "f":
        raise ValueError(words[2])
    added = Property(name.lower(), np.dtype(_TYPES[kind]), length)
    if added.name in (each.name for each in last.properties):
        raise ValueError(name)
    elements.append(Element(last.name, last.count, (*last.properties, added)))
