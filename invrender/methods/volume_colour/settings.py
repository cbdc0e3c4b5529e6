"""The settings of reconstruction from colour views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from invrender.run.settings import Flag, Key, Own, Range, VolumeRunSettings

PRESETS: Mapping[str, Mapping[str, object]] = {
    "draft": {"iterations": 120, "gif_frames": 12},
    "standard": {},
    "fine": {"iterations": 900, "rays": 16384},
}


@dataclass(frozen=True)
class ColourSettings(VolumeRunSettings):
    """What a run from colour images adds."""

    OF_PRESETS: ClassVar[Mapping[str, Mapping[str, object]]] = PRESETS
    OWN: ClassVar[Own] = Own(views=32, size=96, most=128)
    UNSET: ClassVar[Mapping[str, str]] = {
        "views": "32 of an asset",
        "size": "96 of an asset, 128 of a dataset",
        "known": "density and colour are sought",
        "rate": "0.12, of a field 0.02",
    }

    method: Annotated[Literal["volume"], Key("What to learn from.")] = "volume"
    known: Annotated[Path | None, Flag("Find the transfer function of this volume.", "VOLUME")] = None
    skip_missing: Annotated[bool, Flag("Leave out a dataset's views whose files are missing.")] = False
    field: Annotated[
        Literal["grid", "neural"],
        Flag("What the density is: samples, or a small network on a latent grid."),
    ] = "grid"
    colormap: Annotated[str, Key("Colours under which an asset shows itself, as `render` takes them.")] = "inferno"
    opacity: Annotated[str, Key("Opacity under which an asset shows itself, as `render` takes it.")] = "linear"
    strength: Annotated[
        float, Key("Opacity of the densest sample of an asset, per voxel's length."), Range(0.001, 1)
    ] = 0.3
    iterations: Annotated[int, Flag("Steps of the optimisation, over all resolutions."), Range(1, 1_000_000)] = 400
    rays: Annotated[int, Key("How many rays each step looks along."), Range(1, 1 << 22)] = 8192
    rate: Annotated[float | None, Key("Adam's step for raw values, before softplus and sigmoid."), Range(1e-6, 10)] = (
        None
    )
    smoothing: Annotated[
        float, Key("Weight of the grid's total variation, or of the table's curvature."), Range(0, 1e6)
    ] = 1.0
    samples: Annotated[float, Key("Samples per voxel along a ray."), Range(0.05, 16)] = 1.0


SETTINGS = ColourSettings


def suits(source: Path) -> bool:
    """Never without being asked: a folder of pictures may be meant for a mesh as well."""
    del source
    return False
