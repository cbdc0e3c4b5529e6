"""Carving: what posed masks say of points in space, as a signed distance to the surface of the visual hull.

Each mask becomes a 2-D signed distance with sub-pixel edges; a point of space takes the minimum over the views of the
distances its projections read, turned into world units at its depth. Pixels of which nothing is known count as object:
they take nothing away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.cameras.projection import common_point
from invrender.cameras.rays import rays_through
from invrender.geometry.pixel_distance import distance_to_others
from invrender.geometry.read_points import least_distances
from invrender.nouns import Cameras, Views
from invrender.nouns.coverage import coverage, covers, whole
from invrender.ranks.calls import count, spread

Tensor = torch.Tensor

POINTS_AT_ONCE = 1 << 20
COARSEST, FEWEST = 16, 8  # cells of the first grid, in cells of the last; and how many it has at least along a side
STEEP = 1.1  # how much steeper than a distance the field may be: pixels' distances are not quite those of contours
SPREAD = 1.0  # how fast an object may get wider beyond the border, where most images cut it off
BELIEVED = 0.5  # confidence below which a pixel says nothing
PER_PIXEL = 128  # units of distances that are kept in two bytes


@dataclass(frozen=True)
class Grid:
    """A regular grid of points: lower corner [3], spacing, counts (nx, ny, nz)."""

    lower: tuple[float, float, float]
    spacing: float
    counts: tuple[int, int, int]

    def axis(self, k: int) -> Tensor:
        """Coordinates [n_k] float64 along one axis."""
        return self.lower[k] + self.spacing * torch.arange(self.counts[k], dtype=torch.float64)

    def point(self, index: NDArray[np.int64] | int) -> tuple[float, float, float]:
        """A point by its number along each axis."""
        return tuple((np.array(self.lower) + self.spacing * np.asarray(index)).tolist())

    def part(self, lower: NDArray[np.int64], counts: NDArray[np.int64], finer: int) -> Grid:
        """A grid `finer` times as fine, with that many points from a point on."""
        return Grid(self.point(lower), self.spacing / finer, tuple(counts.tolist()))


def signed_distances(masks: Tensor) -> Tensor:
    """Signed distance [N,H,W] float32 in pixels to the half-coverage contour of masks [N,H,W]; positive inside.

    Where coverage is fractional it is read as the distance itself: a straight edge at distance d from a pixel's centre
    covers 1/2 + d of it.
    """
    return torch.from_numpy(np.stack(spread(_signed_distance, (), list(coverage(masks).cpu().numpy()))))


def kept_distances(masks: Tensor, confidence: Tensor | None) -> Tensor:
    """The same of what may be object, int16 in units of 1 / PER_PIXEL of a pixel; 256 pixels away is as far as beyond.

    Where there are many large views, nothing else of their size is made.
    """
    rows = [(mask, None if confidence is None else confidence[view]) for view, mask in enumerate(masks)]
    kept = torch.empty(masks.shape, dtype=torch.int16)
    step = 8 * count()
    for begin in range(0, len(rows), step):
        for view, found in enumerate(spread(_kept_distance, (), rows[begin : begin + step]), begin):
            kept[view] = torch.from_numpy(found)
    return kept


def _kept_distance(view: tuple[Tensor, Tensor | None]) -> NDArray[np.int16]:
    distance = _signed_distance(coverage(possible_object(*view)).cpu().numpy())
    kept: NDArray[np.int16] = np.rint((distance * PER_PIXEL).clip(-32767, 32767)).astype(np.int16)
    return kept


def in_pixels(distances: Tensor) -> Tensor:
    """Distances in pixels, float32, of kept ones as well."""
    return distances if distances.is_floating_point() else distances.float() / PER_PIXEL


def _signed_distance(mask: NDArray[np.float32]) -> NDArray[np.float32]:
    inside = mask >= 0.5
    if inside.all() or not inside.any():  # there is no contour
        return np.full(mask.shape, sum(mask.shape) if inside.all() else -sum(mask.shape), np.float32)
    away = distance_to_others(inside) - 0.5
    distance = np.where(inside, away, -away)
    fraction = (mask > 0.01) & (mask < 0.99)
    distance = np.where(fraction, np.clip(mask - 0.5, -0.5, 0.5), distance)
    signed: NDArray[np.float32] = distance.astype(np.float32)
    return signed


def known_pixels(confidence: Tensor) -> Tensor:
    """Of which pixels [N,H,W] something is known."""
    return covers(confidence, BELIEVED)


def known_object(masks: Tensor, confidence: Tensor | None) -> Tensor:
    """The masks [N,H,W], 0 where nothing is known."""
    return masks if confidence is None else masks * known_pixels(confidence)


def known_mask(views: Views, view: int) -> Tensor:
    """A view's mask [H,W] as it is kept, 0 where nothing is known."""
    return known_object(views.masks[view], None if views.confidence is None else views.confidence[view])


