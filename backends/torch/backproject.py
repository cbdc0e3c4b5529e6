"""Back-projection in plain torch, voxel by voxel: the reference, for any device and dtype."""

from __future__ import annotations

import torch

Tensor = torch.Tensor

PIECE = 1 << 21  # voxels held at a time


def backproject(images: Tensor, places: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """See `invrender.kernels.Backproject`."""
    depth, height, width = shape
    device, out = images.device, images.new_zeros(depth * height * width)
    for begin in range(0, len(out), PIECE):
        voxel = torch.arange(begin, min(begin + PIECE, len(out)), device=device)
        x, y, z = voxel % width, voxel // width % height, voxel // (width * height)
        at = torch.stack([x, y, z, torch.ones_like(x)]).double()
        for image, place in zip(images, places.to(device), strict=True):
            out[voxel] += _seen(image, place.double() @ at)
    return out.reshape(shape)


def _seen(image: Tensor, at: Tensor) -> Tensor:
    """What a picture shows at places [4,P], over the squares of their distances."""
    height, width = image.shape
    a, b, s, w = at
    before = (w > 0) & (s > 0)
    u, v = a / torch.where(before, w, 1.0) - 0.5, b / torch.where(before, s, 1.0) - 0.5
    inside = before & (u >= -0.5) & (v >= -0.5) & (u <= width - 0.5) & (v <= height - 0.5)
    u, v = u.clamp(0, width - 1), v.clamp(0, height - 1)
    column, row = u.long(), v.long()
    right, below = (column + 1).clamp(max=width - 1), (row + 1).clamp(max=height - 1)
    fu, fv = (u - column).to(image.dtype), (v - row).to(image.dtype)
    upper = torch.lerp(image[row, column], image[row, right], fu)
    lower = torch.lerp(image[below, column], image[below, right], fu)
    near = torch.where(inside, 1 / torch.where(before, w, 1.0).square(), 0.0)
    return torch.lerp(upper, lower, fv) * near.to(image.dtype)
