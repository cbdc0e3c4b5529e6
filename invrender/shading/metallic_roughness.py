"""The metallic-roughness surface of glTF 2.0 (appendix B of its specification) under directional light.

A metal reflects by microfacets alone, tinted by the base colour; anything else is Lambertian under a clear layer of
refractive index 1.5. With c the base colour, m the metallic share, h half-way between light and eye:

    f = (1 - m) ((1 - F(0.04)) c / pi + F(0.04) D V) + m F(c) D V
    F(f0) = f0 + (1 - f0) (1 - h.v)^5                                         Schlick 1994
    D = a^2 / (pi ((n.h)^2 (a^2 - 1) + 1)^2),  a = roughness^2                Trowbridge and Reitz 1975 (GGX)
    V = 1 / 2 / (n.l sqrt((n.v)^2 (1 - a^2) + a^2) + n.v sqrt((n.l)^2 (1 - a^2) + a^2))

V is Smith's masking and shadowing, correlated by height (Heitz 2014), as Khronos' own viewer has it.
"""

from __future__ import annotations

import math

import torch

from invrender.nouns import Lights
from invrender.shading.lights import intensities
from invrender.shading.split_sum import DIELECTRIC, SMOOTHEST, ambient_reflection, gloss_albedo, sharp

Tensor = torch.Tensor


def reflected(
    normal: Tensor,
    to_eye: Tensor,
    to_light: Tensor,
    colour: Tensor,
    roughness: Tensor,
    metallic: Tensor,
    lights: Lights,
    openness: Tensor | None = None,
    mirrored: bool = False,
) -> Tensor:
    """Radiance [...,3] towards the eye; differentiable in all.

    Args:
        normal, to_eye: [...,3] unit vectors.
        to_light: [K,...,3] unit vectors towards the directional lights.
        colour: [...,3] base colour.
        roughness, metallic: [...,1] or [] in [0, 1].
        lights: their directions are in `to_light`; ambient and SH light: see `split_sum`.
        openness: [...,1] the share of the light from everywhere that arrives; None: all of it.
        mirrored: whether mirrored rays are traced, and see what a smooth surface reflects of that; see `mirror_share`.
    """
    rough = _least(roughness)
    total = ambient_reflection(normal, to_eye, colour, rough, metallic, lights, mirrored)
    total = total if openness is None else total * openness
    for towards, intensity in zip(to_light, intensities(lights, len(to_light), normal), strict=True):
        cosine = (normal * towards).sum(-1, keepdim=True)
        lit = brdf(normal, to_eye, towards.expand_as(normal), colour, rough, metallic) * cosine.clamp(min=0)
        total = total + math.pi * intensity * lit  # a white Lambertian surface (1 / pi) shows the intensity
    return total


def mirror_share(normal: Tensor, to_eye: Tensor, colour: Tensor, roughness: Tensor, metallic: Tensor) -> Tensor:
    """The share [...,3] of what mirrored rays see that is added, 0 where a surface is too rough for them."""
    rough = _least(roughness)
    return sharp(rough) * gloss_albedo(normal, to_eye, colour, rough, metallic)


def _least(roughness: Tensor) -> Tensor:
    least: Tensor = torch.atleast_1d(roughness.clamp(SMOOTHEST, 1))
    return least


def brdf(
    normal: Tensor, to_eye: Tensor, to_light: Tensor, colour: Tensor, roughness: Tensor, metallic: Tensor
) -> Tensor:
    """f(l, v) [...,3] per steradian, for light and eye on the normal's side; see above."""
    half = torch.nn.functional.normalize(to_eye + to_light, dim=-1)
    facets = distribution(_dot(normal, half), roughness) * visibility(
        _dot(normal, to_light).abs(), _dot(normal, to_eye).abs(), roughness
    )
    grazing = (1 - _dot(to_eye, half).abs()).clamp(min=0) ** 5
    layer = DIELECTRIC + (1 - DIELECTRIC) * grazing
    dielectric = (1 - layer) * colour / math.pi + layer * facets
    metal = (colour + (1 - colour) * grazing) * facets
    return (1 - metallic) * dielectric + metallic * metal


def distribution(normal_half: Tensor, roughness: Tensor) -> Tensor:
    """D per steradian: how many microfacets face half-way, from the cosine of that direction."""
    squared = roughness**4
    return squared / (math.pi * (normal_half.clamp(min=0) ** 2 * (squared - 1) + 1) ** 2)


def visibility(normal_light: Tensor, normal_eye: Tensor, roughness: Tensor) -> Tensor:
    """V = G / (4 n.l n.v): the share of microfacets that see both light and eye, from the two cosines >= 0."""
    squared = roughness**4
    by_eye = normal_light * (normal_eye**2 * (1 - squared) + squared).sqrt()
    by_light = normal_eye * (normal_light**2 * (1 - squared) + squared).sqrt()
    return 0.5 / (by_eye + by_light).clamp(min=1e-7)  # 0 where both graze the surface


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(-1, keepdim=True)
