"""The part of a volume that shows, and cameras that are filled by it."""

from __future__ import annotations

import math

import torch

from invrender.cameras.framing import fitting_distance, fitting_extent, volume_points
from invrender.nouns import Volume

Tensor = torch.Tensor

AIR = 1.04  # what is free around the object, as a factor on the distance
SHOWN = 0.05  # of the greatest weight: what shows less may be left out


def occupied(volume: Volume, weights: Tensor) -> Volume:
    """The smallest box of a grid that holds what shows, with one sample around it; weights as its one channel.

    Args:
        volume: tells where samples lie.
        weights: [D,H,W], how much each sample shows, such as its opacity.
    """
    seen = torch.nonzero(weights > SHOWN * weights.max())
    counts = torch.tensor(weights.shape)
    if not len(seen):
        return Volume(weights[None].float(), volume.bounds, volume.name, volume.units)
    first = (seen.amin(0) - 1).clamp(min=0)
    last = torch.minimum(seen.amax(0) + 1, counts - 1)
    last = torch.maximum(last, torch.minimum(first + 1, counts - 1))
    first = torch.minimum(first, last - 1).clamp(min=0)
    (z, y, x), (top, right, far) = first.tolist(), (last + 1).tolist()
    low, steps = volume.bounds[0].double().cpu(), volume.spacing.cpu()
    bounds = torch.stack([low + first.flip(0) * steps, low + last.flip(0) * steps])
    return Volume(weights[None, z:top, y:right, x:far].float(), bounds, volume.name, volume.units)


def filling_distance(part: Volume, kind: str, size: tuple[int, int], fov: float, elevation: float | None) -> float:
    """From how far cameras around a volume hold what shows of it and little else, in its longest axes."""
    centre, longest = part.frame
    points = volume_points(part) - centre.cpu()
    distance = AIR * fitting_distance(points, kind, size, fov, elevation) / longest
    return max(distance, 0.51 * math.sqrt(3))  # never inside


def filling_extent(part: Volume, kind: str, size: tuple[int, int], elevation: float | None) -> float:
    """The same of parallel cameras: world units across the smaller side of their pictures."""
    return AIR * fitting_extent(volume_points(part) - part.frame[0].cpu(), kind, size, elevation)
