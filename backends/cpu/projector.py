"""Joseph's projector and its transpose on all cores: the fast matched pair behind the solvers.

The rays are sorted by their main axis. The transpose gives each thread a slab of planes across that axis: a ray's
samples on a plane touch that plane alone, so no two threads write to the same memory, no buffers have to be added up,
the slab stays in the cache, and every voxel collects its rays in the same order whatever the number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.bodies.projector import add_sample, march
from invrender.backends.bodies.target import inlined
from invrender.backends.cpu.compile import entry
from invrender.backends.cpu.lines import LINE, strides, trace_lines, trim_lines
from invrender.backends.cpu.sweep import SweptRays, swept_rays
from invrender.backends.cpu.threads import blocks, parallel_map
from invrender.cameras.rays import index_views
from invrender.nouns import Cameras

Tensor = torch.Tensor
Array = NDArray[np.float32]

BLOCK = 1 << 14  # rays per job
SLAB = 8  # planes per job


@dataclass(frozen=True)
class JosephRays:
    """Rays through a grid as a linear operator; see `invrender.kernels.RayBundle`."""

    pixels: Tensor
    samples: int
    shape: tuple[int, int, int]
    lines: NDArray[np.void]
    axes: NDArray[np.int8]
    starts: tuple[int, int, int, int]

    def forward(self, grid: Tensor) -> Tensor:
        """[D,H,W] to the optical depths [R]."""
        values = _flat(grid)
        out = np.empty(len(self.lines), np.float32)
        parallel_map(_forward, [(values, self._sizes, self.lines, self.axes, a, b, out) for a, b in self._jobs])
        return torch.from_numpy(out)

    def adjoint(self, values: Tensor) -> Tensor:
        """[R] to [D,H,W]."""
        return self._scatter(np.ascontiguousarray(values.detach().cpu().numpy(), np.float32))

    def normal(self, grid: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, float]:
        """The gradient [D,H,W] and the value of half the weighted sum of squared differences."""
        out = np.empty(len(self.lines), np.float32)
        fixed = (_flat(grid), self._sizes, self.lines, self.axes, target.numpy(), weight.numpy())
        losses = parallel_map(_residual, [(*fixed, a, b, out) for a, b in self._jobs])
        return self._scatter(out), float(sum(losses))

    @property
    def _sizes(self) -> NDArray[np.int64]:
        return np.array(self.shape[::-1], np.int64)

    @property
    def _jobs(self) -> list[tuple[int, int]]:
        return blocks(len(self.lines), BLOCK)

    def _scatter(self, values: Array) -> Tensor:
        # A voxel collects thousands of rays, which float32 would add up to five digits only.
        grid = np.zeros(int(np.prod(self.shape)), np.float64)
        for axis in range(3):
            begin, end = self.starts[axis], self.starts[axis + 1]
            slabs = blocks(self.shape[2 - axis], SLAB)
            parallel_map(_scatter, [(grid, self._sizes, self.lines, axis, values, begin, end, *slab) for slab in slabs])
        return torch.from_numpy(grid.astype(np.float32)).reshape(self.shape)


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
    sizes = np.array(shape[::-1], np.int64)
    widths = np.array([width, width * height], np.int64)
    selected = None if chosen is None else chosen.reshape(-1).numpy()
    inside = None if support is None else np.ascontiguousarray(support.reshape(-1).numpy(), np.uint8)

    def job(begin: int, end: int) -> tuple[NDArray[np.int64], NDArray[np.void], NDArray[np.int8]]:
        lines, axes = np.zeros(end - begin, LINE), np.zeros(end - begin, np.int8)
        trace_lines(views, sizes, spacing, widths, begin, end, lines, axes)
        if inside is not None:
            trim_lines(lines, axes, inside, sizes, 0, end - begin)
        keep = lines["last"] >= lines["first"]
        if selected is not None:
            keep &= selected[begin:end]
        return np.flatnonzero(keep) + begin, lines[keep], axes[keep]

    parts = parallel_map(job, blocks(len(cameras) * height * width, BLOCK))
    pixels, lines, axes = (np.concatenate(piece) for piece in zip(*parts, strict=True))
    order = np.argsort(axes, kind="stable")
    starts = np.searchsorted(axes[order], [0, 1, 2, 3])
    lines = lines[order]
    samples = int((lines["last"].astype(np.int64) - lines["first"] + 1).sum())
    first, second, third, last = (int(start) for start in starts)
    return JosephRays(torch.from_numpy(pixels[order]), samples, shape, lines, axes[order], (first, second, third, last))


def _flat(grid: Tensor) -> Array:
    return np.ascontiguousarray(grid.detach().cpu().numpy(), np.float32).reshape(-1)


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


@entry
def _scatter(grid, sizes, lines, axis, values, begin, end, low, high):  # type: ignore[no-untyped-def]
    """Add to the planes low .. high - 1 what the rays begin .. end, all of one main axis, put there."""
    along, across_u, across_v = strides(axis, sizes)
    along, across_u, across_v = np.uint32(along), np.uint32(across_u), np.uint32(across_v)
    for r in range(begin, end):
        ray = lines[r]
        first, last = np.int32(ray.first), np.int32(ray.last)
        if last < low or first >= high:
            continue
        value = values[r] * ray.pitch
        if value == 0:
            continue
        u, v, du, dv = ray.u, ray.v, ray.du, ray.dv
        for k in range(max(first, np.int32(low)), min(last + 1, np.int32(high))):
            share = value
            if k == first:
                share = value * ray.head
            if k == last:
                share = value * ray.tail if k > first else value * (ray.head + ray.tail - np.float32(1))
            step = np.float32(k - first)
            add_sample(grid, k * along, across_u, across_v, u + step * du, v + step * dv, share)
