"""Options of a command line read without Pydantic, as far as they are plain.

Typer reads every option, given or not, by a Pydantic adapter that it builds for it: with a hundred flags that takes
longer than all the rest of a command line. Most options are not given, and most of those that are name a file or a
number. Whatever is less plain than that is left to Typer, and so is everything wrong, for its own words.
"""

from __future__ import annotations

import os
import re
import typing
from pathlib import Path
from typing import Any

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?(e[+-]?[0-9]{1,2})?")
_ASKED = ("parser", "click_type", "min", "max", "formats", "exists", "resolve_path", "writable", "path_type")


class LightValue:
    """What Typer calls to make sense of a parameter's text, in the place of an adapter."""

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value of a parameter.

        Raises:
            BadParameter: Typer's own, where the text makes no sense.
        """
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        found = _plain(value, param)
        if found is not None:
            return found
        param._runtime_param = None
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)


def read_lightly(params: list[Any]) -> None:
    """Let parameters be read without Pydantic; versions of Typer that read them otherwise take no notice."""
    for param in params:
        if getattr(param, "_runtime_param", False) is None:
            param._runtime_param = LightValue()


def _plain(value: Any, param: Any) -> Any:
    """The value of a plain parameter; None: it takes more than this."""
    kind, asked = param.type_descriptor.annotation, param.type_descriptor.parameter_info
    kinds = [each for each in typing.get_args(kind) if each is not type(None)] or [kind]
    if not isinstance(value, str) or len(kinds) > 1 or any(_differs(asked, name) for name in _ASKED):
        return None
    if kinds[0] is str:
        return value
    if kinds[0] is Path:
        return Path(value) if asked.file_okay and asked.dir_okay and _can_be_read(value) else None
    if kinds[0] is int and _WHOLE.fullmatch(value):
        return int(value)
    return float(value) if kinds[0] is float and _NUMBER.fullmatch(value) else None


def _can_be_read(path: str) -> bool:
    """Whether there is nothing of that name yet, or something that Typer would not complain of."""
    try:
        return os.access(path, os.R_OK) or not os.path.lexists(path)
    except (OSError, ValueError):
        return False


def _differs(asked: Any, name: str) -> bool:
    """Whether an option asks for a check that is not usual."""
    return getattr(asked, name, None) not in (None, False)
