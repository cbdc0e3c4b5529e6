"""Voxels of a stage drawn without a network: marched along their columns, lit by the stage's light, with shadow rays.

What a network that renders voxels has to be better than. Surfaces are where compositing sees them, with the normals of
the occupancy's slope (Levoy 1988), matte, and lit by the sun and the sky that the pictures of `stages.draw` have.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from invrender.networks.geometry import EXTINCTION, composited, weighed_fall
from invrender.networks.staging import ground_share
from invrender.nouns.stage import Stage
from invrender.stages.draw import GROUND, SKY, SUN, WHITE

Tensor = torch.Tensor

RAISED = 1.5  # voxels between a surface and the beginning of its shadow ray
STEPS = 0.8  # of a shadow ray, in slices: the length of one is a step
LEAST = 1e-6


def marched(voxels: Tensor, stage: Stage, shadows: bool = True) -> Tensor:
    """Pictures [B,1,H,W] as screens show them (sRGB), one pixel for each column.

    Args:
        voxels: [B,1,D,H,W] occupancy, the ground's included, where the stage has one.
        stage: its camera and light.
        shadows: whether rays to the light are followed; without them all is lit.

    Returns:
        Pictures; differentiable in the voxels.
    """
    occupancy = voxels[:, 0]
    behind, weight = composited(occupancy)
    covered = 1 - behind[:, -1]
    unit, depth = _middles(occupancy, weight, stage)
    light = functional.normalize(torch.tensor(stage.light, dtype=occupancy.dtype, device=voxels.device), dim=0)
    right, up = stage.half_extents((occupancy.shape[2], occupancy.shape[3]))
    normal = _normals(occupancy, weight, unit, depth, stage, (right, up))
    towards = stage.camera_to_world[:3, :3].to(light).T @ light  # in the camera's axes
    facing = (normal * towards[:, None, None]).sum(1).clamp(min=0)
    if shadows:
        place = torch.stack([unit[0] * right * depth, unit[1] * up * depth, -depth], 1)
        facing = facing * _open(occupancy, place + _lift(normal, stage, occupancy), towards, stage, (right, up))
    ground = GROUND[0] if stage.ground is not None else WHITE
    share = _ground_seen(occupancy, weight, stage)
    seen = (WHITE + (ground - WHITE) * share) * (SKY + SUN * facing)
    beyond = ground * (SKY + SUN * light[1].clamp(min=0)) if stage.ground is not None else torch.tensor(0.6)
    linear = covered * seen + (1 - covered) * beyond
    encoded = 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, 12.92 * linear, encoded)[:, None]


def _middles(occupancy: Tensor, weight: Tensor, stage: Stage) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Places of columns across and up, from -1 to 1, and the depth [B,H,W] of what is seen."""
    depth, height, width = occupancy.shape[1:]

    def centres(n: int) -> Tensor:
        return (torch.arange(n, dtype=occupancy.dtype, device=occupancy.device) + 0.5) / n

    share = (weight * centres(depth)[:, None, None]).sum(1) / weight.sum(1).clamp(min=LEAST)
    return (2 * centres(width) - 1, (1 - 2 * centres(height))[:, None]), stage.near + (stage.far - stage.near) * share


def _normals(
    occupancy: Tensor, weight: Tensor, unit: tuple[Tensor, Tensor], depth: Tensor, stage: Stage,
    halves: tuple[float, float],
) -> Tensor:  # fmt: skip
    """[B,3,H,W] unit, in the camera's axes: by the chain rule from slopes along columns, rows and slices."""
    slices, height, width = occupancy.shape[1:]
    (across, upwards), (right, up) = unit, halves
    along_x = weighed_fall(occupancy, weight, 3) * width / 4
    along_y = -weighed_fall(occupancy, weight, 2) * height / 4
    along_z = weighed_fall(occupancy, weight, 1) * slices / (2 * (stage.far - stage.near))
    x, y = along_x / (depth * right), along_y / (depth * up)
    z = x * across * right + y * upwards * up - along_z
    return functional.normalize(torch.stack([x, y, z], 1), dim=1, eps=LEAST)


def _lift(normal: Tensor, stage: Stage, occupancy: Tensor) -> Tensor:
    """What takes a place off its surface, so that its shadow ray does not begin inside."""
    return normal * (RAISED * (stage.far - stage.near) / occupancy.shape[1])


def _open(
    occupancy: Tensor, places: Tensor, towards: Tensor, stage: Stage, halves: tuple[float, float]
) -> Tensor:  # fmt: skip
    """The transmittance [B,H,W] from places [B,3,H,W] in the camera's axes towards the light, through the voxels."""
    (right, up), slices = halves, occupancy.shape[1]
    length = stage.far - stage.near
    distance = (torch.arange(int(STEPS * slices), device=places.device, dtype=places.dtype) + 0.5) * (length / slices)
    at = places[:, :, None] + towards[:, None, None, None] * distance[:, None, None]
    depth = -at[:, 2]
    unit = torch.stack(
        [at[:, 0] / (right * depth), -at[:, 1] / (up * depth), 2 * (depth - stage.near) / length - 1], -1
    )
    met = functional.grid_sample(occupancy[:, None], unit, align_corners=False)[:, 0]
    return torch.exp(met.sum(1) * (-EXTINCTION / slices))


def _ground_seen(occupancy: Tensor, weight: Tensor, stage: Stage) -> Tensor:
    """How much of what is seen is ground, [B,H,W]."""
    if stage.ground is None:
        return torch.zeros_like(weight[:, 0])
    depth, height, width = occupancy.shape[1:]
    ground = (ground_share(stage, (depth, height, width)) > 0).to(weight)
    return (weight * ground).sum(1) / weight.sum(1).clamp(min=LEAST)
