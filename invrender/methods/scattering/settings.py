"""The settings of reconstructing a scattering medium."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from invrender.run.settings import Flag, Key, Own, Range, VolumeRunSettings

SCENE = "scene.toml"

PRESETS: Mapping[str, Mapping[str, object]] = {
    "draft": {"iterations": 85, "gif_frames": 12},
    "standard": {},
    "fine": {"iterations": 800},
}


@dataclass(frozen=True)
class ScatteringSettings(VolumeRunSettings):
    """What a run on a scattering medium adds.

    Light, albedo and mean cosine are known from the scene, unless `optimize` names them.
    """

    OF_PRESETS: ClassVar[Mapping[str, Mapping[str, object]]] = PRESETS
    OWN: ClassVar[Own] = Own(views=24)
    UNSET: ClassVar[Mapping[str, str]] = {
        "views": "24 of an asset",
        "size": "as wide as an asset's grid, a dataset's as they are",
        "lighting": "the dataset's own",
        "environment": "the scene's own; for a volume sky",
        "albedo": "the scene's",
        "phase_g": "the scene's",
    }

    method: Annotated[Literal["scattering"], Key("What to learn from.")] = "scattering"
    lighting: Annotated[Path | None, Flag("Whose light falls on a dataset that does not say it.", "SCENE.toml")] = None
    environment: Annotated[
        str | None, Flag("Light from far away, where no scene tells it: sky has a sun.", "sky|grey|#RRGGBB|FILE")
    ] = None
    albedo: Annotated[
        tuple[float, ...] | None, Flag("Single-scattering albedo, if it is not the scene's.", "A|R,G,B"),
        Range(0, 1),
    ] = None  # fmt: skip
    phase_g: Annotated[
        float | None, Flag("Mean cosine of scattering, if it is not the scene's.", "G"), Range(-0.99, 0.99)
    ] = None
    optimize: Annotated[
        tuple[str, ...],
        Flag("What is free besides the extinction: albedo (one colour), g, environment, light.intensity.", "PATH,..."),
    ] = ()
    target_spp: Annotated[int, Flag("Rays a pixel of an asset's own views."), Range(1, 1 << 20)] = 256
    skip_missing: Annotated[bool, Flag("Leave out a dataset's views whose files are missing.")] = False
    iterations: Annotated[int, Flag("Steps of the optimisation, over all resolutions."), Range(1, 1_000_000)] = 400
    views_a_step: Annotated[int, Key("Views that a step looks at."), Range(1, 10_000)] = 12
    spp: Annotated[int, Flag("Rays a pixel of each of a step's two independent pictures."), Range(1, 4096)] = 1
    rate: Annotated[float, Key("Step length of Adam, in shares of the medium's level."), Range(1e-6, 10)] = 0.12
    values_rate: Annotated[float, Key("The same for what else is free, in its free numbers."), Range(1e-6, 10)] = 0.03
    smoothing: Annotated[float, Key("Weight of the total variation."), Range(0, 1e6)] = 1.0
    loss: Annotated[
        Literal["l2", "relative"],
        Flag("Squared differences of linear radiance, or relative to it, where some of it is very bright."),
    ] = "l2"
    carve: Annotated[bool, Key("Hold what views see the bare environment through at zero.")] = True
    field: Annotated[
        Literal["grid", "neural"],
        Flag("What the density is: samples, or a small network on a latent grid."),
    ] = "grid"


SETTINGS = ScatteringSettings


def suits(source: Path) -> bool:
    """Whether an input is a scene.toml with a medium, or a dataset beside whose pictures one lies."""
    from invrender.errors import InputError
    from invrender.io.files.paths import is_file, is_folder

    path = source / SCENE if is_folder(source) else source
    if path.suffix.lower() != ".toml" or not is_file(path):
        return False
    from invrender.io.scenes.read import holds_medium  # with all that scenes are made of

    try:
        return holds_medium(path)
    except InputError:
        return False  # whoever reads it says what is wrong with it
