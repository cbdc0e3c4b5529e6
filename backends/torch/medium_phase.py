"""The law of Henyey and Greenstein (1941, "Diffuse radiation in the Galaxy"), and directions picked by it."""

from __future__ import annotations

import math

import torch

from invrender.backends.torch.radiance_random import length, turned

Tensor = torch.Tensor

STRAIGHT = 1e-3  # mean cosine below which all directions are alike


def phase(cosine: Tensor, g: Tensor) -> Tensor:
    """Per solid angle [N], at a cosine [N] to the way on; differentiable."""
    k = 1 + g * g - 2 * g * cosine
    return (1 - g * g) / (4 * math.pi * k * k.sqrt())


def scattered(direction: Tensor, g: Tensor, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Unit vectors [3,N] picked by the law, and their cosines [N] to unit vectors [3,N]; constants."""
    bent = g.abs() >= STRAIGHT
    safe = torch.where(bent, g, 0.5)
    k = (1 - safe * safe) / (1 - safe + 2 * safe * first)
    cosine = torch.where(bent, ((1 + safe * safe - k * k) / (2 * safe)).clamp(-1, 1), 1 - 2 * first)
    towards = turned(direction, cosine, (1 - cosine * cosine).clamp(min=0).sqrt(), second)
    return towards / length(towards), cosine
