"""The header of an NRRD file: its magic, its fields and where it ends."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from invrender.errors import InputError

_LIMIT = 1 << 20
_AXES = 16  # the most that Teem takes


@dataclass(frozen=True)
class NrrdHeader:
    """What the header says.

    Attributes:
        fields: texts by name, in lower case and without blanks ('spaceorigin').
        sizes: samples along the axes, the fastest first.
        data_start: where the data begin in the same file; None where no empty line ends the header.
        following: the lines behind 'data file: LIST'.
    """

    fields: dict[str, str]
    sizes: tuple[int, ...]
    data_start: int | None
    following: tuple[str, ...]

    def vectors(self, name: str) -> list[list[float] | None]:
        """The vectors of a field such as 'spacedirections'; None for 'none' and for those with NaN."""
        found = re.findall(r"\(([^)]*)\)|\b(none)\b", self.fields[name], re.IGNORECASE)
        rows = [None if none else [float(word) for word in inside.split(",")] for inside, none in found]
        return [None if row is None or any(map(math.isnan, row)) else row for row in rows]

    def numbers(self, name: str) -> list[float]:
        """One number per axis, such as 'spacings'."""
        found = [float(word) for word in self.fields[name].split()]
        if len(found) != len(self.sizes):
            raise ValueError(f"{name}: {self.fields[name]}")
        return found

    def words(self, name: str) -> list[str]:
        """One word per axis, in lower case, such as 'kinds'; empty where there is no such field."""
        found = self.fields.get(name, "").lower().split()
        if found and len(found) != len(self.sizes):
            raise ValueError(f"{name}: {self.fields[name]}")
        return found


def parse_header(path: Path) -> NrrdHeader:
    """Read the header of a file.

    Raises:
        InputError: it is of a picture.
        ValueError, KeyError: it is none, or its sizes make no sense.
    """
    with path.open("rb") as file:
        content = file.read(_LIMIT)
    if not re.match(rb"NRRD000[1-6]\r?\n", content):
        raise ValueError("it does not begin with NRRD000x")
    ending = re.search(rb"\r?\n\r?\n", content)
    text = content[: ending.start() if ending else len(content)].decode("latin-1")
    if ending is None and len(content) == _LIMIT:
        raise ValueError("no empty line ends its header")
    fields, following = _fields(text.splitlines()[1:])
    sizes = tuple(int(word) for word in fields["sizes"].split())
    if 0 < len(sizes) < 3:
        raise InputError(f"{path} holds an array of {len(sizes)} axes, not a grid", "write a volume of three axes")
    if len(sizes) != int(fields["dimension"]) or not 3 <= len(sizes) <= _AXES or min(sizes) < 1:
        raise ValueError(f"sizes: {fields['sizes']} (dimension: {fields['dimension']})")
    return NrrdHeader(fields, sizes, ending.end() if ending else None, following)


def _fields(lines: list[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    fields: dict[str, str] = {}
    for i, line in enumerate(lines):
        if line.startswith("#") or ":=" in line.split(": ")[0]:
            continue  # a comment, or a key and its value
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError(f"the line {line[:60]!r} is no field")
        name = name.lower().replace(" ", "")
        fields[name] = value.strip()
        if name == "datafile" and value.split()[:1] == ["LIST"]:
            return fields, tuple(lines[i + 1 :])
    return fields, ()
