"""Bodies of perspective-correct interpolation: a pixel's weights on its face, and their derivative.

The formulas are those of `invrender.backends.torch.interpolate`, where they are derived.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .target import add, device

Floats: TypeAlias = NDArray[np.float64]
Three: TypeAlias = tuple[float, float, float]


@device
def centre_x(column: int, width: int) -> float:
    """NDC of a pixel's centre to the right."""
    return (column + 0.5) * (2.0 / width) - 1.0


@device
def centre_y(row: int, height: int) -> float:
    """NDC of a pixel's centre upwards."""
    return 1.0 - (row + 0.5) * (2.0 / height)


@device
def areas(clip: Floats, a: int, b: int, c: int, x: float, y: float) -> Three:
    """Areas a_k opposite the corners in clip space, seen from the pixel centre (x, y) in NDC."""
    return areas_from(
        clip[a, 0] - x * clip[a, 3], clip[a, 1] - y * clip[a, 3],
        clip[b, 0] - x * clip[b, 3], clip[b, 1] - y * clip[b, 3],
        clip[c, 0] - x * clip[c, 3], clip[c, 1] - y * clip[c, 3],
    )  # fmt: skip


@device
def areas_from(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> Three:
    """The same from the corners relative to the pixel centre (X, Y): ax = x - X w, ay = y - Y w, and so on."""
    return bx * cy - by * cx, cx * ay - cy * ax, ax * by - ay * bx


@device
def fractions(area_a: float, area_b: float, area_c: float) -> tuple[float, float, float, float]:
    """Areas over their sum, and one over that sum; a third each and 0 on degenerate faces."""
    total = area_a + area_b + area_c
    if total == 0.0:
        return 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0
    per_total = 1.0 / total
    return area_a * per_total, area_b * per_total, area_c * per_total, per_total


@device
def is_within(raw_a: float, raw_b: float, raw_c: float) -> bool:
    """Whether fractions are weights as they are: the centre lies on the face, as nearly all do. Saves a division."""
    return (raw_a >= 0.0) & (raw_b >= 0.0) & (raw_c >= 0.0)


@device
def unit(value: float) -> float:
    """Clamped to [0, 1]."""
    return min(max(value, 0.0), 1.0)


@device
def weights(raw_a: float, raw_b: float, raw_c: float) -> Three:
    """Barycentric weights of fractions: clamped, so that nothing is extrapolated."""
    if is_within(raw_a, raw_b, raw_c):
        return raw_a, raw_b, raw_c
    u, v, w = unit(raw_a), unit(raw_b), unit(raw_c)
    per_norm = 1.0 / (u + v + w)
    return u * per_norm, v * per_norm, w * per_norm


@device
def areas_adjoint(
    raw_a: float, raw_b: float, raw_c: float, per_total: float, grad_a: float, grad_b: float, grad_c: float
) -> Three:
    """d areas from d weights: the adjoint of `fractions` followed by `weights`.

    As weights add up to 1, a number added to all three gradients changes nothing.
    """
    if is_within(raw_a, raw_b, raw_c):
        mean = grad_a * raw_a + grad_b * raw_b + grad_c * raw_c
        return (grad_a - mean) * per_total, (grad_b - mean) * per_total, (grad_c - mean) * per_total
    u, v, w = unit(raw_a), unit(raw_b), unit(raw_c)
    per_norm = 1.0 / (u + v + w)
    mean = (grad_a * u + grad_b * v + grad_c * w) * per_norm
    # A clamped weight does not move.
    d_a = (grad_a - mean) * per_norm if raw_a == u else 0.0
    d_b = (grad_b - mean) * per_norm if raw_b == v else 0.0
    d_c = (grad_c - mean) * per_norm if raw_c == w else 0.0
    mean = d_a * raw_a + d_b * raw_b + d_c * raw_c
    return (d_a - mean) * per_total, (d_b - mean) * per_total, (d_c - mean) * per_total


@device
def pixel_adjoint(
    grad: Floats, row: int, column: int, values: Floats, clip: Floats, a: int, b: int, c: int, x: float, y: float,
    of_values: bool, of_clip: bool, d_values: Floats, d_clip: Floats,
) -> None:  # fmt: skip
    """Add one pixel's share of grad [H,W,C] to the gradients of attributes [V,C] and clip [V,4], as asked for."""
    area_a, area_b, area_c = areas(clip, a, b, c, x, y)
    raw_a, raw_b, raw_c, per_total = fractions(area_a, area_b, area_c)
    if of_values:
        u, v, w = weights(raw_a, raw_b, raw_c)
        for channel in range(grad.shape[2]):
            g = np.float64(grad[row, column, channel])
            add(d_values, a, channel, u * g)
            add(d_values, b, channel, v * g)
            add(d_values, c, channel, w * g)
    if not of_clip:
        return
    d_v = d_w = 0.0
    for channel in range(grad.shape[2]):
        # Only differences between the corners count, so take them first: nearly equal values would cancel later.
        g, value = np.float64(grad[row, column, channel]), values[a, channel]
        d_v += (values[b, channel] - value) * g
        d_w += (values[c, channel] - value) * g
    d_a, d_b, d_c = areas_adjoint(raw_a, raw_b, raw_c, per_total, 0.0, d_v, d_w)
    # a_k = p_next x p_last, so each corner enters the two areas that are not its own.
    ax, ay = clip[a, 0] - x * clip[a, 3], clip[a, 1] - y * clip[a, 3]
    bx, by = clip[b, 0] - x * clip[b, 3], clip[b, 1] - y * clip[b, 3]
    cx, cy = clip[c, 0] - x * clip[c, 3], clip[c, 1] - y * clip[c, 3]
    corner_adjoint(d_clip, a, d_c * by - d_b * cy, d_b * cx - d_c * bx, x, y)
    corner_adjoint(d_clip, b, d_a * cy - d_c * ay, d_c * ax - d_a * cx, x, y)
    corner_adjoint(d_clip, c, d_b * ay - d_a * by, d_a * bx - d_b * ax, x, y)


@device
def corner_adjoint(d_clip: Floats, vertex: int, d_x: float, d_y: float, x: float, y: float) -> None:
    """Add the gradient with respect to a corner as seen from the pixel centre (x, y)."""
    add(d_clip, vertex, 0, d_x)
    add(d_clip, vertex, 1, d_y)
    add(d_clip, vertex, 3, -(d_x * x + d_y * y))
