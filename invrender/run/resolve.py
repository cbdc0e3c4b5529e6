"""Settings from every layer, resolved into one frozen dataclass, and written back as a TOML file that reproduces them.

    --set key=value  >  flags  >  INVRENDER_* environment  >  --config FILE.toml  >  preset  >  dataclass defaults

The dataclass is the schema: its annotations give the types (int, float, bool, str, Path, Literal, tuples of these, and
`X | None`), its field names the keys. Nothing unknown passes: a key that no field has is an error that names the
nearest one.
"""

from __future__ import annotations

import dataclasses
import json
import math
import sys
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

from invrender.errors import InputError, UsageError
from invrender.io.files.paths import existing_file, nearest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if typing.TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

ENVIRONMENT_PREFIX = "INVRENDER_"
COMMAND_LINE = "the command line"
NONE = "none"  # how "no value" is spelled in text and TOML, which has no null
TRUE = ("1", "true", "yes", "on")
FALSE = ("0", "false", "no", "off")


def resolve(
    cls: type[T],
    *,
    presets: Mapping[str, Mapping[str, object]] | None = None,
    file: Path | str | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
    assignments: Sequence[str] = (),
    other_variables: Iterable[str] = (),
) -> T:
    """Resolve every layer into an instance of the dataclass `cls`.

    Args:
        cls: a frozen dataclass; a field `preset`, where there is one, says which preset lies at the bottom.
        presets: values by preset name.
        file: a TOML file with any of the fields.
        environment: usually `os.environ`; only names that start with INVRENDER_ count.
        flags: values from the command line; None means that the flag was not given.
        assignments: texts `key=value`, from --set.
        other_variables: INVRENDER_* names that are known but no settings of this class.

    Raises:
        UsageError: an unknown key or preset, a value of the wrong type, or a field without any value.
        InputError: the file cannot be read or is not TOML.
    """
    kinds = _kinds(cls)
    layers = [
        _from_file(Path(file), kinds) if file is not None else {},
        _from_environment(environment or {}, kinds, frozenset(other_variables)),
        _from_flags(flags or {}, kinds),
        _from_assignments(assignments, kinds),
    ]
    given = {key: value for layer in layers for key, value in layer.items()}
    values = {**_from_preset(cls, given, presets or {}, kinds), **given}
    _check_complete(cls, values)
    return cls(**values)


def to_toml(settings: DataclassInstance, comment: str = "") -> str:
    """The settings as TOML text that `resolve(type(settings), file=...)` reads back to an equal instance."""
    head = [f"# {line}".rstrip() for line in comment.splitlines()]
    body = [f"{field.name} = {_toml(getattr(settings, field.name))}" for field in dataclasses.fields(settings)]
    return "\n".join([*head, *body]) + "\n"


# --- the layers -------------------------------------------------------------------------------------------------------


def _from_preset(
    cls: type[T],
    given: Mapping[str, Any],
    presets: Mapping[str, Mapping[str, object]],
    kinds: Mapping[str, Any],
) -> dict[str, Any]:
    defaults = {field.name: field.default for field in dataclasses.fields(cls)}
    name = given.get("preset", defaults.get("preset", dataclasses.MISSING))
    if name is dataclasses.MISSING or not presets:
        return {}
    if name not in presets:
        raise UsageError(f"there is no preset {name!r}", _hint(str(name), presets))
    return {key: _typed(value, kinds[key], key, f"preset {name}") for key, value in presets[name].items()}


def _from_file(path: Path, kinds: Mapping[str, Any]) -> dict[str, Any]:
    existing_file(path, "settings")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "name a TOML file that you can read") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}", "write one `key = value` per line, texts in quotes") from error
    return {key: _typed(value, _kind(key, kinds, str(path)), key, str(path)) for key, value in table.items()}


def _from_environment(
    environment: Mapping[str, str], kinds: Mapping[str, Any], other: frozenset[str]
) -> dict[str, Any]:
    values = {}
    for name, text in environment.items():
        if not name.startswith(ENVIRONMENT_PREFIX) or name in other:
            continue
        key = name.removeprefix(ENVIRONMENT_PREFIX).lower()
        if key not in kinds:
            known = [ENVIRONMENT_PREFIX + each.upper() for each in kinds]
            raise UsageError(f"the environment sets {name}, which is no setting", f"unset it; {_hint(name, known)}")
        values[key] = _parsed(text, kinds[key], key, f"the environment ({name})")
    return values


