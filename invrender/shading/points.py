"""Points of a surface as shading needs them: what its vertices carry, between them; and what is seen of it there."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.nouns import Lights, Material
from invrender.shading.finish import COLUMNS, Finish, of_rows
from invrender.shading.radiance import mirror_share, radiance
from invrender.shading.surface import Surface
from invrender.shading.texture import albedo

Tensor = torch.Tensor


@dataclass(frozen=True)
class Points:
    """Points [...] of a surface of one material.

    Attributes:
        material: of the surface.
        colour: [...,3] linear RGB; see `texture.albedo`.
        uv: [...,2] texture coordinates, or None.
        finish: at the points, where it varies over the surface; else None.
    """

    material: Material
    colour: Tensor
    uv: Tensor | None
    finish: Finish | None


def carried(surface: Surface) -> list[Tensor]:
    """What the vertices carry besides normals, [A,C] each, in the order in which `points_of` takes it."""
    return [each for each in (surface.uv, surface.colours, surface.finish) if each is not None]


def points_of(surface: Surface, values: Tensor) -> Points:
    """The points at which what is `carried` has the values [...,C]."""
    rest = values
    uv = own = rows = None
    if surface.uv is not None:
        uv, rest = rest[..., :2], rest[..., 2:]
    if surface.colours is not None:
        own, rest = rest[..., :3], rest[..., 3:]
    if surface.finish is not None:
        rows = rest[..., :COLUMNS]
    colour = albedo(surface.material, uv, own).to(values).expand(*values.shape[:-1], 3)
    return Points(surface.material, colour, uv, None if rows is None else of_rows(rows))


def seen(
    points: Points,
    normal: Tensor,
    to_eye: Tensor,
    to_light: Tensor,
    lights: Lights,
    openness: Tensor | None = None,
    mirrored: bool = False,
) -> Tensor:
    """Linear RGB [...,3] of the points under lights; arguments as in `radiance`."""
    surface = (points.material, points.colour, points.uv, normal, to_eye, to_light, lights, points.finish)
    return radiance(*surface, openness, mirrored)


def mirror(points: Points, normal: Tensor, to_eye: Tensor) -> Tensor:
    """The share [...,3] of what mirrored rays see that is added at the points."""
    return mirror_share(points.material, points.colour, points.uv, normal, to_eye, points.finish)


def facing_normals(smooth: Tensor, flat: Tensor, to_eye: Tensor) -> Tensor:
    """Unit normals [...,3], those of the surface flipped to the side of the face (its normal is `flat`) that is seen.

    Args:
        smooth: [...,3] of any length.
        flat, to_eye: [...,3] unit vectors.
    """
    away = (flat * to_eye).sum(-1, keepdim=True) < 0
    unit = torch.nn.functional.normalize(smooth, dim=-1)
    return torch.where(away, -unit, unit)
