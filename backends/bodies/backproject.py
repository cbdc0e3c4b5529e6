"""The body of back-projection: what one picture shows where a voxel lies in it, by its distance."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from .target import inlined


@inlined
def seen(images, start, height, width, a, b, s, w):
    """The picture that begins at index `start` at column a / w and row b / s, over w^2; 0 beyond its border."""
    zero, half, one = np.float32(0), np.float32(0.5), np.float32(1)
    if not (w > zero and s > zero):
        return zero
    near = one / w
    u = a * near - half
    v = (b * near if s == w else b / s) - half
    right, bottom = np.float32(width - 1), np.float32(height - 1)
    if u < -half or v < -half or u > right + half or v > bottom + half:
        return zero
    u, v = min(max(u, zero), right), min(max(v, zero), bottom)
    column, row = np.int64(u), np.int64(v)
    at = np.uint64(start + row * width + column)
    aside = np.uint64(1 if column + 1 < width else 0)
    below = np.uint64(width if row + 1 < height else 0)
    fu, fv = u - np.float32(column), v - np.float32(row)
    upper = images[at] + fu * (images[at + aside] - images[at])
    lower = images[at + below] + fu * (images[at + below + aside] - images[at + below])
    return (upper + fv * (lower - upper)) * near * near
