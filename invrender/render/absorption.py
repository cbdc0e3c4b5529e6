"""What a volume absorbs: optical depths and transmittance of views, and the scale that makes them visible."""

from __future__ import annotations

import math

import torch

from invrender.cameras.rays import camera_rays
from invrender.errors import InputError, UsageError
from invrender.kernels import Backend
from invrender.nouns import Cameras, Volume
from invrender.ops import line_integral
from invrender.render.apart import apart
from invrender.render.scale import exponent, lengths_exponent, scaled, scaled_cameras, scaled_volume

Tensor = torch.Tensor

DEPTH, PERCENTILE = 2.5, 0.95
AT_ONCE = 1 << 16  # rays that are followed at a time, of several views


def optical_depth(volume: Volume, cameras: Cameras, backend: Backend) -> Tensor:
    """Line integrals [N,H,W] of a density over every pixel's ray, in values times world units, on the CPU.

    Differentiable in the values and, with the torch backend, in the cameras; others refuse the latter when gradients
    are asked for.

    Raises:
        InputError: the volume has several channels, or negative densities, or depths beyond float32.
    """
    depths, values, lengths = _own_depths(volume, cameras, backend)
    found = scaled(depths, values + lengths)
    if not bool(torch.isfinite(found.detach()).all()):
        raise InputError(
            "the optical depths of the volume are too large for float32", "scale its values down, or change the units"
        )
    return found


def _own_depths(volume: Volume, cameras: Cameras, backend: Backend) -> tuple[Tensor, int, int]:
    """Line integrals [N,H,W] in units of 2^values times 2^lengths, and these two exponents."""
    density(volume)
    values, lengths = exponent(float(volume.values.detach().max())), lengths_exponent(volume)
    volume, cameras = scaled_volume(volume, values, lengths), scaled_cameras(cameras, lengths)
    grid = volume.values[0].to(backend.device)
    bounds = volume.bounds.to(backend.device)
    given = (grid, bounds, backend)
    free = grid.requires_grad or cameras.world_to_camera.requires_grad or cameras.projection.requires_grad
    return (_views(*given, cameras) if free else apart(_views, given, cameras)), values, lengths


def _views(grid: Tensor, bounds: Tensor, backend: Backend, cameras: Cameras) -> Tensor:
    """Line integrals [N,H,W] over every pixel's ray, on the CPU."""
    height, width = cameras.size
    together, views = max(1, AT_ONCE // (height * width)), []  # what a backend prepares of a grid, it does once for all
    for first in range(0, len(cameras), together):
        rays = camera_rays(cameras[first : first + together])
        origin, direction = rays.origin.to(backend.device), rays.direction.to(backend.device)
        views.append(line_integral(backend, grid, bounds, origin, direction).reshape(-1, height, width).cpu())
    return torch.cat(views)


def transmittance(
    volume: Volume, cameras: Cameras, backend: Backend, extinction: float | Tensor | None = None
) -> tuple[Tensor, float | Tensor]:
    """The share [N,H,W] of the light that comes through, exp(-extinction * optical depth), and the extinction.

    Args:
        volume, cameras, backend: as `optical_depth` takes them; differentiable likewise.
        extinction: the factor on the density; None takes `auto_extinction`, constant in gradients.
    """
    depths, values, lengths = _own_depths(volume, cameras, backend)
    unit = math.ldexp(1, values + lengths)
    factor = auto_extinction(depths) if extinction is None else extinction * unit
    return torch.exp(-depths * factor), factor / unit if extinction is None else extinction


def density(volume: Volume) -> Tensor:
    """The values [D,H,W] of a volume that is a density.

    Raises:
        InputError: it has several channels, or values below 0.
    """
    if len(volume.values) != 1:
        raise InputError(
            f"the volume has {len(volume.values)} channels, and a density has one",
            "write the density alone; of channels in an array's first or last axis --frame N takes one",
        )
    lowest = float(volume.values.detach().min())
    if lowest < 0:
        raise InputError(
            f"the volume holds negative values (down to {lowest:g}), and light cannot be absorbed less than not at all",
            "clip the values first; CT numbers: invrender convert CT.nii.gz MU.nii.gz --from-units hu --mu-water 0.02",
        )
    return volume.values[0]


def auto_extinction(depths: Tensor) -> float:
    """The factor on a density that brings the 95th percentile of its optical depths to 2.5, where they are not 0.

    Raises:
        InputError: no ray meets anything.
    """
    seen = depths.detach()[depths > 0].double()
    if not len(seen):
        raise InputError("no camera sees anything of the volume", "look from elsewhere, or check the volume's values")
    order = torch.sort(seen).values
    rank = PERCENTILE * (len(order) - 1)
    below = int(rank)
    level = order[below] + (rank - below) * (order[min(below + 1, len(order) - 1)] - order[below])
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
