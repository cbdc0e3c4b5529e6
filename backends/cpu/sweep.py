"""Joseph's projector for parallel beams that run across a grid axis: whole columns of a detector's rows at a time.

Where rays are perpendicular to an axis of the grid and the rows of the detector follow it (a scan whose axis of
rotation is the grid's), the rays of one column of pixels differ only in their place along that axis. So their bilinear
samples part into two steps that give the same numbers: slices of the grid are interpolated at the rows' heights once,
and then one line in the plane carries all rows together, with two multiplications a sample and neighbours in memory,
which is what vector units like. The transpose is the same backwards; a job owns some of the rows, so no two write to
one place.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.cpu.lines import LINE, trace_lines, trim_lines
from invrender.backends.cpu.sweep_kernels import add, between, carry, spread
from invrender.backends.cpu.threads import blocks, parallel_map, thread_count

Tensor = torch.Tensor
Floats = NDArray[np.float32]

ROWS = 32  # carried at a time: two vectors of sums stay in registers, and a line's samples in the nearest cache
LEAST_ROWS = 4  # below it there is nothing to carry together
EXACT = 1e-9  # index units by which rows may miss the axis
_COLUMNS = 64  # of pixels per job, forward
_POSITIONS = 1 << 12  # of the plane per job


@dataclass(frozen=True)
class SweptRays:
    """Parallel rays through a grid as a linear operator; see `invrender.kernels.RayBundle`.

    Rays are in the order of `parts`; of each in that of the lines, and then of its rows.

    Attributes:
        axis: of the grid (0, 1, 2: x, y, z), which rays cross at right angles.
        size: (H, W) of the views.
        rows: [H'] int64, those of a view that meet the grid.
        slices: [H'] int64, the first of the two slices that a row lies between; above: [H'] the share of the second.
        lines: one for each column of pixels [N*W], in the plane.
        across: [N*W,2] int64, steps of a line's planes and along them, in positions of the plane.
        marks: for each part a bit for each line and row [N*W*rows], whether its ray is one of the chosen.
        counts: how many are.
    """

    samples: int
    shape: tuple[int, int, int]
    axis: int
    size: tuple[int, int]
    rows: NDArray[np.int64]
    slices: NDArray[np.int64]
    above: Floats
    lines: NDArray[np.void]
    across: NDArray[np.int64]
    marks: tuple[NDArray[np.uint8], ...]
    counts: tuple[int, ...]

    @property
    def pixels(self) -> Tensor:
        """[R] int64."""
        height, width = self.size
        found = torch.empty(sum(self.counts), dtype=torch.int64)
        for part in self._parts:
            line, row = np.divmod(np.flatnonzero(self._chosen(part)), part.rows)
            view, column = np.divmod(line, width)
            found[part.rays] = torch.from_numpy((view * height + self.rows[part.begin + row]) * width + column)
        return found

    def forward(self, grid: Tensor) -> Tensor:
        """[D,H,W] to the optical depths [R]."""
        values, out = self._values(grid), np.empty(sum(self.counts), np.float32)
        for part in self._parts:
            out[part.rays] = self._carried(values, part)
        return torch.from_numpy(out)

    def adjoint(self, values: Tensor) -> Tensor:
        """[R] to [D,H,W]."""
        given = values.detach().cpu().numpy()
        return self._gathered(lambda part: given[part.rays])

    def normal(self, grid: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, float]:
        """The gradient [D,H,W] and the value of half the weighted sum of squared differences."""
        values, goal, worth = self._values(grid), target.numpy(), weight.numpy()
        losses = []

        def residual(part: Part) -> Floats:
            difference = self._carried(values, part) - goal[part.rays]
            weighted: Floats = worth[part.rays] * difference
            losses.append(0.5 * float(np.dot(weighted.astype(np.float64), difference)))
            return weighted

        return self._gathered(residual), sum(losses)

    @cached_property
    def _parts(self) -> list[Part]:
        ends = np.cumsum((0, *self.counts)).tolist()
        cuts = enumerate(blocks(len(self.rows), ROWS))
        return [Part(k, begin, end - begin, slice(ends[k], ends[k + 1])) for k, (begin, end) in cuts]

    def _chosen(self, part: Part) -> NDArray[np.bool_]:
        every = np.unpackbits(self.marks[part.number], count=len(self.lines) * part.rows)
        return every.view(np.bool_)

    def _whole(self, part: Part) -> bool:
        return self.counts[part.number] == len(self.lines) * part.rows

    @staticmethod
    def _values(grid: Tensor) -> Floats:
        return np.ascontiguousarray(grid.detach().cpu().numpy(), np.float32)

    def _carried(self, values: Floats, part: Part) -> Floats:
        """The depths of a part's rays."""
        planes = self._at_rows(values, part)
        out = np.empty((len(self.lines), part.rows), np.float32)
        parallel_map(carry, [(planes, self.lines, self.across, *job, out) for job in blocks(len(out), _COLUMNS)])
        flat: Floats = out.reshape(-1)
        return flat if self._whole(part) else flat[self._chosen(part)]

    def _at_rows(self, values: Floats, part: Part) -> Floats:
        """The grid at the heights of a part's rows [P,rows], P positions of the plane."""
        taken = slice(part.begin, part.begin + part.rows)
        first, above = self.slices[taken], self.above[taken]
        low, high = int(first.min()), int(first.max()) + 2
        slab = np.moveaxis(values, 2 - self.axis, 0)[low:high].reshape(high - low, -1)
        slab = np.ascontiguousarray(slab)
        planes = np.empty((slab.shape[1], part.rows), np.float32)
        parallel_map(between, [(slab, first - low, above, *job, planes) for job in blocks(len(planes), _POSITIONS)])
        return planes

    def _gathered(self, values: Callable[[Part], Floats]) -> Tensor:
        """The transpose: what the rays of each part bring, to [D,H,W]."""
        depth = self.shape[2 - self.axis]
        plane = [n for i, n in enumerate(self.shape) if i != 2 - self.axis]
        grid = np.zeros((depth, math.prod(plane)), np.float32)
        for some in blocks(len(self._parts), thread_count()):
            parts = self._parts[slice(*some)]
            brought = [(part, values(part)) for part in parts]
            # Rows of two parts may share a slice: what they make at once is added one after the other.
            for part, planes in zip(parts, parallel_map(self._spread, brought), strict=True):
                rows = slice(part.begin, part.begin + part.rows)
                given = (grid, self.slices[rows], self.above[rows], planes)
                parallel_map(add, [(*given, *job) for job in blocks(len(planes), _POSITIONS)])
        found = grid.reshape(depth, *plane)
        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(found, 0, 2 - self.axis)))

    def _spread(self, part: Part, values: Floats) -> NDArray[np.float64]:
        """What a part's rays bring to the plane, [P,rows]."""
        placed = np.ascontiguousarray(values, np.float32)
        if not self._whole(part):
            placed = np.zeros(len(self.lines) * part.rows, np.float32)
            placed[self._chosen(part)] = values
        # A position collects thousands of rays, which float32 would add up to five digits only.
        planes = np.zeros((math.prod(self.shape) // self.shape[2 - self.axis], part.rows), np.float64)
        spread(planes, self.lines, self.across, placed.reshape(len(self.lines), part.rows))
        return planes


@dataclass(frozen=True)
class Part:
    """Rows that are carried together: `rows` of them from `begin` on, whose rays are a slice of all."""

    number: int
    begin: int
    rows: int
    rays: slice


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
    met = lines["last"] >= lines["first"]
    planes = (lines["last"].astype(np.int64) - lines["first"] + 1).clip(min=0)
    marks, counts, samples = [], [], 0
    used = np.zeros(len(lines), np.bool_)
    for begin, end in blocks(len(rows), ROWS):
        taken = np.repeat(met[:, None], end - begin, 1)
        if chosen is not None:
            taken &= chosen[:, rows[begin:end]].numpy().transpose(0, 2, 1).reshape(len(lines), -1)
        used |= taken.any(1)
        marks.append(np.packbits(taken))
        counts.append(int(taken.sum()))
        samples += int((planes * taken.sum(1)).sum())
    lines["first"][~used], lines["last"][~used] = 0, -1
    first = np.minimum(place[rows].astype(np.int64), count - 2)
    above = (place[rows] - first).astype(np.float32)
    return SweptRays(samples, shape, axis, size, rows, first, above, lines, across, tuple(marks), tuple(counts))


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
