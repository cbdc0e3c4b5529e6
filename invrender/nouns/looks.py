"""What shading needs: how a surface reflects, and the light that falls on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    pass

Tensor = torch.Tensor


@dataclass(frozen=True)
class Material:
    """How a surface reflects light.

    Attributes:
        albedo: linear RGB in [0, 1].
        texture: [h,w,3] linear float RGB, or None; row 0 is the top (v = 1).
        name: as the file calls it.
    """

    albedo: tuple[float, float, float] = (0.8, 0.8, 0.8)
    texture: Tensor | None = None
    name: str = "default"


@dataclass(frozen=True)
class Lights:
    """A directional light and an ambient term.

    Attributes:
        direction: unit vector towards the light, or None: it moves with the camera, over its left shoulder.
        intensity: radiance of a white Lambertian surface facing the light.
        ambient: added everywhere, relative to the albedo.
    """

    direction: tuple[float, float, float] | None = None
    intensity: float = 0.75
    ambient: float = 0.25
