"""Every setting of a settings class as one record: for `--help`, `invrender settings` and the documentation."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from invrender.run.settings import Flag, Range, RunSettings, described, hints, key_of, notes, unset

TYPES = {int: "whole number", float: "number", bool: "true or false", str: "text", Path: "path"}
NO_BOUND = 1e9  # beyond which a bound is there for the computer's sake, and nothing that people ask for
PLACEHOLDERS = {int: "N", float: "X"}


@dataclass(frozen=True)
class Record:
    """One setting.

    Attributes:
        name: as `--set`, a file or the environment call it.
        flag: `--name`, if it has one.
        type: in words.
        placeholder: what stands for the value in a command line; empty for switches.
        default: the value unless given, as `--set` takes it, or what happens then, in words; empty: it has to be given.
        range: the numbers that it may be, in words; empty: all.
        choices: the texts that it may be; those in capitals stand for others. Empty: whatever the type allows.
        presets: the values that presets give it, by preset.
        meaning: in a sentence or two.
        panel: the heading under which `--help` lists the flag; None: that of its method.
    """

    name: str
    flag: str | None
    type: str
    placeholder: str
    default: str
    range: str
    choices: tuple[str, ...]
    presets: Mapping[str, str]
    meaning: str
    panel: str | None


def records(cls: type[RunSettings], presets: Mapping[str, Mapping[str, object]]) -> list[Record]:
    """The settings of a class in their order, the common ones first; `presets` are values by preset."""
    offered = [each for each in dataclasses.fields(cls) if each.init and each.name not in ("method", *cls.UNUSED)]
    return [_record(cls, field, presets) for field in offered]


def _record(
    cls: type[RunSettings], field: dataclasses.Field[Any], presets: Mapping[str, Mapping[str, object]]
) -> Record:
    key, kinds = key_of(cls, field.name), kinds_of(cls, field.name)
    allowed = next((note for note in notes(cls, field.name) if isinstance(note, Range)), None)
    choices, placeholder = _alternatives(field.name, kinds, None if key is None else key.metavar)
    return Record(
        name=field.name,
        flag=f"--{field.name.replace('_', '-')}" if isinstance(key, Flag) else None,
        type=_type(kinds),
        placeholder=placeholder,
        default=_default(cls, field),
        range=_range(allowed),
        choices=choices,
        presets={name: spelled(values[field.name]) for name, values in presets.items() if field.name in values},
        meaning="" if key is None else key.help,
        panel=key.panel if isinstance(key, Flag) else None,
    )


def spelled(value: object) -> str:
    """A value as `--set` takes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, tuple | list):
        return ",".join(spelled(item) for item in value)
    return "auto" if value is None else str(value)


def kinds_of(cls: type[Any], name: str) -> tuple[Any, ...]:
    """The types of a field, but None."""
    hint = hints(cls)[name]
    hint = typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint
    members = (hint,) if typing.get_origin(hint) in (Literal, tuple) else typing.get_args(hint) or (hint,)
    return tuple(kind for kind in members if kind is not type(None))


def _range(allowed: Range | None) -> str:
    if allowed is None or allowed.least <= -NO_BOUND:
        return ""
    return described(dataclasses.replace(allowed, most=float("inf")) if allowed.most >= NO_BOUND else allowed)


def _default(cls: type[RunSettings], field: dataclasses.Field[Any]) -> str:
    if field.default is dataclasses.MISSING:
        return ""
    if field.default is None:
        return unset(cls, field.name)
    return spelled(field.default) or "none"


def _type(kinds: Sequence[Any]) -> str:
    if typing.get_origin(kinds[0]) is Literal:
        return "choice"
    listed = typing.get_args(kinds[0]) if typing.get_origin(kinds[0]) is tuple else ()
    return f"list of {TYPES[listed[0]]}s" if listed else TYPES[kinds[0]]


def _alternatives(name: str, kinds: Sequence[Any], metavar: str | None) -> tuple[tuple[str, ...], str]:
    """What a setting may be, where that can be told, and what stands for it in a command line."""
    literal = typing.get_args(kinds[0]) if typing.get_origin(kinds[0]) is Literal else ()
    choices = (choices_of(metavar) if metavar else ()) or tuple(map(str, literal))
    if kinds[0] is bool:
        return ("true", "false"), ""
    if choices:
        return choices, name.upper()
    usual = "FILE" if kinds[0] is Path else name.upper()
    return (), metavar or PLACEHOLDERS.get(kinds[0], usual)


def alternatives(cls: type[Any], name: str) -> tuple[str, ...]:
    """What a setting may be on a command line, where that can be told; none of a switch."""
    key, kinds = key_of(cls, name), kinds_of(cls, name)
    return () if kinds[0] is bool else _alternatives(name, kinds, None if key is None else key.metavar)[0]


def choices_of(metavar: str) -> tuple[str, ...]:
    """`orbit|sphere|FILE` as its alternatives; those in capitals stand for others. Empty where all of them are."""
    found = tuple(metavar.split("|"))
    return found if any(word.islower() for word in found) else ()
