"""What automatic masks hold that the other views' masks rule out: cloth, a pedestal or a stray light of the backdrop.

A pixel whose ray meets no point that the other masks allow does not show the object. One dissenting mask is forgiven
at every point, and a margin of some pixels, so that neither a bad mask nor inexact cameras spoil the others. Before a
dark backdrop, what is hardly brighter may be the object in shadow or what it stands on: points of an object lie behind
or at its bright surface in most views, those of a pedestal show faintly from all sides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.cameras.parallel import pixels_per_unit
from invrender.cameras.rigs import evenly
from invrender.colour import linear_to_srgb
from invrender.errors import InputError
from invrender.geometry.carving import BELIEVED, Grid, known_object, possible_object, signed_distances
from invrender.geometry.hull_grid import frame_from_masks
from invrender.nouns import Cameras, Views
from invrender.segmentation.cleaning import REFERENCE, SPECK

Tensor = torch.Tensor
Bools: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float32]

FEWEST, JUDGES = 6, 32  # masks below which none is overruled, and the most that are asked
DISSENT = 1  # masks that may rule a point out before it is
CELLS = 112  # along the longest side of where the object can be
PLAIN = 0.7  # of the views that see a point of the object show it before no faint pixels
MOST = 2 / 3  # of the masks' pixels may be faint and go
MARGIN = 1.5  # pixels that outlines may be off
HALF_DIAGONAL = 0.87  # of a cell


def confirmed(views: Views, found: list[int]) -> tuple[Views, int]:
    """Views without what only single masks hold, and in how many masks there was something of the kind.

    A faint part of a mask goes where no other photographs plainly show an object; another part that the other masks
    rule out goes where its colours are nearer to the background's than to those of the rest of the mask: else masks or
    cameras are wrong, and that is not to be hidden.

    Args:
        views: with images, masks and confidence, which is below 1/2 in faint parts.
        found: the numbers of the views whose masks were found automatically; those of others stay.
    """
    if len(views) < FEWEST or views.images is None or views.confidence is None:
        return views, 0
    try:
        grid = _around(views)
    except InputError:  # nothing in common: those who make a hull tell of it
        return views, 0
    allowed, plain = _allowed(grid, views)
    faint = {view: _faint(allowed[plain], grid, views, view) for view in found}
    object_ = views.masks >= 0.5
    lost = sum(int((object_[view].numpy() & each).sum()) for view, each in faint.items())
    if lost > MOST * float(object_[found].sum()):
        faint = dict.fromkeys(found, np.zeros(views.cameras.size, bool))  # it is the object that is dark
    masks, confidence, changed = views.masks.clone(), views.confidence.clone(), 0
    for view in found:
        gone = torch.from_numpy(faint[view] | _stray(allowed, grid, views, view))
        masks[view][gone] = 0
        confidence[view][gone] = BELIEVED
        changed += int(gone.any())
    return replace(views, masks=masks, confidence=confidence), changed


def _faint(plain: Tensor, grid: Grid, views: Views, view: int) -> Bools:
    """The faint or unknown parts [H,W] of a view before which no plainly shown point [P,4] lies."""
    assert views.confidence is not None
    reached = _reached(plain, views.cameras, view, _cell_in_pixels(grid, views.cameras, view))
    return _parts((views.confidence[view] < BELIEVED).numpy() & ~reached)


def _stray(allowed: Tensor, grid: Grid, views: Views, view: int) -> Bools:
    """The parts [H,W] of a mask before which no allowed point [P,4] lies and that look like the background."""
    assert views.confidence is not None and views.images is not None
    mask, known = views.masks[view].numpy() >= 0.5, views.confidence[view].numpy() > 0
    reached = _reached(allowed, views.cameras, view, _cell_in_pixels(grid, views.cameras, view) + MARGIN)
    colours = linear_to_srgb(np.asarray(views.images[view], np.float32))
    return _of_background(_parts(mask & ~reached), mask, known, colours)


def _around(views: Views) -> Grid:
    """A grid over where the object can be.

    Raises:
        InputError: the views do not say where that is.
    """
    if views.bounds is not None:
        low, high = views.bounds.double().cpu().numpy()
    else:
        centre, half = frame_from_masks(views.masks, views.cameras, views.confidence)
        low, high = centre - half, centre + half
    spacing = float((high - low).max()) / CELLS
    counts = [int(n) + 1 for n in np.ceil((high - low) / spacing)]
    return Grid((float(low[0]), float(low[1]), float(low[2])), spacing, (counts[0], counts[1], counts[2]))


def _allowed(grid: Grid, views: Views) -> tuple[Tensor, Tensor]:
    """The points [P,4] float64, homogeneous, of a grid that no more masks than `DISSENT` rule out, and which of them
    [P] bool show before plain object, not faint, in most views."""
    assert views.confidence is not None
    points = torch.cartesian_prod(*(grid.axis(k) for k in range(3)))
    points = torch.cat([points, torch.ones_like(points[:, :1])], 1)
    against, seen, plain = (torch.zeros(len(points), dtype=torch.int32) for _ in range(3))
    for view in evenly(len(views), min(JUDGES, len(views))):
        column, row, shown = _pixels(points, views.cameras, view)
        margin = HALF_DIAGONAL * _cell_in_pixels(grid, views.cameras, view) + MARGIN
        mask, believed = views.masks[view], views.confidence[view]
        distance = signed_distances(possible_object(mask, believed)[None])[0]
        against += shown & (distance[row, column] < -margin)
        seen += shown & (believed[row, column] > 0)
        plain += shown & (known_object(mask, believed)[row, column] >= 0.5)
    kept = against <= DISSENT
    return points[kept], (plain >= PLAIN * seen)[kept]


def _reached(allowed: Tensor, cameras: Cameras, view: int, cell: float) -> Bools:
    """The pixels [H,W] of a view in which allowed points show, or so near to them that it does not matter."""
    from scipy import ndimage

    column, row, seen = _pixels(allowed, cameras, view)
    hit = np.zeros(cameras.size, bool)
    hit[row[seen].numpy(), column[seen].numpy()] = True
    near: Bools = ndimage.distance_transform_edt(~hit) <= HALF_DIAGONAL * cell
    return near if hit.any() else hit


def _pixels(points: Tensor, cameras: Cameras, view: int) -> tuple[Tensor, Tensor, Tensor]:
    """Column and row [P] of the pixels in which points [P,4] show, and whether they do."""
    height, width = cameras.size
    x, y, _, w = (points @ cameras.clip_from_world[view].T).unbind(1)
    divisor = torch.where(w > 0, w, torch.ones_like(w))
    column, row = ((x / divisor + 1) * (width / 2)).floor(), ((1 - y / divisor) * (height / 2)).floor()
    seen = (w > 0) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    return column.clamp(0, width - 1).long(), row.clamp(0, height - 1).long(), seen


def _cell_in_pixels(grid: Grid, cameras: Cameras, view: int) -> float:
    """How many pixels of a view a cell in the middle of the grid takes."""
    middle = torch.tensor(
        [low + grid.spacing * (count - 1) / 2 for low, count in zip(grid.lower, grid.counts, strict=True)]
    )
    depth = (cameras.world_to_camera[view, 2, :3] @ middle.double() + cameras.world_to_camera[view, 2, 3]).abs()
    return grid.spacing * float(pixels_per_unit(cameras[[view]], depth.clamp(min=1e-12)[None]))


def _parts(pixels: Bools) -> Bools:
    """Connected parts [H,W] that are more than specks."""
    from scipy import ndimage

    parts, count = ndimage.label(pixels, np.ones((3, 3)))
    area = np.bincount(parts.ravel(), minlength=count + 1)
    area[0] = 0
    kept: Bools = (area >= SPECK * pixels.size / REFERENCE)[parts]
    return kept


def _of_background(stray: Bools, mask: Bools, known: Bools, picture: Floats) -> Bools:
    """Those parts [H,W] of a mask whose colours are nearer to the background's than to those of its other pixels."""
    from scipy import ndimage

    rest, behind = mask & ~stray & known, ~mask & known
    if not (stray.any() and rest.any() and behind.any()):
        return np.zeros_like(stray)
    object_, background = np.median(picture[rest], axis=0), np.median(picture[behind], axis=0)
    parts, count = ndimage.label(stray, np.ones((3, 3)))
    gone = np.zeros_like(stray)
    for number in range(1, count + 1):
        part = parts == number
        colour = np.median(picture[part], axis=0)
        if np.abs(colour - background).max() < np.abs(colour - object_).max():
            gone |= part
    return gone
