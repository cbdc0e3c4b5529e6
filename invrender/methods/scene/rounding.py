"""What rounding to 8 bits does to values that are found: pixels that store one level all err alike.

Noise averages out over pixels, and so does rounding where brightness changes smoothly from level to level. Over an even
surface it does not: there every pixel is off by the same part of a level, however many there are.
"""

from __future__ import annotations

import torch

from invrender.colour import linear_to_srgb, srgb_to_linear
from invrender.methods.scene.misfit import Compared

Tensor = torch.Tensor

LEVELS = 256


def rounding(level: Compared, residual: Tensor, columns: Tensor) -> Tensor:
    """The covariance [n,n] of J'e for the errors e of rounding, in units of the residuals.

    Args:
        level: what was compared, without a blur.
        residual, columns: [R] and its derivatives [R,n].
    """
    total, at = columns.new_zeros(columns.shape[1], columns.shape[1]), 0
    for target, chosen in zip(level.targets, level.pixels, strict=True):
        image, weight = target.image.reshape(-1, 3), target.weight.reshape(-1, 1)
        if chosen is not None:
            image, weight = image[chosen], weight[chosen]
        rows = slice(at, at + image.numel())
        at = rows.stop
        if target.step:
            weight = (weight / level.unit).expand_as(image).reshape(-1)
            shown = residual[rows] / weight.clamp(min=1e-12) + image.reshape(-1)
            total += _of_picture(image, shown, weight[:, None] * columns[rows])
    return total


def _of_picture(image: Tensor, shown: Tensor, columns: Tensor) -> Tensor:
    """Of one picture [P,3] and what was shown instead [3P]: by levels."""
    stored = torch.from_numpy(linear_to_srgb(image.numpy()) * (LEVELS - 1)).round()
    group = stored.long().reshape(-1)
    ends = torch.stack([stored - 0.5, stored + 0.5]).clamp(0, LEVELS - 1) / (LEVELS - 1)
    width = torch.from_numpy(srgb_to_linear(ends.numpy())).diff(dim=0).reshape(-1)
    count = torch.bincount(group, minlength=LEVELS).clamp(min=1)
    mean = torch.bincount(group, shown, minlength=LEVELS) / count
    spread = torch.bincount(group, (shown - mean[group]).square(), minlength=LEVELS) / count
    widest = torch.zeros(LEVELS, dtype=image.dtype).index_copy(0, group, width)
    alike = (1 - (12 * spread).sqrt() / widest.clamp(min=1e-12)).clamp(min=0)  # 0: evenly spread over the level
    sums = columns.new_zeros(LEVELS, columns.shape[1]).index_add(0, group, columns)
    return sums.T @ ((alike * widest.square() / 12)[:, None] * sums)


def with_rounding(covariance: Tensor, level: Compared, residual: Tensor, columns: Tensor) -> Tensor:
    """A covariance [n,n] of values found by least squares, and what rounding adds to it; infinite where it was."""
    if not any(target.step for target in level.targets):
        return covariance
    inverse = torch.linalg.pinv(columns.T @ columns, rtol=1e-12, hermitian=True)
    added = inverse @ rounding(level, residual, columns) @ inverse
    return covariance + torch.where(torch.isfinite(covariance), added, 0.0)
