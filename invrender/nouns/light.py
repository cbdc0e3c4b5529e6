"""The lights of a scene, in radiometric units: each is of one kind, with a name by which it is found again.

Numbers may be plain or tensors; gradients of a picture reach those that are tensors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import torch

from invrender.nouns.appearance import WHITE, Colour

Tensor = torch.Tensor
Vector: TypeAlias = tuple[float, float, float]
"""Three numbers of a place or a direction in the world."""


@dataclass(frozen=True)
class PointLight:
    """Light from one place to all sides.

    Attributes:
        position: [3] in the world.
        intensity: radiant intensity, power per steradian: a number, a tensor [] or one [3] for RGB. A surface at the
            distance r whose normal makes the angle a with the light receives intensity cos(a) / r^2.
        name: by which it is found again.
    """

    position: Vector | Tensor
    intensity: float | Colour | Tensor = 1.0
    name: str = "light"


@dataclass(frozen=True)
class SpotLight:
    """Light from one place within a cone.

    It is full within the inner angle and falls smoothly to 0 at the outer one, as KHR_lights_punctual has it: with the
    cosine c of the angle with the axis, by the square of (c - cos outer) / (cos inner - cos outer) clamped to [0, 1].

    Attributes:
        position: [3] in the world.
        direction: [3], the way in which it shines, of any length.
        intensity: radiant intensity along the axis; see `PointLight`.
        inner, outer: half the cone's angles, in degrees, 0 <= inner < outer <= 90.
        name: by which it is found again.
    """

    position: Vector | Tensor
    direction: Vector | Tensor
    intensity: float | Colour | Tensor = 1.0
    inner: float | Tensor = 0.0
    outer: float | Tensor = 45.0
    name: str = "light"


@dataclass(frozen=True)
class DirectionalLight:
    """Parallel light, such as the sun's.

    Attributes:
        direction: [3], towards the light, of any length.
        intensity: the irradiance of a surface that faces it: a number, a tensor [] or one [3] for RGB. A white
            Lambertian surface there shows intensity / pi.
        name: by which it is found again.
    """

    direction: Vector | Tensor
    intensity: float | Colour | Tensor = 1.0
    name: str = "light"


@dataclass(frozen=True)
class Environment:
    """Radiance that arrives from far away, from every side.

    Attributes:
        colour: linear RGB, three numbers or a tensor [3]; multiplies the picture, alone it is the same everywhere.
        picture: [h,w,3] linear RGB or None, by latitude and longitude: row 0 looks up (+Y), the middle of the picture
            along -Z, and columns to the right turn towards +X.
        rotation: of the picture about +Y in degrees, counter-clockwise seen from above.
    """

    colour: Colour | Tensor = WHITE
    picture: Tensor | None = None
    rotation: float | Tensor = 0.0


Light: TypeAlias = PointLight | SpotLight | DirectionalLight
