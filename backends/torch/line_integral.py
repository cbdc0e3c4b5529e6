"""Exact integrals along rays through a trilinear grid, and their transposed derivative: the contract of all backends.

Between two crossings of grid planes a ray stays in one cell and sees a cubic, which two Gauss points integrate exactly
(as they do its gradient times t). So the integral is exact up to rounding, and so is its derivative. With the rays the
derivative has one more part: the value at either end of the chord times the speed at which that end moves.

Plain torch on any device; positions are float64 throughout, values have the grid's dtype.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

Tensor = torch.Tensor

GAUSS = 0.5 / math.sqrt(3.0)  # of the segment's length, on either side of its middle
PIECES = 1 << 21  # ray segments held at a time
PARALLEL = 1e-12  # a direction below this share of the longest axis crosses no plane of that axis


def line_integral(grid: Tensor, bounds: Tensor, origin: Tensor, direction: Tensor) -> Tensor:
    """The integral of the grid over t >= 0 along origin + t direction.

    Args:
        grid: [D,H,W] values on the vertices, every axis at least 2 long.
        bounds: [2,3] positions (x, y, z) of the first and last vertex.
        origin, direction: [R,3] in the same frame; of unit directions the integral is over length.

    Returns:
        [R], dtype of the grid; 0 for rays that miss.
    """
    out = grid.new_zeros(len(origin))
    for part in _chunks(grid, len(origin)):
        chord = _chord(grid, bounds, origin[part], direction[part])
        corners, weights = _corners(grid, chord)
        values = (grid.reshape(-1)[corners] * weights).sum(-1)
        out[part] = (values * chord.length.to(grid.dtype)).sum((1, 2))
    return out


def line_integral_adjoint(
    grad: Tensor, grid: Tensor, bounds: Tensor, origin: Tensor, direction: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients [D,H,W], [R,3] and [R,3] of grid, origin and direction, given that [R] of the integrals."""
    d_grid = torch.zeros_like(grid).reshape(-1)
    d_origin, d_direction = torch.zeros_like(origin), torch.zeros_like(direction)
    for part in _chunks(grid, len(origin)):
        chord = _chord(grid, bounds, origin[part], direction[part])
        corners, weights = _corners(grid, chord)
        share = (grad[part, None, None] * chord.length)[..., None].to(grid.dtype)
        d_grid.index_add_(0, corners.reshape(-1), (weights * share).sum(2).reshape(-1))
        d_o, d_d = _ray_gradient(grid, chord, corners)
        scale = grad[part, None] * chord.scale
        d_origin[part], d_direction[part] = (d_o * scale).to(origin.dtype), (d_d * scale).to(direction.dtype)
    return d_grid.reshape(grid.shape), d_origin, d_direction


@dataclass(frozen=True)
class _Chord:
    """Rays inside the box in index coordinates (x, y, z), cut at every grid plane: S segments with two nodes each.

    Attributes:
        origin, direction: [R,3] in index units.
        scale: [3] index units per world unit.
        ends: [R,2] t of entry and exit.
        cell: [R,S,3] int64, the segment's cell.
        t, length: [R,S,2] position and weight of the nodes (0 for the segments that do not exist).
    """

    origin: Tensor
    direction: Tensor
    scale: Tensor
    ends: Tensor
    cell: Tensor
    t: Tensor
    length: Tensor


