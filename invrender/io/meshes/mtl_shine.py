"""What .mtl files say of highlights, mirroring and emission, in both directions.

Source: Alias/Wavefront, MTL material format, 1995: Ks and Ns are the colour and exponent of the highlight, Ke is what
the surface emits, and the illumination model (illum) tells which of them count:

    0           the colour alone, whatever the light
    1           no highlight
    2, 8 to 10  highlight (8 and 9 reflect by pictures, which are not read; 10 is about shadows on backgrounds)
    3 to 7      highlight, and rays are mirrored by Ks (without a Fresnel term; what 4, 6, 7 and 9 say of light that
                goes through is in `mtl_glass`)

A file without illum means 2, as readers commonly have it. A material that states Pr or Pm is metallic-roughness, and
what it says of highlights is for programs that do not know these. An exponent of 0 means no highlight.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from invrender.io.files.paths import shown
from invrender.io.meshes.mtl_glass import GLASS, clear_colour, glass_statements, plain_opacity
from invrender.nouns import Material
from invrender.nouns.appearance import BLACK, SHININESS, Colour, plain_colour

log = logging.getLogger(__name__)

UNLIT, DULL, HIGHLIGHT, MIRROR = 0, 1, 2, 3
_MIRRORING = range(3, 8)
_KNOWN = range(11)


@dataclass(frozen=True)
class Shine:
    """Statements of one material.

    Attributes:
        specular, shininess: Ks in [0, 1] and Ns from 0.
        emission: Ke from 0.
        model: illum, or None where it is not stated.
    """

    specular: Colour = BLACK
    shininess: float = SHININESS
    emission: Colour = BLACK
    model: int | None = None


def shine_of(shine: Shine, material: Material) -> Material:
    """The material with what its file says of highlights; a model that does not exist is said."""
    model = HIGHLIGHT if shine.model is None else shine.model
    if model not in _KNOWN:
        log.warning("Material '%s': there is no illumination model %d: read as 2.", shown(material.name), model)
    if model == UNLIT:
        return replace(material, unlit=True)
    lit = replace(material, emission=shine.emission)
    if model == DULL or material.glossy or shine.specular == BLACK:
        return lit
    if shine.shininess > 0:
        lit = replace(lit, specular=shine.specular, shininess=shine.shininess)
    return replace(lit, mirror=shine.specular) if model in _MIRRORING else lit


def statements(material: Material) -> list[str]:
    """The lines that say the same of a material.

    The format has one colour for highlight and mirroring: where they differ, that of the mirror is written, said.
    """
    mirror = plain_colour(material.mirror) if material.mirrors else BLACK
    specular = plain_colour(material.specular) if material.highlighted else BLACK
    if mirror not in (BLACK, specular):
        if specular != BLACK:
            log.warning("The .mtl format has one colour for highlight and mirror: that of the mirror is written.")
        specular = mirror
    shininess = float(material.shininess) if material.highlighted else 0.0
    lines = [f"Ks {_three(specular)}"]
    lines += [f"Ns {shininess!r}"] if specular != BLACK else []
    emission = plain_colour(material.emission)
    lines += [f"Ke {_three(emission)}"] if emission != BLACK else []
    if plain_opacity(material) < 1:
        lines.append(f"d {plain_opacity(material)!r}")
    return [*lines, *glass_statements(material), f"illum {_model(material)}"]


def _model(material: Material) -> int:
    if material.unlit:
        return UNLIT
    if clear_colour(material) != BLACK:
        return GLASS
    if material.mirrors:
        return MIRROR
    return DULL if material.lambertian else HIGHLIGHT


def _three(colour: Colour) -> str:
    return " ".join(map(repr, colour))
