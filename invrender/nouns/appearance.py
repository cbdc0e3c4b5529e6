"""Appearance: how a surface reflects, and the light that falls on it.

Numbers may be plain or tensors; gradients of a picture reach those that are tensors.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

Tensor = torch.Tensor
Colour = tuple[float, float, float]

PLAIN: Colour = (0.8, 0.8, 0.8)


@dataclass(frozen=True)
class Material:
    """How a surface reflects light.

    Attributes:
        albedo: linear RGB in [0, 1], as three numbers or a tensor [3].
        texture: [h,w,3] linear float RGB, or None; row 0 is the top (v = 1).
        name: as the file calls it.
    """

    albedo: Colour | Tensor = PLAIN
    texture: Tensor | None = None
    name: str = "default"

    @property
    def is_default(self) -> bool:
        """Whether it is the default, as for a file that names no material; a material with a tensor is not."""
        chosen = isinstance(self.albedo, Tensor) or self.albedo != PLAIN
        return not chosen and self.texture is None and self.name == "default"

    @property
    def rgb(self) -> Colour:
        """The albedo as plain numbers, for files and other programs."""
        albedo = self.albedo.detach().tolist() if isinstance(self.albedo, Tensor) else self.albedo
        red, green, blue = (float(value) for value in albedo)
        return red, green, blue


@dataclass(frozen=True)
class Lights:
    """A directional light and an ambient term.

    Attributes:
        direction: towards the light, of any length, as three numbers or a tensor [3]; None: the light moves with the
            camera, over its left shoulder.
        intensity: radiance of a white Lambertian surface facing the light: a number, a tensor [] or one [3] for RGB.
        ambient: added everywhere, relative to the albedo; likewise.
    """

    direction: Colour | Tensor | None = None
    intensity: float | Tensor = 0.75
    ambient: float | Tensor = 0.25
