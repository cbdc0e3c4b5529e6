"""What rows of a detector would go on with beyond its border, where the object does not end there.

A filter takes the jump from the object to nothing for a bright edge: values rise towards the border of the field of view
(cupping). An ellipse through the row makes it go on and end. For one homogeneous ellipsoid that is exact.
"""

from __future__ import annotations

import math

import torch

Tensor = torch.Tensor

GOES_ON = 0.05  # of the mean depth: a border column that is so deep on average shows the object
SOME = 0.02  # share of the views that have to show it
FEW = 3  # pixels at the border that make a value
TAPER = 0.25  # of the longest extension, in which it ends whatever the row says


def cut_sides(depth: Tensor) -> tuple[bool, bool]:
    """Whether the object goes on beyond the first and beyond the last column of depths [N,H,W]."""
    few = min(FEW, depth.shape[2])
    mean = float(depth.mean(dtype=torch.float64))
    sides = depth[:, :, :few].mean((1, 2)), depth[:, :, -few:].mean((1, 2))
    first, last = (float((side > GOES_ON * mean).double().mean()) > SOME and mean > 0 for side in sides)
    return first, last


def continued(rows: Tensor, before: int, after: int) -> Tensor:
    """Rows [...,W] with so many columns more on both sides, [...,before + W + after]: along ellipses, to 0."""
    width = rows.shape[-1]
    x = torch.linspace(-1, 1, width, dtype=rows.dtype, device=rows.device)
    basis = torch.stack([torch.ones_like(x), x, x * x])
    fit = rows.clamp(min=0).square() @ torch.linalg.pinv(basis.double()).to(rows.dtype)  # [...,3]
    parts = [rows]
    few = min(FEW, width)
    if before:
        parts.insert(
            0, _tail(rows[..., :few].mean(-1), -fit[..., 1] + 2 * fit[..., 2], fit[..., 2], before, width).flip(-1)
        )
    if after:
        parts.append(_tail(rows[..., -few:].mean(-1), fit[..., 1] + 2 * fit[..., 2], fit[..., 2], after, width))
    return torch.cat(parts, -1)


def _tail(border: Tensor, slope: Tensor, bend: Tensor, count: int, width: int) -> Tensor:
    """[...,count]: roots of parabolas that begin with the border's square, until they reach 0."""
    step = 2 / max(width - 1, 1)
    out = step * torch.arange(1, count + 1, dtype=border.dtype, device=border.device)
    border = border.clamp(min=0)
    square = border.square()[..., None] + slope[..., None] * out + bend.clamp(max=0)[..., None] * out * out
    square = square.clamp(min=0).cummin(-1).values
    left = torch.linspace(1, 0, count, dtype=border.dtype, device=border.device) / TAPER
    taper = 0.5 - 0.5 * torch.cos(math.pi * left.clamp(max=1))
    return square.sqrt() * taper
