"""Where in the pictures an object can be whose box in space is known."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.nouns import Cameras

MARGIN = 2  # pixels around the projected box, for cameras are not exact


def projected_boxes(cameras: Cameras, bounds: torch.Tensor) -> NDArray[np.int64]:
    """For each view the pixels (row, row, column, column) [N,4], ends exclusive, that hold the corners of a box.

    Args:
        cameras: N cameras.
        bounds: [2,3] in world units. A view with a corner behind its camera has the whole picture.
    """
    height, width = cameras.size
    corners = torch.cartesian_prod(*bounds.double().cpu().T)
    clip = torch.cat([corners, torch.ones(8, 1, dtype=torch.float64)], 1) @ cameras.clip_from_world.transpose(1, 2)
    w = clip[..., 3]
    divisor = w.clamp(min=1e-12)
    column, row = (clip[..., 0] / divisor + 1) / 2 * width, (1 - clip[..., 1] / divisor) / 2 * height
    low_row, high_row = row.amin(1).floor() - MARGIN, row.amax(1).ceil() + MARGIN
    low_column, high_column = column.amin(1).floor() - MARGIN, column.amax(1).ceil() + MARGIN
    found = torch.stack([low_row, high_row, low_column, high_column], 1)
    found = torch.where((w > 0).all(1)[:, None], found, torch.tensor([0.0, height, 0.0, width]).double())
    found[:, :2], found[:, 2:] = found[:, :2].clamp(0, height), found[:, 2:].clamp(0, width)
    return found.long().numpy()


def inside_box(box: NDArray[np.int64] | None, size: tuple[int, int]) -> NDArray[np.bool_] | None:
    """The pixels [H,W] of a box (row, row, column, column); None where there is no box."""
    if box is None:
        return None
    inside = np.zeros(size, bool)
    inside[box[0] : box[1], box[2] : box[3]] = True
    return inside
