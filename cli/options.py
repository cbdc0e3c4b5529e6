"""What the commands share: options, the two consoles, JSON output and checks of numbers from the command line.

Results go to stdout (`output`, `print_json`), messages to stderr (`console`). An option `XOption` has a type without
None and takes its default from the command; the twin `XFlag` may be None, which means "not given" and leaves the value
to the settings (environment, file, preset).
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import inspect
import json
import math
import sys
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from invrender.errors import UsageError
from invrender.run.console import Messages, Results
from invrender.run.settings import DISTANCES, MOST_PIXELS, MOST_VIEWS, flag_of, hints

BACKENDS = ("auto", "cpu", "cuda", "vulkan", "torch")
PRESETS = ("draft", "standard", "fine")

console = Messages()
"""Messages for people."""

output = Results()
"""Results for people: tables and lines on stdout."""


def print_json(data: Any) -> None:
    """Write data to stdout as JSON. Dataclasses, paths, numpy and torch values are understood; NaN becomes null.

    Where stdout takes less than UTF-8, other characters become escapes of JSON's own.
    """
    narrow = "utf" not in (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
    print(json.dumps(_plain(data), indent=2, ensure_ascii=narrow, allow_nan=False), file=sys.stdout)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):  # numpy and torch, arrays and scalars
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def check_at_least(name: str, value: float, minimum: float) -> None:
    """Refuse a number below `minimum` (UsageError); `name` is how the user calls it, such as --size."""
    if not value >= minimum:
        raise UsageError(f"{name} is {value:g}", f"give {minimum:g} or more, such as {name} {_example(minimum)}")


def _example(minimum: float) -> str:
    return f"{max(minimum * 8, 8):g}"


def check_views(count: int, minimum: int = 2) -> None:
    """Refuse fewer views than a reconstruction needs (UsageError)."""
    if count < minimum:
        raise UsageError(
            f"--views is {count}: one view does not fix a shape",
            f"give at least --views {minimum}; 12 or more make a good mesh",
        )


def check_choice(name: str, value: str, choices: Sequence[str]) -> str:
    """Return `value` if it is one of `choices`; else a UsageError that suggests the nearest one."""
    if value not in choices:
        near = difflib.get_close_matches(value, choices, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"{name} is {value!r}", f"{hint}choose one of {', '.join(choices)}")
    return value


def _one_of(name: str, choices: Sequence[str]) -> Callable[[str | None], str | None]:
    return lambda value: value if value is None else check_choice(name, value, choices)


def a_number(name: str) -> Callable[[float | None], float | None]:
    """Refuse NaN, which no bound of Click's does."""

    def check(value: float | None) -> float | None:
        if value is not None and not math.isfinite(value):
            raise UsageError(f"{name} is {value:g}", f"give {name} a finite number")
        return value

    return check


_BACKEND = typer.Option(
    "--backend",
    envvar="INVRENDER_BACKEND",
    show_envvar=False,
    metavar="|".join(BACKENDS),
    callback=_one_of("--backend", BACKENDS),
    help="What computes the geometry; auto takes the fastest that passes its self-test.",
)
_DEVICE = typer.Option(
    "--device",
    envvar="INVRENDER_DEVICE",
    show_envvar=False,
    help="cpu, cuda or cuda:1; for vulkan a number or name of `doctor`.",
)
_SEED = typer.Option(
    "--seed",
    envvar="INVRENDER_SEED",
    show_envvar=False,
    min=0,
    max=2**63 - 1,
    help="Seed of everything random.",
)
_SIZE = typer.Option(
    "--size",
    envvar="INVRENDER_SIZE",
    show_envvar=False,
    min=1,
    max=MOST_PIXELS,
    help="Side of the square images, in pixels.",
)
_VIEWS = typer.Option(
    "--views", envvar="INVRENDER_VIEWS", show_envvar=False, min=1, max=MOST_VIEWS, help="How many views."
)
_CAMERAS = typer.Option(
    "--cameras",
    envvar="INVRENDER_CAMERAS",
    show_envvar=False,
    metavar="orbit|sphere|FILE",
    help="A ring around the object, points spread over a sphere, or a transforms.json.",
)
_FOV = typer.Option(
    "--fov",
    envvar="INVRENDER_FOV",
    show_envvar=False,
    min=1.0,
    max=170.0,
    callback=a_number("--fov"),
    help="Field of view in degrees (smaller side).",
)
_DISTANCE = typer.Option(
    "--distance",
    envvar="INVRENDER_DISTANCE",
    show_envvar=False,
    min=DISTANCES.least,
    max=DISTANCES.most,
    callback=a_number("--distance"),
    help="Cameras' distance, in half-extents of the object; unless given, all of it is in view.",
)
_ELEVATION = typer.Option(
    "--elevation",
    envvar="INVRENDER_ELEVATION",
    show_envvar=False,
    min=-90.0,
    max=90.0,
    callback=a_number("--elevation"),
    help="Height of the ring of cameras, in degrees above the horizon.",
)
_AZIMUTH = typer.Option(
    "--azimuth", min=-36000.0, max=36000.0, callback=a_number("--azimuth"),
    help="Turns the cameras about +Y, in degrees.",
)  # fmt: skip
_PRESET = typer.Option(
    "--preset",
    envvar="INVRENDER_PRESET",
    show_envvar=False,
    metavar="|".join(PRESETS),
    callback=_one_of("--preset", PRESETS),
    help="How much work to put in.",
)

