"""Bodies of the projected gradient step with smoothed total variation; see `invrender.backends.torch.smooth_step`.

The few lines that move a voxel are repeated in each backend: behind one more call, with its branch on the weight, they
take a third longer on CPUs.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math

import numpy as np

from .target import inlined


@inlined
def steepness(grid, k, j, i, epsilon):
    """1 / sqrt(|forward differences|^2 + epsilon^2) at one voxel."""
    depth, height, width = grid.shape
    zero, one = np.float32(0), np.float32(1)
    here = grid[k, j, i]
    dx = grid[k, j, i + 1] - here if i + 1 < width else zero
    dy = grid[k, j + 1, i] - here if j + 1 < height else zero
    dz = grid[k + 1, j, i] - here if k + 1 < depth else zero
    if dx == zero and dy == zero and dz == zero:
        return one / epsilon  # most voxels lie in empty space, and square roots are slow
    return one / np.float32(math.sqrt(dx * dx + dy * dy + dz * dz + epsilon * epsilon))


@inlined
def penalty(grid, steep, k, j, i):
    """Gradient and curvature bound of the penalty at one voxel."""
    depth, height, width = grid.shape
    here, own = grid[k, j, i], steep[k, j, i]
    slope, bound = np.float32(0), np.float32(6) * own
    two = np.float32(2)
    if i + 1 < width:
        slope -= own * (grid[k, j, i + 1] - here)
    if j + 1 < height:
        slope -= own * (grid[k, j + 1, i] - here)
    if k + 1 < depth:
        slope -= own * (grid[k + 1, j, i] - here)
    if i > 0:
        slope += steep[k, j, i - 1] * (here - grid[k, j, i - 1])
        bound += two * steep[k, j, i - 1]
    if j > 0:
        slope += steep[k, j - 1, i] * (here - grid[k, j - 1, i])
        bound += two * steep[k, j - 1, i]
    if k > 0:
        slope += steep[k - 1, j, i] * (here - grid[k - 1, j, i])
        bound += two * steep[k - 1, j, i]
    return slope, bound
