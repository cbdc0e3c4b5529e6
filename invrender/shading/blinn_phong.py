"""The highlight of Blinn 1977 ("Models of light reflection for computer synthesized pictures") as .mtl files mean it.

With h half-way between light and eye, Ks the specular colour and Ns the shininess, each light adds

    Ks (n . h)^Ns I     where it is above the surface (n . l > 0)

to what Lambert's law reflects. This is illumination model 2 of the MTL format (Alias/Wavefront 1995), without any
normalisation: the highlight's peak is Ks I whatever Ns is, and (as in the format) it is not multiplied by n . l. A
shininess of 0 means no highlight: exporters write it for surfaces without any, where the formula would give a veil.
"""

from __future__ import annotations

import torch

from invrender.nouns import Lights
from invrender.shading.lights import intensities

Tensor = torch.Tensor

_LEAST = 1e-6  # stands in for a cosine of 0, whose logarithm the gradient with Ns needs


def highlights(
    normal: Tensor, to_eye: Tensor, to_light: Tensor, specular: Tensor, shininess: Tensor, lights: Lights
) -> Tensor:
    """Radiance [...,3] of the highlights of all directional lights; differentiable in all but where light is.

    Args:
        normal, to_eye: [...,3] unit vectors.
        to_light: [K,...,3] unit vectors towards the lights.
        specular: [...,3] or [3], Ks.
        shininess: [...,1] or [1], Ns.
        lights: their intensities.
    """
    total = torch.zeros_like(normal)
    for towards, intensity in zip(to_light, intensities(lights, len(to_light), normal), strict=True):
        above = (normal * towards).sum(-1, keepdim=True) > 0
        total = total + intensity * torch.where(above, lobe(normal, to_eye, towards, shininess), 0)
    return specular * torch.where(shininess > 0, total, 0)


def lobe(normal: Tensor, to_eye: Tensor, to_light: Tensor, shininess: Tensor) -> Tensor:
    """(n . h)^Ns [...,1] for unit vectors [...,3]."""
    half = torch.nn.functional.normalize(to_eye + to_light, dim=-1)
    cosine: Tensor = (normal * half).sum(-1, keepdim=True).clamp(min=_LEAST)
    return cosine**shininess