def possible_object(masks: Tensor, confidence: Tensor | None) -> Tensor:
    """The masks [N,H,W], 1 where nothing is known."""
    return masks if confidence is None else torch.where(known_pixels(confidence), masks, whole(masks))


def carve(
    grid: Grid, distances: Tensor, cameras: Cameras, bounds: NDArray[np.float64] | None = None
) -> NDArray[np.float32]:
    """The hull's field [nx,ny,nz] in world units (positive inside) from signed distances [N,H,W], kept or in pixels.

    A point outside an image is outside the object, unless the mask touches that image's border: then, as behind the
    camera, the view says nothing (see `_beyond`). Where too few views say something (see `_needed`), there is nothing;
    with `bounds` [2,3], a box that holds the object, one view is enough. Views without background say nothing at all.
    """
    says = [view for view, distance in enumerate(distances) if bool((distance < 0).any())]
    if len(says) < len(distances):
        distances, cameras = distances[says], cameras[says]
    needed = _needed(cameras) if bounds is None else min(1, len(cameras))
    cut = sum(_touches_border(distance) for distance in distances)
    # Where most masks are cut off, the region that enough images show ends the hull: smoothly, not from cell to cell.
    ends = len(distances) - cut < needed
    if len(cameras) and not cut and all(_before(grid, cameras)):
        whole = _refined(grid, distances, cameras)
    else:
        whole = _dense(grid, distances, cameras, ends, needed)
    if bounds is not None:
        whole = torch.minimum(whole, _inside_box((grid.axis(0), grid.axis(1), grid.axis(2)), bounds))
    return whole.numpy()


def _before(grid: Grid, cameras: Cameras) -> list[bool]:
    """Which cameras have all points of a grid before them."""
    ends = torch.cartesian_prod(*(grid.axis(k)[[0, -1]] for k in range(3)))
    matrix = cameras.clip_from_world.double()[:, 3]
    nearest = (ends @ matrix[:, :3].T + matrix[:, 3]).amin(0)
    return (nearest > 0).tolist()


