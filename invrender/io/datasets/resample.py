"""Smaller copies of pictures: what falls on each of the larger pixels, averaged by area."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[np.float32]
Size = tuple[int, int]


def scaled(size: Size, factor: float) -> Size:
    """(H, W) times a factor up to 1, in whole pixels, at least one."""
    height, width = size
    return max(1, round(height * factor)), max(1, round(width * factor))


def resized(plane: Array, size: Size) -> Array:
    """A plane [H,W] brought to `size` (H, W): along sides that shrink by area, else linearly between pixels."""
    height, width = max(plane.shape[0], size[0]), max(plane.shape[1], size[1])
    if (height, width) != plane.shape:
        plane = np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR))
    if size[0] < height:
        plane = _areas(height, size[0]) @ plane
    if size[1] < width:
        plane = np.ascontiguousarray((_areas(width, size[1]) @ plane.T).T)
    return plane


@lru_cache(maxsize=8)
def _areas(old: int, new: int) -> Any:
    """[new, old] float32: the shares of `old` pixels in `new` longer ones, which may begin and end within one."""
    from scipy import sparse

    edges = np.arange(new + 1) * (old / new)
    first, last = np.floor(edges[:-1]).astype(int), np.minimum(np.ceil(edges[1:] - 1e-9).astype(int), old)
    rows = np.repeat(np.arange(new), last - first)
    columns = np.concatenate([np.arange(a, b) for a, b in zip(first, last, strict=True)])
    overlap = np.minimum(columns + 1, edges[rows + 1]) - np.maximum(columns, edges[rows])
    shares = (overlap * (new / old)).astype(np.float32)
    return sparse.csr_matrix((shares, (rows, columns)), (new, old))
