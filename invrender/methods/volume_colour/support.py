"""Where a volume can be: nowhere that some view sees the background alone."""

from __future__ import annotations

import torch

from invrender.errors import InputError
from invrender.nouns import Cameras, Views

Tensor = torch.Tensor

NOTHING = 0.5 / 255  # coverage that counts as background


def support(views: Views, bounds: Tensor, size: tuple[int, int, int]) -> Tensor:
    """[D,H,W] float: 0 where some view shows nothing at all around the sample, else 1."""
    lines = [torch.linspace(float(bounds[0, a]), float(bounds[1, a]), n, dtype=torch.float64)
             for a, n in zip((2, 1, 0), size, strict=True)]  # fmt: skip
    z, y, x = torch.meshgrid(*lines, indexing="ij")
    points = torch.stack([x, y, z, torch.ones_like(x)], -1).reshape(-1, 4)
    filled = torch.ones(len(points), dtype=torch.bool)
    for i in range(len(views.cameras)):
        filled &= ~_sees_nothing(views.masks[i], views.cameras[[i]], points, bounds, size)
    if not bool(filled.any()):
        raise InputError("some views show nothing where others show the object", "check the poses and the alpha")
    return filled.reshape(size).float()


def _sees_nothing(mask: Tensor, camera: Cameras, points: Tensor, bounds: Tensor, size: tuple[int, int, int]) -> Tensor:
    """Which points [P] lie in the picture where it is empty for as far as one cell of the grid reaches."""
    height, width = camera.size
    clip = points @ camera.clip_from_world[0].T
    depth = clip[:, 3]
    column = ((clip[:, 0] / depth + 1) / 2 * width).floor()
    row = ((1 - clip[:, 1] / depth) / 2 * height).floor()
    inside = (depth > 0) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    cell = float(((bounds[1] - bounds[0]) / (torch.tensor(size).flip(0) - 1)).norm())
    nearest = float(depth[depth > 0].min()) if bool((depth > 0).any()) else 1.0  # clip space's w, 1 of parallel rays
    reach = int(cell * float(camera.projection[0, 1, 1]) * height / 2 / max(nearest, 1e-9)) + 1
    grown = torch.nn.functional.max_pool2d(mask[None, None], 2 * reach + 1, 1, reach)[0, 0]
    at = grown[row.clamp(0, height - 1).long(), column.clamp(0, width - 1).long()]
    return inside & (at < NOTHING)
