"""What `invrender render` writes, of meshes and volumes alike: which cameras, into which files, with which checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from invrender.errors import OutputExistsError, UsageError
from invrender.io.gif import write_gif
from invrender.io.images import write_png
from invrender.io.video import check_encoder, write_mp4
from invrender.nouns import Cameras
from invrender.nouns.appearance import Colour
from invrender.render.images import contact_sheet, stored_as_is, straight, to_bytes
from invrender.render.modes import MODES, Mode
from invrender.render.pictures import over
from invrender.run.placement import TURNTABLE
from invrender.run.staged import is_empty, settle_dataset

Tensor = torch.Tensor

STILL, DATASET = 1, 12  # numbers of views, unless given
MOVING = (".gif", ".mp4")
ARRAYS = (".npy", ".exr")  # of what is measured
MEASURED = ("depth", "normal", "silhouette")  # modes of meshes whose values are written to arrays
SPEED, FASTEST_GIF = 20.0, 50.0  # pictures a second
_VIGNETTE = 0.26  # by how much a gradient is darker in the corners
FLOATS = ("traced", "paths")  # renderers whose pictures may be written as linear floats


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


def on_background(premultiplied: Tensor, background: Colour | None, gradient: bool = False) -> Tensor:
    """Linear RGB [N,H,W,3] of premultiplied RGBA over a background; over none, RGBA [N,H,W,4] with straight alpha.

    `gradient`: over one that is darker towards its border, the background being its lightest.
    """
    if background is not None:
        height, width = premultiplied.shape[1:3]
        return over(premultiplied, vignette(background, (height, width)) if gradient else background)
    colour, alpha = straight(premultiplied)
    return torch.cat([colour, alpha[..., None]], -1)


def vignette(colour: Colour, size: tuple[int, int]) -> Tensor:
    """A background [H,W,3], linear RGB, that is `colour` a little above its middle and darker farther away."""
    height, width = size
    down, across = torch.meshgrid(torch.linspace(-0.84, 1.16, height), torch.linspace(-1, 1, width), indexing="ij")
    share = 1 - _VIGNETTE * (down.square() + across.square()).clamp(max=2) / 2
    return share[..., None] * torch.tensor(colour)


def views_for(picture: Path) -> int:
    """How many views a picture has, unless given: a turntable's frames for a .gif or .mp4, else one."""
    return TURNTABLE if picture.suffix.lower() in MOVING else STILL


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
    measured = mode.subject == "mesh" and mode.name in MEASURED
    if extension == ".exr" and mode.renderer not in FLOATS and not measured:
        raise UsageError(
            f"mode {mode.name} writes no .exr", f"use -o {path.stem}.png, or --mode raytraced or path, which have light"
        )
    if extension == ".npy" and not measured:
        raise UsageError(
            f"mode {mode.name} writes no .npy", f"use -o {path.stem}.png, or --mode {', '.join(MEASURED[:2])} of a mesh"
        )
    if extension not in (".png", *MOVING, *ARRAYS):
        raise UsageError(
            f"{path} is neither a .png nor a .gif", f"use -o {path.stem}.png for a still, .gif or .mp4 to turn"
        )
    if extension in MOVING and background is None:
        film = "a GIF" if extension == ".gif" else "an .mp4"
        raise UsageError(f"{film} cannot be transparent here", "use --background white, or write a .png")
    if extension == ".mp4":
        check_encoder()
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


def write_picture(
    path: Path, pictures: Tensor, mode: Mode, facts: dict[str, Any] | None = None, speed: float = SPEED
) -> Written:
    """Write pictures [N,H,W,C] as a turning .gif or .mp4, or as a .png: a still, or a sheet of stills.

    `speed`: pictures a second.
    """
    count, height, width, channels = pictures.shape
    animated = path.suffix.lower() in MOVING
    if animated:
        colours = pictures if mode.colour else _as_linear(pictures)
        frames = list(to_bytes(colours.expand(-1, -1, -1, 3)))
        if path.suffix.lower() == ".mp4":
            write_mp4(path, frames, speed)
        else:
            write_gif(path, frames, min(speed, FASTEST_GIF))
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
