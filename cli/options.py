"""What the commands share: options, the two consoles, JSON output and checks of numbers from the command line.

Results go to stdout (`output`, `print_json`), messages to stderr (`console`). An option `XOption` has a type without
None and takes its default from the command; the twin `XFlag` may be None, which means "not given" and leaves the value
to the settings (environment, file, preset).
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from invrender.errors import UsageError
from invrender.run.console import Messages, Results
from invrender.run.settings import DISTANCES, GENERAL, MOST_PIXELS, MOST_VIEWS

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
    rich_help_panel=GENERAL,
    envvar="INVRENDER_BACKEND",
    show_envvar=False,
    metavar="|".join(BACKENDS),
    callback=_one_of("--backend", BACKENDS),
    help="What computes the geometry; auto takes the fastest that passes its self-test.",
)
_DEVICE = typer.Option(
    "--device",
    rich_help_panel=GENERAL,
    envvar="INVRENDER_DEVICE",
    show_envvar=False,
    show_default="the backend's own",
    help="cpu, cuda or cuda:1; for vulkan a number or name of `doctor`.",
)
_SEED = typer.Option(
    "--seed",
    rich_help_panel=GENERAL,
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
    show_default="45, of volumes 40",
    help="Field of view in degrees (smaller side).",
)
_DISTANCE = typer.Option(
    "--distance",
    envvar="INVRENDER_DISTANCE",
    show_envvar=False,
    min=DISTANCES.least,
    max=DISTANCES.most,
    callback=a_number("--distance"),
    show_default="all of it is in view",
    help="Cameras' distance, in half-extents of the object; of volumes in their longest axes.",
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
    typer.Option(
        "--config",
        rich_help_panel=GENERAL,
        metavar="FILE.toml",
        help="Settings from a file, such as a run's config.toml.",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        rich_help_panel=GENERAL,
        metavar="KEY=VALUE",
        help="Any setting by its name, see `invrender settings`; may be repeated.",
    ),
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        rich_help_panel=GENERAL,
        help="Check everything, tell memory, time and files of the run, print the settings and stop.",
    ),
]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", rich_help_panel=GENERAL, help="Replace what an earlier call wrote there.")
]
JsonOption = Annotated[
    bool, typer.Option("--json", rich_help_panel=GENERAL, help="Machine-readable results on stdout.")
]
FreshOption = Annotated[
    bool,
    typer.Option("--fresh", rich_help_panel=GENERAL, help="Start over instead of going on with a stopped run."),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", rich_help_panel=GENERAL, help="No progress; warnings and errors alone.")
]

VerboseOption = Annotated[
    bool,
    typer.Option("--verbose", "-v", rich_help_panel=GENERAL, help="Progress with all losses and the speed."),
]

EventsOption = Annotated[
    str | None,
    typer.Option(
        "--events",
        rich_help_panel=GENERAL,
        metavar="FILE|-",
        help="Append one JSON object a line on how the run goes; -: to stdout.",
    ),
]
FailIfOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-if",
        rich_help_panel=GENERAL,
        metavar="'METRIC<N'",
        help="Exit with 8, after writing everything, if so; may be repeated.",
    ),
]


def given(context: typer.Context, *names: str) -> bool:
    """Whether one of the parameters of a command was given, on its line or by a variable."""
    sources = (context.get_parameter_source(name) for name in names)
    return any(source is not None and not source.name.startswith("DEFAULT") for source in sources)
