"""Joseph's projector and its transpose on all cores: the fast matched pair behind the solvers.

The transpose sums up slabs of z, each by one thread: a buffer in float64 takes the rays of a chunk of pixels, all axes
in turn, and is then added to the grid in float32. So no two threads write to the same memory, what is written to stays
in the cache of one core, and every voxel collects its rays in the same order, however slabs are cut. A voxel collects
thousands of rays, which float32 would add up to five digits only. A sample between two slabs is visited by both.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.bodies.projector import add_sample, march
from invrender.backends.bodies.target import inlined
from invrender.backends.cpu.compile import entry
from invrender.backends.cpu.lines import strides
from invrender.backends.cpu.ray_chunks import BLOCK, Chunk, Geometry, Lines, chunks, placed
from invrender.backends.cpu.sweep import SweptRays, swept_rays
from invrender.backends.cpu.threads import blocks, parallel_map, thread_count
from invrender.cameras.rays import index_views
from invrender.nouns import Cameras

Tensor = torch.Tensor
Array = NDArray[np.float32]

WHOLE = 1 << 24  # samples of grids from which on lines are traced anew each time
THICK, THIN = 32, 8  # planes of a slab, at most and at least
SHARE = 4  # slabs for each thread: those in the middle meet more rays than others
HALO = 2  # planes beyond either end of it that samples between slabs touch
EVERYWHERE = 1 << 30


@dataclass(frozen=True)
class JosephRays:
    """Rays through a grid as a linear operator, in the order of their pixels; see `invrender.kernels.RayBundle`."""

    samples: int
    shape: tuple[int, int, int]
    chunks: list[Chunk]

    @property
    def pixels(self) -> Tensor:
        """[R] int64, ascending; made when asked for, since it is longer than what it is made of."""
        parts = [chunk.offsets.astype(np.int64) + chunk.begin for chunk in self.chunks]
        return torch.from_numpy(np.concatenate(parts) if parts else np.empty(0, np.int64))

    def __len__(self) -> int:
        return sum(map(len, self.chunks))

    def forward(self, grid: Tensor) -> Tensor:
        """[D,H,W] to the optical depths [R]."""
        values, out = _flat(grid), np.empty(len(self), np.float32)
        for chunk, place in placed(self.chunks):
            fixed = (values, self._sizes, (rays := chunk.lines()).lines, rays.axes)
            parallel_map(_forward, [(*fixed, *job, out[place]) for job in blocks(len(chunk), BLOCK)])
        return torch.from_numpy(out)

    def adjoint(self, values: Tensor) -> Tensor:
        """[R] to [D,H,W]."""
        given = np.ascontiguousarray(values.detach().cpu().numpy(), np.float32)
        grid = self._nothing()
        for chunk, place in placed(self.chunks):
            self._scatter(grid, chunk.lines(), given[place])
        return torch.from_numpy(grid).reshape(self.shape)

    def normal(self, grid: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, float]:
        """The gradient [D,H,W] and the value of half the weighted sum of squared differences."""
        found, loss = self._nothing(), 0.0
        given = target.numpy(), weight.numpy()
        for chunk, place in placed(self.chunks):
            rays, out = chunk.lines(), np.empty(len(chunk), np.float32)
            fixed = (_flat(grid), self._sizes, rays.lines, rays.axes, *(part[place] for part in given))
            loss += sum(parallel_map(_residual, [(*fixed, *job, out) for job in blocks(len(chunk), BLOCK)]))
            self._scatter(found, rays, out)
        return torch.from_numpy(found).reshape(self.shape), float(loss)

    @property
    def _sizes(self) -> NDArray[np.int64]:
        return np.array(self.shape[::-1], np.int64)

    def _nothing(self) -> Array:
        return np.zeros(int(np.prod(self.shape)), np.float32)

    def _scatter(self, grid: Array, rays: Lines, values: Array) -> None:
        """Add what a chunk's rays bring to the grid."""
        buffers = threading.local()  # one for each thread; freed with this call
        thick = max(THIN, min(THICK, -(-self.shape[0] // (SHARE * thread_count()))))
        slabs = blocks(self.shape[0], thick)
        parallel_map(_slab, [(buffers, thick, grid, self._sizes, rays, values, *slab) for slab in slabs])


def joseph_rays(
    shape: tuple[int, int, int],
    bounds: Tensor,
    cameras: Cameras,
    chosen: Tensor | None = None,
    support: Tensor | None = None,
) -> JosephRays | SweptRays:
    """The rays of the chosen pixels that meet the support; see `invrender.kernels.MakeRays`."""
    views, spacing = index_views(shape, bounds, cameras)
    swept = swept_rays(shape, views, spacing, cameras.size, chosen, support)
    return line_rays(shape, bounds, cameras, chosen, support) if swept is None else swept


def line_rays(
    shape: tuple[int, int, int],
    bounds: Tensor,
    cameras: Cameras,
    chosen: Tensor | None = None,
    support: Tensor | None = None,
) -> JosephRays:
    """The same one by one, whatever the cameras are."""
    views, spacing = index_views(shape, bounds, cameras)
    height, width = cameras.size
    geometry = Geometry(views, np.array(shape[::-1], np.int64), spacing, np.array([width, width * height], np.int64))
    selected = None if chosen is None else chosen.reshape(-1).numpy()
    inside = None if support is None else _bytes(support)
    # Along hundreds of samples, tracing a line once more does not count.
    small = int(np.prod(shape)) < WHOLE
    found = chunks(geometry, len(cameras) * height * width, selected, inside, keeps=small)
    return JosephRays(sum(chunk.samples for chunk in found), shape, found)


def _bytes(support: Tensor) -> NDArray[np.uint8]:
    """[D,H,W] bool as numbers, without a copy where it is in one piece."""
    flat: NDArray[np.bool_] = np.ascontiguousarray(support.reshape(-1).numpy(), np.bool_)
    return flat.view(np.uint8)


def _flat(grid: Tensor) -> Array:
    return np.ascontiguousarray(grid.detach().cpu().numpy(), np.float32).reshape(-1)


def _slab(
    buffers: threading.local, thick: int, grid: Array, sizes: NDArray[np.int64], rays: Lines, values: Array, low: int,
    high: int,
) -> None:  # fmt: skip
    """Add to the planes low .. high - 1 of z what rays bring them."""
    plane = int(sizes[0] * sizes[1])
    if not hasattr(buffers, "cells"):
        buffers.cells = np.empty((thick + 2 * HALO) * plane, np.float64)
    cells: NDArray[np.float64] = buffers.cells
    cells.fill(0)
    fixed, offset = (sizes, rays.lines), (HALO - low) * plane
    touched = 0
    for axis in (0, 1):
        touched += _scatter(cells, offset, *fixed, axis, values, rays.runs[axis], -EVERYWHERE, EVERYWHERE, low, high)
    touched += _scatter(cells, offset, *fixed, 2, values, rays.runs[2], low, high, -EVERYWHERE, EVERYWHERE)
    if touched:
        grid[low * plane : high * plane] += cells[HALO * plane : (HALO + high - low) * plane]


@inlined
def _depth(values, sizes, ray, axis):  # type: ignore[no-untyped-def]
    """The optical depth along one line."""
    along, across_u, across_v = strides(axis, sizes)
    return march(
        values, along, across_u, across_v,
        ray.u, ray.v, ray.du, ray.dv, ray.pitch, ray.head, ray.tail, ray.first, ray.last,
    )  # fmt: skip


@entry
def _forward(values, sizes, lines, axes, begin, end, out):  # type: ignore[no-untyped-def]
    for r in range(begin, end):
        out[r] = _depth(values, sizes, lines[r], axes[r])


@entry
def _residual(values, sizes, lines, axes, target, weight, begin, end, out):  # type: ignore[no-untyped-def]
    loss = 0.0
    for r in range(begin, end):
        difference = _depth(values, sizes, lines[r], axes[r]) - target[r]
        out[r] = weight[r] * difference
        loss += 0.5 * out[r] * difference
    return loss


@inlined
def _within(v, dv, first, begin, end, bottom, top):  # type: ignore[no-untyped-def]
    """Of the planes begin .. end - 1 those on which a line's v lies from `bottom` to `top`: first and end."""
    if dv > 0:
        if v + np.float32(begin - first) * dv < bottom:
            begin = max(begin, first + np.int32((bottom - v) / dv) - 1)
            while begin < end and v + np.float32(begin - first) * dv < bottom:
                begin += 1
        if begin < end and v + np.float32(end - 1 - first) * dv >= top:
            end = min(end, first + np.int32((top - v) / dv) + 2)
            while end > begin and v + np.float32(end - 1 - first) * dv >= top:
                end -= 1
    else:
        if v + np.float32(begin - first) * dv >= top:
            begin = max(begin, first + np.int32((top - v) / dv) - 1) if dv < 0 else end
            while begin < end and v + np.float32(begin - first) * dv >= top:
                begin += 1
        if begin < end and v + np.float32(end - 1 - first) * dv < bottom:
            end = min(end, first + np.int32((bottom - v) / dv) + 2) if dv < 0 else begin
            while end > begin and v + np.float32(end - 1 - first) * dv < bottom:
                end -= 1
    return begin, end


@entry
def _scatter(grid, offset, sizes, lines, axis, values, runs, low, high, low_v, high_v):  # type: ignore[no-untyped-def]
    """Add to the planes low .. high - 1 what the rays in `runs`, all of one main axis, put there; how many do.

    offset: where the flat grid begins in `grid`. low_v, high_v: the planes of v that are asked for; samples that touch
    others besides bring those theirs, too.
    """
    along, across_u, across_v = strides(axis, sizes)
    along, across_u, across_v = np.uint32(along), np.uint32(across_u), np.uint32(across_v)
    shift, count = np.uint32(offset), 0
    bottom, top, cut = np.float32(low_v - 1), np.float32(high_v), high_v < EVERYWHERE
    for run in range(len(runs)):
        for r in range(runs[run, 0], runs[run, 1]):
            ray = lines[r]
            first, last = np.int32(ray.first), np.int32(ray.last)
            if last < low or first >= high:
                continue
            value = values[r] * ray.pitch
            if value == 0:
                continue
            u, v, du, dv = ray.u, ray.v, ray.du, ray.dv
            begin, end = max(first, np.int32(low)), min(last + 1, np.int32(high))
            if cut:
                begin, end = _within(v, dv, first, begin, end, bottom, top)
            for k in range(begin, end):
                share = value
                if k == first:
                    share = value * ray.head
                if k == last:
                    share = value * ray.tail if k > first else value * (ray.head + ray.tail - np.float32(1))
                step = np.float32(k - first)
                add_sample(grid, shift + k * along, across_u, across_v, u + step * du, v + step * dv, share)
            count += 1
    return count
