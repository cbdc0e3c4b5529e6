"""Typed access to the tables of a scene file: what is no number, no colour or no known key is refused with its place.

Words that are spelled in two ways in English (color, centre) may be.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from invrender.errors import InputError
from invrender.io.files.paths import is_file, listing, nearest, shown
from invrender.nouns.appearance import Colour
from invrender.nouns.light import Vector

_SPELLINGS = {"color": "colour", "centre": "center"}
LARGEST, SMALLEST = 1e18, 1e-18  # of any number: squares still fit into float32. What is smaller counts as 0


@dataclass(frozen=True)
class Table:
    """A table of a scene file. Its methods raise InputError where a value is not what it must be.

    Attributes:
        path: the file.
        where: how messages call the table ("[[light]] 'sun'"); empty: the top level.
        values: its keys and values.
    """

    path: Path
    where: str
    values: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def of(path: Path, where: str, values: dict[str, Any]) -> Table:
        """A table, its keys in one spelling."""
        table = Table(path, where, {_SPELLINGS.get(key, key): value for key, value in values.items()})
        if len(table.values) < len(values):
            twice = next(key for key, other in _SPELLINGS.items() if key in values and other in values)
            raise table.wrong(f"has both '{twice}' and '{_SPELLINGS[twice]}'", "leave one of them out")
        return table

    def wrong(self, what: str, remedy: str) -> InputError:
        """An error that names the file and this table."""
        return InputError(f"{shown(self.path)}: {self.where or 'the top level'} {what}", remedy)

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self.values

    def check_keys(self, known: Iterable[str], elsewhere: Iterable[str] = ()) -> None:
        """Refuse keys that are not known; those of the top level (`elsewhere`) are sent there."""
        names = tuple(known)
        for key in self.values:
            if key in names:
                continue
            if key in elsewhere:
                raise self.wrong(f"has '{key}', which belongs to the whole file", "move it above the first [table]")
            close = nearest(key, names)
            hint = f"did you mean '{close}'? " if close else ""
            raise self.wrong(f"has '{shown(key)}', which is not known there", f"{hint}known are {', '.join(names)}")

    def check_alone(self, key: str, others: Iterable[str]) -> None:
        """Refuse other keys beside one that says it all."""
        beside = [other for other in others if self.has(other)]
        if self.has(key) and beside:
            raise self.wrong(f"has both '{key}' and {listing(f'{name!r}' for name in beside)}", "leave one of them out")

    def number(
        self,
        key: str,
        default: float | None = None,
        *,
        least: float = -LARGEST,
        most: float = LARGEST,
        above: float | None = None,
        below: float | None = None,
    ) -> float:
        """A number within limits; without a default the key must be there.

        Args:
            key: of the number.
            default: where the key is missing.
            least, most: limits that it may reach.
            above, below: limits that it may not reach.
        """
        if not self.has(key):
            if default is None:
                raise self.wrong(f"has no '{key}'", f"add `{key} = ...`, a number")
            return default
        value = self._finite(key, self.values[key])
        inside = least <= value <= most and (above is None or value > above) and (below is None or value < below)
        if not inside:
            stated = shown(repr(self.values[key]), 60)
            raise self.wrong(f"has {key} = {stated}", f"use a number {_range(least, most, above, below)}")
        return value

    def vector(self, key: str, default: Vector | None = None) -> Vector:
        """Three numbers."""
        x, y, z = self.numbers(key, 3, default)
        return x, y, z

    def direction(self, key: str, default: Vector | None = None) -> Vector:
        """Three numbers that are not all 0."""
        found = self.vector(key, default)
        if not any(found):
            stated = shown(repr(self.values[key]), 60)
            raise self.wrong(f"has {key} = {stated}, which is no direction", "give it a length: [0, 1, 0] is upwards")
        return found

    def colour(self, key: str, default: Colour | None = None, most: float = LARGEST) -> Colour:
        """Linear RGB from 0 to `most`: three numbers, or one that stands for grey."""
        if not self.has(key):
            if default is None:
                raise self.wrong(f"has no '{key}'", f"add `{key} = [red, green, blue]`, or one number")
            return default
        value = self.values[key]
        numbers = value if isinstance(value, list) else [value] * 3
        if len(numbers) != 3 or isinstance(value, str | bool | dict):
            raise self._typed(key, "a number or three [red, green, blue]")
        red, green, blue = (self._finite(key, number) for number in numbers)
        if min(red, green, blue) < 0:
            raise self.wrong(f"has a negative number in {key} = {shown(repr(value), 60)}", "use numbers from 0")
        if max(red, green, blue) > most:
            raise self.wrong(f"has {key} = {shown(repr(value), 60)}", f"use numbers from 0 to {most:g}")
        return red, green, blue

    def numbers(self, key: str, count: int, default: Iterable[float] | None = None) -> list[float]:
        """A list of so many numbers; without a default the key must be there."""
        if not self.has(key) and default is not None:
            return list(default)
        if not self.has(key):
            raise self.wrong(f"has no '{key}'", f"add `{key} = [...]`, {count} numbers")
        values = self.values[key]
        if not isinstance(values, list) or len(values) != count:
            raise self._typed(key, f"a list of {count} numbers")
        return [self._finite(key, value) for value in values]

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not empty; without a default the key must be there."""
        value = self.values.get(key, default)
        if not isinstance(value, str) or not value.strip():
            raise self._typed(key, 'a text in quotes ("...")')
        return value

    def choice(self, key: str, known: Iterable[str], others: str = "") -> str:
        """One of the texts that are known; `others` is said after these."""
        names = tuple(known)
        value = self.text(key) if self.has(key) else None
        if value is None:
            raise self.wrong(f"has no '{key}'", f"add `{key} = ...`, one of {', '.join(names)}{others}")
        if value not in names:
            close = nearest(value, names)
            hint = f"did you mean '{close}'? " if close else ""
            raise self.wrong(f"has {key} = '{shown(value)}'", f"{hint}known are {', '.join(names)}{others}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self._typed(key, "true or false")
        return value

    def file(self, key: str, what: str) -> Path:
        """The file that a text names, relative to the scene's folder; it exists."""
        name = self.text(key)
        path = self.path.parent / name
        if is_file(path):
            return path
        slashed = self.path.parent / name.replace("\\", "/")
        if is_file(slashed):
            return slashed
        raise self._missing(name, slashed, what)

    def table(self, key: str) -> Table | None:
        """The table of that name, or None."""
        if not self.has(key):
            return None
        if not isinstance(self.values[key], dict):
            raise self._typed(key, f"a table: write [{key}] above its keys")
        return Table.of(self.path, f"[{key}]", self.values[key])

    def tables(self, key: str) -> list[Table]:
        """The tables [[key]], in their order; one written [key] counts as the only one."""
        values = self.values.get(key, [])
        every = [values] if isinstance(values, dict) else values
        if not isinstance(every, list) or not all(isinstance(value, dict) for value in every):
            raise self._typed(key, f"a list of tables: write [[{key}]] above the keys of each")
        return [Table.of(self.path, _called(key, number, value), value) for number, value in enumerate(every, 1)]

    def _finite(self, key: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._typed(key, "a number")
        if not abs(value) <= LARGEST or not math.isfinite(value):
            raise self.wrong(
                f"has {key} = {shown(repr(self.values[key]), 60)}", f"use finite numbers, {LARGEST:g} at most"
            )
        return float(value) if abs(value) >= SMALLEST else 0.0

    def _typed(self, key: str, kind: str) -> InputError:
        if not self.has(key):
            return self.wrong(f"has no '{key}'", f"add `{key} = ...`, {kind}")
        return self.wrong(f"has {key} = {shown(repr(self.values[key]), 60)}", f"write {kind}")

    def _missing(self, name: str, path: Path, what: str) -> InputError:
        from invrender.io.files.paths import entries, is_folder

        if is_folder(path):
            return self.wrong(f"names {shown(name)}, which is a folder", f"name a {what} file")
        if not is_folder(path.parent):
            return self.wrong(
                f"names {shown(name)}, which is missing", f"there is no folder {shown(path.parent)} either"
            )
        close = nearest(path.name, [entry for entry in entries(path.parent) if not entry.startswith(".")])
        remedy = f"did you mean {shown(Path(name).parent / close)}?" if close else f"put it into {shown(path.parent)}"
        return self.wrong(f"names {shown(name)}, which is missing", remedy)


def _called(key: str, number: int, values: dict[str, Any]) -> str:
    """How messages call one of several tables: by its name, or else by its number."""
    name = values.get("name")
    return f"[[{key}]] '{shown(name)}'" if isinstance(name, str) and name else f"[[{key}]] number {number}"


def _range(least: float, most: float, above: float | None, below: float | None) -> str:
    """Limits in words."""
    low = f"above {above:g}" if above is not None else f"from {least:g}" if least > -LARGEST else ""
    high = f"below {below:g}" if below is not None else f"up to {most:g}" if most < LARGEST else ""
    return " and ".join(part for part in (low, high) if part)
