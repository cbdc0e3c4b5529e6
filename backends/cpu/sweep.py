"""Joseph's projector for parallel beams that run across a grid axis: whole columns of a detector's rows at a time.

Where rays are perpendicular to an axis of the grid and the rows of the detector follow it (a scan whose axis of
rotation is the grid's), the rays of one column of pixels differ only in their place along that axis. So their bilinear
samples part into two steps that give the same numbers: slices of the grid are interpolated at the rows' heights once,
and then one line in the plane carries all rows together, with two multiplications a sample and neighbours in memory,
which is what vector units like. The transpose is the same backwards; a job owns some of the rows, so no two write to
one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.cpu.compile import entry
from invrender.backends.cpu.lines import LINE, trace_lines, trim_lines
from invrender.backends.cpu.threads import blocks, parallel_map

Tensor = torch.Tensor
Floats = NDArray[np.float32]

ROWS = 32  # carried at a time: two vectors of sums stay in registers, and a line's samples in the nearest cache
LEAST_ROWS = 4  # below it there is nothing to carry together
EXACT = 1e-9  # index units by which rows may miss the axis
_COLUMNS = 64  # of pixels per job, forward


@dataclass(frozen=True)
class SweptRays:
    """Parallel rays through a grid as a linear operator; see `invrender.kernels.RayBundle`.

    Attributes:
        axis: of the grid (0, 1, 2: x, y, z), which rays cross at right angles.
        order: the grid's dimensions (z, y, x) in the order in which planes are kept: two across, then the axis.
        lines: one for each column of pixels [N*W], in the plane.
        across: [N*W,2] int64, steps of a line's planes and along them, in positions of the plane.
        slice: [H'] int64, the first of the two slices that a row lies between; above: [H'] the share of the second.
        places: [R] int64 of the pixels in [N*W,H'], or None for all of these in this order.
    """

    pixels: Tensor
    samples: int
    shape: tuple[int, int, int]
    axis: int
    lines: NDArray[np.void]
    across: NDArray[np.int64]
    slice: NDArray[np.int64]
    above: Floats
    places: NDArray[np.int64] | None

    def forward(self, grid: Tensor) -> Tensor:
        """[D,H,W] to the optical depths [R]."""
        return torch.from_numpy(self._taken(self._forward(grid)))

    def adjoint(self, values: Tensor) -> Tensor:
        """[R] to [D,H,W]."""
        return self._adjoint(self._placed(values.detach().cpu().numpy()))

    def normal(self, grid: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, float]:
        """The gradient [D,H,W] and the value of half the weighted sum of squared differences."""
        difference = self._taken(self._forward(grid)) - target.numpy()
        residual = weight.numpy() * difference
        return self._adjoint(self._placed(residual)), 0.5 * float(np.dot(residual.astype(np.float64), difference))

    @cached_property
    def _parts(self) -> list[tuple[int, int]]:
        return blocks(len(self.slice), ROWS)

    @property
    def _plane(self) -> tuple[int, ...]:
        """Positions of a plane across the axis, slower dimension first."""
        return tuple(n for i, n in enumerate(self.shape) if i != 2 - self.axis)

    def _taken(self, depths: Floats) -> Floats:
        flat = depths.reshape(-1)
        return flat if self.places is None else flat[self.places]

    def _placed(self, values: NDArray[np.floating]) -> Floats:
        values = np.ascontiguousarray(values, np.float32)
        if self.places is None:
            return values.reshape(len(self.lines), -1)
        placed = np.zeros(len(self.lines) * len(self.slice), np.float32)
        placed[self.places] = values
        return placed.reshape(len(self.lines), -1)

    def _forward(self, grid: Tensor) -> Floats:
        """Depths [N*W,H']."""
        values = np.ascontiguousarray(grid.detach().cpu().numpy(), np.float32)
        out = np.empty((len(self.lines), len(self.slice)), np.float32)
        for begin, end in self._parts:
            planes = self._at_rows(values, begin, end)
            carried = np.empty((len(self.lines), end - begin), np.float32)
            jobs = blocks(len(self.lines), _COLUMNS)
            parallel_map(_carry, [(planes, self.lines, self.across, a, b, carried) for a, b in jobs])
            out[:, begin:end] = carried
        return out

    def _at_rows(self, values: Floats, begin: int, end: int) -> Floats:
        """The grid at the heights of some rows [P,rows], P positions of the plane."""
        across = np.moveaxis(values, 2 - self.axis, -1).reshape(-1, self.shape[2 - self.axis])
        first, above = self.slice[begin:end], self.above[begin:end]
        planes = np.empty((len(across), end - begin), np.float32)

        def job(a: int, b: int) -> None:
            part = across[a:b]
            planes[a:b] = part[:, first] * (1 - above) + part[:, first + 1] * above

        parallel_map(job, blocks(len(across), 1 << 14))
        return planes

    def _adjoint(self, values: Floats) -> Tensor:
        depth = self.shape[2 - self.axis]
        whole = np.zeros((depth, int(np.prod(self._plane))), np.float64)

        def job(begin: int, end: int) -> NDArray[np.float64]:
            # A voxel collects thousands of rays, which float32 would add up to five digits only.
            planes = np.zeros((whole.shape[1], end - begin), np.float64)
            _spread(planes, self.lines, self.across, np.ascontiguousarray(values[:, begin:end]))
            return planes

        # Rows of two jobs may share a slice, so that these are added one after the other, as many as are made at once.
        for part in _groups(self._parts):
            for (begin, _), planes in zip(part, parallel_map(job, part), strict=True):
                for row, column in enumerate(planes.T, begin):
                    share = self.above[row]
                    whole[self.slice[row]] += column * (1 - share)
                    whole[self.slice[row] + 1] += column * share
        grid = whole.astype(np.float32).reshape(depth, *self._plane)
        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(grid, 0, 2 - self.axis)))


