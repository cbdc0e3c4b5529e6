"""A metallic-roughness surface under light from everywhere: the ambient term and spherical harmonics.

Its diffuse part is exact (`lambert.surround`). Its gloss is approximated by the split sum of Karis 2013: the light,
blurred as if the eye looked along the lobe's axis, times what the surface would reflect of constant light,

    L(axis) (f0 (E - B) + B).

E and B are what the microfacets of `metallic_roughness` reflect of constant light with F = 1 and F = (1 - h.v)^5. E is
fitted here to the integral, within 0.03 where n.v > 0.2 and 0.07 anywhere; B is that of Karis 2014 ("Physically based
shading on mobile"), within 0.03 and 0.08. The blur scales the orders 0, 1 and 2 of the light by 1, k1 and k2, fitted to
GGX's lobe (weighted with n.l) within 0.01 and 0.03, and exact for a mirror (1, 1) and for roughness 1, whose lobe is
Lambertian (2/3, 1/4). The axis lies between mirror direction and normal (Lagarde and de Rousiers 2014). What gloss
reflects of constant light the Lambertian part below it lacks, so that a white dielectric under constant light shows
that light.

Where rays are traced, those mirrored at a smooth surface see more than constant light and harmonics can tell. They take
over the gloss of what is as good as a mirror (`sharp`), and `gloss_albedo` of what they see is added.
"""

from __future__ import annotations

import torch

from invrender.nouns import Lights
from invrender.shading import spherical_harmonics as harmonics
from invrender.shading.lambert import surround

Tensor = torch.Tensor

DIELECTRIC = 0.04  # reflected head-on at a refractive index of 1.5


SMOOTHEST = 0.045  # the least roughness: below, a directional light's highlight is brighter than float32 holds well
BLURRED = 0.25  # roughness from which mirrored rays would show too sharp a picture


def ambient_reflection(
    normal: Tensor,
    to_eye: Tensor,
    colour: Tensor,
    roughness: Tensor,
    metallic: Tensor,
    lights: Lights,
    mirrored: bool = False,
) -> Tensor:
    """Radiance [...,3] that a surface reflects of light from everywhere; arguments as in `metallic_roughness`."""
    cosine = (normal * to_eye).sum(-1, keepdim=True)
    scale, bias = directional_albedo(cosine.abs(), roughness)
    layer = DIELECTRIC * scale + bias
    glossy = blurred(normal, to_eye, roughness, lights)
    glossy = glossy * (1 - sharp(roughness)) if mirrored else glossy
    dielectric = (1 - layer) * colour * surround(normal, lights) + layer * glossy
    return (1 - metallic) * dielectric + metallic * (colour * scale + bias) * glossy


def gloss_albedo(normal: Tensor, to_eye: Tensor, colour: Tensor, roughness: Tensor, metallic: Tensor) -> Tensor:
    """The share [...,3] of constant light that the gloss reflects; arguments as in `metallic_roughness`."""
    scale, bias = directional_albedo((normal * to_eye).sum(-1, keepdim=True).abs(), roughness)
    return (1 - metallic) * (DIELECTRIC * scale + bias) + metallic * (colour * scale + bias)


def sharp(roughness: Tensor) -> Tensor:
    """The share of the gloss that mirrored rays take over: all at the least roughness, none from 0.25 on."""
    rough = ((roughness - SMOOTHEST) / (BLURRED - SMOOTHEST)).clamp(0, 1)
    return 1 - rough * rough * (3 - 2 * rough)


def directional_albedo(cosine: Tensor, roughness: Tensor) -> tuple[Tensor, Tensor]:
    """E - B and B [...,1], seen at a cosine to the normal: gloss reflects f0 (E - B) + B of constant light."""
    c, r = cosine, roughness
    lost = (2.402 - 6 * c + 2.682 * c * c) + r * (-5.399 + 18.553 * c - 9.766 * c * c)
    whole = 1 - r * r * (lost + r * r * (3.169 - 11.577 * c + 6.62 * c * c))
    lobe = torch.minimum((1 - r) ** 2, torch.exp2(-9.28 * c)) * (1 - r) + 0.0425 - 0.0275 * r
    bias = (1.04 * lobe + 0.022 * r - 0.04).clamp(min=0)
    return whole - bias, bias


def blurred(normal: Tensor, to_eye: Tensor, roughness: Tensor, lights: Lights) -> Tensor:
    """The light [...,3] that arrives over the lobe of a surface seen from `to_eye`."""
    ambient = torch.as_tensor(lights.ambient).to(normal)
    if lights.sh is None:
        return ambient
    values = harmonics.basis(_axis(normal, to_eye, roughness)) * _blur(roughness).to(normal)
    return ambient + values @ lights.sh.to(normal)


def _blur(roughness: Tensor) -> Tensor:
    """The factor [...,9] on each coefficient, of a roughness [...,1]."""
    first = 1 - roughness**2 * (0.452 + 0.363 * roughness - (0.815 - 1 / 3) * roughness**2)
    second = 1 - roughness**2 * (1.5 - 0.75 * roughness**2)
    factors = (torch.ones_like(roughness), first, second)
    return torch.cat([factors[order] for order in harmonics.ORDERS], -1)


def _axis(normal: Tensor, to_eye: Tensor, roughness: Tensor) -> Tensor:
    """Unit vectors [...,3] between the normal and the mirrored direction of the eye."""
    mirrored = 2 * (normal * to_eye).sum(-1, keepdim=True) * normal - to_eye
    smooth = 1 - roughness**2
    share = smooth * (smooth.clamp(min=1e-12).sqrt() + roughness**2)
    return torch.nn.functional.normalize(normal + share * (mirrored - normal), dim=-1)
