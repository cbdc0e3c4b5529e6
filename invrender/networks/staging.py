"""Volumes of the world as voxels of a network's camera space: placed on its stage, turned, and sampled."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch.nn import functional

from invrender.errors import InputError
from invrender.networks.names import Architecture
from invrender.nouns.stage import Stage
from invrender.nouns.volume import Volume

Tensor = torch.Tensor

GROUND_ALBEDO = 0.8
FAINT = 0.05  # occupancy below which a sample counts as empty where a volume is placed


def stage_of(architecture: Architecture) -> Stage:
    """The stage that a network learnt on.

    Raises:
        InputError: it learnt from data that told none.
    """
    if architecture.stage is None:
        raise InputError(
            "the network learnt from data without a stage: where its camera stands is not known",
            "give it voxels in its camera space (--camera-space), or train it on data of `invrender dataset make`",
        )
    return architecture.stage


def placed(volume: Volume, stage: Stage) -> Volume:
    """The volume, what is in it in the middle of the stage, on its ground, as large as fits however it is turned."""
    low, high = _filled(volume)
    extent = (high - low).clamp(min=1e-12)
    scale = min(stage.reach / float(torch.hypot(extent[0], extent[2]) / 2), stage.height / float(extent[1]))
    floor = -float(extent[1]) * scale / 2 if stage.ground is None else stage.ground
    there = torch.tensor([0.0, floor + float(extent[1]) * scale / 2, 0.0], dtype=torch.float64)
    return replace(volume, bounds=(volume.bounds.double() - (low + high) / 2) * scale + there)


def _filled(volume: Volume) -> tuple[Tensor, Tensor]:
    """The corners of the box about all samples that are not nearly empty; of an empty volume, its own."""
    full = volume.values[0].detach() > FAINT
    if not bool(full.any()):
        return volume.bounds.double()[0], volume.bounds.double()[1]
    ends = []
    for axis in (2, 1, 0):  # x, y, z
        along = full.movedim(axis, 0).flatten(1).any(1).nonzero()[:, 0]
        ends.append((int(along[0]), int(along[-1])))
    first, last = torch.tensor(ends, dtype=torch.float64).T
    return volume.bounds.double()[0] + first * volume.spacing, volume.bounds.double()[0] + last * volume.spacing


def staged(volume: Volume, architecture: Architecture, turn: float = 0.0) -> Tensor:
    """Voxels [1,C,D,H,W] of a volume that stands on a network's stage; differentiable in its values.

    Args:
        volume: occupancy, then albedo if known, in the stage's world (see `placed`).
        architecture: of the network.
        turn: by how much the volume is turned about the vertical axis, in degrees, anticlockwise from above.

    Raises:
        InputError: the stage is not known, or the volume has other channels than the network takes.
    """
    stage, wanted = stage_of(architecture), architecture.voxels[0]
    given = _with_channels(volume.values, wanted)
    points = stage.points(architecture.voxels[1:], given.device)
    cosine, sine = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    x, y, z = points.unbind(-1)
    low, high = volume.bounds.to(points)
    at = torch.stack([cosine * x - sine * z, y, sine * x + cosine * z], -1)  # turned back
    unit = 2 * (at - low) / (high - low) - 1
    found = _sampled(given, unit, volume, stage, architecture)
    if stage.ground is None:
        return found
    filled = ground_share(stage, architecture.voxels[1:]).to(found)
    occupancy = torch.maximum(found[:, :1], filled)
    albedo = torch.where(found[:, :1] > filled, found[:, 1:], GROUND_ALBEDO * (filled > 0))
    return torch.cat([occupancy, albedo], 1)


def ground_share(stage: Stage, shape: tuple[int, int, int]) -> Tensor:
    """How much of each voxel lies below the ground, [D,H,W] float32 from 0 to 1."""
    assert stage.ground is not None
    height = stage.points(shape)[..., 1]
    below = torch.gradient(height, dim=1)[0].abs() + torch.gradient(height, dim=0)[0].abs()
    return (0.5 + (stage.ground - height) / below).clamp(0, 1)


def _with_channels(values: Tensor, wanted: int) -> Tensor:
    if values.shape[0] == wanted:
        return values
    if values.shape[0] == 1 and wanted == 4:
        return torch.cat([values, GROUND_ALBEDO * torch.ones_like(values).expand(3, -1, -1, -1)])
    raise InputError(
        f"the network takes voxels of {wanted} channels, and the volume has {values.shape[0]}",
        "name a volume of one channel (a density), or of four with albedo",
    )


def _sampled(values: Tensor, unit: Tensor, volume: Volume, stage: Stage, architecture: Architecture) -> Tensor:
    """[1,C,D,H,W] at places from -1 to 1; a grid finer than the network's voxels is averaged first."""
    voxel = (stage.far - stage.near) / architecture.voxels[1]
    finer = max(1, int(voxel / float(volume.spacing.max())))
    grid = values[None]
    if finer > 1:
        reach = finer // 2  # on both sides, so that nothing moves
        grid = functional.avg_pool3d(grid, 2 * reach + 1, 1, reach, count_include_pad=True)
    return functional.grid_sample(grid, unit[None].to(grid), align_corners=True, padding_mode="zeros")
