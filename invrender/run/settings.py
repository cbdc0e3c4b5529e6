"""What the settings of every run have in common; each method adds its own.

A settings class is a frozen dataclass. Its fields are all that a method takes; those that are annotated with a `Flag`
have an option of their own on the command line, the others are reached by `--set`, a file or the environment.

    smoothing: Annotated[float | None, Flag("Weight of the total variation."), Range(0)] = None
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from invrender.errors import UsageError


@dataclass(frozen=True)
class Flag:
    """A setting has a flag of its own, `--name`.

    Attributes:
        help: one line for `--help`.
        metavar: what stands for the value there; unless given, the type's name or choices.
        panel: the heading under which it is listed, or None.
    """

    help: str
    metavar: str | None = None
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


MOST_VIEWS, MOST_PIXELS = 10_000, 16_384
DISTANCES = Range(0.1, 1000)
FILMS = "Films"
OWN_VIEWS = "Cameras around an asset"  # the heading of what datasets, which bring their own, do without


@dataclass(frozen=True)
class RunSettings:
    """All settings of a run are a subclass's fields; its config.toml reproduces the run.

    Attributes:
        input: what the run works on.
        preset: whose values the other settings have unless given.
        backend, device: see `invrender.backends.select`.
        seed: of everything random.
        gif_frames: pictures of progress.gif while the estimate forms; 0: no GIFs, no film.
        gif_size: longer side of each picture in a GIF, in pixels.
        video: mp4: films beside the GIFs, by an encoder that is installed; see `io.video`.
        save_every: seconds between checkpoints; 0: one after every step.
        strict: whether what looks wrong ends the run: in the input (exit code 3), in the result (exit code 8).
    """

    input: Path
    preset: Annotated[Literal["draft", "standard", "fine"], Flag("How much work to put in.")] = "standard"
    backend: Annotated[
        str,
        Flag("What computes the geometry; auto takes the fastest that passes its self-test.", "auto|cpu|cuda|torch"),
    ] = "auto"
    device: Annotated[str | None, Flag("Torch device, such as cpu, cuda or cuda:1.")] = None
    seed: Annotated[int, Flag("Seed of everything random."), Range(0, 2**63 - 1)] = 0
    gif_frames: Annotated[int, Range(0, 1000)] = 48
    gif_size: Annotated[
        int, Flag("Longer side of each picture in progress.gif, in pixels.", panel=FILMS), Range(48, 1024)
    ] = 256
    video: Annotated[
        Literal["mp4"] | None, Flag("Films as well as GIFs; takes PyAV or ffmpeg.", "mp4", panel=FILMS)
    ] = None
    save_every: Annotated[float, Flag("Seconds between checkpoints; 0: one after every step."), Range(0, 1e9)] = 60.0
    strict: Annotated[bool, Flag("Warnings are errors: stop at an input or a result that looks wrong.")] = False


@dataclass(frozen=True)
class ViewsRunSettings(RunSettings):
    """The same for runs on views of something: of an asset, or of a dataset.

    Attributes:
        input: asset or dataset folder.
        views: how many: of an asset's own, or of a dataset spread evenly; none: the run's default, or all of a dataset.
        size: side of an asset's views, or the longest side to which a dataset's images are scaled down, in pixels.
        cameras: the rig for an asset's own views: orbit, sphere, or a file with cameras.
        elevation: of an orbit, in degrees.
        distance: of the rig's cameras; none: 3 half-extents of a mesh, 2 longest axes of a volume, or as far as
            the whole object needs to be in the pictures; see `invrender.cameras.around`.
        fov: their field of view, across the smaller side, in degrees.
    """

    views: Annotated[
        int | None,
        Flag("How many views: of an asset's own, or of a dataset, spread evenly."),
        Range(2, MOST_VIEWS, why="one view does not fix a shape, 12 or more do"),
    ] = None
    size: Annotated[
        int | None,
        Flag("Longer side of the pictures, in pixels; a dataset's are scaled down to it."),
        Range(8, MOST_PIXELS),
    ] = None
    cameras: Annotated[
        str,
        Flag("A ring around it, points spread over a sphere, or a transforms.json.", "orbit|sphere|FILE", OWN_VIEWS),
    ] = "orbit"
    elevation: Annotated[
        float, Flag("Height of the ring, in degrees above the horizon.", panel=OWN_VIEWS), Range(-90, 90)
    ] = 10.0
    distance: Annotated[
        float | None,
        Flag("Of the cameras, in half-extents of the object; unless given, all of it is in view.", panel=OWN_VIEWS),
        DISTANCES,
    ] = None
    fov: Annotated[float, Flag("Field of view in degrees (smaller side).", panel=OWN_VIEWS), Range(1, 170)] = 45.0


@dataclass(frozen=True)
class VolumeRunSettings(ViewsRunSettings):
    """The same for runs that end in a volume.

    Attributes:
        bounds: x, y, z of the lower and the upper corner of the grid's box.
        grid: samples along z, y, x, or one number for all.
        key, frame: of an asset's file: which array, and which of several volumes; see `io.volumes.read.read_volume`.
        shape, dtype: of an asset in a .raw file.
    """

    cameras: Annotated[
        str,
        Flag("A ring around it, points spread over a sphere, or a transforms.json.", "orbit|sphere|FILE", OWN_VIEWS),
    ] = "sphere"
    distance: Annotated[
        float | None, Flag("Cameras' distance, in longest axes of the volume; unless given, all of it is in view."),
        DISTANCES,
    ] = None  # fmt: skip
    fov: Annotated[float, Flag("Field of view in degrees (smaller side)."), Range(1, 170)] = 40.0
    gif_frames: Annotated[int, Range(0, 1000)] = 24
    bounds: Annotated[
        tuple[float, ...] | None,
        Flag("Box of the grid, for a dataset.", "X0,Y0,Z0,X1,Y1,Z1", "Volumes"),
        Range(-1e12, 1e12),
    ] = None
    grid: Annotated[
        tuple[int, ...] | None, Flag("Samples of the grid, for a dataset.", "N|Z,Y,X", "Volumes"), Range(2, 4096)
    ] = None
    key: Annotated[str, Flag("Which array of an .npz, .vti or .vdb.", "NAME", "Volumes")] = "density"
    frame: Annotated[int | None, Flag("Which volume of several in a file, from 0.", "N", "Volumes"), Range(0, 1e9)] = (
        None
    )
    shape: Annotated[
        tuple[int, ...] | None, Flag("Samples of a .raw file, z first.", "Z,Y,X", "Volumes"), Range(1, 1e9)
    ] = None
    dtype: Annotated[str | None, Flag("Numbers of a .raw file: uint8, float32.", "TYPE", "Volumes")] = None


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
            if isinstance(note, Range) and value is not None:
                for number in value if isinstance(value, tuple) else (value,):
                    _check_range(settings, field.name, number, note)


def _check_range(settings: RunSettings, name: str, number: float, allowed: Range) -> None:
    if allowed.least <= number <= allowed.most:  # false for NaN
        return
    shown = f"--{name}" if flag_of(type(settings), name) else name
    why = f": {allowed.why}" if allowed.why and number < allowed.least else ""
    raise UsageError(f"{shown} is {number:g}{why}", f"give {shown} {_described(allowed)}")


def _described(allowed: Range) -> str:
    if allowed.most == float("inf"):
        return f"{_shown(allowed.least)} or more"
    return f"from {_shown(allowed.least)} to {_shown(allowed.most)}"


def _shown(number: float) -> str:
    """All digits of what people count."""
    return str(int(number)) if float(number).is_integer() and abs(number) < 1e9 else f"{number:g}"
