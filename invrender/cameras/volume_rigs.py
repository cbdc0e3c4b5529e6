"""The rig around a volume."""

from __future__ import annotations

from typing import Literal

import torch

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
    distance: float = DISTANCE,
    fov: float = FOV,
    elevation: float = 10.0,
) -> Cameras:
    """Cameras around a volume, `distance` times its longest axis from the centre; see `cameras.rig`."""
    return rig(kind, count, *volume_frame(volume), size, distance, fov, elevation)
