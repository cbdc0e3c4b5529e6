"""Joseph's projector and its transpose on a Vulkan device: one thread per ray, atomic sums in the transpose.

The cpu backend sets up the rays, once; they stay on the device. The last bits of the transpose differ from run to run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from invrender.backends.cpu.lines import LINE
from invrender.backends.cpu.projector import line_rays
from invrender.backends.vulkan.device import Vulkan
from invrender.backends.vulkan.launch import compute
from invrender.backends.vulkan.memory import download, empty, upload, zeros
from invrender.nouns import Cameras

Tensor = torch.Tensor


@dataclass(frozen=True)
class VulkanRays:
    """Rays through a grid as a linear operator; see `invrender.kernels.RayBundle`.

    Attributes:
        lines: a buffer of the cpu backend's `LINE` records, in the order of their main axis.
        starts: the first ray whose main axis is y, and the first whose is z.
    """

    pixels: Tensor
    samples: int
    shape: tuple[int, int, int]
    vulkan: Vulkan
    lines: Any
    starts: tuple[int, int]

    def forward(self, grid: Tensor) -> Tensor:
        """[D,H,W] to the optical depths [R]."""
        depth = empty(self.vulkan, len(self.pixels))
        self._run("forward", grid=upload(self.vulkan, grid, np.float32), depth=depth)
        return self._per_ray(depth).to(grid.device)

    def adjoint(self, values: Tensor) -> Tensor:
        """[R] to [D,H,W]."""
        cells = zeros(self.vulkan, int(np.prod(self.shape)))
        self._run("adjoint", values=upload(self.vulkan, values, np.float32), cells=cells)
        return torch.from_numpy(download(self.vulkan, cells, self.shape)).to(values.device)

    def normal(self, grid: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, float]:
        """The gradient [D,H,W] and the value of half the weighted sum of squared differences."""
        cells, loss = zeros(self.vulkan, int(np.prod(self.shape))), empty(self.vulkan, len(self.pixels))
        given = {"grid": grid, "target": target, "weight": weight}
        buffers = {name: upload(self.vulkan, values, np.float32) for name, values in given.items()}
        self._run("normal", **buffers, cells=cells, loss=loss)
        gradient = torch.from_numpy(download(self.vulkan, cells, self.shape)).to(grid.device)
        return gradient, float(self._per_ray(loss).sum(dtype=torch.float64)) / 2

    def _run(self, entry: str, **values: Any) -> None:
        geometry = {"lines": self.lines, "size": list(self.shape[::-1]), "starts": list(self.starts)}
        compute(self.vulkan, ("projector", entry), len(self.pixels), **values, **geometry)

    def _per_ray(self, buffer: Any) -> Tensor:
        return torch.from_numpy(download(self.vulkan, buffer, (len(self.pixels),)))


def joseph_rays(
    vulkan: Vulkan,
    shape: tuple[int, int, int],
    bounds: Tensor,
    cameras: Cameras,
    chosen: Tensor | None = None,
    support: Tensor | None = None,
) -> VulkanRays:
    """The rays of the chosen pixels that meet the support; see `invrender.kernels.MakeRays`."""
    rays = line_rays(shape, bounds, cameras, chosen, support)
    kept = [chunk.lines() for chunk in rays.chunks]
    axes = np.concatenate([np.empty(0, np.int8), *(each.axes for each in kept)])
    order = np.argsort(axes, kind="stable")
    lines = np.concatenate([np.empty(0, LINE), *(each.lines for each in kept)])[order]
    second, third = np.searchsorted(axes[order], [1, 2]).tolist()
    buffer = upload(vulkan, lines.view(np.uint32), np.uint32)
    return VulkanRays(rays.pixels[torch.from_numpy(order)], rays.samples, shape, vulkan, buffer, (second, third))
