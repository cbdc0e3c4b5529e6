"""The rig around a volume."""

from __future__ import annotations

from typing import Literal

import torch

from invrender.cameras.framing import fitting_distance, volume_points
from invrender.cameras.rigs import rig
from invrender.nouns import Cameras, Volume

Tensor = torch.Tensor


DISTANCE, FOV = 2.0, 40.0


def volume_frame(volume: Volume) -> tuple[Tensor, float]:
    """Centre [3] float64 of a volume's box and the length of its longest axis, in world units."""
    low, high = volume.bounds.double()
    return (low + high) / 2, float((high - low).max())


def volume_rig(
    volume: Volume,
    kind: Literal["orbit", "sphere"],
    count: int,
    size: tuple[int, int],
    distance: float | None = None,
    fov: float = FOV,
    elevation: float = 10.0,
) -> Cameras:
    """Cameras around a volume; see `cameras.rig`.

    Args:
        volume, kind, count, size, fov, elevation: see there.
        distance: from the centre, in longest axes; None: 2, or as far as what is visible needs to be in the pictures.
    """
    centre, longest = volume_frame(volume)
    if distance is None:
        distance = standing_back(volume, kind, size, fov, elevation)
    return rig(kind, count, centre, longest, size, distance, fov, elevation)


def standing_back(
    volume: Volume, kind: str, size: tuple[int, int], fov: float = FOV, elevation: float | None = None
) -> float:
    """The default distance of cameras that hold what is visible of a volume, in longest axes: at least DISTANCE."""
    centre, longest = volume_frame(volume)
    points = volume_points(volume) - centre.cpu()
    return max(DISTANCE, fitting_distance(points, kind, size, fov, elevation) / longest)
