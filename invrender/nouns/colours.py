"""Colours of pixels as they are kept: linear floats, or a byte a channel where there are many.

Bytes are sRGB-encoded, as the files are that they come from, so that they lose nothing of these. Whoever reads numbers
out of kept colours asks `linear` or `encoded`, a view at a time: floats of all views are what bytes save.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.colour import linear_to_srgb, srgb_to_linear

Tensor = torch.Tensor

LEVELS = 255  # of a byte
FINE = 2**16 - 1  # steps of linear light: the darkest bytes, which are nearest to each other, are 20 of them apart
AT_ONCE = 2**20  # numbers that are looked up together: an index takes eight bytes


def linear(kept: Tensor) -> Tensor:
    """Linear light, float32 of bytes; floats are returned as they are."""
    return kept if kept.is_floating_point() else _looked_up(_light(), kept)


def encoded(kept: Tensor) -> Tensor:
    """sRGB-encoded float32 in [0, 1], on the CPU."""
    if kept.is_floating_point():
        return torch.from_numpy(linear_to_srgb(kept.cpu().numpy())).float()
    return kept.cpu().to(torch.float32) / LEVELS


def in_bytes(light: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Linear light [...] in [0, 1] sRGB-encoded, a byte each: what came from bytes is those again.

    Light between them may end in the byte beside the nearest one where it lies within 1/40 of the middle.
    """
    table, found = _bytes(), np.empty(light.size, np.uint8)
    flat = light.reshape(-1)
    for begin in range(0, light.size, AT_ONCE):
        part = slice(begin, begin + AT_ONCE)
        steps = np.clip(flat[part], 0, 1) * np.float32(FINE) + np.float32(0.5)
        found[part] = table[steps.astype(np.uint16)]
    return found.reshape(light.shape)


def _looked_up(table: Tensor, kept: Tensor) -> Tensor:
    """Entries of a table [256], float32, a part at a time."""
    flat = kept.reshape(-1)
    found = torch.empty(len(flat), dtype=table.dtype, device=kept.device)
    entries = table.to(kept.device)
    for begin in range(0, len(flat), AT_ONCE):
        part = slice(begin, begin + AT_ONCE)
        found[part] = entries[flat[part].int()]
    return found.reshape(kept.shape)


@cache
def _light() -> Tensor:
    return torch.from_numpy(srgb_to_linear(np.arange(LEVELS + 1, dtype=np.float32) / np.float32(LEVELS)))


@cache
def _bytes() -> NDArray[Any]:
    steps = np.arange(FINE + 1, dtype=np.float32) / np.float32(FINE)
    return np.rint(linear_to_srgb(steps) * LEVELS).astype(np.uint8)