def _from_flags(flags: Mapping[str, object], kinds: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _typed(value, _kind(key, kinds, COMMAND_LINE), key, COMMAND_LINE)
        for key, value in flags.items()
        if value is not None
    }


def _from_assignments(assignments: Sequence[str], kinds: Mapping[str, Any]) -> dict[str, Any]:
    values = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--set {text} has no '='", "write --set key=value")
        key = key.strip().replace("-", "_")
        values[key] = _parsed(value.strip(), _kind(key, kinds, "--set"), key, "--set")
    return values


def _hint(name: str, known: Iterable[str]) -> str:
    near = nearest(name, known)
    return f"did you mean {near}?" if near else f"known are {', '.join(sorted(known))}"


def _kinds(cls: type[T]) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls) if field.init}


def _kind(key: str, kinds: Mapping[str, Any], where: str) -> Any:
    if key not in kinds:
        raise UsageError(f"{where} names {key!r}, which is no setting", _hint(key, kinds))
    return kinds[key]


def _check_complete(cls: type[T], values: Mapping[str, Any]) -> None:
    for field in dataclasses.fields(cls):
        bare = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if field.init and bare and field.name not in values:
            raise UsageError(f"the setting {field.name!r} has no value", f"pass --set {field.name}=...")


# --- values and their types -------------------------------------------------------------------------------------------


def _parsed(text: str, kind: Any, key: str, where: str) -> Any:
    """The value that a text from the environment or --set stands for."""
    options = _options(kind)
    if type(None) in options and text.lower() == NONE:
        return None
    base = next(option for option in options if option is not type(None))
    if typing.get_origin(base) is tuple:
        items = [item.strip() for item in text.strip("()[] ").split(",") if item.strip()]
        return _typed([_guess(item) for item in items], kind, key, where)
    value: Any = text
    if base is bool and text.lower() in TRUE + FALSE:
        value = text.lower() in TRUE
    elif base in (int, float) or (typing.get_origin(base) is Literal and text not in typing.get_args(base)):
        value = _guess(text)
    return _typed(value, kind, key, where)


def _guess(text: str) -> int | float | str:
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _typed(value: Any, kind: Any, key: str, where: str) -> Any:
    """`value` as the field's type has it, or a UsageError that says what it should have been."""
    for option in _options(kind):
        fits, result = _fit(value, option)
        if fits:
            return result
    raise UsageError(
        f"{where} sets {key} to {value!r}, which is not {_describe(kind)}",
        f"give {_describe(kind)} for {key}",
    )


def _fit(value: Any, option: Any) -> tuple[bool, Any]:  # noqa: PLR0911 - one line per type reads best
    if option is type(None):
        return value is None or value == NONE, None
    origin, arguments = typing.get_origin(option), typing.get_args(option)
    if origin is Literal:
        return value in arguments, value
    if origin is tuple:
        return _fit_tuple(value, arguments)
    if option is Path:
        return isinstance(value, str | Path), Path(value) if isinstance(value, str | Path) else value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if option is float:
        return number, float(value) if number else value
    if option is int:
        return number and float(value).is_integer(), int(value) if number and math.isfinite(value) else value
    return isinstance(value, option), value


def _fit_tuple(value: Any, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    if not isinstance(value, list | tuple):
        return False, value
    kinds = [arguments[0]] * len(value) if arguments[1:] == (...,) else list(arguments)
    if len(kinds) != len(value):
        return False, value
    fits = [_fit(item, kind) for item, kind in zip(value, kinds, strict=True)]
    return all(fit for fit, _ in fits), tuple(item for _, item in fits)


def _options(kind: Any) -> tuple[Any, ...]:
    """The members of a union, None first so that `none` means no value even where texts are welcome; else itself."""
    if typing.get_origin(kind) in (Union, types.UnionType):
        return tuple(sorted(typing.get_args(kind), key=lambda option: option is not type(None)))
    return (kind,)


def _describe(kind: Any) -> str:
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", Path: "a path"}
    parts = []
    for option in _options(kind):
        if typing.get_origin(option) is Literal:
            parts.append("one of " + ", ".join(str(item) for item in typing.get_args(option)))
        elif typing.get_origin(option) is tuple:
            parts.append("a list such as 1, 2, 3")
        else:
            parts.append(NONE if option is type(None) else names.get(option, option.__name__))
    return " or ".join(parts)


def _toml(value: Any) -> str:
    if value is None:
        return f'"{NONE}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
