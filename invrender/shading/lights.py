"""Where light comes from: directions towards the directional ones, and lights that are turned."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch

from invrender.nouns import Cameras, Lights
from invrender.shading import spherical_harmonics as harmonics

Tensor = torch.Tensor


@dataclass(frozen=True)
class Arriving:
    """What one light sends to R points.

    Attributes:
        towards: [R,3] unit vectors to the light.
        distance: what lies farther away casts no shadow: [R], or inf.
        intensity: [R,3] radiance that a white Lambertian surface there reflects when it faces the light.
    """

    towards: Tensor
    distance: Tensor | float
    intensity: Tensor


SHOULDER = (-0.45, 0.6, 1.0)  # where the light stands that moves with the camera, in camera axes


def to_lights(lights: Lights, cameras: Cameras) -> Tensor:
    """Unit vectors [K,N,1,1,3] towards K lights: their own directions, or over each camera's shoulder (K = 1)."""
    if lights.direction is None:
        shoulder = torch.tensor(SHOULDER, dtype=torch.float64, device=cameras.world_to_camera.device)
        towards = (shoulder @ cameras.world_to_camera[:, :3, :3])[None]  # the rows of a rotation are the camera's axes
    else:
        own = torch.as_tensor(lights.direction, dtype=torch.float64).reshape(-1, 1, 3)
        towards = own.expand(-1, len(cameras), 3)
    return unit(towards)[:, :, None, None, :]


def unit(towards: Tensor) -> Tensor:
    """Unit vectors [...,3], of lengths that may be far beyond what can be squared."""
    largest = towards.detach().abs().amax(-1, keepdim=True)
    return torch.nn.functional.normalize(towards / torch.where(largest > 0, largest, 1), dim=-1)


def intensities(lights: Lights, count: int, like: Tensor) -> list[Tensor]:
    """The intensity of each of `count` lights, [3], [1], [] or [...,3], with the dtype and device of another tensor."""
    every = torch.as_tensor(lights.intensity).to(like)
    return list(every) if every.ndim >= 2 else [every] * count


def arriving(lights: Lights, points: Tensor) -> list[Arriving]:
    """What each of the lights sends to points [R,3]; one over the camera's shoulder must have a direction (`fixed`)."""
    if lights.direction is None:
        raise ValueError("a light that moves with the camera has no direction: give it one (`fixed`)")
    own = torch.as_tensor(lights.direction, dtype=torch.float64, device=points.device)
    towards = unit(own.reshape(-1, 3)).to(points)
    strength = intensities(lights, len(towards), points)
    return [
        Arriving(each.expand_as(points), math.inf, much.expand_as(points))
        for each, much in zip(towards, strength, strict=True)
    ]


def turned(lights: Lights, rotation: Tensor) -> Lights:
    """The same lights after a rotation [3,3] of the world; one over the camera's shoulder must have a direction first.

    Raises:
        ValueError: the directional light moves with the camera.
    """
    if lights.direction is None:
        raise ValueError("a light that moves with the camera has no direction to turn: give it one (`fixed`)")
    direction = torch.as_tensor(lights.direction, dtype=torch.float64)
    sh = None if lights.sh is None else harmonics.rotated(lights.sh, rotation)
    return replace(lights, direction=direction @ rotation.to(direction).T, sh=sh)


def fixed(lights: Lights, cameras: Cameras) -> Lights:
    """The same lights, those over the shoulder left standing where the first camera has them."""
    if lights.direction is not None:
        return lights
    return replace(lights, direction=to_lights(lights, cameras[[0]])[0, 0, 0, 0])
