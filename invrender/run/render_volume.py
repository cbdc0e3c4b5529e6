"""Pictures and datasets of volumes, drawn and written: what `invrender render` does with a volume."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from invrender.errors import InputError
from invrender.io.datasets.dataset import write_dataset
from invrender.io.datasets.transmittance import TransmittanceViews, write_transmittance
from invrender.kernels import Backend
from invrender.nouns import Cameras, Views, Volume
from invrender.nouns.appearance import Colour
from invrender.parameters.neural_field import LearnedField
from invrender.render.absorption import transmittance
from invrender.render.emission import VolumeStyle, check_colours, render_volume
from invrender.render.estimated import RANDOM, Estimation, light_through
from invrender.render.images import straight
from invrender.render.modes import Mode
from invrender.render.pictures import WHITE, default_style
from invrender.run.pictures import SPEED, Written, dataset_written, on_background, write_picture
from invrender.run.staged import write_staged

Tensor = torch.Tensor


@dataclass(frozen=True)
class VolumeShot:
    """What to draw of a volume.

    Attributes:
        mode: of `render.modes`.
        style: of mode 'volume'; None: chosen after the values.
        background: linear RGB; None: transparent.
        extinction: of mode 'transmittance': the factor on the density; None makes the volume well visible.
        floats: whether a dataset of transmittance holds float32 instead of 8 bits.
        estimation: of mode 'transmittance': the estimator, estimates a pixel, and seed.
        learned: the neural field that the volume was read from, which estimators look at between samples too.
    """

    mode: Mode
    style: VolumeStyle | None = None
    background: Colour | None = WHITE
    extinction: float | None = None
    floats: bool = False
    estimation: Estimation = field(default_factory=Estimation)
    learned: LearnedField | None = None


def volume_pictures(
    volume: Volume, cameras: Cameras, shot: VolumeShot, backend: Backend
) -> tuple[Tensor, dict[str, Any]]:
    """What image files show of a volume.

    Returns:
        [N,H,W,C] on the CPU: transmittance with C = 1, else linear RGB, with straight alpha for a transparent
        background; and facts: the `extinction` of transmittance, with what its estimator is known by and errs by.
    """
    if shot.mode.renderer == "absorption":
        light, error, extinction = _light(volume, cameras, shot, backend)
        return light[..., None].clamp(0, 1), {"extinction": float(extinction), **_facts(light, error, shot.estimation)}
    return on_background(_drawn(volume, cameras, shot, backend), shot.background), {}


def _light(
    volume: Volume, cameras: Cameras, shot: VolumeShot, backend: Backend
) -> tuple[Tensor, Tensor, float | Tensor]:
    """The share [N,H,W] of the light that comes through, its standard error, and the extinction."""
    with torch.no_grad():
        return light_through(shot.learned or volume, cameras, backend, shot.extinction, shot.estimation)


def _facts(light: Tensor, error: Tensor, how: Estimation) -> dict[str, Any]:
    """What reports say of an estimator: for those by chance the root mean square of the errors over the mean light."""
    if how.estimator == "exact":
        return {}
    if how.estimator not in RANDOM:
        return {"estimator": how.estimator}
    noise = float(error.double().square().mean().sqrt() / light.double().mean().clamp(min=1e-30))
    return {"estimator": how.estimator, "spp": how.spp, "noise": noise if how.spp > 1 else None}


def transmittance_views(
    volume: Volume, cameras: Cameras, backend: Backend, extinction: float | None = None, floats: bool = False
) -> TransmittanceViews:
    """Posed images of the light that comes through a volume, with its box and grid: what `reconstruct` takes.

    Args:
        volume, cameras, backend: a density, from where, and what computes.
        extinction: the factor on the density; None makes the volume well visible.
        floats: whether files shall hold float32 instead of 8 bits.
    """
    light, factor = transmittance(volume, cameras, backend, extinction)
    return _posed(light, volume, cameras, factor, floats)


def _posed(light: Tensor, volume: Volume, cameras: Cameras, factor: float | Tensor, floats: bool) -> TransmittanceViews:
    box = volume.bounds.double()
    return TransmittanceViews(cameras, light, "transmittance", box, volume.shape, float(factor), not floats)


def write_volume_picture(
    path: Path, volume: Volume, cameras: Cameras, shot: VolumeShot, backend: Backend, speed: float = SPEED
) -> Written:
    """Draw a volume and write a still or a sheet of stills (.png), or a turning picture (.gif, .mp4).

    `speed`: of moving pictures, in pictures a second.
    """
    pictures, facts = volume_pictures(volume, cameras, shot, backend)
    written = write_picture(path, pictures, shot.mode, facts, speed)
    if "extinction" not in facts:
        return written
    return replace(written, note=f"{written.note}, extinction {facts['extinction']:.4g}")


def write_volume_dataset(folder: Path, volume: Volume, cameras: Cameras, shot: VolumeShot, backend: Backend) -> Written:
    """Write posed images that `invrender reconstruct` takes: transmittance, or colours with straight alpha."""
    if shot.mode.renderer == "absorption":
        light, error, factor = _light(volume, cameras, shot, backend)
        views = _posed(light, volume, cameras, factor, shot.floats)
        files = write_staged(folder, lambda place: write_transmittance(place, views))
        facts = {"extinction": views.extinction, **_facts(light, error, shot.estimation)}
        return dataset_written(folder, files, cameras, facts)
    drawn = _drawn(volume, cameras, shot, backend)
    colour, alpha = straight(drawn)
    posed = Views(cameras, alpha, colour.clamp(0, 1))
    return dataset_written(folder, write_staged(folder, lambda place: write_dataset(place, posed)), cameras)


def _drawn(volume: Volume, cameras: Cameras, shot: VolumeShot, backend: Backend) -> Tensor:
    """Premultiplied linear RGB and alpha on the CPU.

    Raises:
        InputError: nothing is to be seen, or four channels hold something else than extinction and colour.
    """
    check_colours(volume)
    drawn = render_volume(volume, cameras, shot.style or default_style(volume), backend).cpu()
    if not bool((drawn[..., 3] > 0).any()):
        raise InputError(
            "no camera sees anything of the volume",
            "check its values (`invrender inspect`), or give a --window and an --opacity that show some of them",
        )
    return drawn
