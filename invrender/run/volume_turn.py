"""Volumes that turn at the end of their films, framed on what shows of them, and slices through them."""

from __future__ import annotations

import numpy as np
import torch

from invrender.cameras.occupied import filling_distance, occupied
from invrender.cameras.volume_rigs import FOV, volume_rig
from invrender.kernels import Backend
from invrender.nouns import Cameras, Volume
from invrender.render.emission import QUALITY, VolumeStyle, render_volume
from invrender.render.images import to_bytes
from invrender.render.looks import shown
from invrender.report.difference import enlarged
from invrender.run.shots import Picture

Tensor = torch.Tensor

FRAMES, SPEED = 24, 8.0  # of a turn, in three seconds
ELEVATION = 15.0
LARGEST = 96  # samples along the longest axis that turning pictures are drawn from
FINE, LEAST = 1.5, 96  # pixels for each sample along what shows, and of a side, that turning pictures are drawn with
GROUND = 0.01  # linear grey behind volumes
FAIR, BRIGHTEST = 0.2, 0.995  # of the fullest slice, that a shown one holds; share of values that are below white


def shrunk(volume: Volume) -> Volume:
    """The volume with no more samples than turning pictures can show."""
    share = LARGEST / max(volume.values.shape[1:])
    if share >= 1:
        return volume
    size = [max(2, round(n * share)) for n in volume.values.shape[1:]]
    values = torch.nn.functional.interpolate(volume.values[None].cpu(), size, mode="trilinear", align_corners=True)[0]
    return Volume(values, volume.bounds, volume.name)


def drawn_side(samples: float, side: int) -> int:
    """Pixels across of turning pictures that are shown with `side`, of a volume with so many samples along it."""
    return min(side, max(LEAST, round(FINE * samples)))


def around(volume: Volume, style: VolumeStyle, side: int) -> Cameras:
    """Cameras of a full turn, with square pictures that what shows of a volume fills.

    They have at most `side` pixels across, and no more than the samples of the volume can show: those in between are
    linear.
    """
    part = occupied(volume, shown(volume, style.transfer))
    side = drawn_side(float(((part.bounds[1] - part.bounds[0]).cpu() / volume.spacing.cpu()).max()), side)
    distance = filling_distance(part, "orbit", (side, side), FOV, ELEVATION)
    return volume_rig(part, "orbit", FRAMES, (side, side), distance, elevation=ELEVATION)


def turned(volume: Volume, style: VolumeStyle, cameras: Cameras, side: int, backend: Backend) -> list[Picture]:
    """Pictures of a volume on a dark ground, enlarged to `side` pixels across."""
    quick = VolumeStyle(style.transfer, style.lighting, quality=QUALITY["draft"])
    layers = render_volume(volume, cameras, quick, backend).cpu().float()
    found = to_bytes(layers[..., :3] + (1 - layers[..., 3:].clamp(0, 1)) * GROUND)
    return [enlarged(picture, side) for picture in found]


def slices(volume: Volume, count: int, side: int) -> list[Picture]:
    """Slices across z through what a volume holds, as greys on the dark ground, linear in the values.

    Args:
        volume: whose first channel is shown.
        count: of the pictures, from the first to the last slice that holds a fair share of what the fullest one does.
        side: pixels of their longer side; they have the proportions of what is shown.
    """
    part = occupied(Volume(volume.values[:1].cpu(), volume.bounds), volume.values[0].abs().cpu())
    values = part.values[0].clamp(min=0)
    full = values.flatten(1).sum(1)
    held = (full >= FAIR * full.max()).nonzero()[:, 0]
    high = max(float(np.quantile(values[values > 0], BRIGHTEST)) if bool((values > 0).any()) else 0.0, 1e-30)
    width, height = (part.bounds[1] - part.bounds[0])[:2].tolist()
    size = [max(1, round(each / max(width, height) * side)) for each in (height, width)]
    found = []
    for place in np.linspace(int(held[0]), int(held[-1]), count).round().astype(int):
        plane = values[place].flip(0)[None, None].float()
        scaled = torch.nn.functional.interpolate(plane, size, mode="bilinear", align_corners=True)[0, 0]
        grey = (scaled / high).clamp(0, 1)[..., None].expand(-1, -1, 3)
        found.append(to_bytes(GROUND + (1 - GROUND) * grey))
    return found


def on_ground(picture: Picture, shape: tuple[int, int]) -> Picture:
    """A picture in the middle of a dark one of a shape (rows, columns), as large as there is room."""
    factor = min(shape[0] / picture.shape[0], shape[1] / picture.shape[1])
    small = enlarged(picture, round(factor * max(picture.shape[:2])))[: shape[0], : shape[1]]
    high, wide = ((whole - own) // 2 for whole, own in zip(shape, small.shape[:2], strict=True))
    ground = np.broadcast_to(to_bytes(torch.full((3,), GROUND)), (*shape, 3)).copy()
    ground[high : high + small.shape[0], wide : wide + small.shape[1]] = small
    return ground
