"""What `invrender render` writes, of meshes and volumes alike: which cameras, into which files, with which checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from invrender.cameras.around import around
from invrender.errors import OutputExistsError, UsageError
from invrender.io.datasets.dataset import read_cameras
from invrender.io.images import write_gif, write_png
from invrender.nouns import Cameras, Mesh, Volume
from invrender.nouns.appearance import Colour
from invrender.render.images import contact_sheet, stored_as_is, straight, to_bytes
from invrender.render.modes import MODES, Mode
from invrender.render.pictures import over
from invrender.run.memory import check_pictures
from invrender.run.staged import is_empty, settle_dataset

Tensor = torch.Tensor

STILL, TURNTABLE, DATASET = 1, 48, 12  # numbers of views, unless given
FLOATS = ("traced", "paths")  # renderers whose pictures may be written as linear floats


@dataclass(frozen=True)
class CameraPlacement:
    """Where cameras are placed.

    Attributes:
        kind: 'orbit', 'sphere', or a file or folder with poses.
        views: how many; None: as many as what is written needs.
        size: (H, W) in pixels.
        distance, fov: None: as `cameras.around` has them.
        elevation, azimuth: in degrees.
    """

    kind: str = "orbit"
    views: int | None = None
    size: tuple[int, int] = (512, 512)
    distance: float | None = None
    fov: float | None = None
    elevation: float = 10.0
    azimuth: float = 0.0

    def cameras(self, asset: Mesh | Volume, default: int) -> Cameras:
        """The cameras around an asset, or those of the file; `default` of them unless their number is given."""
        count = self.views or default
        check_pictures(count, self.size)
        if self.kind not in ("orbit", "sphere"):
            return read_cameras(self.kind, self.size)[:count]
        return around(
            asset, "orbit" if self.kind == "orbit" else "sphere", count, self.size,
            distance=self.distance, fov=self.fov, elevation=self.elevation, azimuth=self.azimuth,
        )  # fmt: skip


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        path: the picture or the folder.
        files: all of them.
        note: what to say of it, in brackets.
        facts: what was found on the way: `extinction`, `depth_range`.
        stopped: the stop request for which it is less than was asked for, or None.
    """

    path: Path
    files: list[Path]
    note: str
    facts: dict[str, Any] = field(default_factory=dict)
    stopped: BaseException | None = None


def on_background(premultiplied: Tensor, background: Colour | None) -> Tensor:
    """Linear RGB [N,H,W,3] of premultiplied RGBA over a background; over none, RGBA [N,H,W,4] with straight alpha."""
    if background is not None:
        return over(premultiplied, background)
    colour, alpha = straight(premultiplied)
    return torch.cat([colour, alpha[..., None]], -1)


def views_for(picture: Path) -> int:
    """How many views a picture has, unless given: a turntable's frames for a .gif, else one."""
    return TURNTABLE if picture.suffix.lower() == ".gif" else STILL


def check_outputs(
    picture: Path | None, dataset: Path | None, mode: Mode, background: Colour | None, overwrite: bool
) -> None:
    """Refuse outputs that cannot be written, before anything is drawn.

    Raises:
        UsageError: there is none, its name or place is wrong, or it cannot hold what the mode draws.
        OutputExistsError: it is there already, and `overwrite` is not set.
    """
    if picture is None and dataset is None:
        raise UsageError("there is nothing to write", "name a picture with -o picture.png, or a folder with --dataset")
    if picture is not None:
        _check_picture(picture, mode, background, overwrite)
    if dataset is not None:
        _check_dataset(dataset, mode, overwrite)


def _check_picture(path: Path, mode: Mode, background: Colour | None, overwrite: bool) -> None:
    extension = path.suffix.lower()
    if extension == ".exr" and mode.renderer not in FLOATS:
        raise UsageError(
            f"mode {mode.name} writes no .exr", f"use -o {path.stem}.png, or --mode raytraced or path, which have light"
        )
    if extension not in (".png", ".gif", ".exr"):
        raise UsageError(f"{path} is neither a .png nor a .gif", f"use -o {path.stem}.png for a still, .gif to turn")
    if extension == ".gif" and background is None:
        raise UsageError("a GIF cannot be transparent here", "use --background white, or write a .png")
    if path.exists() and not overwrite:
        raise OutputExistsError(f"{path} exists already", "pass --overwrite to replace it, or choose another -o")


def _check_dataset(folder: Path, mode: Mode, overwrite: bool) -> None:
    if not mode.dataset:
        *names, last = (other.name for other in MODES if other.subject == mode.subject and other.dataset)
        raise UsageError(
            f"a dataset holds colours and masks, no {mode.name}", f"use --mode {', '.join(names)} or {last}"
        )
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file, not a folder", "name a folder with --dataset")
    settle_dataset(folder)
    if folder.is_dir() and not overwrite and not is_empty(folder):
        raise OutputExistsError(
            f"{folder} is not empty", "pass --overwrite to replace its views, or choose another folder"
        )


def write_picture(path: Path, pictures: Tensor, mode: Mode, facts: dict[str, Any] | None = None) -> Written:
    """Write pictures [N,H,W,C] as a turning .gif, or as a .png: a still, or a sheet of stills."""
    count, height, width, channels = pictures.shape
    animated = path.suffix.lower() == ".gif"
    if animated:
        colours = pictures if mode.colour else _as_linear(pictures)
        write_gif(path, list(to_bytes(colours.expand(-1, -1, -1, 3))))
    else:
        sheet = contact_sheet(pictures)
        write_png(path, sheet[..., 0] if channels == 1 else sheet if mode.colour else _as_linear(sheet))
    note = f"{width} x {height}"
    if animated or count > 1:
        note += f", {count} {'frames' if animated else 'views'}"
    return Written(path, [path], note, facts or {})


def dataset_written(folder: Path, files: list[Path], cameras: Cameras, facts: dict[str, Any] | None = None) -> Written:
    """What to say of a dataset."""
    height, width = cameras.size
    return Written(folder, files, f"{len(cameras)} views of {width} x {height}", facts or {})


def _as_linear(image: Tensor) -> Tensor:
    """Values that are no colours, so that they come out of an sRGB writer as they are; alpha is left alone."""
    return torch.cat([stored_as_is(image[..., :3]), image[..., 3:].double()], -1)
