"""Textures as PNG files."""

from __future__ import annotations

import io

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.colour import linear_to_srgb
from invrender.errors import InputError
from invrender.io.meshes.generator import GENERATOR
from invrender.nouns.appearance import WHITE, Colour

_ROWS = 256  # encoded at a time, so that memory does not grow with the picture


def colour_png(texture: torch.Tensor, factor: Colour = WHITE) -> bytes:
    """A linear texture [h,w,3] times a factor as an sRGB PNG of 8 bits; values above 1 are clipped.

    Raises:
        InputError: it holds values that are no numbers.
    """
    _check(texture)
    times = torch.tensor(factor, dtype=torch.float32)
    bands = [linear_to_srgb((band.detach().cpu().float() * times).numpy()) for band in texture.split(_ROWS)]
    return _png(np.concatenate([_bytes(band) for band in bands]))


def gloss_png(gloss: torch.Tensor) -> bytes:
    """Roughness and metallic [h,w,2] in [0, 1] as glTF has them: linear, in green and blue; red is 0.

    Raises:
        InputError: it holds values that are no numbers.
    """
    _check(gloss)
    values = gloss.detach().cpu().float()
    return _png(_bytes(torch.cat([torch.zeros_like(values[..., :1]), values], -1).numpy()))


def written_here(content: bytes) -> bool:
    """Whether a PNG says that it was written here."""
    return content.startswith(b"\x89PNG") and b"Software\0invrender" in content[:512]


def _bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    rounded: NDArray[np.uint8] = np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)
    return rounded


def _check(texture: torch.Tensor) -> None:
    if texture.ndim != 3 or not texture.numel():
        raise InputError(f"a texture has the shape {list(texture.shape)}", "give it rows, columns and channels")
    if not bool(torch.isfinite(texture).all()):
        raise InputError("a texture holds values that are no numbers", "fill texels that nothing was seen of")


def _png(pixels: NDArray[np.uint8]) -> bytes:
    from PIL import Image, PngImagePlugin

    about = PngImagePlugin.PngInfo()
    about.add_text("Software", GENERATOR)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", pnginfo=about, compress_level=4)
    return buffer.getvalue()
