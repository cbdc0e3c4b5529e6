"""Joseph's projector and its transpose on a GPU: one thread per ray, atomic sums in the transpose.

Threads beside each other follow pixels beside each other, whose samples share memory. What a ray needs is kept by
component, so that such threads read neighbouring numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numba import cuda

from invrender.backends.cuda.bodies import lines
from invrender.backends.cuda.bodies import projector as bodies
from invrender.backends.cuda.launch import launch
from invrender.backends.cuda.target import device, kernel
from invrender.cameras.rays import index_views
from invrender.nouns import Cameras

Tensor = torch.Tensor

add_sample, march = bodies.add_sample, bodies.march
touched, trace, turned = lines.touched, lines.trace, lines.turned


@dataclass(frozen=True)
class CudaRays:
    """Rays through a grid as a linear operator; see `invrender.kernels.RayBundle`.

    Attributes:
        axes: [R] int8 main axis.
        planes: [2,R] int32 first and last plane.
        places: [7,R] float32 u, v, du, dv, pitch, head, tail; see `backends.bodies.lines`.
    """

    pixels: Tensor
    samples: int
    shape: tuple[int, int, int]
    axes: Tensor
    planes: Tensor
    places: Tensor

    def forward(self, grid: Tensor) -> Tensor:
        """[D,H,W] to the optical depths [R]."""
        out = torch.empty(len(self.pixels), dtype=torch.float32, device=self.places.device)
        launch(_forward, len(out), _floats(grid).reshape(-1), *self._lines, out)
        return out

    def adjoint(self, values: Tensor) -> Tensor:
        """[R] to [D,H,W]."""
        cells = self._zeros()
        launch(_adjoint, len(self.pixels), _floats(values), *self._lines, cells)
        return cells.reshape(self.shape)

    def normal(self, grid: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, float]:
        """The gradient [D,H,W] and the value of half the weighted sum of squared differences."""
        cells, terms = self._zeros(), torch.empty(len(self.pixels), dtype=torch.float32, device=self.places.device)
        given = (_floats(grid).reshape(-1), _floats(target), _floats(weight))
        launch(_normal, len(terms), *given, *self._lines, cells, terms)
        return cells.reshape(self.shape), float(terms.sum(dtype=torch.float64)) / 2

    @property
    def _lines(self) -> tuple[Any, ...]:
        _, height, width = self.shape
        return width, height, self.axes, self.planes, self.places

    def _zeros(self) -> Tensor:
        depth, height, width = self.shape
        return torch.zeros(depth * height * width, dtype=torch.float32, device=self.places.device)


def joseph_rays(
    shape: tuple[int, int, int],
    bounds: Tensor,
    cameras: Cameras,
    chosen: Tensor | None = None,
    support: Tensor | None = None,
) -> CudaRays:
    """The rays of the chosen pixels that meet the support, where bounds are; see `invrender.kernels.MakeRays`."""
    place = bounds.device
    views, spacing = index_views(shape, bounds.cpu(), cameras)
    height, width = cameras.size
    if chosen is None:
        pixels = torch.arange(len(cameras) * height * width, device=place)
    else:
        pixels = chosen.to(place).reshape(-1).nonzero()[:, 0]
    inside = torch.ones(1, dtype=torch.uint8, device=place)
    if support is not None:
        inside = support.to(place, torch.uint8).contiguous().reshape(-1)
    axes = torch.empty(len(pixels), dtype=torch.int8, device=place)
    planes = torch.empty(2, len(pixels), dtype=torch.int32, device=place)
    places = torch.empty(7, len(pixels), dtype=torch.float32, device=place)
    given = (torch.from_numpy(views).to(place), *shape, *spacing.tolist(), width, height, pixels)
    launch(_set_up, len(pixels), *given, inside, support is not None, axes, planes, places)
    kept = (planes[1] >= planes[0]).nonzero()[:, 0]
    planes = planes[:, kept]
    samples = int((planes[1] - planes[0] + 1).sum())
    return CudaRays(pixels[kept], samples, shape, axes[kept], planes, places[:, kept])


def _floats(values: Tensor) -> Tensor:
    return values.detach().float().contiguous()


@kernel
def _set_up(
    views: Any, nz: int, ny: int, nx: int, hx: float, hy: float, hz: float, width: int, height: int, pixels: Any,
    support: Any, trimmed: bool, axes: Any, planes: Any, places: Any,
) -> None:  # fmt: skip
    """The lines of the pixels, which are counted through all views; `trimmed`: to where they meet the support."""
    r = cuda.grid(1)
    if r >= pixels.shape[0]:
        return
    pixel = pixels[r]
    column, row, view = pixel % width, pixel // width % height, pixel // (width * height)
    axis, first, last, u, v, du, dv, pitch, head, tail = trace(
        views[view], column + 0.5, row + 0.5, nx, ny, nz, hx, hy, hz
    )
    if trimmed and first <= last:
        along, su, sv = turned(axis, 1, nx, nx * ny)
        begin, end = touched(support, along, su, sv, u, v, du, dv, first, last)
        if begin > first:
            u, v, head = u + (begin - first) * du, v + (begin - first) * dv, 1.0
        if end < last:
            tail = 1.0
        first, last = begin, end
    axes[r], planes[0, r], planes[1, r] = axis, first, last
    places[0, r], places[1, r], places[2, r], places[3, r] = u, v, du, dv
    places[4, r], places[5, r], places[6, r] = pitch, head, tail


@device
def _depth(values: Any, width: int, height: int, axes: Any, planes: Any, places: Any, r: int) -> Any:
    """The optical depth along one line."""
    along, su, sv = turned(axes[r], 1, width, width * height)
    return march(
        values, along, su, sv, places[0, r], places[1, r], places[2, r], places[3, r],
        places[4, r], places[5, r], places[6, r], planes[0, r], planes[1, r],
    )  # fmt: skip


@device
def _spread(cells: Any, value: Any, width: int, height: int, axes: Any, planes: Any, places: Any, r: int) -> None:
    """The transpose of `_depth`."""
    along, su, sv = turned(axes[r], np.uint32(1), np.uint32(width), np.uint32(width * height))
    u, v, du, dv = places[0, r], places[1, r], places[2, r], places[3, r]
    first, last = planes[0, r], planes[1, r]
    value *= places[4, r]
    one = np.float32(1)
    for k in range(first, last + 1):
        share = one
        if k == first:
            share = places[5, r]
        if k == last:
            share = share + places[6, r] - one
        step = np.float32(k - first)
        add_sample(cells, k * along, su, sv, u + step * du, v + step * dv, value * share)


@kernel
def _forward(values: Any, width: int, height: int, axes: Any, planes: Any, places: Any, out: Any) -> None:
    r = cuda.grid(1)
    if r < out.shape[0]:
        out[r] = _depth(values, width, height, axes, planes, places, r)


@kernel
def _adjoint(given: Any, width: int, height: int, axes: Any, planes: Any, places: Any, cells: Any) -> None:
    r = cuda.grid(1)
    if r < given.shape[0] and given[r] != 0:
        _spread(cells, given[r], width, height, axes, planes, places, r)


@kernel
def _normal(
    values: Any, target: Any, weight: Any, width: int, height: int, axes: Any, planes: Any, places: Any,
    cells: Any, terms: Any,
) -> None:  # fmt: skip
    """Both ways along each ray at once."""
    r = cuda.grid(1)
    if r >= target.shape[0]:
        return
    difference = _depth(values, width, height, axes, planes, places, r) - target[r]
    pull = weight[r] * difference
    terms[r] = pull * difference
    if pull != 0:
        _spread(cells, pull, width, height, axes, planes, places, r)
