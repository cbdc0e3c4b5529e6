"""Pictures of everything around a point, by latitude and longitude, as `nouns.Environment` has them."""

from __future__ import annotations

import math

import torch

Tensor = torch.Tensor


def picture_directions(size: tuple[int, int]) -> Tensor:
    """Unit directions [h,w,3] float64 of the pixels' centres of an environment's picture; see `nouns.Environment`."""
    height, width = size
    polar = (torch.arange(height, dtype=torch.float64) + 0.5) / height * math.pi
    azimuth = ((torch.arange(width, dtype=torch.float64) + 0.5) / width - 0.5) * 2 * math.pi
    around, ring = torch.stack([torch.sin(azimuth), -torch.cos(azimuth)], 1), torch.sin(polar)[:, None]
    up = torch.cos(polar)[:, None].expand(height, width)
    return torch.stack([ring * around[:, 0], up, ring * around[:, 1]], -1)