def _groups(parts: list[tuple[int, int]], size: int = 8) -> list[list[tuple[int, int]]]:
    return [parts[at : at + size] for at in range(0, len(parts), size)]


def swept_rays(
    shape: tuple[int, int, int],
    views: NDArray[np.float64],
    spacing: NDArray[np.float64],
    size: tuple[int, int],
    chosen: Tensor | None,
    support: Tensor | None,
) -> SweptRays | None:
    """The rays of the chosen pixels, where all views are parallel and across one axis of the grid; else None.

    Args:
        shape: (D, H, W).
        views, spacing: see `invrender.cameras.rays.index_views`.
        size: (H, W) of the views.
        chosen, support: see `invrender.kernels.MakeRays`.
    """
    axis = _common_axis(views, size)
    if axis is None:
        return None
    height, width = size
    place = views[0, 3 * axis + 1] * (np.arange(height) + 0.5) + views[0, 3 * axis + 2]
    count = shape[2 - axis]
    rows = np.flatnonzero((place >= 0) & (place <= count - 1))
    if len(rows) < LEAST_ROWS:
        return None
    lines, across = _lines(shape, views, spacing, width, axis, support)
    taken = np.repeat((lines["last"] >= lines["first"])[:, None], len(rows), 1)
    if chosen is not None:
        wanted = chosen.numpy().transpose(0, 2, 1)[:, :, rows].reshape(len(lines), -1)
        taken &= wanted
        lines["last"][~taken.any(1)] = -1
        lines["first"][~taken.any(1)] = 0
    places = np.flatnonzero(taken)
    view, column = np.divmod(places // len(rows), width)
    pixels = (view * height + rows[places % len(rows)]) * width + column
    first = np.minimum(place[rows].astype(np.int64), count - 2)
    planes = (lines["last"].astype(np.int64) - lines["first"] + 1).clip(min=0)
    return SweptRays(
        torch.from_numpy(pixels),
        int((planes * taken.sum(1)).sum()),
        shape,
        axis,
        lines,
        across,
        first,
        (place[rows] - first).astype(np.float32),
        None if len(places) == taken.size else places,
    )


def _common_axis(views: NDArray[np.float64], size: tuple[int, int]) -> int | None:
    """The axis of the grid that all rays cross at right angles and all rows follow, at the same heights; else None."""
    height, width = size
    origin, direction = views[:, :9].reshape(-1, 3, 3), views[:, 9:].reshape(-1, 3, 3)
    if np.abs(direction[:, :, :2]).max() > 0:
        return None
    length = np.abs(direction[:, :, 2]).max(1)
    for axis in (2, 1, 0):
        others = [i for i in range(3) if i != axis]
        straight = np.abs(direction[:, axis, 2]) <= 1e-12 * length
        along = np.abs(origin[:, others, 1]).max(1) * height <= EXACT
        level = np.abs(origin[:, axis, 0]) * width <= EXACT
        alike = np.abs(origin[:, axis] - origin[0, axis]).max(1) * height <= EXACT
        if (straight & along & level & alike).all():
            return axis
    return None


def _lines(
    shape: tuple[int, int, int],
    views: NDArray[np.float64],
    spacing: NDArray[np.float64],
    width: int,
    axis: int,
    support: Tensor | None,
) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    """The lines [N*W] of columns of pixels in the plane, and the steps [N*W,2] of their positions.

    Traced through a grid that is two samples thick along the axis, half way between them.
    """
    flat = views.copy()
    flat[:, 3 * axis : 3 * axis + 3] = (0.0, 0.0, 0.5)
    flat[:, 9 + 3 * axis : 12 + 3 * axis] = 0.0
    sizes = np.array(shape[::-1], np.int64)
    sizes[axis] = 2
    lines, axes = np.zeros(len(views) * width, LINE), np.zeros(len(views) * width, np.int8)
    trace_lines(flat, sizes, spacing, np.array([width, width], np.int64), 0, len(lines), lines, axes)
    if support is not None:
        any_row = support.any(2 - axis, keepdim=True).expand(*(int(n) for n in sizes[::-1]))
        inside = np.ascontiguousarray(any_row.reshape(-1).numpy(), np.uint8)
        trim_lines(lines, axes, inside, sizes, 0, len(lines))
    # Positions of the plane: the faster of its two axes has a step of one.
    fast, slow = (i for i in range(3) if i != axis)
    steps = np.zeros(3, np.int64)
    steps[fast], steps[slow] = 1, shape[2 - fast]
    other = np.where(axes == fast, slow, fast)
    # Of a line's two coordinates, the one that is not along the common axis becomes `u`.
    second = other > np.where(axes == axis, other, axis)
    lines["u"] = np.where(second, lines["v"], lines["u"])
    lines["du"] = np.where(second, lines["dv"], lines["du"])
    return lines, np.stack([steps[axes], steps[other]], 1)


@entry
def _carry(planes, lines, across, begin, end, out):  # type: ignore[no-untyped-def]
    """Depths [...,rows] of the lines begin .. end through planes [P,rows]."""
    rows = planes.shape[1]
    for j in range(begin, end):
        line, sums = lines[j], out[j]
        for r in range(rows):
            sums[r] = 0.0
        step, aside = across[j, 0], across[j, 1]
        first, last = np.int64(line.first), np.int64(line.last)
        for k in range(first, last + 1):
            weight = line.pitch
            if k == first:
                weight = line.pitch * line.head
            if k == last:
                weight = line.pitch * (line.tail if k > first else line.head + line.tail - np.float32(1))
            u = line.u + np.float32(k - first) * line.du
            cell = np.int64(u)
            far = weight * (u - np.float32(cell))
            near = weight - far
            a, b = planes[k * step + cell * aside], planes[k * step + (cell + 1) * aside]
            for r in range(rows):
                sums[r] += near * a[r] + far * b[r]


@entry
def _spread(planes, lines, across, values):  # type: ignore[no-untyped-def]
    """The transpose of `_carry` for all lines: values [...,rows] are added to planes [P,rows] float64."""
    rows = planes.shape[1]
    for j in range(len(lines)):
        line, brought = lines[j], values[j]
        step, aside = across[j, 0], across[j, 1]
        first, last = np.int64(line.first), np.int64(line.last)
        for k in range(first, last + 1):
            weight = line.pitch
            if k == first:
                weight = line.pitch * line.head
            if k == last:
                weight = line.pitch * (line.tail if k > first else line.head + line.tail - np.float32(1))
            u = line.u + np.float32(k - first) * line.du
            cell = np.int64(u)
            far = weight * (u - np.float32(cell))
            near = weight - far
            a, b = planes[k * step + cell * aside], planes[k * step + (cell + 1) * aside]
            for r in range(rows):
                a[r] += near * brought[r]
                b[r] += far * brought[r]
