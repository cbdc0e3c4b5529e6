"""From cameras to rays through a grid, in index coordinates: x, y, z count samples from the first vertex."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.nouns import Cameras, Rays

Tensor = torch.Tensor


def pixel_directions(cameras: Cameras) -> Tensor:
    """[N,3,3] float64: takes (column, row, 1) of a pixel, centres at +0.5, to a direction in the world (not unit)."""
    height, width = cameras.size
    p = cameras.projection
    matrix = torch.zeros(len(cameras), 3, 3, dtype=torch.float64)
    matrix[:, 0, 0], matrix[:, 0, 2] = 2 / width / p[:, 0, 0], (p[:, 0, 2] - 1) / p[:, 0, 0]
    matrix[:, 1, 1], matrix[:, 1, 2] = -2 / height / p[:, 1, 1], (p[:, 1, 2] + 1) / p[:, 1, 1]
    matrix[:, 2, 2] = -1
    return cameras.world_to_camera[:, :3, :3].transpose(1, 2) @ matrix


def camera_rays(cameras: Cameras, rows: tuple[int, int] | None = None) -> Rays:
    """One ray per pixel, N*H*W of them in the order of the images, float64 with unit directions.

    Args:
        cameras: N of them, perspective.
        rows: the first row of pixels, and the one after the last; None: all.
    """
    height, width = cameras.size
    first, end = rows or (0, height)
    row, column = torch.meshgrid(torch.arange(first, end) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    pixels = torch.stack([column, row, torch.ones_like(row)], -1).double().reshape(-1, 3)
    direction = torch.einsum("nij,pj->npi", pixel_directions(cameras), pixels)
    origin = cameras.position[:, None].expand_as(direction)
    return Rays(origin.reshape(-1, 3), torch.nn.functional.normalize(direction, dim=-1).reshape(-1, 3))


def index_views(
    shape: tuple[int, int, int], bounds: Tensor, cameras: Cameras
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Eyes and pixel directions [N,12] in index coordinates, and the lengths [3] of a cell along x, y, z."""
    count = torch.tensor(shape[::-1], dtype=torch.float64)
    spacing = (bounds[1] - bounds[0]) / (count - 1)
    eye = (cameras.position - bounds[0]) / spacing
    matrix = pixel_directions(cameras) / spacing[:, None]
    return torch.cat([eye, matrix.reshape(-1, 9)], 1).contiguous().numpy(), spacing.numpy()
