"""Space carving: which part of a grid can hold anything. What rays without any optical depth have crossed is empty."""

from __future__ import annotations

import torch

from invrender.kernels import MakeRays
from invrender.methods.transmittance.measurement import Measurement

Tensor = torch.Tensor

EMPTY = 1e-5  # optical depth of a ray of an exact image that has met nothing
CERTAINTY = 2.5  # standard deviations of a neighbourhood's mean, under noise
REACH = 2  # pixels on each side that make a neighbourhood
CROSSED = 0.1  # cell lengths inside empty rays that make a voxel empty
WITNESSES = 2.0  # the same under noise, where one ray can err


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


def carve(
    measurement: Measurement, shape: tuple[int, int, int], bounds: Tensor, joseph_rays: MakeRays
) -> tuple[Tensor, Tensor]:
    """The support [D,H,W] bool and the pixels [N,H,W] bool whose rays are to be used.

    All of the box and all known pixels, where no ray is empty or nothing would be left.
    """
    known = measurement.weight > 0
    empty = empty_pixels(measurement)
    if bool(empty.any()):
        rays = joseph_rays(shape, bounds, measurement.cameras, empty)
        crossed = rays.adjoint(torch.ones(len(rays.pixels), device=bounds.device)).cpu()
        cells = torch.tensor(shape[::-1], dtype=torch.float64) - 1
        pitch = float(((bounds[1] - bounds[0]).cpu() / cells).min())
        support = crossed < (WITNESSES if measurement.noise.deviation else CROSSED) * pitch
        if bool(support.any()):
            return support, known & ~empty
    return torch.ones(shape, dtype=torch.bool), known
