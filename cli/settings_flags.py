"""Flags of a command that are the fields of settings classes."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from invrender.run.settings import flag_of, key_of
from invrender.run.settings_table import alternatives, kinds_of


def with_settings(classes: Sequence[type[Any]]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command a flag for each field of some settings classes that has one; it gets them as **flags.

    A flag that is not given is None, and leaves the value to the settings' other layers.
    """
    having: dict[str, list[type[Any]]] = {}
    for cls in classes:
        for name in _names(cls):
            having.setdefault(name, []).append(cls)
    options = {name: _option(each, name) for name, each in having.items()}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = [p for p in inspect.signature(command).parameters.values() if p.kind is not p.VAR_KEYWORD]
        hints = typing.get_type_hints(command, include_extras=True)

        @functools.wraps(command)
        def call(**values: Any) -> None:
            command(**values)

        flags = [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=a)
                 for n, a in options.items()]  # fmt: skip
        named = [p.replace(kind=p.KEYWORD_ONLY, annotation=hints[p.name]) for p in own]
        call.__signature__ = inspect.Signature([*named, *flags])  # type: ignore[attr-defined]
        call.__annotations__ = {p.name: p.annotation for p in (*named, *flags)}
        return call

    return decorate


def _names(cls: type[Any]) -> list[str]:
    return [field.name for field in dataclasses.fields(cls) if field.init and flag_of(cls, field.name)]


def _option(having: Sequence[type[Any]], name: str) -> Any:
    """The annotation of the flag that some classes have: its type, or text where that is read later.

    `cli.method_help` says how it is shown.
    """
    key, kind = key_of(having[0], name), kinds_of(having[0], name)[0]
    choices = dict.fromkeys(choice for cls in having for choice in alternatives(cls, name))
    flag = name.replace("_", "-")
    default = next(field.default for field in dataclasses.fields(having[0]) if field.name == name)
    # A switch that is neither on nor off by itself can be turned either way.
    spelling = f"--{flag}/--no-{flag}" if kind is bool and default is None else f"--{flag}"
    option = typer.Option(
        spelling,
        metavar="|".join(choices) or (key.metavar if key else None),
        help=key.help if key else None,
    )
    return Annotated[(kind if kind in (int, float, bool, Path) else str) | None, option]
