"""Gloss of glTF materials: roughness, metallic, their texture, and unlit ones.

A material that states nothing of all three is Lambertian here, although glTF's defaults would make it a rough metal:
exporters that know colours alone leave them out, and mean no metal. Source: specification, sections 3.9.2 and 3.9.6;
KHR_materials_unlit; KHR_materials_specular (where it switches gloss off).
"""

from __future__ import annotations

from dataclasses import replace

import torch

from invrender.colour import linear_to_srgb
from invrender.io.meshes.gltf_json import Item
from invrender.nouns import Material
from invrender.nouns.appearance import BLACK

STATED = ("roughnessFactor", "metallicFactor", "metallicRoughnessTexture")


def with_gloss(material: Material, source: Item) -> Material:
    """The material with what its description in the file says of gloss, but for the texture."""
    if source.extension("KHR_materials_unlit") is not None:
        return replace(material, unlit=True, emission=BLACK)
    base = source.item("pbrMetallicRoughness")
    older = source.extension("KHR_materials_pbrSpecularGlossiness")  # of which the diffuse part is read
    if older is not None or base is None or not any(base.has(name) for name in STATED):
        return material
    roughness, metallic = (min(max(base.number(name, 1.0), 0.0), 1.0) for name in STATED[:2])
    specular = source.extension("KHR_materials_specular")
    dull = specular is not None and specular.number("specularFactor", 1.0) == 0
    if dull and metallic == 0:
        return material
    return replace(material, roughness=roughness, metallic=metallic)


def gloss_info(material: Material, source: Item) -> Item | None:
    """The textureInfo of roughness and metallic, where the material shows gloss and has one."""
    base = source.item("pbrMetallicRoughness")
    return None if base is None or material.roughness is None else base.item("metallicRoughnessTexture")


def gloss_of(picture: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Roughness and metallic [h,w,2] of a picture [h,w,3] that was decoded as a colour, brought to a size (h, w)."""
    stored = torch.from_numpy(linear_to_srgb(picture[..., 1:].numpy()))
    if stored.shape[:2] == size:
        return stored
    planes = torch.nn.functional.interpolate(stored.permute(2, 0, 1)[None], size=size, mode="area")
    return planes[0].permute(1, 2, 0).contiguous()
