"""What a mesh file says about colour, converted from trimesh's visuals, and joined over several bodies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.colour import srgb_to_linear
from invrender.nouns import Material

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Appearance:
    """Texture coordinates, colours and material of one body of V vertices.

    Attributes:
        uv: [V,2] float64, or None.
        colours: [V,3] float64 linear RGB, or None.
        material: None where the file gives none.
    """

    uv: Array | None
    colours: Array | None
    material: Material | None


def appearance_of(geometry: Any, linear_colours: bool, materials_found: bool) -> Appearance:
    """The appearance of a trimesh geometry.

    Args:
        geometry: a trimesh.Trimesh.
        linear_colours: vertex colours are linear (glTF) rather than sRGB (everything else).
        materials_found: False where the material file is missing, so that what trimesh holds is a placeholder.
    """
    visual, count = geometry.visual, len(geometry.vertices)
    if visual.kind in ("vertex", "face"):
        return Appearance(None, _colours(visual.vertex_colors, linear_colours), None)
    if visual.kind != "texture":
        return Appearance(None, None, None)
    uv = None if visual.uv is None or len(visual.uv) != count else np.asarray(visual.uv, np.float64)
    stored = visual.vertex_attributes.get("color")
    colours = None if stored is None else _colours(stored, linear_colours)
    return Appearance(uv, colours, _material(visual.material) if materials_found else None)


def _colours(values: Any, linear: bool) -> Array:
    """[V,3] linear float64 from [V,3|4] floats in [0, 1] or integers over their range."""
    raw = np.asarray(values)
    scale = np.iinfo(raw.dtype).max if raw.dtype.kind in "ui" else 1.0
    colours: Array = np.clip(raw[:, :3].astype(np.float64) / scale, 0.0, 1.0)
    return colours if linear else srgb_to_linear(colours)


def _material(source: Any) -> Material:
    """Our material from a trimesh PBRMaterial (glTF) or SimpleMaterial (.mtl)."""
    if hasattr(source, "baseColorFactor"):
        factor, image = source.baseColorFactor, source.baseColorTexture
        factor = [255, 255, 255] if factor is None else factor  # glTF's default
    else:
        image = source.image
        # exporters often leave Kd black or grey beside a map_Kd that holds the full colour
        factor = [255, 255, 255] if image is not None else source.diffuse
    red, green, blue = (float(c) / 255 for c in np.asarray(factor)[:3])
    return Material((red, green, blue), _texture(image), str(getattr(source, "name", None) or "default"))


def _texture(image: Any) -> torch.Tensor | None:
    """[h,w,3] linear float32 from a PIL image."""
    if image is None:
        return None
    return torch.from_numpy(srgb_to_linear(np.asarray(image.convert("RGB"), np.float32) / 255))


def join_appearances(appearances: list[Appearance], counts: list[int]) -> Appearance:
    """The common appearance of bodies that are joined into one mesh.

    Where all bodies share one material, its texture and their uv are kept. Otherwise a mesh can hold only one material,
    so that each body's albedo or texture is baked into vertex colours.

    Args:
        appearances: one per body.
        counts: how many vertices each has.
    """
    first = appearances[0]
    # None == None holds, but tensors have no plain ==: materials are shared where they are the same object
    same = all(each.material is first.material and (each.uv is None) == (first.uv is None) for each in appearances)
    if same and all((each.colours is None) == (first.colours is None) for each in appearances):
        uv = None if first.uv is None else np.concatenate([each.uv for each in appearances if each.uv is not None])
        colours = [each.colours for each in appearances if each.colours is not None]
        return Appearance(uv, np.concatenate(colours) if colours else None, first.material)
    baked = [_bake(each, count) for each, count in zip(appearances, counts, strict=True)]
    return Appearance(None, np.concatenate(baked), Material((1.0, 1.0, 1.0), name="baked"))


def _bake(appearance: Appearance, count: int) -> Array:
    """[V,3] linear colour at each vertex; a texture is looked up at the nearest texel."""
    material = appearance.material
    plain = Material() if appearance.colours is None else Material((1.0, 1.0, 1.0))
    colours = np.tile(np.asarray((material or plain).rgb, np.float64), (count, 1))
    if appearance.colours is not None:
        colours = colours * appearance.colours
    if material is not None and material.texture is not None and appearance.uv is not None:
        height, width = material.texture.shape[:2]
        column = np.floor(np.mod(appearance.uv[:, 0], 1) * width).astype(np.int64).clip(0, width - 1)
        row = np.floor(np.mod(1 - appearance.uv[:, 1], 1) * height).astype(np.int64).clip(0, height - 1)
        colours = colours * material.texture.numpy()[row, column]
    return colours
