"""Volumes as media: how dense they are, and a scene of one under a sky."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.nouns import Scene, Volume
from invrender.nouns.medium import Medium
from invrender.shading.sky import Sky, sun_and_sky

Tensor = torch.Tensor

CLOUDY = 20.0  # optical depth of a cloud that hides what is behind it, along the densest line


@dataclass(frozen=True)
class MediumLook:
    """What a volume is as a medium.

    Attributes:
        extinction: the factor on the values; None: it makes the greatest optical depth along the axes `CLOUDY`.
        albedo: single-scattering albedo.
        asymmetry: mean cosine of the scattering angle.
    """

    extinction: float | Tensor | None = None
    albedo: float = 0.95
    asymmetry: float = 0.5


def scene_of_volume(volume: Volume, extinction: float | Tensor | None = None) -> Scene:
    """A volume as a medium under a clear sky; see `MediumLook`."""
    environment, sun = sun_and_sky(Sky())
    medium, _ = medium_of_volume(volume, MediumLook(extinction))
    return Scene(lights=[sun], background=None, environment=environment, media=medium)


def medium_of_volume(volume: Volume, look: MediumLook) -> tuple[Medium, float | Tensor]:
    """A volume's values as extinction, and the factor on them."""
    factor: float | Tensor | None = look.extinction
    if factor is None:
        greatest = max(greatest for greatest, _ in axis_depths(volume))
        factor = CLOUDY / greatest if greatest > 0 else 1.0
    extinction = Volume(volume.values * factor, volume.bounds, volume.name, volume.units)
    return Medium(extinction, look.albedo, look.asymmetry, name=volume.name), factor


def axis_depths(extinction: Volume) -> list[tuple[float, float]]:
    """Along x, y and z the greatest and the mean optical depth, of lines through the samples; of colours the densest.

    The integral of what is linear between the samples: they count whole, the first and the last half.
    """
    values, found = extinction.values.detach().amax(0), []
    for axis, step in zip((2, 1, 0), extinction.spacing.tolist(), strict=True):
        ends = values.select(axis, 0) + values.select(axis, -1)
        depth = step * (values.double().sum(axis) - ends / 2)
        found.append((float(depth.max()), float(depth.mean())))
    return found
