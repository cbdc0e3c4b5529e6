"""The settings of reconstructing a scattering medium."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from invrender.run.settings import Flag, Range, VolumeRunSettings

PANEL = "Media"
SCENE = "scene.toml"

PRESETS: Mapping[str, Mapping[str, object]] = {
    "draft": {"iterations": 85, "gif_frames": 12},
    "standard": {},
    "fine": {"iterations": 800},
}


@dataclass(frozen=True)
class ScatteringSettings(VolumeRunSettings):
    """What a run on a scattering medium adds; 24 views of an asset, as wide as its grid, or a dataset's.

    Unless given, box and grid are the asset's or the dataset's, or as many samples as a picture has pixels. Light,
    albedo and mean cosine are known from the scene, unless `optimize` names them.

    Attributes:
        lighting: a scene.toml whose light falls on a dataset that does not tell its own.
        environment: light from far away: sky, with a sun; grey; #RRGGBB; or a picture by latitude and longitude; for a
            volume (sky), or a dataset.
        albedo: single-scattering albedo, a number or RGB; none: the scene's.
        phase_g: mean cosine of the scattering angle; none: the scene's.
        optimize: what is free besides extinction: albedo (one colour), g, environment, light.intensity.
        target_spp: rays a pixel of an asset's own views.
        skip_missing: leave out views of a dataset whose files are missing.
        iterations: steps of the optimisation, over all resolutions, besides those of the start.
        views_a_step: views that a step looks at.
        spp: rays a pixel of each of a step's two independent pictures.
        rate: step length of Adam, in shares of the medium's level.
        values_rate: the same for what else is free, in its free numbers (`parameters.medium_values`).
        smoothing: weight of the total variation.
        loss: l2 of linear radiance, or relative to it, where some of it is very bright.
        carve: hold what views see the bare environment through at zero.
        field: grid, or neural: a latent grid with a small network.
    """

    method: Literal["scattering"] = "scattering"
    lighting: Annotated[
        Path | None, Flag("Whose light falls on a dataset that does not say it.", "SCENE.toml", PANEL)
    ] = None
    environment: Annotated[
        str | None, Flag("Light from far away, where no scene tells it.", "sky|grey|#RRGGBB|FILE.exr|FILE.hdr", PANEL)
    ] = None
    albedo: Annotated[
        tuple[float, ...] | None, Flag("Single-scattering albedo, if it is not the scene's.", "A|R,G,B", PANEL),
        Range(0, 1),
    ] = None  # fmt: skip
    phase_g: Annotated[
        float | None, Flag("Mean cosine of scattering, if it is not the scene's.", "G", PANEL), Range(-0.99, 0.99)
    ] = None
    optimize: Annotated[
        tuple[str, ...],
        Flag(
            "What is free, such as light.position,light.intensity,camera.pose,material.NAME.Kd.", "PATH,...", "Scenes"
        ),
    ] = ()
    target_spp: Annotated[int, Flag("Rays a pixel of an asset's own views.", panel=PANEL), Range(1, 1 << 20)] = 256
    skip_missing: Annotated[bool, Flag("Leave out a dataset's views whose files are missing.")] = False
    iterations: Annotated[int, Flag("Steps of the optimisation."), Range(1, 1_000_000)] = 400
    views_a_step: Annotated[int, Range(1, 10_000)] = 12
    spp: Annotated[int, Range(1, 4096)] = 1
    rate: Annotated[float, Range(1e-6, 10)] = 0.12
    values_rate: Annotated[float, Range(1e-6, 10)] = 0.03
    smoothing: Annotated[float, Range(0, 1e6)] = 1.0
    loss: Annotated[Literal["l2", "relative"], Flag("Squared differences, or relative ones.", panel=PANEL)] = "l2"
    carve: bool = True
    field: Annotated[
        Literal["grid", "neural"],
        Flag("What the density is: samples, or a small network on a latent grid.", panel="Volumes"),
    ] = "grid"


SETTINGS = ScatteringSettings


def suits(source: Path) -> bool:
    """Whether an input is a scene.toml with a medium, or a dataset beside whose pictures one lies."""
    from invrender.errors import InputError
    from invrender.io.files.paths import is_file, is_folder
    from invrender.io.scenes.read import holds_medium

    path = source / SCENE if is_folder(source) else source
    try:
        return path.suffix.lower() == ".toml" and is_file(path) and holds_medium(path)
    except InputError:
        return False  # whoever reads it says what is wrong with it
