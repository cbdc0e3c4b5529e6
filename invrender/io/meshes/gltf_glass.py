"""What glTF says of light that goes through a surface, for scenes: glass, and surfaces that are there in part.

Source: glTF 2.0 specification, section 3.9.4 (alpha coverage); KHR_materials_transmission; KHR_materials_ior. A surface
that transmits is taken for the border of a solid, whether or not KHR_materials_volume says so, and for a smooth one.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from invrender.io.meshes.gltf_json import Item
from invrender.nouns import Material
from invrender.nouns.appearance import BLACK, IOR, plain_colour

log = logging.getLogger(__name__)

_SMOOTH = 0.1  # a roughness up to which nobody sees a difference
_DENSEST = 10.0


def clear_of(material: Material, source: Item, factor: list[float]) -> tuple[Material, list[float]]:
    """The material with what lets light through, and the factor of the base colour with the alpha that is left to say.

    Args:
        material: as it is when opaque.
        source: an element of `materials`.
        factor: RGBA of the base colour.
    """
    alpha = min(max(factor[3], 0.0), 1.0)
    if source.text("alphaMode", "OPAQUE") == "BLEND" and 0 < alpha < 1:
        material, factor = replace(material, opacity=alpha), [*factor[:3], 1.0]
    share = _transmission(material, source)
    if share <= 0:
        return material, factor
    red, green, blue = (share * value for value in plain_colour(material.albedo))
    glass = replace(material, transmission=(red, green, blue), ior=_ior(source), roughness=None, metallic=0.0)
    return (glass if glass.transmission != BLACK else material), factor


def _transmission(material: Material, source: Item) -> float:
    """The share of light that goes through; metals let none, and what is not shown of it is said."""
    extension = source.extension("KHR_materials_transmission")
    factor = 0.0 if extension is None else extension.number("transmissionFactor", 0.0)
    share = min(max(factor, 0.0), 1.0) * (1 - float(material.metallic))
    if material.unlit or share <= 0:
        return 0.0
    rough = 0.0 if material.roughness is None else float(material.roughness)
    lost = {
        "smooth": rough > _SMOOTH,
        "without what it reflects diffusely": share < 1,
        "without the colour of its depth": _tinted(source),
    }
    if any(lost.values()):
        how = " and ".join(each for each, true in lost.items() if true)
        log.warning("%s: material '%s' lets light through: it is shown %s", source.path.name, material.name, how)
    return share


def _tinted(source: Item) -> bool:
    """Whether light loses colour on its way through the solid (KHR_materials_volume)."""
    volume = source.extension("KHR_materials_volume")
    return volume is not None and min(volume.numbers("attenuationColor", [1.0, 1.0, 1.0])) < 1


def _ior(source: Item) -> float:
    extension = source.extension("KHR_materials_ior")
    ior = IOR if extension is None else extension.number("ior", IOR)
    return min(max(ior, 1.0), _DENSEST) if ior else _DENSEST  # 0 stands for infinity