_OPTIONS = (
    _BACKEND, _DEVICE, _SEED, _SIZE, _VIEWS, _CAMERAS, _FOV, _DISTANCE, _ELEVATION, _PRESET,
)  # fmt: skip
VARIABLES = ("INVRENDER_CACHE_DIR", "INVRENDER_VULKAN_RAYS", *(str(option.envvar) for option in _OPTIONS))
"""Environment variables that invrender knows elsewhere: a command's settings leave them alone."""

BackendOption = Annotated[str, _BACKEND]
DeviceOption = Annotated[str | None, _DEVICE]
SeedOption = Annotated[int, _SEED]
SizeOption = Annotated[int, _SIZE]
SizeFlag = Annotated[int | None, _SIZE]
ViewsFlag = Annotated[int | None, _VIEWS]
CamerasOption = Annotated[str, _CAMERAS]
FovFlag = Annotated[float | None, _FOV]
DistanceFlag = Annotated[float | None, _DISTANCE]
ElevationOption = Annotated[float, _ELEVATION]
AzimuthOption = Annotated[float, _AZIMUTH]
PresetFlag = Annotated[str | None, _PRESET]

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE.toml", help="Settings from a file, such as a run's config.toml."),
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any setting by its name; may be repeated.")
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Check everything, tell memory, time and files of the run, print the settings and stop."
    ),
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what an earlier call wrote there.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable results on stdout.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress; warnings and errors alone.")]

EventsOption = Annotated[
    str | None,
    typer.Option("--events", metavar="FILE|-", help="Append one JSON object a line on how the run goes; -: to stdout."),
]
FailIfOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-if", metavar="'METRIC<N'", help="Exit with 8, after writing everything, if so; may be repeated."
    ),
]


def given(context: typer.Context, *names: str) -> bool:
    """Whether one of the parameters of a command was given, on its line or by a variable."""
    sources = (context.get_parameter_source(name) for name in names)
    return any(source is not None and not source.name.startswith("DEFAULT") for source in sources)


def with_settings(classes: Sequence[type[Any]]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command a flag for each field of some settings classes that has one; it gets them as **flags.

    A flag that is not given is None, and leaves the value to the settings' other layers.
    """
    fields = {field.name: cls for cls in reversed(classes) for field in dataclasses.fields(cls) if field.init}
    options = {name: _option(cls, name) for cls in classes for name in _names(cls) if fields[name] is cls}

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


def _option(cls: type[Any], name: str) -> Any:
    """The annotation of a flag: its type, or text where that is read later, and how `--help` shows it."""
    flag, hint = flag_of(cls, name), hints(cls)[name]
    hint = typing.get_args(hint)[0] if typing.get_origin(hint) is Annotated else hint
    assert flag is not None
    kinds = [kind for kind in (typing.get_args(hint) or (hint,)) if kind is not type(None)]
    choices = typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ()
    kind = kinds[0] if kinds[0] in (int, float, bool, Path) else str
    option = typer.Option(
        f"--{name.replace('_', '-')}",
        metavar=flag.metavar or "|".join(choices) or None,
        help=flag.help,
        rich_help_panel=flag.panel,
    )
    return Annotated[kind | None, option]
