"""Light from far away as one picture by latitude and longitude, whatever a scene says of it."""

from __future__ import annotations

import torch

from invrender.nouns import Lights
from invrender.nouns.light import Environment
from invrender.nouns.medium import Field
from invrender.nouns.scene import Scene
from invrender.shading.lat_long import picture_directions
from invrender.shading.spherical_harmonics import radiance

Tensor = torch.Tensor

SH_SIZE = (64, 128)  # of pictures of spherical harmonics of order 2: their second differences are below 1 %


def environment_arrays(scene: Scene, like: Tensor) -> tuple[Tensor, Tensor]:
    """The environment [h,w,3], or [0,0,3] where there is none, and [3,3] the world's directions to the picture's.

    Spherical harmonics of plain lights are added to it. Differentiable in all its numbers.
    """
    own, turn = scene.environment, torch.eye(3, dtype=like.dtype, device=like.device)
    picture = like.new_zeros(0, 0, 3)
    if own is not None:
        turn = turn_of(own, like)
        picture = torch.as_tensor(own.colour).to(like).expand(1, 1, 3)
        picture = picture if own.picture is None else picture * own.picture.to(like)
    harmonics = scene.lights.sh if isinstance(scene.lights, Lights) else None
    if harmonics is None:
        return picture, turn
    size = SH_SIZE if own is None or own.picture is None else (picture.shape[0], picture.shape[1])
    directions = picture_directions(size).to(like) @ turn  # a picture's direction p is turn^T p in the world
    light = radiance(directions, harmonics.to(like)).clamp(min=0).expand(*size, 3)
    return (light if own is None else picture + light), turn


def turn_of(environment: Environment, like: Tensor) -> Tensor:
    """[3,3]: the world's directions to those of the picture, by the rotation about +Y."""
    angle = torch.deg2rad(torch.as_tensor(environment.rotation).to(like))
    cosine, sine, zero = torch.cos(angle), torch.sin(angle), torch.zeros_like(angle)
    rows = [cosine, zero, -sine, zero, torch.ones_like(angle), zero, sine, zero, cosine]
    return torch.stack(rows).reshape(3, 3)


def panorama(field: Field, size: tuple[int, int]) -> Tensor:
    """A function of directions as an environment's picture [h,w,3], (h,w) pixels; differentiable.

    Args:
        field: unit directions [M,3] float32 of the world to linear RGB [M,3], such as a neural field in the box from -1
            to 1 with three outputs "radiance".
        size: of the picture.
    """
    return field(picture_directions(size).reshape(-1, 3).float()).reshape(*size, 3)
