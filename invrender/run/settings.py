"""What the settings of every run have in common; each method adds its own.

A settings class is a frozen dataclass. Its fields are all that a method takes. Each is annotated with its meaning, the
one source of `--help`, `invrender settings` and the reference in the documentation: a `Flag` where it has an option of
its own on the command line, a `Key` where it is reached by `--set`, a file or the environment alone. `UNSET` says what
happens where a value is None.

    UNSET: ClassVar[Mapping[str, str]] = {"smoothing": "chosen by views left out"}
    smoothing: Annotated[float | None, Flag("Weight of the total variation."), Range(0)] = None
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from invrender.errors import UsageError


@dataclass(frozen=True)
class Key:
    """What a setting means.

    Attributes:
        help: in a sentence or two.
        metavar: what stands for the value: alternatives with | between them, those in small letters as they are typed;
            unless given, the type's own.
    """

    help: str
    metavar: str | None = None


@dataclass(frozen=True)
class Flag(Key):
    """The same for a setting that has a flag of its own, `--name`.

    Attributes:
        panel: the heading under which it is listed, or None.
    """

    panel: str | None = None


@dataclass(frozen=True)
class Range:
    """The numbers that a setting may have, each of them where there are several; never NaN.

    Attributes:
        least, most: the bounds, which belong to it.
        why: what is wrong with others, for people.
    """

    least: float
    most: float = float("inf")
    why: str = ""


T = TypeVar("T", bound="RunSettings")
MOST_VIEWS, MOST_PIXELS = 10_000, 16_384
DISTANCES = Range(0.1, 1000)
FILMS = "Films"
MESH = "Mesh"  # the heading of what runs take that end in one
OWN_VIEWS = "Cameras around an asset"  # the heading of what datasets, which bring their own, do without
VOLUMES = "Volumes"  # the heading of what runs need that end in one
GENERAL = "General"  # the heading of what all commands share, which comes last
BACKENDS = "auto|cpu|cuda|vulkan|torch"
RIG = "orbit|sphere|FILE"


@dataclass(frozen=True)
class Own:
    """How many views a method takes of an asset, and how large pictures are, unless it is told; None: it depends.

    Attributes:
        views, size: of an asset.
        most: pixels of the longer side to which a dataset's pictures are scaled down.
    """

    views: int | None = None
    size: int | None = None
    most: int | None = None


@dataclass(frozen=True)
class RunSettings:
    """All settings of a run are a subclass's fields; its config.toml reproduces the run.

    Attributes:
        UNSET: what happens where a setting is None, by name; subclasses add theirs, see `unset`.
        OF_PRESETS: values by preset.
        UNUSED: names of inherited settings that have no effect, which is why nobody is offered them.
    """

    UNUSED: ClassVar[tuple[str, ...]] = ()
    OF_PRESETS: ClassVar[Mapping[str, Mapping[str, object]]] = {}
    UNSET: ClassVar[Mapping[str, str]] = {"device": "the backend's own", "video": "GIFs alone"}

    input: Annotated[Path, Key("What the run works on.", "INPUT")]
    preset: Annotated[
        Literal["draft", "standard", "fine"], Flag("How much work to put in: whose values the other settings have.")
    ] = "standard"
    backend: Annotated[
        str, Flag("What computes the geometry; auto takes the fastest that passes its self-test.", BACKENDS, GENERAL)
    ] = "auto"
    device: Annotated[str | None, Flag("Torch device, such as cpu, cuda or cuda:1.", "DEVICE", GENERAL)] = None
    seed: Annotated[int, Flag("Seed of everything random.", None, GENERAL), Range(0, 2**63 - 1)] = 0
    gif_frames: Annotated[
        int, Key("Pictures of progress.gif while the estimate forms; 0: no GIFs, no film."), Range(0, 1000)
    ] = 48
    gif_size: Annotated[
        int, Flag("Longer side of each picture in progress.gif, in pixels.", None, FILMS), Range(48, 1024)
    ] = 256
    video: Annotated[Literal["mp4"] | None, Flag("Films as well as GIFs; takes PyAV or ffmpeg.", "mp4", FILMS)] = None
    save_every: Annotated[
        float, Flag("Seconds between checkpoints; 0: one after every step.", None, GENERAL), Range(0, 1e9)
    ] = 60.0
    strict: Annotated[
        bool, Flag("Warnings are errors: stop at an input or a result that looks wrong.", None, GENERAL)
    ] = False


@dataclass(frozen=True)
class ViewsRunSettings(RunSettings):
    """The same for runs on views of something: of an asset, or of a dataset.

    Attributes:
        OWN: what is used of both unless something is given.
        PER_PIXEL: bytes that a run holds of a pixel of an asset's views.
        AT_WORK: how many views' worth of these are needed besides, while they are drawn.
    """

    OWN: ClassVar[Own] = Own()
    PER_PIXEL: ClassVar[int] = 40
    AT_WORK: ClassVar[int] = 0
    UNSET: ClassVar[Mapping[str, str]] = {"distance": "all of the object is in view"}

    views: Annotated[
        int | None,
        Flag("How many views: of an asset's own, or of a dataset, spread evenly; unless given, all of these."),
        Range(2, MOST_VIEWS, why="one view does not fix a shape, 12 or more do"),
    ] = None
    size: Annotated[
        int | None,
        Flag("Longer side of the pictures, in pixels; a dataset's are scaled down to it."),
        Range(8, MOST_PIXELS),
    ] = None
    cameras: Annotated[
        str, Flag("A ring around it, points spread over a sphere, or a transforms.json.", RIG, OWN_VIEWS)
    ] = "orbit"
    elevation: Annotated[
        float, Flag("Height of the ring, in degrees above the horizon.", panel=OWN_VIEWS), Range(-90, 90)
    ] = 10.0
    distance: Annotated[
        float | None,
        Flag("Of the cameras: in half-extents of a mesh, in longest axes of a volume.", panel=OWN_VIEWS),
        DISTANCES,
    ] = None
    fov: Annotated[float, Flag("Field of view in degrees (smaller side).", panel=OWN_VIEWS), Range(1, 170)] = 45.0
    ortho: Annotated[bool, Flag("Parallel rays (orthographic cameras).", panel=OWN_VIEWS)] = False


@dataclass(frozen=True)
class VolumeRunSettings(ViewsRunSettings):
    """The same for runs that end in a volume; an asset's file is read as `io.volumes.read.read_volume` says."""

    UNSET: ClassVar[Mapping[str, str]] = {
        "bounds": "the asset's or the dataset's own, else what all cameras see",
        "grid": "the asset's or the dataset's own, else as the pictures resolve it",
        "frame": "the only one",
        "shape": "what the file says",
        "dtype": "what the file says",
    }

    cameras: Annotated[
        str, Flag("A ring around it, points spread over a sphere, or a transforms.json.", RIG, OWN_VIEWS)
    ] = "sphere"
    distance: Annotated[
        float | None,
        Flag("Of the cameras: in half-extents of a mesh, in longest axes of a volume.", panel=OWN_VIEWS),
        DISTANCES,
    ] = None
    fov: Annotated[float, Flag("Field of view in degrees (smaller side).", panel=OWN_VIEWS), Range(1, 170)] = 40.0
    gif_frames: Annotated[int, Key("Pictures of progress.gif; 0: no GIFs."), Range(0, 1000)] = 24
    bounds: Annotated[
        tuple[float, ...] | None,
        Flag("Box around the object or of the grid, for a dataset.", "X0,Y0,Z0,X1,Y1,Z1"),
        Range(-1e12, 1e12),
    ] = None
    grid: Annotated[
        tuple[int, ...] | None, Flag("Samples of the grid, for a dataset.", "N|Z,Y,X", VOLUMES), Range(2, 4096)
    ] = None
    key: Annotated[str, Flag("Which array of an .npz, .vti or .vdb.", "NAME", VOLUMES)] = "density"
    frame: Annotated[int | None, Flag("Which volume of several in a file, from 0.", "N", VOLUMES), Range(0, 1e9)] = None
    shape: Annotated[
        tuple[int, ...] | None, Flag("Samples of a .raw file, z first.", "Z,Y,X", VOLUMES), Range(1, 1e9)
    ] = None
    dtype: Annotated[str | None, Flag("Numbers of a .raw file: uint8, float32.", "TYPE", VOLUMES)] = None


