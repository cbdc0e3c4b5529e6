"""What the settings of every run have in common; each kind of run adds its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class RunSettings:
    """All settings of a run are a subclass's fields; its config.toml reproduces the run.

    Attributes:
        input: asset or dataset folder.
        preset: whose values the other settings have unless given.
        backend, device: see `invrender.backends.select`.
        seed: of everything random.
        views: how many: of an asset's own, or of a dataset spread evenly; none: the run's default, or all of a dataset.
        size: side of an asset's views, or the longest side to which a dataset's images are scaled down, in pixels.
        cameras: the rig for an asset's own views: orbit, sphere, or a file with cameras.
        elevation: of an orbit, in degrees.
        distance: of the rig's cameras; see `invrender.cameras.rig` and `invrender.render.absorption.volume_rig`.
        fov: their vertical field of view, in degrees.
        gif_frames: pictures of progress.gif; 0: no GIFs.
    """

    input: Path
    preset: Literal["draft", "standard", "fine"] = "standard"
    backend: str = "auto"
    device: str | None = None
    seed: int = 0
    views: int | None = None
    size: int | None = None
    cameras: str = "orbit"
    elevation: float = 10.0
    distance: float = 3.0
    fov: float = 45.0
    gif_frames: int = 48


@dataclass(frozen=True)
class VolumeRunSettings(RunSettings):
    """The same for runs that end in a volume.

    Attributes:
        bounds: x, y, z of the lower and the upper corner of the grid's box.
        grid: samples along z, y, x, or one number for all.
    """

    cameras: str = "sphere"
    distance: float = 2.0
    fov: float = 40.0
    gif_frames: int = 24
    bounds: tuple[float, ...] | None = None
    grid: tuple[int, ...] | None = None
