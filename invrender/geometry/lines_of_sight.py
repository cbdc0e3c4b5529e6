"""What the lines of sight through some voxels of a hull meet: whether an image needs these voxels."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.cameras.rays import rays_through
from invrender.geometry.carving import Grid
from invrender.geometry.vectors import Ints
from invrender.nouns import Cameras
from invrender.nouns.coverage import coverage

Tensor = torch.Tensor
CLEAR = 1  # voxels around those in question that do not count as the rest of the hull; what is behind them may be thin
STRIDE = 0.7  # voxels between the places at which a line of sight is looked at
COVERED = 0.75  # coverage from which on an image shows object: less may be rounding
MOST_POINTS = 64  # of a set of voxels: more are thinned out


def needed(voxels: Ints, field: NDArray[np.float32], grid: Grid, masks: Tensor, cameras: Cameras) -> bool:
    """Whether an image shows object at one of the voxels, and nothing else of the hull lies on that line of sight.

    Args:
        voxels: [K,3] in the hull.
        field: [nx,ny,nz], the hull's, at the points of the grid.
        grid: the points of the field.
        masks: [N,H,W] coverage, 0 where nothing is known.
        cameras: of the N views.
    """
    rest = torch.from_numpy(field > 0)
    thinned = voxels[np.linspace(0, len(voxels) - 1, min(len(voxels), MOST_POINTS)).astype(np.int64)]
    _clear(rest, voxels)
    lower = torch.tensor(grid.lower, dtype=torch.float64)
    points = lower + grid.spacing * torch.from_numpy(thinned)
    height, width = cameras.size
    homogeneous = torch.cat([points, torch.ones(len(points), 1, dtype=torch.float64)], 1)
    clip = torch.einsum("nij,pj->npi", cameras.clip_from_world.double(), homogeneous)
    ndc = clip[..., :2] / clip[..., 3:].clamp(min=1e-12)
    place = torch.stack([(ndc[..., 0] + 1) / 2 * width, (1 - ndc[..., 1]) / 2 * height], -1)
    row, column = place[..., 1].long(), place[..., 0].long()
    shown = (clip[..., 3] > 0) & (row >= 0) & (row < height) & (column >= 0) & (column < width)
    read = masks[torch.arange(len(cameras))[:, None], row.clamp(0, height - 1), column.clamp(0, width - 1)]
    view, point = (shown & (coverage(read) > COVERED)).nonzero(as_tuple=True)
    if not len(view):
        return False
    _, direction = rays_through(cameras, place)
    unit = torch.nn.functional.normalize(direction[view, point], dim=1)
    reach = int(np.linalg.norm(field.shape) / STRIDE)
    steps = STRIDE * torch.arange(-reach, reach + 1, dtype=torch.float64)
    counts = torch.tensor(field.shape)
    start = torch.from_numpy(thinned)[point].double()
    for some in torch.arange(len(view)).split(512):
        at = (start[some, None] + steps[:, None] * unit[some, None]).round().long()
        within = ((at >= 0) & (at < counts)).all(-1)
        at = torch.where(within[..., None], at, torch.zeros_like(at))
        if not bool((rest[at[..., 0], at[..., 1], at[..., 2]] & within).any(1).all()):
            return True
    return False


def _clear(rest: Tensor, voxels: Ints) -> None:
    """Take away voxels and what is near them."""
    span = np.arange(-CLEAR, CLEAR + 1)
    around = np.stack(np.meshgrid(span, span, span, indexing="ij"), -1).reshape(-1, 3)
    around = around[(around**2).sum(1) <= CLEAR**2]
    at = np.unique((voxels[:, None] + around).reshape(-1, 3), axis=0)
    at = at[((at >= 0) & (at < np.array(rest.shape))).all(1)]
    rest[tuple(torch.from_numpy(at).T)] = False
