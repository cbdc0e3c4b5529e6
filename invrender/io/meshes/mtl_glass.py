"""What .mtl files say of light that goes through a surface, in both directions.

Source: Alias/Wavefront, MTL material format, 1995. The illumination models 4, 6, 7 and 9 are those of glass. Light that
goes through is bent by the refractive index Ni and multiplied by the filter Tf. Elsewhere, and where nothing is bent
(Ni is 1 or not stated), the dissolve d (or Tr = 1 - d) is the share of the surface that is there.

Exporters write these statements for opaque surfaces as well: Maya gives every one illum 4 and Tf 1, Blender an Ni. What
counts as glass is therefore, under these models and with an Ni other than 1,

    6 and 7     all but where Tf is black: refraction is switched on
    4 and 9     where d is below 1, or a Tf is stated that is not black

and of metallic-roughness materials (Pr, Pm) those whose Tf is not black. What goes through is Tf where that has a
colour or there is no d below 1, else 1 - d.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from invrender.nouns import Material
from invrender.nouns.appearance import BLACK, SHININESS, WHITE, Colour, plain_colour

GLASS = 7
_DENSEST = 10.0  # the largest Ni that the format knows
_MODELS, _REFRACTING = (4, 6, 7, 9), (6, 7)


@dataclass(frozen=True)
class Glass:
    """Statements of one material.

    Attributes:
        opacity: d, or 1 - Tr where there is no d; 1 where neither is stated.
        dissolve: whether there is a d.
        filter: Tf in [0, 1], or None where it is not stated.
        ior: Ni, or None where it is not stated.
    """

    opacity: float = 1.0
    dissolve: bool = False
    filter: Colour | None = None
    ior: float | None = None


def with_number(glass: Glass, word: str, value: float) -> Glass:
    """The statements with one more (`ni`, `d` or `tr`; others leave them as they are)."""
    share = min(max(value, 0.0), 1.0)
    if word == "ni":
        return replace(glass, ior=min(max(value, 0.0), _DENSEST))
    if word == "d":
        return replace(glass, opacity=share, dissolve=True)
    if word == "tr" and not glass.dissolve and value < 1:  # 1 would be invisible: who writes it alone means opaque
        return replace(glass, opacity=1 - share)
    return glass


def clear_of(glass: Glass, model: int | None, material: Material) -> Material:
    """The material with what its file says of light that goes through; glass reflects by Fresnel's law alone.

    Args:
        glass: the statements.
        model: illum, or None where it is not stated.
        material: as it is when opaque.
    """
    passes = _transmission(glass, model, material)
    if passes == BLACK or glass.ior is None:
        return replace(material, opacity=glass.opacity)
    return replace(
        material,
        transmission=passes,
        ior=glass.ior,
        roughness=None,
        metallic=0.0,
        specular=BLACK,
        shininess=SHININESS,
        mirror=BLACK,
    )


def _transmission(glass: Glass, model: int | None, material: Material) -> Colour:
    """What goes through, bent; black where the material is no glass."""
    if model not in _MODELS or glass.ior in (None, 0.0, 1.0) or material.unlit:
        return BLACK
    filtered = glass.filter is not None and glass.filter != BLACK
    wanted = filtered if material.glossy else filtered or glass.opacity < 1 or model in _REFRACTING
    if glass.filter == BLACK or not wanted:
        return BLACK
    if glass.filter is None or (glass.filter == WHITE and glass.opacity < 1):
        share = 1 - glass.opacity if glass.opacity < 1 else 1.0
        return share, share, share
    return glass.filter


def glass_statements(material: Material) -> list[str]:
    """The lines that say the same of a material, which is then of the model `GLASS`; none where it is opaque."""
    passes = clear_colour(material)
    if passes == BLACK:
        return []
    return [f"Tf {' '.join(map(repr, passes))}", f"Ni {float(material.ior)!r}"]


def clear_colour(material: Material) -> Colour:
    """What goes through as plain numbers; black where nothing does."""
    return plain_colour(material.transmission) if material.refracts else BLACK


def plain_opacity(material: Material) -> float:
    """The opacity as a plain number."""
    return float(material.opacity)
