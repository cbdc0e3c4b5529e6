"""What a call of `invrender render` asks for, whatever the asset is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from invrender.cli.options import check_choice
from invrender.errors import UsageError
from invrender.render.modes import Mode, Subject, find_mode, mode_names

if TYPE_CHECKING:
    from torch import Tensor

    from invrender.nouns import Cameras, Mesh, Volume
    from invrender.run.placement import CameraPlacement

Background = tuple[float, float, float]

BACKGROUNDS = {"white": (1.0, 1.0, 1.0), "black": (0.0, 0.0, 0.0), "studio": (0.93, 0.93, 0.94)}
GRADIENT = "studio"


@dataclass(frozen=True)
class Request:
    """What to draw and where it goes.

    Attributes:
        mode: of `render.modes`.
        background: linear RGB; None: transparent.
        behind: whether the background was asked for; else a scene has its own.
        output, dataset: the picture and the folder.
        placement: of cameras.
        placed: whether it was asked for; else a scene's own camera is taken.
        size: (H, W) of pictures in pixels, as far as it was asked for.
        backend, device: by name.
        quiet: whether there is no progress.
        floats: whether datasets hold floats.
        gradient: whether the background is darker towards its border.
        save: where the first camera is written, or None.
        depth: how pictures of mode "depth" are coloured; see `run.render_mesh.MeshShot`.
        scale: whether they have a scale beside them.
        only: the one object of a mesh file that is wanted, by name or number; None: all.
    """

    mode: Mode
    background: Background | None
    behind: bool
    output: Path | None
    dataset: Path | None
    placement: CameraPlacement
    placed: bool
    size: tuple[int, int] | None
    backend: str
    device: str | None
    quiet: bool
    floats: bool = False
    gradient: bool = False
    save: Path | None = None
    depth: str = "grey"
    scale: bool = True
    only: str | None = None

    def cameras(self, asset: Mesh | Volume, default: int, placement: CameraPlacement | None = None) -> Cameras:
        """The cameras of an asset; see `CameraPlacement.cameras`. The first is saved where that was asked for.

        `placement`: another than the request's.
        """
        from invrender.run.placement import middle_of

        cameras = (placement or self.placement).cameras(asset, default)
        if self.save is not None:
            save_first(self.save, cameras, middle_of(asset))
        return cameras

    @property
    def speed(self) -> float:
        """Of moving pictures, in pictures a second."""
        from invrender.run.pictures import SPEED

        return SPEED if self.placement.path is None else self.placement.path.fps


def save_first(path: Path, cameras: Cameras, middle: Tensor) -> None:
    """Write the first of some cameras around a point [3] to a file."""
    from invrender.cameras.viewpoint import viewpoint_of
    from invrender.io.cameras_file import write_viewpoint

    write_viewpoint(path, viewpoint_of(cameras, 0, middle))


def mode_of(asset: Path, name: str | None) -> Mode:
    """The mode of that name for the asset, or its default; a mode of the other kind is refused."""
    from invrender.io.scenes.read import holds_medium, is_scene_path
    from invrender.io.volumes.paths import is_volume_path

    if name is None and is_scene_path(asset):
        name = "scattering" if holds_medium(asset) else "raytraced"
    subject: Subject = "volume" if is_volume_path(asset) else "mesh"
    fitting = mode_names(subject)
    if name in mode_names() and name not in fitting:
        kind = "a volume" if subject == "volume" else "no volume"
        raise UsageError(
            f"--mode {name} does not fit {asset.name}, which is {kind}", f"use one of {', '.join(fitting)}"
        )
    return find_mode(name if name is None else check_choice("--mode", name, fitting), subject)


def is_scene(asset: Path) -> bool:
    """Whether a file is called as a scene is."""
    from invrender.io.scenes.read import is_scene_path

    return is_scene_path(asset)


def depth_colours(mode: Mode, colormap: str | None) -> str:
    """How depth is coloured: by --colormap where that was given; meshes have no other use for it (UsageError)."""
    if colormap is not None and mode.subject == "mesh" and mode.name != "depth":
        raise UsageError(
            f"--colormap has no effect in mode {mode.name}", "leave it out, or use --mode depth, or a volume"
        )
    return colormap if colormap is not None and mode.name == "depth" else "grey"


def background_of(text: str) -> Background | None:
    """Linear RGB of --background; None for transparent."""
    from invrender.colour import parse_colour

    if text == "transparent":
        return None
    colour = BACKGROUNDS.get(text) or parse_colour(text)
    if colour is None:
        raise UsageError(
            f"--background is {text!r}", "use white, black, studio, transparent or a colour such as '#8090a0'"
        )
    return colour
