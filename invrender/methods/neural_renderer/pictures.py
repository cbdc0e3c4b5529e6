"""Pictures of voxels as bytes for a screen, and sheets of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.colour import linear_to_srgb

Tensor = torch.Tensor
Bytes = NDArray[np.uint8]

LINE, GREY = 2, 160  # width and grey of the lines between pictures
LEAST = 128  # pixels that the smaller side of a picture is shown with


def shown_bytes(picture: Tensor, encoding: str) -> Bytes:
    """A picture [C,H,W], grey or RGB, as bytes [H,W,3] for a screen."""
    values = picture.float().clamp(0, 1).numpy()
    values = linear_to_srgb(values) if encoding == "linear" else values
    stored = (values * 255 + 0.5).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(stored, (3, *stored.shape[1:])).transpose(1, 2, 0))


def sheet(columns: Sequence[Sequence[Bytes]]) -> Bytes:
    """Columns of pictures of one size, with lines between, enlarged where they are small."""
    height, width = columns[0][0].shape[:2]
    times = max(1, -(-LEAST // min(height, width)))
    rows = []
    for row in zip(*columns, strict=True):
        parts: list[Bytes] = []
        for picture in row:
            large = picture.repeat(times, 0).repeat(times, 1)
            parts += [np.full((large.shape[0], LINE, 3), GREY, np.uint8), large]
        line = np.concatenate(parts[1:], 1)
        rows += [np.full((LINE, line.shape[1], 3), GREY, np.uint8), line]
    return np.concatenate(rows[1:])
