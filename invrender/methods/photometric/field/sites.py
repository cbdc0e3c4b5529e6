"""Which vertices of a grid a radiance field lives on: at first the hull's, then only those that may hold something."""

from __future__ import annotations

import torch

from invrender.errors import InputError
from invrender.geometry.carving import possible_object, signed_distances
from invrender.geometry.hull_grid import fit_grid
from invrender.kernels.field import EMPTY, Field
from invrender.methods.volume_colour.support import support
from invrender.nouns import Views

Tensor = torch.Tensor

COARSE_HULL = 64  # cells along the longest side, to find the box
DARK = 0.02  # light that never gets to a vertex: the inside of the object, which no view can tell of
START = -5.0  # u of a fog through which a view sees the far side of the object
THIN = -3.5  # u below which a site holds nothing: a cell of it takes less than a sixth of the light


def box_of(views: Views) -> Tensor:
    """[2,3] float64, a box around the object: that of the masks' hull, within the one that comes with the views."""
    bounds = None if views.bounds is None else views.bounds.double().cpu().numpy()
    distances = signed_distances(possible_object(views.masks, views.confidence))
    grid = fit_grid(distances, views.masks, views.cameras, COARSE_HULL, views.confidence, bounds)
    lower = torch.tensor(grid.lower, dtype=torch.float64)
    return torch.stack([lower, lower + grid.spacing * (torch.tensor(grid.counts) - 1)])


def grid_in(bounds: Tensor, cells: int) -> tuple[tuple[int, int, int], Tensor]:
    """Counts (D,H,W) of a grid of cubes with `cells` along the box's longest side, and its box, no smaller than the
    given one."""
    sides = bounds[1] - bounds[0]
    spacing = float(sides.max()) / cells
    counts = torch.ceil(sides / spacing - 1e-6).clamp(min=3).long() + 1
    grown = (counts - 1) * spacing
    lower = bounds.mean(0) - grown / 2
    width, height, depth = counts.tolist()
    return (depth, height, width), torch.stack([lower, lower + grown])


def hull_sites(views: Views, bounds: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """[D,H,W] bool: where no view sees the background alone; what a view does not know speaks for the object.

    Raises:
        InputError: nothing is left.
    """
    if views.confidence is not None:
        known = views.confidence > 0
        views = Views(views.cameras, torch.where(known, views.masks, 1.0))
    inside = support(views, bounds, shape) > 0
    border = torch.ones_like(inside)
    border[1:-1, 1:-1, 1:-1] = False
    inside &= ~border
    if not bool(inside.any()):
        raise InputError("the silhouettes have no point of space in common", "check the camera poses and the masks")
    return inside


def on_grid(inside: Tensor, counts: tuple[int, int, int]) -> Tensor:
    """Vertices [D,H,W] bool of a finer grid over the same box that lie in a cell with a chosen vertex."""
    finer = _resized(inside.float()[None], torch.Size(counts))[0] > 0
    for axis in range(3):
        finer.narrow(axis, 0, 1).fill_(False)
        finer.narrow(axis, finer.shape[axis] - 1, 1).fill_(False)
    return finer


def numbered(inside: Tensor) -> Tensor:
    """[D,H,W] int32: the sites' numbers, or -1, of the vertices that have one (bool)."""
    index = torch.full(inside.shape, -1, dtype=torch.int32)
    index[inside] = torch.arange(int(inside.sum()), dtype=torch.int32)
    return index


def fog(inside: Tensor, functions: int) -> Field:
    """A faint grey fog on vertices [D,H,W] bool, with so many functions of direction."""
    count = int(inside.sum())
    return Field(torch.full((count,), START), torch.zeros(count, 3 * functions), numbered(inside))


def dense(field: Field, values: Tensor, empty: float) -> Tensor:
    """Values [S,C] of the sites on the grid, [C,D,H,W]; `empty` elsewhere."""
    grid = torch.full((values.shape[1], *field.index.shape), empty, dtype=values.dtype)
    grid[:, field.index >= 0] = values.T
    return grid


def refined(field: Field, light: Tensor, allowed: Tensor) -> Field:
    """The field on a finer grid [D,H,W] over the same box, where it may hold something.

    Args:
        field: on the coarser grid.
        light: [d,h,w] what reaches its vertices, see `kernels.field.FieldLight`.
        allowed: [D,H,W] bool.
    """
    density = dense(field, field.density[:, None], EMPTY)
    held = ((density[0] > THIN) & (light > DARK)).float()[None, None]
    near = _resized(held[0], allowed.shape)[0] > 0  # and what lies within a cell of it
    inside = allowed & near
    if not bool(inside.any()):
        inside = allowed
    colours = dense(field, field.colours, 0.0)
    # channel by channel: all of them at once on the finer grid are ten times the field itself
    fine = torch.stack([_resized(channel[None], allowed.shape)[0][inside] for channel in colours], 1)
    return Field(_resized(density, allowed.shape)[0][inside], fine, numbered(inside))


def _resized(values: Tensor, size: torch.Size) -> Tensor:
    grown = torch.nn.functional.interpolate(values[None], size=tuple(size), mode="trilinear", align_corners=True)
    return grown[0]
