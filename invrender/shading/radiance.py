"""What is seen of a lit surface: the reflection law that its material asks for."""

from __future__ import annotations

import torch

from invrender.nouns import Lights, Material
from invrender.shading import metallic_roughness
from invrender.shading.blinn_phong import highlights
from invrender.shading.finish import Finish, of_material
from invrender.shading.lambert import lambert
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
    finish: Finish | None = None,
    openness: Tensor | None = None,
    mirrored: bool = False,
) -> Tensor:
    """Linear RGB [...,3] towards the eye: unlit, Lambertian, Blinn-Phong or metallic-roughness; differentiable in all.

    What mirrored rays see is not part of it; see `mirror_share`.

    Args:
        material: says which, and the gloss.
        colour: [...,3] of the surface; see `texture.albedo`.
        uv: [...,2] texture coordinates, or None.
        normal, to_eye: [...,3] unit vectors.
        to_light: [K,...,3] unit vectors towards the K directional lights.
        lights: their intensities ([K,...,3] where they differ from point to point), and light from everywhere.
        finish: at the points; None: the material's.
        openness: [...,1] the share of the light from everywhere that arrives; None: all of it.
        mirrored: whether `mirror_share` of what mirrored rays see is added, instead of what else stands in for it.
    """
    shine = finish or of_material(material, normal)
    own = colour.expand_as(normal)
    if material.unlit:
        return own + shine.emission
    if material.glossy:
        roughness, metallic = gloss(material, uv, normal)
        given = (normal, to_eye, to_light, colour, roughness, metallic, lights, openness, mirrored)
        lit = metallic_roughness.reflected(*given)
    else:
        lit = lambert(normal, to_light, colour, lights, openness)
        if finish is not None or material.highlighted:
            lit = lit + highlights(normal, to_eye, to_light, shine.specular, shine.shininess, lights)
    return shine.emission + (lit if finish is None else shine.lit * lit + (1 - shine.lit) * own)


def mirror_share(
    material: Material, colour: Tensor, uv: Tensor | None, normal: Tensor, to_eye: Tensor, finish: Finish | None = None
) -> Tensor:
    """The share [...,3] of what mirrored rays see that is added; arguments as in `radiance`."""
    shine = finish or of_material(material, normal)
    if not material.glossy:
        return shine.mirror.expand_as(normal)
    roughness, metallic = gloss(material, uv, normal)
    glossy = metallic_roughness.mirror_share(normal, to_eye, colour, roughness, metallic)
    return shine.mirror + (glossy if finish is None else shine.lit * glossy)
