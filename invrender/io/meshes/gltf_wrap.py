"""What glTF samplers ask for, for renderers that know only repeating textures between whose texels they blend.

Source: glTF 2.0 specification, sections 3.8.4 (samplers) and 5.26 (sampler).
"""

from __future__ import annotations

import logging
import math

import numpy as np
import torch
from numpy.typing import NDArray

log = logging.getLogger(__name__)

REPEAT, CLAMP, MIRROR = 10497, 33071, 33648
NEAREST = 9728
_SHARP = 2**20  # texels up to which a texture is enlarged
_FARTHEST = 3.0  # textures beyond the edge that a clamped one is continued for

Array = NDArray[np.float64]
Axis = tuple[int, int, int]  # the wrap mode, and the first texel and the one after the last that are looked up


def axis(coordinates: Array, size: int, mode: int) -> tuple[Array, Axis]:
    """How one axis of a texture must be continued.

    Args:
        coordinates: [V], in units of the texture.
        size: texels along the axis.
        mode: REPEAT, CLAMP or MIRROR.

    Returns:
        The coordinates in the continued texture, and what `continued` needs.
    """
    if mode == REPEAT or not len(coordinates):
        return coordinates, (REPEAT, 0, size)
    first, last = coordinates.min() * size - 0.5, coordinates.max() * size - 0.5
    if first >= 0 and last <= size - 1:  # no look-up beyond the edges
        return coordinates, (REPEAT, 0, size)
    if mode == MIRROR:
        return coordinates / 2, (MIRROR, 0, 2 * size)
    if first < -_FARTHEST * size or last > (1 + _FARTHEST) * size:
        log.warning("a clamped texture is left far beyond its edge: its place is not exact there")
        coordinates = coordinates.clip(-_FARTHEST, 1 + _FARTHEST)
        first, last = coordinates.min() * size - 0.5, coordinates.max() * size - 0.5
    start, stop = int(np.floor(first)), int(np.floor(last)) + 2
    return (coordinates * size - start) / (stop - start), (CLAMP, start, stop)


def continued(texture: torch.Tensor, rows: Axis, columns: Axis) -> torch.Tensor:
    """A repeating texture [h',w',3] that shows what [h,w,3] shows under the wrap modes of its axes."""
    height, width = texture.shape[:2]
    return texture[_texels(rows, height)][:, _texels(columns, width)]


def unblended(texture: torch.Tensor) -> torch.Tensor:
    """A texture [h,w,3] enlarged by a whole number, at most 16, so that blending is confined to the texels' edges."""
    height, width = texture.shape[:2]
    times = min(16, math.isqrt(_SHARP // (height * width)))
    return texture.repeat_interleave(times, 0).repeat_interleave(times, 1) if times > 1 else texture


def _texels(axis: Axis, size: int) -> torch.Tensor:
    mode, start, stop = axis
    texels = torch.arange(start, stop)
    if mode == CLAMP:
        return texels.clamp(0, size - 1)
    return torch.minimum(texels, 2 * size - 1 - texels) if mode == MIRROR else texels


def nearest(coordinates: Array, size: int, mode: int) -> NDArray[np.int64]:
    """The texels of an axis that coordinates [N] lie in, under a wrap mode; texel 0 for those that are no numbers."""
    if mode == MIRROR:
        coordinates = 1 - np.abs(1 - coordinates % 2)
    elif mode == REPEAT:
        coordinates = coordinates % 1
    texels: NDArray[np.int64] = np.nan_to_num(np.clip(np.floor(coordinates * size), 0, size - 1)).astype(np.int64)
    return texels
