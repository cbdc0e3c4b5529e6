"""Coarser frames: pixels averaged by area, and the geometry of the detector that would have recorded them."""

from __future__ import annotations

from dataclasses import replace

import torch

from invrender.errors import InputError
from invrender.nouns.scan import ScanGeometry, ScanSetup

Tensor = torch.Tensor


def coarser(frames: Tensor, factor: int) -> Tensor:
    """Means [N,H//f,W//f] of f x f pixels of frames [N,H,W], of those that are not NaN; NaN where most of them are.

    Rows and columns that are left over at the bottom and the right are cut off.
    """
    if factor == 1:
        return frames
    height, width = (side // factor for side in frames.shape[1:])
    cut = frames[:, : height * factor, : width * factor]
    known = ~cut.isnan()
    total, count = (
        torch.nn.functional.avg_pool2d(image[:, None], factor)[:, 0]
        for image in (torch.where(known, cut, 0.0), known.float())
    )
    return torch.where(count >= 0.5, total / count.clamp(min=1e-6), torch.nan)


def coarser_geometry(geometry: ScanGeometry, factor: int) -> ScanGeometry:
    """The geometry of frames that `coarser` averages.

    Raises:
        InputError: nothing would be left of the frames.
    """
    if factor == 1:
        return geometry
    size, (down, right) = _size(geometry.size, factor)
    centre = geometry.centre - right / 2 * geometry.u - down / 2 * geometry.v
    return replace(geometry, centre=centre, u=factor * geometry.u, v=factor * geometry.v, size=size)


def coarser_setup(setup: ScanSetup, factor: int) -> ScanSetup:
    """The same for a scanner's numbers: the pitch grows, and the detector's middle moves where pixels are cut off."""
    if factor == 1:
        return setup
    size, (down, right) = _size(setup.size, factor)
    across, rows = setup.pixel
    return replace(
        setup,
        size=size,
        pixel=(across * factor, rows * factor),
        detector_offset=(
            setup.detector_offset[0] - right / 2 * across,
            setup.detector_offset[1] - down / 2 * rows,
        ),
    )


def _size(size: tuple[int, int], factor: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Pixels that are left, (H, W), and how many are cut off."""
    height, width = size
    if width // factor < 1 or (height // factor < 1):
        raise InputError(
            f"frames of {width} x {height} pixels cannot be averaged by {factor} pixels each way",
            f"downscale by {min(size)} at most",
        )
    return (height // factor, width // factor), (height % factor, width % factor)
