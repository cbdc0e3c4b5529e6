"""What compositing kernels take: samples along rays, and the rules by which they are composited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch

Tensor = torch.Tensor


Compositing = Literal["vectorized", "sequential", "early-termination", "mip"]


COMPOSITING: tuple[str, ...] = get_args(Compositing)


OPAQUE = 1e-4
"""Early termination stops at a transmittance of this or less: less than a tenth of an 8-bit step."""


MIP_RAMP = 20.0
"""Slope of the opacity of a maximum intensity projection: below 1/20 of the window it fades out, so that empty space is
transparent."""


@dataclass(frozen=True)
class RaySamples:
    """Equidistant samples along R rays, in index coordinates (x, y, z count samples of the grid from its first vertex).

    Attributes:
        start: [R,3], the first sample; it lies half a step after the point where the ray enters the grid.
        step: [R,3], from one sample to the next.
        length: [R], the distance between samples in the world.
        count: [R] int32, how many samples; 0 where the ray misses the grid.
    """

    start: Tensor
    step: Tensor
    length: Tensor
    count: Tensor


@dataclass(frozen=True)
class Shade:
    """Lighting by the gradient of the density (Levoy 1988), weighted down where the gradient is small.

    With the gradient g, its length m, n = g / m and w = m / (m + soft), a sample's colour c becomes

        c (1 - w + w (ambient + diffuse |n . l|)) + w specular |n . h|^shininess.

    Attributes:
        lights: [R,6]: per ray the unit vectors l to the light and h half-way between light and eye, in the world.
        ambient, diffuse, specular, shininess: as above.
        soft: gradient length, in values per world unit, at which w is one half.
    """

    lights: Tensor
    ambient: float = 0.35
    diffuse: float = 0.75
    specular: float = 0.25
    shininess: float = 24.0
    soft: float = 1.0


@dataclass(frozen=True)
class Rules:
    """How samples become colour and extinction, and how these are composited.

    Attributes:
        compositing: 'vectorized' (all samples of many rays at once), 'sequential' (front to back), 'early-termination'
            (front to back until the transmittance is at most `OPAQUE`): the same image; 'mip': the greatest value along
            the ray.
        low, high: the values that the first and last row of the table stand for.
        shade: lighting, or None.
    """

    compositing: Compositing = "early-termination"
    low: float = 0.0
    high: float = 1.0
    shade: Shade | None = None
