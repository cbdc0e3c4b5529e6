"""Options of `invrender render` for cameras: where they stand, what they look at, and how large their pictures are."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from invrender.cli.options import (
    AzimuthOption,
    CamerasOption,
    DistanceFlag,
    ElevationOption,
    FovFlag,
    ViewsFlag,
    a_number,
)
from invrender.errors import UsageError
from invrender.run.settings import MOST_PIXELS

if TYPE_CHECKING:
    from invrender.cameras.viewpoint import Triple
    from invrender.run.placement import CameraPlacement

PANEL = "Cameras"
SIZE = 512


def in_panel(option: Any, panel: str, **changes: Any) -> Any:
    """What describes an option of all commands (`Annotated[type, description]`), shown in a panel of this command."""
    described = copy.copy(get_args(option)[1])
    described.rich_help_panel = panel
    for name, value in changes.items():
        setattr(described, name, value)
    return described


SizeText = Annotated[
    str,
    typer.Option(
        "--size",
        metavar="N|W,H",
        envvar="INVRENDER_SIZE",
        show_envvar=False,
        rich_help_panel=PANEL,
        help="Pixels of a picture: the side of a square, or width and height.",
    ),
]
PlacedViews = Annotated[
    int | None,
    in_panel(ViewsFlag, PANEL, help="How many views.", show_default="a still 1, a film 48, a dataset 12"),
]
PlacedCameras = Annotated[str, in_panel(CamerasOption, PANEL)]
PlacedAzimuth = Annotated[float, in_panel(AzimuthOption, PANEL)]
PlacedElevation = Annotated[float, in_panel(ElevationOption, PANEL)]
PlacedDistance = Annotated[
    float | None,
    in_panel(
        DistanceFlag,
        PANEL,
        help="Distance of the cameras, in half-extents of the object.",
        show_default="until all of it is in view",
    ),
]
PlacedFov = Annotated[float | None, in_panel(FovFlag, PANEL, show_default="45, of volumes 40")]
OrthoOption = Annotated[
    bool,
    typer.Option(
        "--ortho",
        envvar="INVRENDER_ORTHO",
        show_envvar=False,
        rich_help_panel=PANEL,
        help="Parallel rays (orthographic cameras), which show the object as large as perspective ones do.",
    ),
]
ExtentOption = Annotated[
    float | None,
    typer.Option(
        "--extent",
        metavar="UNITS",
        rich_help_panel=PANEL,
        callback=a_number("--extent"),
        help="World units across the smaller side of a picture with --ortho.",
        show_default="all of the object is in view",
    ),
]
EyeOption = Annotated[
    str | None,
    typer.Option(
        "--eye",
        metavar="X,Y,Z",
        rich_help_panel=PANEL,
        help="Where the camera stands, in world units; turntables start there.",
        show_default="on the ring of --cameras",
    ),
]
TargetOption = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="X,Y,Z",
        rich_help_panel=PANEL,
        help="The point that it looks at, about which turntables turn.",
        show_default="the object's middle",
    ),
]
UpOption = Annotated[
    str | None,
    typer.Option(
        "--up",
        metavar="X,Y,Z",
        rich_help_panel=PANEL,
        help="What is upwards in pictures, and the axis of turntables.",
        show_default="0,1,0",
    ),
]
PathOption = Annotated[
    Path | None,
    typer.Option(
        "--path",
        metavar="FILE",
        rich_help_panel=PANEL,
        help="Move through the key frames of a .json or .toml file: 'keys', each with time, eye, target, up, fov (or "
        "extent).",
    ),
]
CameraOption = Annotated[
    str | None,
    typer.Option(
        "--camera",
        metavar="NAME|FILE",
        rich_help_panel=PANEL,
        help="A camera of the scene by its name, or one that was saved to a .json file.",
        show_default="a scene's first",
    ),
]
SaveCameraOption = Annotated[
    Path | None,
    typer.Option(
        "--save-camera",
        metavar="FILE.json",
        rich_help_panel=PANEL,
        help="Write the first camera there, for --camera and `invrender preview`.",
    ),
]


@dataclass(frozen=True)
class CameraOptions:
    """What the command line says of cameras; None where it says nothing.

    Attributes:
        placing: whether one of the options that place cameras on a rig or choose a file of poses was given.
        sized: whether `size` was given.
        ortho, extent: whether rays are parallel, and what pictures then show across their smaller side.
    """

    size: str
    views: int | None
    cameras: str
    azimuth: float
    elevation: float
    distance: float | None
    fov: float | None
    eye: str | None
    target: str | None
    up: str | None
    path: Path | None
    camera: str | None
    save: Path | None
    placing: bool
    sized: bool
    ortho: bool = False
    extent: float | None = None

    @property
    def name(self) -> str | None:
        """The scene's camera that is asked for by its name."""
        return None if self._file is not None else self.camera

    @property
    def placed(self) -> bool:
        """Whether cameras are to be placed, in place of a scene's own."""
        given = (self.eye, self.target, self.up, self.path, self._file)
        return self.placing or self.ortho or any(each is not None for each in given)

    @property
    def _file(self) -> str | None:
        from invrender.io.cameras_file import is_camera_file

        return self.camera if self.camera is not None and is_camera_file(self.camera) else None

    def shape(self) -> tuple[int, int]:
        """(H, W) of pictures."""
        return parse_size(self.size)

    def check(self) -> None:
        """Refuse options that exclude each other, and a place for the camera that is none (UsageError)."""
        stands = {"--eye": self.eye, "--target": self.target, "--up": self.up}
        stands = {flag: value for flag, value in stands.items() if value is not None}
        whole = {"--path": self.path, "--camera": self._file}
        for flag, value in whole.items():
            other = next((each for each in (*stands, *whole) if each != flag and (stands | whole).get(each)), None)
            if value is not None and (other is not None or self.placing):
                raise UsageError(
                    f"{flag} says where the camera is, and so does {other or 'an option such as --azimuth or --fov'}",
                    "leave one of them out",
                )
        if stands and self.cameras != "orbit":
            raise UsageError(f"{next(iter(stands))} does not go with --cameras {self.cameras}", "leave one of them out")
        ring = {"--azimuth": self.azimuth, "--distance": self.distance}
        if self.eye is not None and any(ring.values()):
            flag = next(flag for flag, value in ring.items() if value)
            raise UsageError(f"{flag} moves a ring of cameras, and --eye says where it stands", "leave one of them out")
        self._check_ortho()
        if self.save is not None and self.save.suffix.lower() != ".json":
            raise UsageError(f"--save-camera {self.save} is no .json", f"use --save-camera {self.save.stem}.json")

    def _check_ortho(self) -> None:
        if self.extent is None:
            return
        if not self.ortho:
            raise UsageError("--extent is of parallel cameras", "add --ortho, or use --fov or --distance")
        if self.fov is not None:
            raise UsageError("--extent and --fov both say how much pictures show", "leave one of them out")
        if not 0 < self.extent < math.inf:
            raise UsageError(f"--extent is {self.extent:g}", "use a length above 0, in world units")

    def placement(self) -> CameraPlacement:
        """The same for what draws; files are read."""
        from invrender.io.cameras_file import read_camera_path, read_viewpoint
        from invrender.run.placement import CameraPlacement, Standpoint

        stands: Any = None
        if self._file is not None:
            stands = read_viewpoint(self._file)
        elif self.eye is not None or self.target is not None or self.up is not None:
            eye, target, up = (parse_point(*each) for each in self._points())
            stands = Standpoint(eye, target, up or Standpoint().up)
        path = None if self.path is None else read_camera_path(self.path)
        return CameraPlacement(
            self.cameras, self.views, self.shape(), self.distance, self.fov, self.elevation, self.azimuth, stands, path,
            self.ortho, self.extent,
        )  # fmt: skip

    def _points(self) -> tuple[tuple[str, str | None], ...]:
        return (("--eye", self.eye), ("--target", self.target), ("--up", self.up))


def parse_size(text: str) -> tuple[int, int]:
    """(H, W) of --size: 'N' or 'W,H'.

    Raises:
        UsageError: it is neither, or out of range.
    """
    words = text.replace("x", ",").split(",")
    if len(words) > 2 or not all(word.strip().lstrip("-").isdigit() for word in words):
        raise UsageError(f"--size is {text!r}", "use the side of a square, such as 512, or W,H, such as 800,450")
    numbers = [int(word) for word in words]
    for number in numbers:
        if not 1 <= number <= MOST_PIXELS:
            raise UsageError(f"--size is {text}", f"use 1 to {MOST_PIXELS} pixels, such as 512 or 800,450")
    return numbers[-1], numbers[0]


def parse_point(flag: str, text: str | None) -> Triple | None:
    """Three finite numbers of an option, or None where it is not given.

    Raises:
        UsageError: they are none.
    """
    if text is None:
        return None
    try:
        x, y, z = (float(word) for word in text.split(","))
    except ValueError:
        x = y = z = math.nan
    if not all(math.isfinite(value) for value in (x, y, z)):
        raise UsageError(f"{flag} is {text!r}", f"give three numbers, such as {flag} 2,1,3")
    return x, y, z