def _chunks(grid: Tensor, rays: int) -> Iterator[slice]:
    size = max(1, PIECES // (sum(grid.shape) + 1))
    return (slice(begin, min(begin + size, rays)) for begin in range(0, rays, size))


def _chord(grid: Tensor, bounds: Tensor, origin: Tensor, direction: Tensor) -> _Chord:
    count = torch.tensor(grid.shape[::-1], device=grid.device, dtype=torch.float64)
    low, high = bounds.to(grid.device, torch.float64)
    scale = (count - 1) / (high - low)
    o, d = (origin.double() - low) * scale, direction.double() * scale
    flat = d.abs() <= PARALLEL * d.abs().amax(1, keepdim=True)
    safe = torch.where(flat, 1.0, d)
    near, far = (0 - o) / safe, (count - 1 - o) / safe
    outside = flat & ((o < 0) | (o > count - 1))
    entry = torch.where(flat, -math.inf, torch.minimum(near, far)).amax(1).clamp(min=0)
    leave = torch.where(flat, math.inf, torch.maximum(near, far)).amin(1)
    leave = torch.where(outside.any(1) | (leave < entry), entry, leave)
    cuts = [
        torch.where(flat[:, a, None], math.inf, (torch.arange(n, device=o.device) - o[:, a, None]) / safe[:, a, None])
        for a, n in enumerate(grid.shape[::-1])
    ]
    every = torch.cat([*cuts, entry[:, None], leave[:, None]], 1)
    every = every.clamp(entry[:, None], leave[:, None]).sort(1).values
    middle, length = (every[:, 1:] + every[:, :-1]) / 2, every[:, 1:] - every[:, :-1]
    cell = (o[:, None] + middle[..., None] * d[:, None]).floor().clamp(min=0).minimum(count - 2)
    t = torch.stack([middle - GAUSS * length, middle + GAUSS * length], 2)
    weights = (length / 2)[..., None].expand(-1, -1, 2)
    return _Chord(o, d, scale, torch.stack([entry, leave], 1), cell.long(), t, weights)


def _fractions(chord: _Chord) -> Tensor:
    """[R,S,2,3] position of the nodes inside their cell, 0 to 1."""
    point = chord.origin[:, None, None] + chord.t[..., None] * chord.direction[:, None, None]
    return (point - chord.cell[:, :, None]).clamp(0, 1)


def _corners(grid: Tensor, chord: _Chord) -> tuple[Tensor, Tensor]:
    """Flat indices [R,S,1,8] of each cell's vertices and the trilinear weights [R,S,2,8] of the nodes."""
    _, height, width = grid.shape
    x, y, z = chord.cell.unbind(-1)
    base = (z * height + y) * width + x
    steps = torch.tensor([(k * height + j) * width + i for k, j, i in _CORNERS], device=grid.device)
    fraction = _fractions(chord)
    pairs = torch.stack([1 - fraction, fraction], -1)  # [R,S,2,axis,side]
    weights = torch.stack([pairs[..., 0, i] * pairs[..., 1, j] * pairs[..., 2, k] for k, j, i in _CORNERS], -1)
    return base[:, :, None, None] + steps, weights.to(grid.dtype)


_CORNERS = tuple((k, j, i) for k in (0, 1) for j in (0, 1) for i in (0, 1))


def _ray_gradient(grid: Tensor, chord: _Chord, corners: Tensor) -> tuple[Tensor, Tensor]:
    """Derivatives [R,3] of the integrals with the origin and the direction, in index units."""
    values = grid.reshape(-1)[corners].double()
    fraction = _fractions(chord)
    slope = torch.stack([_slope(values, fraction, axis) for axis in range(3)], -1) * chord.length[..., None]
    d_origin = slope.sum((1, 2))
    d_direction = (slope * chord.t[..., None]).sum((1, 2))
    for side, sign in ((0, -1.0), (1, 1.0)):
        speed, t, value = _end(grid, chord, side)
        d_origin = d_origin + sign * value[:, None] * speed
        d_direction = d_direction + sign * (value * t)[:, None] * speed
    return d_origin, d_direction


def _slope(values: Tensor, fraction: Tensor, axis: int) -> Tensor:
    """d value / d index along an axis at the nodes [R,S,2], from the cells' vertices [R,S,1,8]."""
    pairs = torch.stack([1 - fraction, fraction], -1)
    total = torch.zeros_like(fraction[..., 0])
    for number, corner in enumerate(_CORNERS):
        sides = corner[::-1]  # x, y, z
        weight = torch.full_like(total, 1.0 if sides[axis] else -1.0)
        for other in range(3):
            if other != axis:
                weight = weight * pairs[..., other, sides[other]]
        total = total + weight * values[..., number]
    return total


def _end(grid: Tensor, chord: _Chord, side: int) -> tuple[Tensor, Tensor, Tensor]:
    """How fast an end of the chord moves with the origin [R,3], its t [R], and the grid's value there [R]."""
    count = torch.tensor(grid.shape[::-1], device=grid.device, dtype=torch.float64)
    t = chord.ends[:, side]
    point = chord.origin + t[:, None] * chord.direction
    moving = chord.direction if side else -chord.direction
    wall = torch.where(moving > 0, count - 1, 0.0)
    gap = torch.where(chord.direction == 0, math.inf, (point - wall).abs())
    axis = gap.argmin(1, keepdim=True)
    across = chord.direction.gather(1, axis)
    real = (gap.gather(1, axis) <= 1e-9 * count.max()) & (chord.ends[:, 1:] > chord.ends[:, :1])
    speed = torch.zeros_like(point).scatter(1, axis, torch.where(real, -1 / torch.where(real, across, 1.0), 0.0))
    cell = point.floor().clamp(min=0).minimum(count - 2)
    at = _Chord(
        chord.origin, chord.direction, chord.scale, chord.ends, cell.long()[:, None], t[:, None, None],
        torch.ones_like(t)[:, None, None],
    )  # fmt: skip
    corners, weights = _corners(grid, at)
    return speed, t, (grid.reshape(-1)[corners] * weights).sum((1, 2, 3)).double()
