"""Typed access to the JSON of a glTF file: what has another type than glTF says is refused, with its place."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invrender.errors import InputError
from invrender.io.files.paths import shown

AGAIN = "the file is damaged: export or download it again"


def parse(content: bytes, path: Path) -> Item:
    """The whole JSON document.

    Raises:
        InputError: it is not JSON, or not an object.
    """
    try:
        values = json.loads(content, object_hook=_without_nulls if b"null" in content else None)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"{path} is not valid JSON: {error.msg} ({place})", "export or download it again") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not valid JSON: it is not text in UTF-8", "export or download it again") from error
    except RecursionError as error:
        raise InputError(f"{path} is not glTF: its JSON is nested too deep", AGAIN) from error
    except ValueError as error:  # numbers of thousands of digits
        raise InputError(f"{path} is not glTF: it holds a number that is too long", AGAIN) from error
    if not isinstance(values, dict):
        raise InputError(f"{path} is not glTF: its JSON is not an object", "export or download it again")
    return Item(path, "", values)


def _without_nulls(values: dict[str, Any]) -> dict[str, Any]:
    """Fields that are null are as good as missing: several serialisers write them."""
    return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class Item:
    """A JSON object, the file that it is from, and where it stands there (`meshes[0].primitives[2]`).

    Its methods raise InputError where a field is not what it must be.
    """

    path: Path
    where: str
    values: dict[str, Any]

    def wrong(self, what: str, remedy: str = AGAIN) -> InputError:
        """An error that names the file and this place."""
        return InputError(f"{self.path}: {self.where or 'the top level'} {what}", remedy)

    def has(self, name: str) -> bool:
        """Whether the field is there."""
        return name in self.values

    def integer(self, name: str, default: int | None = None) -> int:
        """A whole number from 0 on. Without a default the field must be there."""
        value = self.values.get(name, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
            raise self._typed(name, "a whole number from 0 on")
        return value

    def index(self, name: str, count: int, what: str) -> int:
        """A whole number below `count`, how many of `what` there are."""
        value = self.integer(name)
        if value >= count:
            raise self.wrong(f"names {what} {value}, but there are {count}")
        return value

    def number(self, name: str, default: float) -> float:
        """A finite number."""
        return self._finite(name, self.values.get(name, default))

    def numbers(self, name: str, default: list[float] | None = None, count: int | None = None) -> list[float]:
        """A list of finite numbers, `count` of them (as many as the default has, where that is not given)."""
        values = self.values.get(name, default)
        expected = count if count is not None else len(default or [])
        if not isinstance(values, list) or (expected and len(values) != expected):
            raise self._typed(name, f"a list of {expected or 'some'} numbers")
        return [self._finite(name, value) for value in values]

    def text(self, name: str, default: str = "") -> str:
        """A string."""
        value = self.values.get(name, default)
        if not isinstance(value, str):
            raise self._typed(name, "text")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """True or false."""
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            raise self._typed(name, "true or false")
        return value

    def integers(self, name: str) -> list[int]:
        """A list of whole numbers from 0 on; empty where the field is missing."""
        return [Item(self.path, self.where, {name: value}).integer(name) for value in self._list(name)]

    def texts(self, name: str) -> list[str]:
        """A list of strings; empty where the field is missing."""
        return [Item(self.path, self.where, {name: value}).text(name) for value in self._list(name)]

    def items(self, name: str) -> list[Item]:
        """A list of objects; empty where the field is missing."""
        return [self._item(value, f"{name}[{i}]") for i, value in enumerate(self._list(name))]

    def item(self, name: str) -> Item | None:
        """An object, or None where the field is missing."""
        return self._item(self.values[name], name) if name in self.values else None

    def extension(self, name: str) -> Item | None:
        """The object of an extension here, or None."""
        extensions = self.item("extensions")
        return None if extensions is None else extensions.item(name)

    def _item(self, value: object, name: str) -> Item:
        where = f"{self.where}.{name}" if self.where else name
        if not isinstance(value, dict):
            raise InputError(f"{self.path}: {where} is not an object", AGAIN)
        return Item(self.path, where, value)

    def _list(self, name: str) -> list[Any]:
        values = self.values.get(name, [])
        if not isinstance(values, list):
            raise self._typed(name, "a list")
        return values

    def _finite(self, name: str, value: object) -> float:
        good = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
        if not good or not math.isfinite(value):  # type: ignore[arg-type]
            raise self._typed(name, "a finite number")
        return float(value)  # type: ignore[arg-type]

    def _typed(self, name: str, kind: str) -> InputError:
        if name not in self.values:
            return self.wrong(f"has no '{name}'")
        return self.wrong(f"has a '{name}' that is not {kind}: {shown(repr(self.values[name]), 40)}")
