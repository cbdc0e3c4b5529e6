"""Voxels and pictures whose orientation is known: solids of several balls, and what a light makes them look like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from invrender.io.pairs.axes import ORIGINAL, from_ours

Array = NDArray[Any]


def solid(random: np.random.Generator, n: int = 32, balls: int = 4) -> Array:
    """[n,n,n] float32 occupancy, slices from the nearest, rows from the top, columns from the left."""
    z, y, x = (np.mgrid[:n, :n, :n] + 0.5) / n * 2 - 1
    inside = np.zeros((n, n, n), bool)
    for _ in range(balls):
        centre, radius = random.uniform(-0.5, 0.5, 3), random.uniform(0.15, 0.4)
        inside |= (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2 < radius**2
    return inside.astype(np.float32)


def picture(voxels: Array) -> Array:
    """[n,n] float: the first surface behind each pixel, shaded by a light from the upper left."""
    slopes = np.stack(np.gradient(gaussian_filter(voxels, 1)))
    rows, columns = np.indices(voxels.shape[1:])
    normals = -slopes[:, voxels.argmax(0), rows, columns]
    normals /= np.linalg.norm(normals, axis=0) + 1e-9
    light = np.array([-0.5, -0.7, -0.5]) / np.linalg.norm([0.5, 0.7, 0.5])
    return np.where(voxels.max(0) > 0, np.tensordot(light, normals, 1).clip(0, 1) * 0.8 + 0.1, 0)


def samples(count: int, n: int = 32, seed: int = 0) -> tuple[Array, Array]:
    """[count,n,n,n] float32 solids in our axes, and [count,n,n] uint8 pictures of them."""
    random = np.random.default_rng(seed)
    solids = np.stack([solid(random, n) for _ in range(count)])
    pictures = np.stack([picture(each) for each in solids])
    return solids, np.round(pictures * 255).astype(np.uint8)


def original(folder: Path, solids: Array, pictures: Array, chunk: int = 100, axes: str = ORIGINAL) -> Path:
    """Shards as VoxelNeuralRender has them."""
    folder.mkdir(parents=True)
    for number, first in enumerate(range(0, len(solids), chunk)):
        part = slice(first, first + chunk)
        np.savez_compressed(
            folder / f"volume_samples_{number:03d}.npz", np.ascontiguousarray(from_ours(solids[part], axes))[:, None]
        )
        images = (pictures[part].astype(np.float32) / 256)[..., None]
        np.savez_compressed(folder / f"image_samples_{number:03d}.npz", images)
    return folder
