"""The views and the grid that calibration works on: a few dozen pixels across the object, no plane along another."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from invrender.cameras.orbit import Orbit
from invrender.cameras.rays import pixel_rays
from invrender.kernels import Backend
from invrender.nouns import Cameras
from invrender.radiography.calibration_problem import Coarse, rotation
from invrender.radiography.misalignment import pixel_at_axis, sideways

Tensor = torch.Tensor

THERE = 0.03  # of the greatest optical depth: what counts as the object
MOST_VIEWS = 48
SMOOTHED = 2  # times (1, 2, 1) / 4: a deviation of a coarse pixel
LOOKED_AT = 48  # columns, at least, by which the object's extent is looked for
CUT_VIEWS = 0.1  # share of the views that may show something at their left or right border
CUT_OFF = 1.5  # times what views show of it: how wide an object is taken to be that they cut off
# Where rows or columns of pixels run along the planes of a grid, it explains them better or worse than elsewhere, and
# the misfit has a dent there. So the world is turned before, by an angle about an axis that nothing runs along.
TURNED, ABOUT = 20.0, (1.0, 0.6, 0.3)


@dataclass(frozen=True)
class Recorded:
    """What is known of the views.

    Attributes:
        cameras: N of them; orbit: theirs.
        depth, weight: [N,H,W] float32 optical depths and inverse variances; a weight of 0: not known.
        pixel: world units of a column, at the axis.
    """

    cameras: Cameras
    orbit: Orbit
    depth: Tensor
    weight: Tensor
    pixel: float

    def of(self, index: Tensor) -> Recorded:
        """Some of the views."""
        orbit = replace(self.orbit, angles=self.orbit.angles[index], heights=self.orbit.heights[index])
        return Recorded(self.cameras[index], orbit, self.depth[index], self.weight[index], self.pixel)


@dataclass(frozen=True)
class Extent:
    """A cylinder about the axis that holds the object, in world units from the orbit's centre.

    Attributes:
        radius: of it; low, high: along the axis.
        cut_off: whether views cut the object off, left or right.
    """

    radius: float
    low: float
    high: float
    cut_off: bool


def recorded(cameras: Cameras, orbit: Orbit, depth: Tensor, weight: Tensor) -> Recorded:
    """What calibration takes of views: of very many those of even angles, of rows apart those of the fullest."""
    data = Recorded(cameras, orbit, depth, weight, pixel_at_axis(cameras, orbit.centre))
    if cameras.size[0] == 1:
        data = data.of(_fullest(data))
    count = len(data.cameras)
    if count > MOST_VIEWS:
        data = data.of(torch.linspace(0, count - 1, MOST_VIEWS).round().long())
    return data


def _fullest(data: Recorded) -> Tensor:
    """The views of one height that show most."""
    heights = data.orbit.heights
    level = (heights / max(data.pixel, 1e-30) * 2).round()
    sums = {float(each): float(data.depth[level == each].sum()) for each in level.unique()}
    return (level == max(sums, key=sums.__getitem__)).nonzero()[:, 0]


def extent(data: Recorded, axis: float) -> Extent:
    """Where the object is, if the axis is seen so many columns to the right of where the cameras say."""
    columns = max(1, data.cameras.size[1] // LOOKED_AT)
    factor = (columns, min(columns, data.cameras.size[0]))
    cameras, depth, weight = coarser(data.depth, data.weight, data.cameras, factor)
    seen = Recorded(cameras, data.orbit, depth, weight, data.pixel)
    there = (depth > THERE * float(_greatest(depth))) & (weight > 0)
    across, down = there.any(1), there.any(2)
    right = _places(seen)[:, :, 0] - axis * data.pixel
    cut_off = bool((across[:, [0, -1]].double().mean(0) > CUT_VIEWS).any())
    radius = float((right.abs() * across).max()) + columns * data.pixel
    if cameras.size[0] == 1:
        height = float(_places(seen)[:, :, 1].mean())
        return Extent(radius, height, height, cut_off)
    heights = _heights(seen)[down]
    margin = columns * data.pixel
    return Extent(radius, float(heights.min()) - margin, float(heights.max()) + margin, cut_off)


def _greatest(depth: Tensor) -> Tensor:
    """Almost the greatest value; single pixels may be bad."""
    flat = depth.reshape(-1)
    flat = flat[:: max(1, len(flat) // 1_000_000)]
    return flat.kthvalue(max(1, round(0.998 * len(flat)))).values


def _places(data: Recorded) -> Tensor:
    """[N,W,2]: how far to the right of the axis, and how high, the middle row's pixels pass the axis's plane."""
    height, width = data.cameras.size
    return _passing(data, torch.arange(width) + 0.5, torch.full((width,), height / 2))


def _heights(data: Recorded) -> Tensor:
    """[N,H]: how high the middle column's pixels pass the axis's plane."""
    height, width = data.cameras.size
    return _passing(data, torch.full((height,), width / 2), torch.arange(height) + 0.5)[:, :, 1]


def _passing(data: Recorded, column: Tensor, row: Tensor) -> Tensor:
    pixels = torch.stack([column, row, torch.ones_like(row)]).double()
    origin, direction = (matrix @ pixels for matrix in pixel_rays(data.cameras))  # [N,3,P]
    right = sideways(data.cameras, data.orbit.axis)
    ahead = torch.linalg.cross(data.orbit.axis.expand_as(right), right)  # towards the source
    origin = origin - data.orbit.centre[:, None]
    reach = -(ahead[:, :, None] * origin).sum(1) / (ahead[:, :, None] * direction).sum(1)
    place = origin + reach[:, None] * direction
    return torch.stack([(place * right[:, :, None]).sum(1), (place * data.orbit.axis[:, None]).sum(1)], -1)


def coarse(data: Recorded, axis: float, across: int, backend: Backend, rows: int | None = None) -> Coarse:
    """Views at so low a resolution that the object is so many pixels across, and a grid about it.

    Args:
        data: the views.
        axis: how many columns to the right of where the cameras say the axis is seen, about.
        across: pixels, and cells of the grid.
        backend: what projects.
        rows: how many coarse rows, of the middle, are looked at; None: all.
    """
    found = extent(data, axis)
    height, _ = data.cameras.size
    columns = max(1, round(2 * found.radius / data.pixel / across))
    pitch = abs(float(_heights(data).diff(dim=1).mean())) if height > 1 else data.pixel
    lines = min(height, max(1, round(columns * data.pixel / max(pitch, 1e-30))))
    cameras, depth, weight = coarser(data.depth, data.weight, data.cameras, (columns, lines))
    depth, weight = smoothed(depth, weight)
    if rows is not None and cameras.size[0] > rows:
        middle = (cameras.size[0] - rows) // 2
        gone = torch.ones(cameras.size[0], dtype=torch.bool)
        gone[middle : middle + rows] = False
        weight = weight.clone()
        weight[:, gone] = 0
    flat = height == 1
    turn = (
        torch.eye(3, dtype=torch.float64)
        if flat
        else rotation(torch.nn.functional.normalize(torch.tensor(ABOUT, dtype=torch.float64), dim=0), TURNED)
    )
    motion = torch.eye(4, dtype=torch.float64)
    motion[:3, :3], motion[:3, 3] = turn.T, data.orbit.centre  # from the grid's world to the cameras'
    cameras = Cameras(cameras.world_to_camera @ motion, cameras.projection, cameras.size)
    cell = columns * data.pixel
    bounds, shape = _box(found, turn @ data.orbit.axis, cell, flat)
    return Coarse(cameras, depth, weight, (columns, lines), shape, bounds, turn @ data.orbit.axis, data.pixel, backend)


def _box(found: Extent, axis: Tensor, cell: float, flat: bool) -> tuple[Tensor, tuple[int, int, int]]:
    """The grid about a cylinder."""
    radius = found.radius * (CUT_OFF if found.cut_off else 1) + cell
    half = (found.high - found.low) / 2 + cell
    middle = axis * (found.high + found.low) / 2
    sides = half * axis.abs() + radius * (1 - axis.square()).clamp(min=0).sqrt()
    counts = (2 * sides / cell).ceil().long() + 1
    sides = (counts - 1) * cell / 2
    depth, height, width = (int(n) for n in counts.flip(0))
    return torch.stack([middle - sides, middle + sides]), (depth, height, width)


def coarser(
    images: Tensor, weight: Tensor, cameras: Cameras, factor: tuple[int, int]
) -> tuple[Cameras, Tensor, Tensor]:
    """Blocks of (columns, rows) pixels averaged by their weights; what is left over at the last ones is cut off.

    Returns:
        The cameras, images and weights, the latter as if of single pixels.
    """
    columns, rows = factor
    height, width = cameras.size[0] // rows * rows, cameras.size[1] // columns * columns
    images, weight = (each[:, :height, :width] for each in (images, weight))
    total = torch.nn.functional.avg_pool2d(weight[:, None], (rows, columns))[:, 0]
    mean = torch.nn.functional.avg_pool2d((weight * images)[:, None], (rows, columns))[:, 0]
    projection = cameras.projection.clone()
    for axis, (full, cut, sign) in enumerate(((cameras.size[1], width, 1.0), (cameras.size[0], height, -1.0))):
        # pixel = (ndc + 1) / 2 * full keeps its place when the image loses its last columns
        projection[:, axis] = cameras.projection[:, axis] * (full / cut)
        projection[:, axis] += sign * (full / cut - 1) * cameras.projection[:, 3]
    small = Cameras(cameras.world_to_camera, projection, (height // rows, width // columns))
    return small, mean / total.clamp(min=1e-12), total


def smoothed(images: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Images with each pixel a weighted mean of it and its neighbours: what no grid can show is taken off."""
    total, sums = weight, weight * images
    for axis in (1, 2):
        for _ in range(SMOOTHED if images.shape[axis] > 2 else 0):
            total, sums = _binomial(total, axis), _binomial(sums, axis)
    return torch.where(weight > 0, sums / total.clamp(min=1e-12), 0.0), weight


def _binomial(images: Tensor, axis: int) -> Tensor:
    """(1, 2, 1) / 4 along an axis; beyond the images there is nothing."""
    n = images.shape[axis]
    out = images / 2
    out.narrow(axis, 0, n - 1).add_(images.narrow(axis, 1, n - 1) / 4)
    out.narrow(axis, 1, n - 1).add_(images.narrow(axis, 0, n - 1) / 4)
    return out
