"""From rendered tensors to what goes into image files: bytes, readable depth, contact sheets."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.colour import linear_to_srgb, srgb_to_linear
from invrender.nouns import Cameras

Tensor = torch.Tensor

FARTHEST_GREY = 0.15  # so that the farthest surface still stands out from a black background


def to_bytes(image: Tensor) -> NDArray[np.uint8]:
    """sRGB bytes [...,3] of linear RGB [...,3]; values outside [0, 1] are clipped."""
    encoded = linear_to_srgb(image.detach().cpu().numpy().astype(np.float64))
    return np.round(encoded * 255).astype(np.uint8)


def stored_as_is(image: Tensor) -> Tensor:
    """Values in [0, 1] that are no colours (normals) prepared so that an sRGB writer stores them unchanged."""
    return torch.from_numpy(srgb_to_linear(image.detach().cpu().double().clamp(0, 1).numpy()))


def depth_picture(depth: Tensor) -> tuple[Tensor, float, float]:
    """Depth as grey: white is nearest, dark farthest, black nothing.

    Args:
        depth: [...] distance, inf where there is nothing.

    Returns:
        grey of depth's shape in [0, 1], and the nearest and farthest distance (nan where nothing is seen).
    """
    seen = torch.isfinite(depth)
    if not bool(seen.any()):
        return torch.zeros_like(depth), math.nan, math.nan
    near, far = float(depth[seen].min()), float(depth[seen].max())
    flat = far - near <= 1e-5 * abs(far)  # no more than rounding: do not stretch it over all greys
    share = torch.ones_like(depth) if flat else (far - depth) / (far - near)
    return torch.where(seen, FARTHEST_GREY + (1 - FARTHEST_GREY) * share, 0), near, far


def contact_sheet(images: Tensor) -> Tensor:
    """Pictures [N,H,W,C] side by side in one, [rows*H, columns*W, C]; unused places are 0."""
    count, height, width, channels = images.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    padded = torch.cat([images, images.new_zeros(rows * columns - count, height, width, channels)])
    grid = padded.reshape(rows, columns, height, width, channels).transpose(1, 2)
    return grid.reshape(rows * height, columns * width, channels)


def straight(premultiplied: Tensor) -> tuple[Tensor, Tensor]:
    """Colour [...,3] and alpha [...] in [0, 1] from premultiplied RGBA [...,4]; black where alpha is 0."""
    alpha = premultiplied[..., 3].clamp(0, 1)
    opaque = torch.where(alpha > 1e-3, alpha, 1)
    return torch.where((alpha > 1e-3)[..., None], premultiplied[..., :3] / opaque[..., None], 0), alpha


def enlarge(cameras: Cameras, factor: int) -> Cameras:
    """The same cameras with `factor` times the pixels on each side."""
    height, width = cameras.size
    return Cameras(cameras.world_to_camera, cameras.projection, (height * factor, width * factor))


def average(images: Tensor, factor: int) -> Tensor:
    """Means over blocks of factor x factor pixels: [N,H*factor,W*factor,C] to [N,H,W,C]."""
    if factor == 1:
        return images
    views, height, width, channels = images.shape
    return images.reshape(views, height // factor, factor, width // factor, factor, channels).mean((2, 4))
