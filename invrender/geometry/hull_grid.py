"""The box around a visual hull, and the grid over it: from the masks alone, or within a box that is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.cameras.framing import common_box
from invrender.cameras.parallel import pixels_per_unit
from invrender.cameras.rays import rays_through
from invrender.errors import InputError
from invrender.geometry.carving import Grid, carve, known_object
from invrender.nouns import Cameras
from invrender.nouns.coverage import coverage

Tensor = torch.Tensor

FRAME_BITS = 24  # of the box around the object
WITHIN = 1e-3  # of the farthest camera's distance: nearer to the centre than this, rounding decides the depth's sign


def frame_from_masks(
    masks: Tensor, cameras: Cameras, confidence: Tensor | None = None
) -> tuple[NDArray[np.float64], float]:
    """A cube (centre [3], half edge) that holds the object, from the masks alone.

    The centre is the point nearest to the rays through the masks' centroids, the half edge the largest reach of a mask
    around the centre's projection, at the centre's depth. With confidence [N,H,W], known pixels alone count, and views
    that show nothing of the object there do not.

    Raises:
        InputError: the cameras do not look at a common region, or no view is known to show the object.
    """
    extents = [_extent(mask, None if confidence is None else confidence[view]) for view, mask in enumerate(masks)]
    numbers = list(range(len(masks)))
    if confidence is not None:
        numbers = [view for view in numbers if extents[view].box is not None]
        if not numbers:
            raise _open_object("no view is known to show the object", cameras)
        cameras = cameras[numbers]
    extents = [extents[view] for view in numbers]
    centroid = torch.stack([extent.centroid for extent in extents])
    eye, direction = rays_through(cameras, centroid[:, None])
    eye, direction = eye[:, 0], torch.nn.functional.normalize(direction[:, 0], dim=1)
    across = torch.eye(3, dtype=torch.float64) - direction[:, :, None] * direction[:, None, :]
    centre = torch.linalg.lstsq(across.sum(0), (across @ eye[:, :, None]).sum(0)).solution[:, 0]
    forward = -torch.linalg.inv(cameras.world_to_camera)[:, :3, 2]
    depth = ((centre - eye) * forward).sum(1)
    if bool((depth <= WITHIN * (eye - centre).norm(dim=1).max()).any()):
        raise InputError(
            f"camera {numbers[int(depth.argmin())]} looks away from what the other cameras see, or stands in its midst",
            "check the camera convention: camera-to-world matrices, OpenGL axes (looking down -Z)",
        )
    scale = pixels_per_unit(cameras, depth)
    reach = torch.zeros(len(extents), dtype=torch.float64)
    for view, extent in enumerate(extents):
        if extent.box is not None:
            reach[view] = (extent.box - extent.centroid).abs().max() / scale[view]
    half = float(reach.max())
    # The solver's last bits differ from run to run; what follows should not.
    step = 2.0 ** (math.floor(math.log2(half)) - FRAME_BITS) if half > 0 else 1.0
    return (centre / step).round().numpy() * step, math.ceil(half / step) * step


@dataclass(frozen=True)
class _Extent:
    """Where a mask is, in pixels (x, y): its centroid [2], and the corners [2,2] of what it covers by half, if any."""

    centroid: Tensor
    box: Tensor | None


def _extent(mask: Tensor, confidence: Tensor | None) -> _Extent:
    weight = coverage(known_object(mask, confidence)).double().cpu()
    columns, rows = weight.sum(0), weight.sum(1)
    total = rows.sum()
    middle = [(each * (torch.arange(len(each)) + 0.5)).sum() / total for each in (columns, rows)]
    inside = weight >= 0.5
    sides = [inside.any(axis).nonzero()[:, 0] for axis in (0, 1)]
    box = torch.stack([torch.stack([side[0], side[-1] + 1]) for side in sides], 1).double() if len(sides[0]) else None
    return _Extent(torch.stack(middle), box)


def fit_grid(
    distances: Tensor,
    masks: Tensor,
    cameras: Cameras,
    resolution: int,
    confidence: Tensor | None = None,
    bounds: NDArray[np.float64] | None = None,
) -> Grid:
    """A grid with `resolution` cells along the longest side of the hull's bounding box, found by coarse carving.

    Args:
        distances: [N,H,W], see `carving.carve`.
        masks, cameras: of the N views.
        resolution: in cells.
        confidence: [N,H,W], or None where all pixels are known.
        bounds: [2,3], a box that holds the object, or None.

    Raises:
        InputError: no point of space is inside every silhouette, or, where pixels are unknown, the hull has no end.
    """
    if bounds is None:
        coarse, inside = _around_masks(distances, masks, cameras, confidence)
    else:
        coarse = _over_box(bounds, float((bounds[1] - bounds[0]).max()) / 60)
        inside = _near_hull(coarse, carve(coarse, distances, cameras, bounds))
    if not len(inside):
        raise nothing_in_common()
    lower = np.array(coarse.lower) + (inside.min(0) - 1) * coarse.spacing
    extent = (inside.max(0) - inside.min(0) + 2) * coarse.spacing
    if bounds is not None:
        upper = np.minimum(lower + extent, bounds[1])
        lower = np.maximum(lower, bounds[0])
        extent = upper - lower
    spacing = float(extent.max()) / resolution
    counts = tuple(int(n) for n in np.ceil(extent / spacing).astype(int) + 3)
    return Grid(tuple(float(v) for v in lower - spacing), spacing, counts)  # type: ignore[arg-type]


def _around_masks(
    distances: Tensor, masks: Tensor, cameras: Cameras, confidence: Tensor | None
) -> tuple[Grid, NDArray[np.int64]]:
    """A coarse grid around what the masks show, and which of its points [P,3] lie in the hull or near it."""
    centre, half = frame_from_masks(masks, cameras, confidence)
    half *= 1.05  # else the widest view would touch the first box
    for _ in range(6):
        coarse = Grid(tuple(centre - half), 2 * half / 63, (64, 64, 64))
        inside = _near_hull(coarse, carve(coarse, distances, cameras))
        if len(inside) and (inside.min() > 0 and inside.max() < 63):
            return coarse, inside
        half *= 1.6
    if confidence is not None and len(inside):
        raise _open_object(
            "the masks leave open where the object ends, as too many of their pixels are unknown", cameras
        )
    return coarse, inside


def _near_hull(grid: Grid, field: NDArray[np.float32]) -> NDArray[np.int64]:
    """The points [P,3] of a coarse grid in the hull or half a cell's diagonal from it, as thin parts pass between."""
    return np.argwhere(field > -0.87 * grid.spacing)


def _over_box(bounds: NDArray[np.float64], spacing: float) -> Grid:
    """A grid that reaches a cell beyond a box on all sides."""
    counts = tuple(int(n) for n in np.ceil((bounds[1] - bounds[0]) / spacing).astype(int) + 3)
    return Grid(tuple(float(v) for v in bounds[0] - spacing), spacing, counts)  # type: ignore[arg-type]


def nothing_in_common() -> InputError:
    """What to raise where the hull is empty."""
    return InputError(
        "the silhouettes have no point of space in common",
        "check the camera poses, and that the masks are white on the object, with `invrender inspect`",
    )


def _open_object(cause: str, cameras: Cameras) -> InputError:
    box = ",".join(f"{value:.4g}" for value in common_box(cameras).flatten().tolist())
    return InputError(
        cause, f"give a box that holds the object, such as --bounds={box} (what all cameras see), or more masks"
    )
