"""Volumes in units in which float32 can compute, whatever the values and lengths: 1e20 per cubic metre, micrometres.

The units are powers of two, so scaling is exact: a picture is the same to the bit as long as nothing overflows.
"""

from __future__ import annotations

import math

import torch

from invrender.nouns import Cameras, Volume

Tensor = torch.Tensor

_MOST = 1e15  # of a scaled value: what is greater has long left any window, and its square still is a float32


def exponent(number: float) -> int:
    """The power of two above a number's magnitude; 0 for 0."""
    return math.frexp(number)[1] if math.isfinite(number) else 0


def lengths_exponent(volume: Volume) -> int:
    """The power of two that is a volume's unit of length."""
    return exponent(float((volume.bounds[1] - volume.bounds[0]).max()))


def scaled(values: Tensor, power: int) -> Tensor:
    """values * 2^power, exact where it neither overflows nor underflows; differentiable."""
    half = power // 2  # each factor alone is a float32
    return values * math.ldexp(1, half) * math.ldexp(1, power - half)


def scaled_volume(volume: Volume, values: int, lengths: int) -> Volume:
    """The volume with its values in units of 2^values and its box in units of 2^lengths."""
    inside = scaled(volume.values, -values).clamp(-_MOST, _MOST)
    return Volume(inside, volume.bounds * math.ldexp(1, -lengths))


def scaled_cameras(cameras: Cameras, lengths: int) -> Cameras:
    """The cameras in units of 2^lengths.

    The projection of a perspective camera holds but for the clipping planes; that of a parallel one is per length.
    """
    factors = torch.ones(4, 4, dtype=cameras.world_to_camera.dtype, device=cameras.world_to_camera.device)
    factors[:3, 3] = math.ldexp(1, -lengths)
    per_length = torch.ones_like(cameras.projection)
    per_length[:, :3, :3] = torch.where(cameras.parallel[:, None, None], math.ldexp(1, lengths), 1.0)
    return Cameras(cameras.world_to_camera * factors, cameras.projection * per_length, cameras.size)
