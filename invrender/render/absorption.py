"""A volume's own views: the rig around it, optical depths and transmittance, and the scale that makes it visible."""

from __future__ import annotations

import torch

from invrender.cameras.rays import camera_rays
from invrender.errors import InputError, UsageError
from invrender.kernels import VolumeKernels
from invrender.nouns import Cameras, Volume

Tensor = torch.Tensor

DEPTH, PERCENTILE = 2.5, 0.95


def optical_depth(volume: Volume, cameras: Cameras, kernels: VolumeKernels) -> Tensor:
    """Line integrals [N,H,W] of a density over every pixel's ray, in values times world units.

    Raises:
        InputError: the volume has several channels, or negative densities.
    """
    grid = density(volume).to(kernels.device)
    bounds = volume.bounds.to(kernels.device)
    height, width = cameras.size
    views = []
    for i in range(len(cameras)):
        rays = camera_rays(cameras[[i]])
        origin, direction = rays.origin.to(kernels.device), rays.direction.to(kernels.device)
        views.append(kernels.line_integral(grid, bounds, origin, direction).reshape(height, width).float().cpu())
    return torch.stack(views)


def density(volume: Volume) -> Tensor:
    """The values [D,H,W] of a volume that is a density.

    Raises:
        InputError: it has several channels, or values below 0.
    """
    if len(volume.values) != 1:
        raise InputError(
            f"the volume has {len(volume.values)} channels, and a density has one", "write the density alone"
        )
    lowest = float(volume.values.min())
    if lowest < 0:
        raise InputError(
            f"the volume holds negative values (down to {lowest:g}), and light cannot be absorbed less than not at all",
            "shift or clip the values first (for CT numbers: add 1000 and clip at 0)",
        )
    return volume.values[0]


def auto_extinction(depths: Tensor) -> float:
    """The factor on a density that brings the 95th percentile of its optical depths to 2.5, where they are not 0.

    Raises:
        InputError: no ray meets anything.
    """
    seen = depths[depths > 0].double()
    if not len(seen):
        raise InputError("no camera sees anything of the volume", "look from elsewhere, or check the volume's values")
    order = torch.sort(seen).values
    place = PERCENTILE * (len(order) - 1)
    below = int(place)
    level = order[below] + (place - below) * (order[min(below + 1, len(order) - 1)] - order[below])
    return DEPTH / float(level)


def check_extinction(text: str) -> float | None:
    """The number of an --extinction option; None for 'auto'.

    Raises:
        UsageError: it is neither.
    """
    if text == "auto":
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise UsageError(f"--extinction is {text!r}", "use auto, or the factor on the values, such as 0.5")
    return value
