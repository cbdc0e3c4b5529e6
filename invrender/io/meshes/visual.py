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
