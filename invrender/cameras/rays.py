"""From cameras to rays through a grid, in index coordinates: x, y, z count samples from the first vertex."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.nouns import Cameras, Rays

Tensor = torch.Tensor


def pixel_rays(cameras: Cameras) -> tuple[Tensor, Tensor]:
    """Origins and directions of pixels' rays, both linear in (column, row, 1): [N,3,3] and [N,3,3] float64.

    Column and row count pixels, whose centres lie at +0.5; directions are not unit vectors. The rays of a perspective
    camera start in its eye; those of a parallel one in the plane through its position, across its viewing axis, and
    have one direction.
    """
    height, width = cameras.size
    p = cameras.projection
    flat = cameras.parallel[:, None]
    # From (column, row, 1) to clip coordinates where w is 1, then to the x and y that land there.
    ndc = torch.zeros(len(cameras), 2, 3, dtype=torch.float64)
    ndc[:, 0, 0], ndc[:, 1, 1] = 2 / width, -2 / height
    ndc[:, :, 2] = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    ndc[:, :, 2] += torch.where(flat, -p[:, :2, 3], p[:, :2, 2])
    # Solved by hand: a batched inverse would not give the same bits for each camera alone.
    a, b, c, d = p[:, 0, 0], p[:, 0, 1], p[:, 1, 0], p[:, 1, 1]
    inverse = torch.stack([torch.stack([d, -b], 1), torch.stack([-c, a], 1)], 1) / (a * d - b * c)[:, None, None]
    plane = inverse @ ndc
    slant = (inverse @ p[:, :2, 2:3])[:, :, 0]
    origin, direction = torch.zeros(2, len(cameras), 3, 3, dtype=torch.float64)
    origin[:, :2] = torch.where(flat[..., None], plane, 0.0)
    direction[:, :2] = torch.where(flat[..., None], 0.0, plane)
    direction[:, :2, 2] += torch.where(flat, slant, 0.0)
    direction[:, 2, 2] = -1
    to_world = cameras.world_to_camera[:, :3, :3].transpose(1, 2)
    origin = to_world @ origin
    origin[:, :, 2] += cameras.position
    return origin, to_world @ direction


def rays_through(cameras: Cameras, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Origins and directions [N,P,3] float64 of rays through pixel positions (x, y) [N,P,2], P for each camera.

    Directions have unit length along the viewing axis.
    """
    homogeneous = torch.cat([pixels.double(), torch.ones_like(pixels[..., :1], dtype=torch.float64)], -1)
    origin, direction = (homogeneous @ matrix.transpose(1, 2) for matrix in pixel_rays(cameras))
    return origin, direction


def camera_rays(cameras: Cameras, rows: tuple[int, int] | None = None) -> Rays:
    """One ray per pixel, N*H*W of them in the order of the images, float64 with unit directions.

    Args:
        cameras: N of them.
        rows: the first row of pixels, and the one after the last; None: all.
    """
    height, width = cameras.size
    first, end = rows or (0, height)
    row, column = torch.meshgrid(torch.arange(first, end) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    pixels = torch.stack([column, row, torch.ones_like(row)], -1).double().reshape(-1, 3)
    origin, direction = (torch.einsum("nij,pj->npi", matrix, pixels) for matrix in pixel_rays(cameras))
    return Rays(origin.reshape(-1, 3), torch.nn.functional.normalize(direction, dim=-1).reshape(-1, 3))


def index_places(shape: tuple[int, int, int], bounds: Tensor, cameras: Cameras) -> Tensor:
    """Where voxels appear, [N,4,4] float64: from a voxel's indices (x, y, z, 1) to (column w, row w, w, w).

    Pixel centres lie at +0.5; w is the depth along the viewing axis, 1 for parallel cameras. A grid [D,H,W] that is one
    sample thick has no spacing that way.
    """
    height, width = cameras.size
    low, high = bounds.cpu().double()
    world = torch.diag(torch.cat([(high - low) / (torch.tensor(shape[::-1]) - 1).clamp(min=1), torch.ones(1)]).double())
    world[:3, 3] = low
    x, y, _, w = (cameras.clip_from_world @ world).unbind(1)
    return torch.stack([(x + w) * (width / 2), (w - y) * (height / 2), w, w], 1)


def index_views(
    shape: tuple[int, int, int], bounds: Tensor, cameras: Cameras
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pixels' rays in index coordinates [N,18], and the lengths [3] of a cell along x, y, z.

    A row holds the two matrices of `pixel_rays`, from (column, row, 1) to the origin and to the direction of a ray.
    """
    count = torch.tensor(shape[::-1], dtype=torch.float64)
    spacing = (bounds[1] - bounds[0]) / (count - 1)
    origin, direction = pixel_rays(cameras)
    origin = torch.cat([origin[:, :, :2], origin[:, :, 2:] - bounds[0][:, None]], 2) / spacing[:, None]
    direction = direction / spacing[:, None]
    return torch.cat([origin.reshape(-1, 9), direction.reshape(-1, 9)], 1).contiguous().numpy(), spacing.numpy()
