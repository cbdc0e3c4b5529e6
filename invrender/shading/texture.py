"""What colour a surface has: textures, vertex colours and the material's own."""

from __future__ import annotations

import torch

from invrender.nouns import Material

Tensor = torch.Tensor


def sample_texture(texture: Tensor, uv: Tensor) -> Tensor:
    """Bilinear look-up in a repeating texture.

    Args:
        texture: [h,w,C], row 0 at v = 1.
        uv: [...,2]; texel (row, column) has its centre at ((column + 0.5) / w, 1 - (row + 0.5) / h).

    Returns:
        [...,C].
    """
    height, width = texture.shape[:2]
    x, y = uv[..., 0] * width - 0.5, (1 - uv[..., 1]) * height - 0.5
    left, top = torch.floor(x), torch.floor(y)
    fx, fy = (x - left)[..., None], (y - top)[..., None]
    columns = [(left.long() + k) % width for k in range(2)]
    rows = [(top.long() + k) % height for k in range(2)]
    upper = (1 - fx) * texture[rows[0], columns[0]] + fx * texture[rows[0], columns[1]]
    lower = (1 - fx) * texture[rows[1], columns[0]] + fx * texture[rows[1], columns[1]]
    return (1 - fy) * upper + fy * lower


def albedo(material: Material, uv: Tensor | None, colours: Tensor | None) -> Tensor:
    """Linear RGB: the product of the material's albedo, its texture at uv [...,2] and colours [...,3], as in glTF.

    Vertex colours stand alone where the file names no material.
    """
    plain = colours is not None and material.is_default
    result = torch.ones(3, dtype=torch.float32) if plain else torch.as_tensor(material.albedo)
    if material.texture is not None and uv is not None:
        result = result.to(uv.device) * sample_texture(material.texture.to(uv), uv)
    return result if colours is None else result.to(colours) * colours


def gloss(material: Material, uv: Tensor | None, like: Tensor) -> tuple[Tensor, Tensor]:
    """Roughness and metallic, each [...,1] with a texture at uv [...,2] and else [1], as glTF multiplies them."""
    rough = torch.as_tensor(1.0 if material.roughness is None else material.roughness).to(like).reshape(1)
    metal = torch.as_tensor(material.metallic).to(like).reshape(1)
    if material.gloss is None or uv is None:
        return rough, metal
    texels = sample_texture(material.gloss.to(uv), uv)
    return rough * texels[..., :1], metal * texels[..., 1:2]
