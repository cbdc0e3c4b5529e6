"""The reflection laws of `kernels.radiance` in plain torch: what surfaces reflect of light from a direction.

Each is f cos(n, l), for the cosines n.l, n.v and v.l [N]; colours are [3,N]. Differentiable in all.
"""

from __future__ import annotations

import math

import torch

from invrender.kernels import paths
from invrender.shading.split_sum import SMOOTHEST, directional_albedo

Tensor = torch.Tensor


def highlight(shininess: Tensor, nl: Tensor, nv: Tensor, vl: Tensor) -> Tensor:
    """(n . h)^Ns / pi [N] above the surface; 0 where the shininess is 0, as `shading.blinn_phong` has it."""
    lobe = half_cosine(nl, nv, vl).clamp(paths.LEAST, 1) ** shininess / math.pi
    return torch.where((nl > 0) & (shininess > 0), lobe, 0)


def half_cosine(nl: Tensor, nv: Tensor, vl: Tensor) -> Tensor:
    """n . h [N] of h half-way between l and v."""
    return (nl + nv) / (2 + 2 * vl).clamp(min=paths.LEAST).sqrt()


def glossy(colour: Tensor, rough: Tensor, metal: Tensor, nl: Tensor, nv: Tensor, vl: Tensor) -> tuple[Tensor, Tensor]:
    """The Lambertian part and the microfacets' [3,N] of `shading.metallic_roughness`."""
    nl = nl.clamp(min=0)
    square, cosine = rough**4, half_cosine(nl, nv, vl).clamp(0, 1)
    distribution = square / (math.pi * (cosine * cosine * (square - 1) + 1) ** 2)
    by_eye, by_light = nl * smith(nv, square), nv * smith(nl, square)
    facets = distribution * 0.5 / (by_eye + by_light).clamp(min=1e-7) * nl
    grazing = (1 - ((1 + vl) / 2).clamp(min=paths.LEAST).sqrt()).clamp(min=0) ** 5
    layer = paths.HEAD_ON + (1 - paths.HEAD_ON) * grazing
    below = (1 - metal) * (1 - layer) * nl / math.pi * colour
    return below, ((1 - metal) * layer + metal * (colour + (1 - colour) * grazing)) * facets


def smith(cosine: Tensor, square: Tensor) -> Tensor:
    """The root in Smith's masking [N]."""
    return (cosine * cosine * (1 - square) + square).sqrt()


def glossy_density(rough: Tensor, nl: Tensor, nv: Tensor, vl: Tensor) -> Tensor:
    """Per solid angle [N], of directions mirrored at visible normals (`radiance_random.visible_half`)."""
    square, cosine = rough**4, half_cosine(nl, nv, vl).clamp(0, 1)
    distribution = square / (math.pi * (cosine * cosine * (square - 1) + 1) ** 2)
    return torch.where(nl > 0, distribution / (2 * (nv + smith(nv, square))), 0)


def highlight_density(shininess: Tensor, nl: Tensor, nv: Tensor, vl: Tensor) -> Tensor:
    """Per solid angle [N], of directions mirrored at half vectors by the power of their cosine."""
    cosine = half_cosine(nl, nv, vl).clamp(paths.LEAST, 1)
    across = ((1 + vl) / 2).clamp(min=paths.LEAST).sqrt()
    return torch.where(nl > 0, (shininess + 1) / (8 * math.pi) * cosine**shininess / across, 0)


def under_constant_light(colour: Tensor, rough: Tensor, metal: Tensor, nv: Tensor) -> tuple[Tensor, Tensor]:
    """The Lambertian part and the microfacets' [3,N] under light that is the same everywhere (`shading.split_sum`)."""
    scale, bias = directional_albedo(nv.abs(), rough)
    layer = paths.HEAD_ON * scale + bias
    return (1 - metal) * (1 - layer) * colour, (1 - metal) * layer + metal * (colour * scale + bias)


def least(rough: Tensor) -> Tensor:
    """Roughness that highlights can have."""
    return rough.clamp(SMOOTHEST, 1)


def fresnel(cosine: Tensor, ratio: Tensor) -> tuple[Tensor, Tensor]:
    """The share [N] that a dielectric reflects, and the cosine of the refracted ray, 0 where there is none.

    Args:
        cosine: [N] of the ray with the normal on its side.
        ratio: [N] refractive index of the far side over that of the near one.
    """
    square = 1 - (1 - cosine * cosine) / (ratio * ratio)
    goes = square > 0
    inner = torch.where(goes, square, 1).sqrt()
    across = (cosine - ratio * inner) / (cosine + ratio * inner)
    along = (ratio * cosine - inner) / (ratio * cosine + inner)
    return torch.where(goes, (across * across + along * along) / 2, 1), torch.where(goes, inner, 0)
