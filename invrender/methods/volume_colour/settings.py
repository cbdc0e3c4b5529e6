"""The settings of reconstruction from colour views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from invrender.run.settings import Flag, Range, VolumeRunSettings

PRESETS: Mapping[str, Mapping[str, object]] = {
    "draft": {"iterations": 120, "gif_frames": 12},
    "standard": {},
    "fine": {"iterations": 900, "rays": 16384},
}


@dataclass(frozen=True)
class ColourSettings(VolumeRunSettings):
    """What a run from colour images adds; 32 views of 96 pixels of an asset, or a dataset's scaled down to 128.

    Unless given, the box is the asset's, or what all cameras see, with at most 64 samples along the longest axis.

    Attributes:
        known: the volume whose transfer function is sought; none: density and colour are.
        skip_missing: leave out views of a dataset whose files are missing.
        field: grid, or neural: density and colour are a latent grid with a small network, shown on the grid.
        colormap, opacity, strength: the transfer function under which an asset shows itself; see `transfer_function`.
        iterations: steps of Adam, over all resolutions.
        rays: how many each step looks along.
        rate: Adam's step for raw values (before softplus and sigmoid); none: 0.12, of a field's weights 0.02.
        smoothing: weight of the grid's total variation, or of the table's curvature.
        samples: per voxel along a ray.
    """

    method: Literal["volume"] = "volume"
    known: Annotated[
        Path | None,
        Flag("Find the transfer function of this volume.", "VOLUME", "Volumes"),
    ] = None
    skip_missing: Annotated[bool, Flag("Leave out a dataset's views whose files are missing.")] = False
    field: Annotated[
        Literal["grid", "neural"],
        Flag("What the density is: samples, or a small network on a latent grid.", panel="Volumes"),
    ] = "grid"
    colormap: str = "inferno"
    opacity: str = "linear"
    strength: Annotated[float, Range(0.001, 1)] = 0.3
    iterations: Annotated[int, Flag("Steps of the optimisation."), Range(1, 1_000_000)] = 400
    rays: Annotated[int, Range(1, 1 << 22)] = 8192
    rate: Annotated[float | None, Range(1e-6, 10)] = None
    smoothing: Annotated[float, Range(0, 1e6)] = 1.0
    samples: Annotated[float, Range(0.05, 16)] = 1.0


SETTINGS = ColourSettings


def suits(source: Path) -> bool:
    """Never without being asked: a folder of pictures may be meant for a mesh as well."""
    del source
    return False