def _refined(grid: Grid, distances: Tensor, cameras: Cameras) -> Tensor:
    """The field [nx,ny,nz] where all images show what is background beyond their borders: exact near the surface.

    From coarse to fine, only blocks of eight cells are looked into that the surface may reach. Elsewhere the field is
    interpolated from coarser points.
    """
    stride = 1
    while stride < COARSEST and min(grid.counts) > FEWEST * stride:
        stride *= 2
    counts = [-(-(n - 1) // stride) + 1 for n in grid.counts]
    coarse = Grid(grid.lower, grid.spacing * stride, (counts[0], counts[1], counts[2]))
    steep = STEEP * _steepest(cameras)
    images = np.ascontiguousarray(distances.numpy())
    unit = 1.0 if distances.is_floating_point() else 1.0 / PER_PIXEL
    matrices = np.ascontiguousarray(cameras.clip_from_world.double()[:, [0, 1, 3]].numpy())
    sizes = (2.0 / (cameras.projection[:, 1, 1].double() * cameras.size[0])).numpy()
    every = np.arange(math.prod(coarse.counts))
    given = images, unit, matrices, sizes
    field = torch.from_numpy(_listed(coarse, *given, math.inf, every)).reshape(coarse.counts)
    while stride > 1:
        reach = steep * math.sqrt(3) / 2 * grid.spacing * stride
        near = _halved_around(field.abs() <= reach)
        stride //= 2
        finer = [2 * n - 1 for n in field.shape]
        field = torch.nn.functional.interpolate(field[None, None], finer, mode="trilinear", align_corners=True)[0, 0]
        counts = [-(-(n - 1) // stride) + 1 for n in grid.counts]
        window = tuple(slice(n) for n in counts)
        field, near = field[window].contiguous(), near[window]
        points = np.flatnonzero(near.numpy())
        level = Grid(grid.lower, grid.spacing * stride, (counts[0], counts[1], counts[2]))
        shares = np.array_split(points, count())
        found = spread(_listed, (level, *given, steep * math.sqrt(3) * level.spacing), shares)
        field.view(-1)[torch.from_numpy(points)] = torch.from_numpy(np.concatenate(found))
    return field


def _halved_around(close: Tensor) -> Tensor:
    """Of a grid twice as fine [2n-1,...] bool, the points in cells with a corner among those that are close [n,...]."""
    for axis in range(3):
        count = close.shape[axis] - 1
        cells = close.narrow(axis, 0, count) | close.narrow(axis, 1, count)
        shape = list(close.shape)
        shape[axis] = 2 * count + 1
        close = torch.zeros(shape, dtype=torch.bool)
        finer = close.movedim(axis, 0)
        for offset in range(3):
            finer[offset : offset + 2 * count : 2] |= cells.movedim(axis, 0)
    return close


def _listed(
    grid: Grid, distances: NDArray[Any], unit: float, matrices: NDArray[np.float64], sizes: NDArray[np.float64],
    far: float, points: NDArray[np.int64],
) -> NDArray[np.float32]:  # fmt: skip
    """The field [P] at points of a grid by number."""
    found = np.empty(len(points), np.float32)
    given = np.array(grid.lower), grid.spacing, np.array(grid.counts), distances, unit, matrices, sizes, far
    least_distances(points, *given, found)
    return found


def _steepest(cameras: Cameras) -> float:
    """How much a pixel's size at the middle of an image may grow towards its corners, seen from the side."""
    height, width = cameras.size
    corners = torch.tensor([[0.0, 0.0], [width, 0.0], [0.0, height], [width, height]]).expand(len(cameras), 4, 2)
    return float(rays_through(cameras, corners)[1].square().sum(-1).max())


def _dense(grid: Grid, distances: Tensor, cameras: Cameras, ends: bool, needed: int) -> Tensor:
    """The field [nx,ny,nz] at every point; see `carve`."""
    x, y, z = (grid.axis(k) for k in range(3))
    slab = max(1, POINTS_AT_ONCE // (len(y) * len(z) * (len(distances) if ends else 1)))
    slabs = x.split(min(slab, -(-len(x) // count())))
    return torch.cat(spread(_carved, (y, z, distances, cameras, ends, needed, grid.spacing), slabs))


def _carved(
    y: Tensor, z: Tensor, distances: Tensor, cameras: Cameras, ends: bool, needed: int, spacing: float, x: Tensor
) -> Tensor:
    """The field [nx,ny,nz] of a slab; see `carve`."""
    field, seen, shown = _field(x[:, None, None], y[:, None], z, distances, cameras, ends)
    if ends:
        field = torch.minimum(field, shown.kthvalue(len(shown) + 1 - needed, 0).values)
    else:
        field = torch.where(seen >= needed, field, -spacing)
    return field.reshape(-1, len(y), len(z))


def _inside_box(axes: tuple[Tensor, Tensor, Tensor], bounds: NDArray[np.float64]) -> Tensor:
    """How far inside a box [2,3] the points of a grid lie, [nx,ny,nz] float32, negative outside."""
    low, high = bounds.tolist()
    x, y, z = (torch.minimum(axis - low[k], high[k] - axis).float() for k, axis in enumerate(axes))
    return torch.minimum(torch.minimum(x[:, None, None], y[:, None]), z)


def _touches_border(distance: Tensor) -> bool:
    return bool((torch.cat([distance[0], distance[-1], distance[:, 0], distance[:, -1]]) > 0).any())


def _needed(cameras: Cameras) -> int:
    """How many views must see a point of the object: half as many as see their common point, and at least two.

    Where masks are cut by the images' borders, hulls would otherwise reach far beyond what the views have in common.
    """
    if not len(cameras):
        return 1  # which no view satisfies
    point = torch.cat([common_point(cameras)[0], torch.ones(1, dtype=torch.float64)])
    x, y, _, w = (cameras.clip_from_world @ point).unbind(-1)
    seen = int(((x.abs() < w) & (y.abs() < w)).sum())
    return min(max(2, math.ceil(seen / 2)), len(cameras))


def _field(
    x: Tensor, y: Tensor, z: Tensor, distances: Tensor, cameras: Cameras, ends: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """The minimum over views of the signed distance in world units at grid points, and how many views see them.

    Args:
        x, y, z: positions, float64, of shapes that broadcast; the points are counted with the last axis fastest.
        distances: [N,H,W], see `carve`.
        cameras: of the views.
        ends: whether the third result is asked for: by view how far inside the image a point lies, in world units.
    """
    height, width = cameras.size
    clip_from_world = cameras.clip_from_world
    total = math.prod(np.broadcast_shapes(x.shape, y.shape, z.shape))  # torch's own imports sympy
    field = torch.full((total,), float("inf"), dtype=torch.float32)
    count = torch.zeros(total, dtype=torch.int32)
    shown = []
    for view, kept in enumerate(distances):
        distance = in_pixels(kept)
        # Sums along the axes, not a matrix product, whose last bits depend on how many threads BLAS has.
        clip_x, clip_y, w = (
            (x * a + y * b + (z * c + d)).reshape(-1) for a, b, c, d in clip_from_world[view, [0, 1, 3]].tolist()
        )
        in_front = w > 0
        divisor = torch.where(in_front, w, torch.ones_like(w))
        ndc = torch.stack([clip_x / divisor, -clip_y / divisor], 1).float()
        read = torch.nn.functional.grid_sample(
            distance[None, None], ndc[None, None], mode="bilinear", padding_mode="border", align_corners=False
        )[0, 0, 0]
        pixel = w.float() * float(2.0 / (cameras.projection[view, 1, 1] * height))
        inside = ((1 - ndc.abs()) * torch.tensor([width / 2, height / 2])).amin(1)
        if _touches_border(distance):
            read = _beyond(read, inside, SPREAD if ends else float("inf"))
        else:
            read = torch.where(inside < 0, -float(sum(cameras.size)), read)
            inside = inside.clamp(min=1.0)  # what lies beyond this border is known
        known = in_front & read.isfinite()
        field = torch.where(known, torch.minimum(field, read * pixel), field)
        count += known
        if ends:
            shown.append(torch.where(in_front, inside * pixel, -float("inf")))
    return field, count, torch.stack(shown) if ends else field


def _beyond(read: Tensor, inside: Tensor, spread: float) -> Tensor:
    """What an image whose mask is cut off by its border says about points beyond the border: inf for nothing.

    The object may go on there. Farther to the side than `spread` lets it get wider, there is background.

    Args:
        read: [P], signed distances in pixels; beyond the border those at the nearest point of it.
        inside: [P], pixels to the border, negative beyond it.
        spread: pixels on each side, a pixel beyond the border.
    """
    background = read - spread * inside
    background = torch.where(background < 0, background, torch.full_like(read, float("inf")))
    return torch.where(inside < 0, background, read)
