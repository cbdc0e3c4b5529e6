"""Joseph's projector and its transpose on a GPU: one thread per ray, atomic sums in the transpose.

Neighbouring threads take neighbouring pixels, whose samples share memory. The rays are stored as a structure of arrays,
so that neighbouring threads read neighbouring numbers.
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
joseph_line, permuted, support_range = lines.joseph_line, lines.permuted, lines.support_range


@dataclass(frozen=True)
class CudaRays:
    """Rays through a grid as a linear operator; see `invrender.kernels.RayBundle`.

    Attributes:
        axes: [R] int8 main axis.
        planes: [2,R] int32 first and last plane.
        coefficients: [7,R] float32 u, v, du, dv, pitch, head, tail of the lines; see `backends.bodies.lines`.
    """

    pixels: Tensor
    samples: int
    shape: tuple[int, int, int]
    axes: Tensor
    planes: Tensor
    coefficients: Tensor

    def forward(self, grid: Tensor) -> Tensor:
        """[D,H,W] to the optical depths [R]."""
        out = torch.empty(len(self.pixels), dtype=torch.float32, device=self.coefficients.device)
        launch(_forward, len(out), _floats(grid).reshape(-1), *self._geometry, out)
        return out

    def adjoint(self, values: Tensor) -> Tensor:
        """[R] to [D,H,W]."""
        cells = self._zeros()
        launch(_adjoint, len(self.pixels), _floats(values), *self._geometry, cells)
        return cells.reshape(self.shape)

    def normal(self, grid: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, float]:
        """The gradient [D,H,W] and the value of half the weighted sum of squared differences."""
        cells, terms = (
            self._zeros(),
            torch.empty(len(self.pixels), dtype=torch.float32, device=self.coefficients.device),
        )
        given = (_floats(grid).reshape(-1), _floats(target), _floats(weight))
        launch(_normal, len(terms), *given, *self._geometry, cells, terms)
        return cells.reshape(self.shape), float(terms.sum(dtype=torch.float64)) / 2

    @property
    def _geometry(self) -> tuple[Any, ...]:
        _, height, width = self.shape
        return width, height, self.axes, self.planes, self.coefficients

    def _zeros(self) -> Tensor:
        depth, height, width = self.shape
        return torch.zeros(depth * height * width, dtype=torch.float32, device=self.coefficients.device)


def joseph_rays(
    shape: tuple[int, int, int],
    bounds: Tensor,
    cameras: Cameras,
    chosen: Tensor | None = None,
    support: Tensor | None = None,
) -> CudaRays:
    """The rays of the chosen pixels that meet the support, where bounds are; see `invrender.kernels.MakeRays`."""
    target_device = bounds.device
    views, spacing = index_views(shape, bounds.cpu(), cameras)
    height, width = cameras.size
    if chosen is None:
        pixels = torch.arange(len(cameras) * height * width, device=target_device)
    else:
        pixels = chosen.to(target_device).reshape(-1).nonzero()[:, 0]
    inside = torch.ones(1, dtype=torch.uint8, device=target_device)
    if support is not None:
        inside = support.to(target_device, torch.uint8).contiguous().reshape(-1)
    axes = torch.empty(len(pixels), dtype=torch.int8, device=target_device)
    planes = torch.empty(2, len(pixels), dtype=torch.int32, device=target_device)
    coefficients = torch.empty(7, len(pixels), dtype=torch.float32, device=target_device)
    given = (torch.from_numpy(views).to(target_device), *shape, *spacing.tolist(), width, height, pixels)
    launch(_set_up, len(pixels), *given, inside, support is not None, axes, planes, coefficients)
    kept = (planes[1] >= planes[0]).nonzero()[:, 0]
    planes = planes[:, kept]
    samples = int((planes[1] - planes[0] + 1).sum())
    return CudaRays(pixels[kept], samples, shape, axes[kept], planes, coefficients[:, kept])


def _floats(values: Tensor) -> Tensor:
    return values.detach().float().contiguous()


@kernel
def _set_up(
    views: Any, nz: int, ny: int, nx: int, hx: float, hy: float, hz: float, width: int, height: int, pixels: Any,
    support: Any, trimmed: bool, axes: Any, planes: Any, coefficients: Any,
) -> None:  # fmt: skip
    """The lines of the pixels, which are counted through all views; `trimmed`: to where they meet the support."""
    r = cuda.grid(1)
    if r >= pixels.shape[0]:
        return
    pixel = pixels[r]
    column, row, view = pixel % width, pixel // width % height, pixel // (width * height)
    axis, first, last, u, v, du, dv, pitch, head, tail = joseph_line(
        views[view], column + 0.5, row + 0.5, nx, ny, nz, hx, hy, hz
    )
    if trimmed and first <= last:
        along, su, sv = permuted(axis, 1, nx, nx * ny)
        begin, end = support_range(support, along, su, sv, u, v, du, dv, first, last)
        if begin > first:
            u, v, head = u + (begin - first) * du, v + (begin - first) * dv, 1.0
        if end < last:
            tail = 1.0
        first, last = begin, end
    axes[r], planes[0, r], planes[1, r] = axis, first, last
    coefficients[0, r], coefficients[1, r], coefficients[2, r], coefficients[3, r] = u, v, du, dv
    coefficients[4, r], coefficients[5, r], coefficients[6, r] = pitch, head, tail


@device
def _depth(values: Any, width: int, height: int, axes: Any, planes: Any, coefficients: Any, r: int) -> Any:
    """The optical depth along one line."""
    along, su, sv = permuted(axes[r], 1, width, width * height)
    return march(
        values, along, su, sv, coefficients[0, r], coefficients[1, r], coefficients[2, r], coefficients[3, r],
        coefficients[4, r], coefficients[5, r], coefficients[6, r], planes[0, r], planes[1, r],
    )  # fmt: skip


@device
def _depth_adjoint(
    cells: Any, value: Any, width: int, height: int, axes: Any, planes: Any, coefficients: Any, r: int
) -> None:
    """The transpose of `_depth`."""
    along, su, sv = permuted(axes[r], np.uint32(1), np.uint32(width), np.uint32(width * height))
    u, v, du, dv = coefficients[0, r], coefficients[1, r], coefficients[2, r], coefficients[3, r]
    first, last = planes[0, r], planes[1, r]
    value *= coefficients[4, r]
    one = np.float32(1)
    for k in range(first, last + 1):
        share = one
        if k == first:
            share = coefficients[5, r]
        if k == last:
            share = share + coefficients[6, r] - one
        step = np.float32(k - first)
        add_sample(cells, k * along, su, sv, u + step * du, v + step * dv, value * share)


@kernel
def _forward(values: Any, width: int, height: int, axes: Any, planes: Any, coefficients: Any, out: Any) -> None:
    r = cuda.grid(1)
    if r < out.shape[0]:
        out[r] = _depth(values, width, height, axes, planes, coefficients, r)


@kernel
def _adjoint(given: Any, width: int, height: int, axes: Any, planes: Any, coefficients: Any, cells: Any) -> None:
    r = cuda.grid(1)
    if r < given.shape[0] and given[r] != 0:
        _depth_adjoint(cells, given[r], width, height, axes, planes, coefficients, r)


@kernel
def _normal(
    values: Any, target: Any, weight: Any, width: int, height: int, axes: Any, planes: Any, coefficients: Any,
    cells: Any, terms: Any,
) -> None:  # fmt: skip
    """Both ways along each ray at once."""
    r = cuda.grid(1)
    if r >= target.shape[0]:
        return
    difference = _depth(values, width, height, axes, planes, coefficients, r) - target[r]
    weighted = weight[r] * difference
    terms[r] = weighted * difference
    if weighted != 0:
        _depth_adjoint(cells, weighted, width, height, axes, planes, coefficients, r)
