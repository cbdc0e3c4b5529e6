"""Lambert's law."""

from __future__ import annotations

import math

import torch

from invrender.nouns import Lights
from invrender.shading import spherical_harmonics as harmonics
from invrender.shading.lights import intensities

Tensor = torch.Tensor


def lambert(
    normal: Tensor, to_light: Tensor, reflectance: Tensor, lights: Lights, openness: Tensor | None = None
) -> Tensor:
    """Radiance that a Lambertian surface reflects; differentiable in all.

    reflectance * (ambient + E(n) / pi + sum_k intensity_k max(0, n . l_k)), E the irradiance of light from all sides.

    Args:
        normal: [...,3] unit vectors.
        to_light: [K,...,3] unit vectors towards K lights, or [...,3] with as many axes as the normals towards one.
        reflectance: [...,3] or [...,1].
        lights: their directions are in `to_light`.
        openness: [...,1] the share of the light from everywhere that arrives; None: all of it.
    """
    each = list(to_light) if to_light.ndim > normal.ndim else [to_light]
    total = surround(normal, lights)
    total = total if openness is None else total * openness
    for towards, intensity in zip(each, intensities(lights, len(each), normal), strict=True):
        total = total + intensity * (normal * towards).sum(-1, keepdim=True).clamp(min=0)
    return reflectance * total


def surround(normal: Tensor, lights: Lights) -> Tensor:
    """What a white Lambertian surface reflects of light from everywhere: the ambient term, and E(n) / pi of the SH."""
    ambient = torch.as_tensor(lights.ambient).to(normal)
    if lights.sh is None:
        return ambient
    return ambient + harmonics.irradiance(normal, lights.sh.to(normal)) / math.pi
