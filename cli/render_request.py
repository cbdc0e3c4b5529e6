"""What a call of `invrender render` asks for, whatever the asset is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from invrender.render.modes import Mode

if TYPE_CHECKING:
    from invrender.run.pictures import CameraPlacement

Background = tuple[float, float, float]


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
        side: of pictures in pixels, as far as it was asked for.
        backend, device: by name.
        quiet: whether there is no progress.
        floats: whether datasets hold floats.
        only: the one object of a mesh file that is wanted, by name or number; None: all.
    """

    mode: Mode
    background: Background | None
    behind: bool
    output: Path | None
    dataset: Path | None
    placement: CameraPlacement
    placed: bool
    side: int | None
    backend: str
    device: str | None
    quiet: bool
    floats: bool = False
    only: str | None = None
