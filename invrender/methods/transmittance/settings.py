"""The settings of reconstruction from transmittance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from invrender.run.settings import Flag, Range, VolumeRunSettings

PANEL = "Volumes"
SOLVERS = "fista|sirt|cgls|adam|lbfgs|lm"  # those of scenes share the flag

PRESETS: Mapping[str, Mapping[str, object]] = {
    "draft": {"iterations": 40, "gif_frames": 12},
    "standard": {},
    "fine": {"iterations": 200},
}


@dataclass(frozen=True)
class TransmittanceSettings(VolumeRunSettings):
    """What a run from transmittance adds; 64 views of 128 pixels of an asset, or a dataset's as they are.

    Unless given, box and grid are the asset's or the dataset's, or as many samples as an image has pixels.

    Attributes:
        extinction: factor on an asset's values: auto brings the 95th percentile of the optical depths to 2.5.
        noise: float, 8bit or poisson:PHOTONS: what an asset's views are given, and what the pixels weigh; none: exact
            for an asset, by the files for a dataset.
        field: grid, or neural: a latent grid with a small network, trained by marching rays.
        solver: fista; or, without smoothing, sirt, cgls (may turn negative) or adam.
        iterations: passes over the views, all phases together; none: 85, more for few views, fewer for noisy ones. Of
            the neural field: steps of its training; none: 400.
        smoothing: weight of the total variation relative to the data's curvature and the density's level; none: chosen
            by views left out.
        carve: hold what empty rays cross at zero.
        split: what a run over several processes shares out: the views, or slabs of the grid, of which each process then
            holds one alone; auto: the views, unless the grid has 512^3 samples or more.
    """

    method: Literal["transmittance"] = "transmittance"
    extinction: Annotated[str, Flag("Factor on an asset's values in its views.", "auto|NUMBER", PANEL)] = "auto"
    noise: Annotated[
        str | None,
        Flag(
            "How the pixels err; an asset's views are given that noise. Of a scene's targets a standard deviation.",
            "float|8bit|poisson:PHOTONS|NUMBER",
            PANEL,
        ),
    ] = None
    field: Annotated[
        Literal["grid", "neural"],
        Flag("What the density is: samples, or a small network on a latent grid.", panel=PANEL),
    ] = "grid"
    solver: Annotated[
        Literal["fista", "sirt", "cgls", "adam"],
        Flag("What solves for the density, or (the last three) for a scene's values.", SOLVERS, PANEL),
    ] = "fista"
    iterations: Annotated[int | None, Flag("Steps of the optimisation."), Range(1, 1_000_000)] = None
    smoothing: Annotated[float | None, Range(0, 1e6)] = None
    carve: bool = True
    split: Literal["auto", "views", "slabs"] = "auto"


SETTINGS = TransmittanceSettings


def suits(source: Path) -> bool:
    """Whether an input is a volume file or a dataset of transmittance."""
    from invrender.io.datasets.transmittance import is_transmittance
    from invrender.io.volumes.read import is_volume_path

    return is_volume_path(source) or is_transmittance(source)
