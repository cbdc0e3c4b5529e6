"""Pictures by a network that has learnt, of volumes and meshes: what `invrender render ASSET --model RUN` draws.

The asset stands on the network's stage, as large as fits, and is turned before its camera.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from invrender.colour import srgb_to_linear
from invrender.errors import InputError, UsageError
from invrender.io.gif import write_gif
from invrender.io.images import write_png
from invrender.networks.staging import GROUND_ALBEDO, placed, stage_of, staged
from invrender.networks.trained import TrainedNetwork
from invrender.nouns import Mesh, Volume
from invrender.nouns.stage import Stage
from invrender.render.images import contact_sheet, to_bytes
from invrender.run import stop
from invrender.run.pictures import Written
from invrender.stages.arrange import about_y
from invrender.stages.voxelise import voxelised

Tensor = torch.Tensor


def occupancy(volume: Volume, window: tuple[float, float] | None) -> Volume:
    """A volume's values as occupancy: 0 and 1 at the ends of the window, or 1 at the greatest value.

    Raises:
        InputError: no value is above the window's lower end, or its channels are neither one nor four.
    """
    density = volume.values[:1]
    low, high = window if window is not None else (0.0, float(density.max()))
    if not (high > low and float(density.max()) > low):
        raise InputError(
            f"the greatest value of the volume is {float(density.max()):g}, so that nothing is in it",
            "name the values of nothing and of something with --window LOW,HIGH",
        )
    if volume.values.shape[0] not in (1, 4):
        raise InputError(
            f"the volume has {volume.values.shape[0]} channels, not one or four", "choose one of them with --key"
        )
    scaled = ((density - low) / (high - low)).clamp(0, 1)
    return replace(volume, values=torch.cat([scaled, volume.values[1:].clamp(0, 1)]))


@torch.no_grad()
def volume_pictures(network: TrainedNetwork, volume: Volume, turns: Sequence[float]) -> Tensor:
    """Pictures [N,H,W,C] as encoded, of a volume of occupancy that is brought to the middle of the stage."""
    architecture = network.architecture
    there = placed(volume, stage_of(architecture))
    device = next(network.module.parameters()).device
    there = replace(there, values=there.values.to(device))
    return _turned(lambda turn: network.pictures(staged(there, architecture, turn)), turns)


@torch.no_grad()
def mesh_pictures(network: TrainedNetwork, mesh: Mesh, turns: Sequence[float]) -> Tensor:
    """The same of a closed mesh, which is voxelised anew for every turn.

    Raises:
        InputError: it is not closed.
    """
    stage, shape = stage_of(network.architecture), network.architecture.voxels[1:]
    there = placed_mesh(mesh, stage)
    device = next(network.module.parameters()).device

    def drawn(turn: float) -> Tensor:
        occupied = voxelised([turned_mesh(there, turn)], stage, shape)[None].to(device)
        if network.architecture.voxels[0] == 4:
            occupied = torch.cat([occupied, GROUND_ALBEDO * (occupied > 0).expand(3, -1, -1, -1)])
        return network.pictures(occupied[None])

    return _turned(drawn, turns)


@torch.no_grad()
def voxel_pictures(network: TrainedNetwork, voxels: Tensor) -> Tensor:
    """Pictures [1,H,W,C] of voxels [C,D,H,W] that are in the network's camera space already.

    Raises:
        InputError: they are of another shape than those that it learnt from.
    """
    device = next(network.module.parameters()).device
    return network.pictures(voxels[None].to(device)).cpu()


def write_pictures(path: Path, pictures: Tensor, encoding: str, facts: dict[str, Any]) -> Written:
    """Write pictures [N,H,W,C] that are encoded so, as a turning .gif or as a .png: a still, or a sheet."""
    values = pictures.float().cpu().clamp(0, 1)
    linear = values if encoding == "linear" else torch.from_numpy(srgb_to_linear(values.numpy()))
    colours = linear.expand(-1, -1, -1, 3)
    count, height, width = values.shape[:3]
    animated = path.suffix.lower() == ".gif"
    if animated:
        write_gif(path, list(to_bytes(colours)))
    else:
        write_png(path, contact_sheet(colours))
    note = f"{width} x {height}"
    if animated or count > 1:
        note += f", {count} {'frames' if animated else 'views'}"
    return Written(path, [path], note, facts)


def turns(azimuth: float, views: int) -> list[float]:
    """Angles of pictures, evenly around: the asset is turned so that it is seen from the azimuth on.

    Raises:
        UsageError: they are no numbers.
    """
    if not np.isfinite(azimuth):
        raise UsageError(f"--azimuth is {azimuth}", "give degrees")
    return [-(azimuth + 360 * k / views) for k in range(views)]


def _turned(drawn: Any, turns: Sequence[float]) -> Tensor:
    pictures = []
    for turn in turns:
        stop.check()
        pictures.append(drawn(float(turn)).cpu())
    return torch.cat(pictures)


def placed_mesh(mesh: Mesh, stage: Stage) -> Mesh:
    """The mesh in the middle of the stage, on its ground, as large as fits whichever way it is turned."""
    vertices = mesh.vertices.double()
    used = vertices[mesh.faces.unique()]
    box = Volume(torch.zeros(1, 2, 2, 2), torch.stack([used.amin(0), used.amax(0)]))
    there = placed(box, stage).bounds
    extent = (box.bounds[1] - box.bounds[0]).max()
    scale = (there[1] - there[0]).max() / extent
    return replace(mesh, vertices=(vertices - box.bounds.mean(0)) * scale + there.mean(0))


def turned_mesh(mesh: Mesh, turn: float) -> Mesh:
    """The mesh, turned about the vertical axis by degrees, anticlockwise from above."""
    return replace(mesh, vertices=mesh.vertices @ torch.from_numpy(about_y(math.radians(turn))).T)
