"""What a camera sees of voxels before any light: coverage, depth, normals and albedo, composited along each column.

Columns of camera space are what pixels see, so that compositing is a sum along one axis: with the transmittance T
behind each slice, T[k] = exp(-extinction * sum of the occupancy up to slice k / D), slice k weighs T[k-1] - T[k].
"""

from __future__ import annotations

import torch

Tensor = torch.Tensor

EXTINCTION = 80.0  # of full voxels, per length of a column: enough that a wall of a voxel or two is opaque
CHANNELS = 5  # coverage, depth and three of the normal


def channels(voxel_channels: int) -> int:
    """How many `geometry_buffer` makes of voxels."""
    return CHANNELS + voxel_channels - 1


def geometry_buffer(voxels: Tensor) -> Tensor:
    """Coverage, depth (0 near, 1 far or nothing), normal (right, down, away; at most 1 long), then albedo where known.

    Args:
        voxels: [B,C,D,H,W] float: occupancy, then albedo; slices from the nearest on.

    Returns:
        [B,5+C-1,H,W]; differentiable.
    """
    occupancy = voxels[:, 0]
    behind = torch.exp(_summed(occupancy) * (-EXTINCTION / occupancy.shape[1]))
    weight = torch.cat([1 - behind[:, :1], behind[:, :-1] - behind[:, 1:]], 1)
    normal = torch.stack([_weighed_fall(occupancy, weight, axis) for axis in (3, 2, 1)], 1)
    normal = normal / (normal.square().sum(1, keepdim=True) + 1e-4).sqrt()
    parts = [1 - behind[:, -1:], behind.mean(1, keepdim=True), normal]
    if voxels.shape[1] > 1:
        parts.append((weight[:, None] * voxels[:, 1:]).sum(2))
    return torch.cat(parts, 1)


def _summed(occupancy: Tensor) -> Tensor:
    """Running sums [B,D,H,W] over the slices: by a product with a triangle, six times as fast as `cumsum` on a CPU."""
    depth = occupancy.shape[1]
    triangle = torch.ones(depth, depth, dtype=occupancy.dtype, device=occupancy.device).tril()
    return (triangle @ occupancy.flatten(2)).view_as(occupancy)


def _weighed_fall(occupancy: Tensor, weight: Tensor, axis: int) -> Tensor:
    """Sum over the slices of the weight times what the occupancy falls by along an axis, [B,H,W]."""
    length = occupancy.shape[axis]

    def part(first: int, count: int, before: int, after: int) -> Tensor:
        falls = occupancy.narrow(axis, before, count) - occupancy.narrow(axis, after, count)
        return (weight.narrow(axis, first, count) * falls).sum(1)

    parts = [part(0, 1, 0, 1), part(1, length - 2, 0, 2), part(length - 1, 1, length - 2, length - 1)]
    return torch.stack(parts).sum(0) if axis == 1 else torch.cat(parts, axis - 1)
