"""Pictures blurred by a Gaussian: far from the answer they still say in which direction it lies."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

Tensor = torch.Tensor


def blurred(picture: Tensor, sigma: float) -> Tensor:
    """A picture [H,W,C] float64 blurred by a standard deviation in pixels; differentiable, mirrored at its borders."""
    if sigma <= 0:
        return picture
    height, width = picture.shape[:2]
    rows = torch.einsum("ij,jwc->iwc", _filter(height, sigma), picture)
    return torch.einsum("ij,hjc->hic", _filter(width, sigma), rows)


@cache
def _filter(side: int, sigma: float) -> Tensor:
    """[side,side] float64: what each pixel of a line takes of each."""
    from scipy.ndimage import gaussian_filter1d

    return torch.from_numpy(gaussian_filter1d(np.eye(side), sigma, axis=0, mode="reflect"))
