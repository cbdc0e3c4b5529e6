"""Values of settings: from texts and TOML to what a dataclass's annotations ask for, and back to TOML."""

from __future__ import annotations

import json
import math
import sys
import types
import typing
from pathlib import Path
from typing import Any, Literal, Union

from invrender.errors import InputError, UsageError
from invrender.io.files.paths import nearest

AUTO, NONE = "auto", "none"  # how "no value" is spelled in text and TOML, which has no null; the second one is older
TRUE = ("1", "true", "yes", "on")
FALSE = ("0", "false", "no", "off")


def parsed(text: str, kind: Any, key: str, where: str) -> Any:
    """The value that a text from the environment or --set stands for."""
    allowed = members(kind)
    if type(None) in allowed and is_unset(text.lower(), kind):
        return None
    base = next(option for option in allowed if option is not type(None))
    if typing.get_origin(base) is tuple:
        items = [item.strip() for item in text.strip("()[] ").split(",") if item.strip()]
        return typed([_guess(item) for item in items], kind, key, where)
    value: Any = text
    if base is bool and text.lower() in TRUE + FALSE:
        value = text.lower() in TRUE
    elif base in (int, float) or (typing.get_origin(base) is Literal and text not in typing.get_args(base)):
        value = _guess(text)
    return typed(value, kind, key, where)


def _guess(text: str) -> int | float | str:
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def typed(value: Any, kind: Any, key: str, where: str) -> Any:
    """`value` as the field's type has it, or a UsageError that says what it should have been."""
    for option in members(kind):
        if option is type(None) and is_unset(value, kind):
            return None
        fits, result = _fit(value, option)
        if fits:
            return result
    choices = [str(item) for option in members(kind) for item in typing.get_args(option) if isinstance(item, str)]
    near = nearest(str(value), choices)
    raise UsageError(
        f"{where} sets {key} to {value!r}, which is not {_describe(kind)}",
        f"did you mean {near}?" if near else f"give {_describe(kind)} for {key}",
    )


def _fit(value: Any, option: Any) -> tuple[bool, Any]:  # noqa: PLR0911 - one line per type reads best
    if option is type(None):
        return value is None, None
    origin, arguments = typing.get_origin(option), typing.get_args(option)
    if origin is Literal:
        return value in arguments, value
    if origin is tuple:
        return _fit_tuple(value, arguments)
    if option is Path:
        return isinstance(value, str | Path), Path(value) if isinstance(value, str | Path) else value
    number = isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and _is_small(value))
    if option is float:
        return number, float(value) if number else value
    if option is int:
        return number and float(value).is_integer(), int(value) if number and math.isfinite(value) else value
    return isinstance(value, option), value


def is_unset(value: Any, kind: Any) -> bool:
    """Whether a value that may be None means it: `none`, or `auto` where that is no value of its own."""
    own = [item for option in members(kind) for item in typing.get_args(option) if typing.get_origin(option) is Literal]
    return value is None or value == NONE or (value == AUTO and AUTO not in own)


def _is_small(value: int) -> bool:
    """Whether a float can hold it, at least nearly."""
    return abs(value) <= sys.float_info.max


def _fit_tuple(value: Any, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    if not isinstance(value, list | tuple):
        return False, value
    kinds = [arguments[0]] * len(value) if arguments[1:] == (...,) else list(arguments)
    if len(kinds) != len(value):
        return False, value
    fits = [_fit(item, kind) for item, kind in zip(value, kinds, strict=True)]
    return all(fit for fit, _ in fits), tuple(item for _, item in fits)


def members(kind: Any) -> tuple[Any, ...]:
    """The members of a union, None first so that `none` means no value even where texts are welcome; else itself."""
    if typing.get_origin(kind) in (Union, types.UnionType):
        return tuple(sorted(typing.get_args(kind), key=lambda option: option is not type(None)))
    return (kind,)


def _describe(kind: Any) -> str:
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", Path: "a path"}
    parts = []
    for option in members(kind):
        if typing.get_origin(option) is Literal:
            parts.append("one of " + ", ".join(str(item) for item in typing.get_args(option)))
        elif typing.get_origin(option) is tuple:
            parts.append("a list such as 1, 2, 3")
        else:
            parts.append(AUTO if option is type(None) else names.get(option, option.__name__))
    return " or ".join(parts)


def toml(value: Any) -> str:
    """A value as TOML has it.

    Raises:
        InputError: a name that is not UTF-8, which TOML cannot hold.
    """
    if value is None:
        return f'"{AUTO}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    text = str(value)
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        raise InputError(f"the name {text!a} is not UTF-8", "rename it")
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
