"""Logarithms of noisy transmittances, and how much each of them is worth.

The logarithm of a noisy value is biased: of a transmittance T with variance v, -ln T is too large by v / (2 T^2) on
average, and nothing below 0 has one. (T + sqrt(T^2 + 2 v)) / 2 is T + v / (2 T) where T is well above its noise, which
takes the bias off, and stays positive where nothing came through. For counts it is the half photon that people add.
Weights are inverse variances of these, T^2 / v, of the mean of the pixels around: with a pixel's own value, those that
err to the bright side would get more to say than those that err to the dark one.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from invrender.radiography.noise import CountNoise, smoothed

Tensor = torch.Tensor


def positive(transmittance: Tensor, noise: CountNoise, brightness: Tensor | float = 1.0) -> tuple[Tensor, Tensor]:
    """Transmittances [N,H,W] whose logarithms are fair, and the weights of these; NaN with weight 0 where masked.

    Weights are relative to those of a pixel of brightness 1 without an object: at most about 1.
    """
    known = ~transmittance.isnan()
    around = torch.where(known, smoothed(transmittance), 0.0).clamp(min=0)
    variance = noise.variance(around, brightness)
    # Far below its noise a mean is no mean any more: what the pixel itself says of it counts too.
    floor = variance.sqrt() / 2
    level = torch.maximum(around, floor)
    value = (transmittance + (transmittance.square() + 2 * variance).sqrt()) / 2
    weight = torch.where(known, level.square() / variance.clamp(min=1e-30) / noise.equivalent, 0.0)
    return torch.where(known, value.clamp(min=0), torch.nan), weight


def hardened(transmittance: Tensor, coefficients: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Transmittances of line integrals c1 p + c2 p^2 + ... of measured ones p, and the slope of that in p [N,H,W].

    Herman, Correction for beam hardening in computed tomography (Physics in Medicine and Biology 1979).
    """
    depth = -transmittance.clamp(min=1e-30).log()
    value, slope = torch.zeros_like(depth), torch.zeros_like(depth)
    for power in range(len(coefficients), 0, -1):
        slope = slope * depth + power * coefficients[power - 1]
        value = (value + coefficients[power - 1]) * depth
    return torch.exp(-value), slope
