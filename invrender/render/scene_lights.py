"""The lights of a scene as rows of numbers, in the frame of its arrays; see `kernels.radiance`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import singledispatch

import torch

from invrender.kernels import radiance as seam
from invrender.nouns import Lights
from invrender.nouns.light import DirectionalLight, Light, PointLight, SpotLight
from invrender.render.number_table import Table, Value
from invrender.shading.lights import intensities, unit

Tensor = torch.Tensor


def light_rows(lights: Lights | Sequence[Light], centre: Tensor, scale: float, like: Tensor) -> tuple[Tensor, Tensor]:
    """Rows [L,11] and kinds [L] of lights; differentiable in their numbers.

    Args:
        lights: of a scene; plain ones have a direction.
        centre, scale: of the frame: middle [3] float64 and unit in the world.
        like: whose dtype and device the rows have.

    Raises:
        ValueError: the plain lights move with the camera.
    """
    if isinstance(lights, Lights):
        return _plain_rows(lights, like)
    table, middle = Table(len(lights), seam.LIGHT_COLUMNS), centre.tolist()
    kinds = [_put(light, table, row, middle, scale) for row, light in enumerate(lights)]
    return table.tensor(like), torch.tensor(kinds, dtype=torch.int64, device=like.device)


def ambient_of(lights: Lights | Sequence[Light], like: Tensor) -> Tensor:
    """The radiance [3] that arrives from everywhere."""
    if not isinstance(lights, Lights):
        return like.new_zeros(3)
    ambient = torch.as_tensor(lights.ambient).to(like)
    return ambient.reshape(-1, ambient.shape[-1] if ambient.ndim else 1).sum(0).expand(3)


def _plain_rows(lights: Lights, like: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of directional lights: one that shows the radiance I on white has the irradiance pi I."""
    if lights.direction is None:
        raise ValueError("a light that moves with the camera has no direction: give it one (`fixed`)")
    towards = unit(torch.as_tensor(lights.direction, dtype=torch.float64).reshape(-1, 3)).to(like)
    strength = torch.stack([math.pi * each.expand(3) for each in intensities(lights, len(towards), like)])
    before, after = like.new_zeros(len(towards), seam.DIRECTION), like.new_zeros(len(towards), 2)
    kinds = torch.full((len(towards),), seam.DIRECTIONAL, dtype=torch.int64, device=like.device)
    return torch.cat([before, towards, strength, after], 1), kinds


@singledispatch
def _put(light: Light, table: Table, row: int, centre: Sequence[float], scale: float) -> int:
    """Fill a light's row; its kind."""
    raise TypeError(f"{type(light).__name__} is no light")


@_put.register
def _(light: PointLight, table: Table, row: int, centre: Sequence[float], scale: float) -> int:
    table.put(row, seam.POSITION, _local(light.position, centre, scale), 3)
    table.put(row, seam.INTENSITY, _scaled(light.intensity, scale**-2), 3)
    return seam.POINT


@_put.register
def _(light: SpotLight, table: Table, row: int, centre: Sequence[float], scale: float) -> int:
    table.put(row, seam.POSITION, _local(light.position, centre, scale), 3)
    table.put(row, seam.DIRECTION, _towards(light.direction), 3)
    table.put(row, seam.INTENSITY, _scaled(light.intensity, scale**-2), 3)
    table.put(row, seam.COS_INNER, _cosine(light.inner))
    table.put(row, seam.COS_OUTER, _cosine(light.outer))
    return seam.SPOT


@_put.register
def _(light: DirectionalLight, table: Table, row: int, centre: Sequence[float], scale: float) -> int:
    table.put(row, seam.DIRECTION, _towards(light.direction), 3)
    table.put(row, seam.INTENSITY, light.intensity, 3)
    return seam.DIRECTIONAL


def _local(position: Sequence[float] | Tensor, centre: Sequence[float], scale: float) -> Value:
    if isinstance(position, Tensor):
        return (position.double() - torch.tensor(centre, dtype=torch.float64, device=position.device)) / scale
    return [(x - middle) / scale for x, middle in zip(position, centre, strict=True)]


def _scaled(intensity: float | Sequence[float] | Tensor, factor: float) -> Value:
    if isinstance(intensity, Sequence):
        return [value * factor for value in intensity]
    return intensity * factor


def _towards(direction: Sequence[float] | Tensor) -> Tensor:
    return unit(torch.as_tensor(direction, dtype=torch.float64))


def _cosine(degrees: float | Tensor) -> float | Tensor:
    if isinstance(degrees, Tensor):
        return torch.cos(torch.deg2rad(degrees.double()))
    return math.cos(math.radians(degrees))
