"""What is seen of a lit surface: the reflection law that its material asks for."""

from __future__ import annotations

import torch

from invrender.nouns import Lights, Material
from invrender.shading.lambert import lambert
from invrender.shading.metallic_roughness import reflected
from invrender.shading.texture import gloss

Tensor = torch.Tensor


def radiance(
    material: Material,
    colour: Tensor,
    uv: Tensor | None,
    normal: Tensor,
    to_eye: Tensor,
    to_light: Tensor,
    lights: Lights,
) -> Tensor:
    """Linear RGB [...,3] towards the eye: unlit, Lambertian or metallic-roughness; differentiable in all.

    Args:
        material: says which, and the gloss.
        colour: [...,3] of the surface; see `texture.albedo`.
        uv: [...,2] texture coordinates, or None.
        normal, to_eye: [...,3] unit vectors.
        to_light: [K,...,3] unit vectors towards the K directional lights.
        lights: their intensities, and light from everywhere.
    """
    if material.unlit:
        return colour.expand_as(normal)
    if material.lambertian:
        return lambert(normal, to_light, colour, lights)
    roughness, metallic = gloss(material, uv, normal)
    return reflected(normal, to_eye, to_light, colour, roughness, metallic, lights)
