"""Settings from every layer, resolved into one frozen dataclass, and written back as a TOML file that reproduces them.

    --set key=value  >  flags  >  INVRENDER_* environment  >  --config FILE.toml  >  preset  >  dataclass defaults

The dataclass is the schema: its annotations give the types (int, float, bool, str, Path, Literal, tuples of these, and
`X | None`), its field names the keys. Nothing unknown passes: a key that no field has is an error that names the
nearest one.
"""

from __future__ import annotations

import dataclasses
import sys
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from invrender.errors import InputError, UsageError
from invrender.io.files.paths import existing_file, nearest
from invrender.run.settings import unset
from invrender.run.values import members, parsed, toml, typed

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if typing.TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

ENVIRONMENT_PREFIX = "INVRENDER_"
CALL = "the call"


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
        other_variables: INVRENDER_* names that are no mistake where they are no settings of this class.

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


def first_given(
    key: str,
    *,
    file: Path | str | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
    assignments: Sequence[str] = (),
) -> Any:
    """What the highest layer that names a key says, before it is known what other keys there may be; None: none does.

    Raises:
        InputError: the file cannot be read or is not TOML.
    """
    assigned = [text.partition("=")[2].strip() for text in assignments if _key(text) == key]
    if assigned:
        return assigned[-1]
    flag = (flags or {}).get(key)
    if flag is not None:
        return flag
    variable = (environment or {}).get(ENVIRONMENT_PREFIX + key.upper())
    if variable is not None or file is None:
        return variable
    return read_toml(Path(file)).get(key)


def to_toml(settings: DataclassInstance, comment: str = "", remarks: Mapping[str, str] | None = None) -> str:
    """The settings as TOML text that `resolve(type(settings), file=...)` reads back to an equal instance.

    What is not set is left out, with a comment that says what happens then; but `auto` where a preset has a value.

    Args:
        settings: a dataclass.
        comment: stands above.
        remarks: what there is to say of some settings, by name.
    """
    head = [f"# {line}".rstrip() for line in comment.splitlines()]
    shown = [field for field in dataclasses.fields(settings) if field.name not in getattr(settings, "UNUSED", ())]
    body = [_line(settings, field, (remarks or {}).get(field.name, "")) for field in shown]
    return "\n".join([*head, *body]) + "\n"


def _line(settings: Any, field: dataclasses.Field[Any], remark: str) -> str:
    value, presets = getattr(settings, field.name), getattr(settings, "OF_PRESETS", {})
    preset = presets.get(getattr(settings, "preset", ""), {}).get(field.name)
    if value is None and preset is None and field.default is None:
        happens = unset(type(settings), field.name) or "not set"
        return f"# {field.name}: {happens}{f' ({remark})' if remark else ''}"
    return f"{field.name} = {toml(value)}{f'  # {remark}' if remark else ''}"


def parse_toml(text: str) -> dict[str, Any]:
    """The keys and values of a TOML text, as they stand there."""
    return tomllib.loads(text)


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
    return {key: typed(value, kinds[key], key, f"preset {name}") for key, value in presets[name].items()}


def _from_file(path: Path, kinds: Mapping[str, Any]) -> dict[str, Any]:
    table = read_toml(path)
    return {key: typed(value, _kind(key, kinds, str(path)), key, str(path)) for key, value in table.items()}


def read_toml(path: Path) -> dict[str, Any]:
    """The keys and values of a TOML file.

    Raises:
        InputError: it cannot be read, or is not TOML.
    """
    existing_file(path, "settings")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # editors on Windows put a mark first
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "name a TOML file that you can read") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8: {error.reason}", "save it as UTF-8 in a text editor") from error
    except (ValueError, RecursionError) as error:  # not TOML, integers of thousands of digits, deep nesting
        reason = str(error).partition(";")[0]
        raise InputError(
            f"{path} is not TOML: {reason}", "write one `key = value` per line, texts in quotes"
        ) from error


def _from_environment(
    environment: Mapping[str, str], kinds: Mapping[str, Any], other: frozenset[str]
) -> dict[str, Any]:
    values = {}
    for name, text in environment.items():
        key = name.removeprefix(ENVIRONMENT_PREFIX).lower()
        if not name.startswith(ENVIRONMENT_PREFIX) or (name in other and key not in kinds):
            continue
        if key not in kinds:
            known = [*(ENVIRONMENT_PREFIX + each.upper() for each in kinds), *other]
            raise UsageError(f"the environment sets {name}, which is no setting", f"unset it; {_hint(name, known)}")
        values[key] = parsed(text, kinds[key], key, f"the environment ({name})")
    return values


def _from_flags(flags: Mapping[str, object], kinds: Mapping[str, Any]) -> dict[str, Any]:
    values = {}
    for key, value in flags.items():
        if value is not None:
            kind = _kind(key, kinds, CALL)
            parse = isinstance(value, str) and str not in members(kind)
            values[key] = parsed(str(value), kind, key, CALL) if parse else typed(value, kind, key, CALL)
    return values


def _from_assignments(assignments: Sequence[str], kinds: Mapping[str, Any]) -> dict[str, Any]:
    values = {}
    for text in assignments:
        _, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--set {text} has no '='", "write --set key=value")
        key = _key(text)
        values[key] = parsed(value.strip(), _kind(key, kinds, "--set"), key, "--set")
    return values


def _key(assignment: str) -> str:
    return assignment.partition("=")[0].strip().replace("-", "_")


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