_hints: dict[type[Any], Mapping[str, Any]] = {}


def hints(cls: type[Any]) -> Mapping[str, Any]:
    """The fields' types as they are annotated; looked up once, since that takes milliseconds."""
    if cls not in _hints:
        _hints[cls] = typing.get_type_hints(cls, include_extras=True)
    return _hints[cls]


def notes(cls: type[Any], name: str) -> tuple[Any, ...]:
    """The annotations of a field beyond its type: its `Flag` and `Range`, where it has them."""
    hint = hints(cls)[name]
    return typing.get_args(hint)[1:] if typing.get_origin(hint) is Annotated else ()


def settled(settings: T, asset: bool) -> T:
    """The settings with what is not set as it will be used, as far as that is known: how many views and how large.

    A run with these is the same, to the last bit. `asset`: whether the input is one, whose own views are rendered.
    """
    if not isinstance(settings, ViewsRunSettings):
        return settings
    own, found = settings.OWN, dict[str, Any]()
    if settings.views is None and asset and settings.cameras in ("orbit", "sphere"):
        found["views"] = own.views
    if settings.size is None:
        found["size"] = own.size if asset else own.most
    return dataclasses.replace(settings, **found)


def key_of(cls: type[Any], name: str) -> Key | None:
    """What a field means, if it says so."""
    return next((note for note in notes(cls, name) if isinstance(note, Key)), None)


def unset(cls: type[Any], name: str) -> str:
    """What happens where a field is None, for people; empty where nobody says."""
    told = (vars(base).get("UNSET", {}).get(name, "") for base in cls.__mro__)
    return next((text for text in told if text), "")


def flag_of(cls: type[Any], name: str) -> Flag | None:
    """The flag of a field, if it has one."""
    return next((note for note in notes(cls, name) if isinstance(note, Flag)), None)


def check_ranges(settings: RunSettings) -> None:
    """Refuse numbers that lie outside their range.

    Raises:
        UsageError: naming the setting as the user calls it, and what it may be.
    """
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        for note in notes(type(settings), field.name):
            if (
                isinstance(note, Range) and value is not None and not isinstance(value, str)
            ):  # auto stands beside numbers
                for number in value if isinstance(value, tuple) else (value,):
                    _check_range(settings, field.name, number, note)


def _check_range(settings: RunSettings, name: str, number: float, allowed: Range) -> None:
    if allowed.least <= number <= allowed.most:  # false for NaN
        return
    shown = f"--{name}" if flag_of(type(settings), name) else name
    why = f": {allowed.why}" if allowed.why and number < allowed.least else ""
    raise UsageError(f"{shown} is {number:g}{why}", f"give {shown} {described(allowed)}")


def described(allowed: Range) -> str:
    """The numbers of a range, in words."""
    if allowed.most == float("inf"):
        return f"{_shown(allowed.least)} or more"
    return f"from {_shown(allowed.least)} to {_shown(allowed.most)}"


def _shown(number: float) -> str:
    """All digits of what people count."""
    return str(int(number)) if float(number).is_integer() and abs(number) < 1e9 else f"{number:g}"
