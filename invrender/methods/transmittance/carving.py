"""Space carving: which part of a grid can hold anything. What views see nothing in, and nothing near, is empty.

A sample of the grid stands for what lies within a cell of it on each side, and a ray takes the samples within a cell of
it. So a ray proves samples empty for certain only where the picture is empty for two cells around it: one that passes
close by an object says nothing of the samples beside the object's surface, which may have to hold a part of it.
"""

from __future__ import annotations

import torch

from invrender.kernels import MakeRays
from invrender.methods.transmittance.measurement import Measurement
from invrender.nouns import Cameras

Tensor = torch.Tensor
Shape = tuple[int, int, int]

EMPTY = 1e-5  # optical depth of a ray of an exact image that has met nothing
CERTAINTY = 2.5  # standard deviations of a neighbourhood's mean, under noise
REACH = 2  # pixels on each side that make a neighbourhood
CROSSED = 0.1  # cell lengths inside empty rays that make a voxel empty
WITNESSES = 2.0  # the same under noise, where one ray can err
KNOWN = {"float": 0, "8bit": 2, "poisson": 1}  # pixels around an empty one that are empty, too


def empty_pixels(measurement: Measurement) -> Tensor:
    """[N,H,W] bool: rays that meet nothing, as far as the noise lets one say so."""
    depth, noise = measurement.depth, measurement.noise
    known = measurement.weight > 0
    if noise.deviation == 0:
        return (depth < EMPTY) & known
    side = 2 * REACH + 1
    mean = torch.nn.functional.avg_pool2d(depth[:, None], side, 1, REACH, count_include_pad=False)[:, 0]
    widest = torch.nn.functional.max_pool2d(mean[:, None], side, 1, REACH)[:, 0]
    return (widest < CERTAINTY * noise.deviation / side * 2) & known


def margins(cameras: Cameras, shape: Shape, bounds: Tensor, cells: float) -> Tensor:
    """[N,2] int64: by how many columns and rows so many cells of the grid appear at most, in each view.

    Boxes that reach up to a camera's plane may fill the whole picture.
    """
    low, high = bounds.cpu().double()
    cell = (high - low) / (torch.tensor(shape[::-1], dtype=torch.float64) - 1)
    corners = torch.cartesian_prod(*torch.stack([low, high], 1))
    rotation, shift = cameras.world_to_camera[:, :3, :3], cameras.world_to_camera[:, :3, 3]
    nearest = -(rotation[:, 2] @ corners.T + shift[:, 2:]).amax(1)
    height, width = cameras.size
    size = torch.tensor([width, height], dtype=torch.float64)
    flat = cameras.parallel[:, None]
    # What a step along each axis of the grid is in the picture at depth 1, shears included, and slants.
    slant = torch.where(flat, cameras.projection[:, :2, 2], 0.0)
    steps = torch.cat([cameras.projection[:, :2, :2], slant[..., None]], 2) @ rotation
    reach = cells * (steps * cell).norm(dim=2) * size / 2
    reach = torch.where(flat, reach, reach / nearest.clamp(min=1e-12)[:, None])
    return torch.where(flat | (nearest[:, None] > 0), (reach + 0.5).floor(), size).minimum(size).long()


def witnesses(empty: Tensor, margin: Tensor) -> Tensor:
    """The pixels [N,H,W] bool around which everything within a margin [N,2] (columns, rows) is empty."""
    found = []
    for view, (columns, rows) in zip(empty, margin.tolist(), strict=True):
        filled = (~view)[None, None].float()
        filled = torch.nn.functional.max_pool2d(filled, (1, 2 * columns + 1), 1, (0, columns))
        filled = torch.nn.functional.max_pool2d(filled, (2 * rows + 1, 1), 1, (rows, 0))
        found.append(filled[0, 0] == 0)
    return torch.stack(found)


def carve(
    measurement: Measurement, shape: Shape, bounds: Tensor, joseph_rays: MakeRays, cells: float
) -> tuple[Tensor, Tensor]:
    """The support [D,H,W] bool and the pixels [N,H,W] bool whose rays are to be used, with a margin of so many cells.

    All of the box and all known pixels, where no ray proves anything or nothing would be left.
    """
    known = measurement.weight > 0
    # Under noise an empty pixel's neighbourhoods are empty, too, so that a part of the margin is there already.
    margin = (margins(measurement.cameras, shape, bounds, cells) - KNOWN[measurement.noise.kind]).clamp(min=0)
    empty = witnesses(empty_pixels(measurement), margin)
    if bool(empty.any()):
        rays = joseph_rays(shape, bounds, measurement.cameras, empty)
        crossed = rays.adjoint(torch.ones(len(rays.pixels), device=bounds.device)).cpu()
        counts = torch.tensor(shape[::-1], dtype=torch.float64) - 1
        pitch = float(((bounds[1] - bounds[0]).cpu() / counts).min())
        support = crossed < (WITNESSES if measurement.noise.deviation else CROSSED) * pitch
        if bool(support.any()):
            return support, known & ~empty
    return torch.ones(shape, dtype=torch.bool), known
