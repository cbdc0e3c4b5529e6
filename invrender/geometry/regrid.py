"""Extract a closed surface anew from a grid: the last resort for a mesh that cannot be untangled locally.

A grid point is inside where the winding number of the surface around it is positive, counted along grid lines; near
the surface the exact distance gives the value. Parts that overlap are joined, sheets that have crossed are cut.
Details smaller than a grid cell are lost.
"""

from __future__ import annotations

import numpy as np

from invrender.geometry.closest import Surface
from invrender.geometry.connectivity import components
from invrender.geometry.vectors import Bools, Floats, Ints

LOWEST = 0.02  # of a cell: no grid value is closer to 0, so that marching cubes makes no degenerate faces
SMALLEST = 12  # faces; smaller components are crumbs of the grid


def winding_numbers(vertices: Floats, faces: Ints, origin: Floats, cell: float, shape: tuple[int, int, int]) -> Ints:
    """Winding numbers at the points origin + cell * (i, j, k) of a grid of the given shape, for a closed mesh.

    Lines along the third axis are nudged by an irrational fraction of a cell, so that they meet no vertex.
    """
    nudge = np.array([1e-4 * np.sqrt(2), 1e-4 * np.sqrt(3), 0.0])
    p = (vertices - origin) / cell + nudge
    a, b, c = (p[faces[:, k]] for k in range(3))
    low = np.ceil(np.minimum(np.minimum(a, b), c)[:, :2]).astype(np.int64).clip(0)
    high = np.floor(np.maximum(np.maximum(a, b), c)[:, :2]).astype(np.int64)
    high = np.minimum(high, np.array(shape[:2]) - 1)
    size = np.maximum(high - low + 1, 0)
    count = size.prod(1)
    f = np.repeat(np.arange(len(faces)), count)
    local = np.arange(len(f)) - np.repeat(np.cumsum(count) - count, count)
    i, j = low[f, 0] + local // size[f, 1], low[f, 1] + local % size[f, 1]
    a, b, c = a[f], b[f], c[f]

    def side(u: Floats, w: Floats) -> Floats:
        return np.asarray((w[:, 0] - u[:, 0]) * (j - u[:, 1]) - (w[:, 1] - u[:, 1]) * (i - u[:, 0]))

    s = np.stack([side(b, c), side(c, a), side(a, b)], 1)
    hit = (s > 0).all(1) | (s < 0).all(1)
    s, i, j = s[hit], i[hit], j[hit]
    height = (s * np.stack([a[hit, 2], b[hit, 2], c[hit, 2]], 1)).sum(1) / s.sum(1)
    sign = np.where(s[:, 0] > 0, 1, -1)
    below = np.floor(height).astype(np.int64)  # points up to here have the crossing above them
    change = np.zeros((*shape[:2], shape[2] + 1), np.int64)
    np.add.at(change, (i, j, np.clip(below + 1, 0, shape[2])), -sign)
    total = np.bincount(i * shape[1] + j, sign, shape[0] * shape[1]).astype(np.int64).reshape(shape[:2])
    return total[:, :, None] + np.cumsum(change, 2)[:, :, : shape[2]]


def _band(inside: Bools, width: int) -> Bools:
    """Grid points within so many steps of one on the other side."""
    from scipy.ndimage import binary_dilation, binary_erosion

    return np.asarray(binary_dilation(inside, iterations=width) & ~binary_erosion(inside, iterations=width))


def regrid(vertices: Floats, faces: Ints, resolution: int = 192) -> tuple[Floats, Ints]:
    """The boundary of the region of positive winding number, by marching cubes on a signed distance.

    Args:
        vertices: [V,3] of a closed mesh wound outward; it may intersect itself.
        faces: [F,3].
        resolution: grid cells along the longest side.

    Returns:
        Vertices and faces of a closed surface; empty arrays where nothing is inside.
    """
    from skimage.measure import marching_cubes

    low, high = vertices[faces].reshape(-1, 3).min(0), vertices[faces].reshape(-1, 3).max(0)
    cell = float((high - low).max()) / resolution
    origin = low - 2.37 * cell
    shape = tuple(int(n) for n in np.ceil((high - low) / cell + 5))
    inside = winding_numbers(vertices, faces, origin, cell, (shape[0], shape[1], shape[2])) > 0
    if not inside.any():
        return np.zeros((0, 3)), np.zeros((0, 3), np.int64)
    index = np.argwhere(_band(inside, 2))
    _, distance, _ = Surface(vertices, faces).closest(origin + cell * index)
    field = np.where(inside, 3.0, -3.0)
    magnitude = np.clip(distance / cell, LOWEST, 3.0)
    field[tuple(index.T)] = np.where(inside[tuple(index.T)], magnitude, -magnitude)
    v, f, _, _ = marching_cubes(field.astype(np.float32), 0.0, gradient_direction="ascent")
    f = f.astype(np.int64)
    label = components(f)
    kept = np.bincount(label)[label] > SMALLEST
    used, f = np.unique(f[kept], return_inverse=True)
    return origin + cell * v[used].astype(np.float64), f.reshape(-1, 3).astype(np.int64)
