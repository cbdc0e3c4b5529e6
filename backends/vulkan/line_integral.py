"""The exact line integral and its transpose on a Vulkan device: one thread per ray.

The transpose adds up atomically, so its last bits differ from run to run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from invrender.backends.arguments import index_rays
from invrender.backends.vulkan.device import Vulkan
from invrender.backends.vulkan.launch import compute, has_doubles, precise
from invrender.backends.vulkan.memory import download, empty, upload, zeros

Tensor = torch.Tensor

SHADER = "line_integral"


def line_integral(vulkan: Vulkan, grid: Tensor, bounds: Tensor, origin: Tensor, direction: Tensor) -> Tensor:
    """See `invrender.kernels.LineIntegral`; [R] float32."""
    depth = empty(vulkan, len(origin))
    given = _given(vulkan, grid, bounds, origin, direction) | {"density": upload(vulkan, grid, np.float32)}
    compute(vulkan, (precise(vulkan, SHADER), "forward"), len(origin), depth=depth, **given)
    return torch.from_numpy(download(vulkan, depth, (len(origin),))).to(grid.device)


def line_integral_adjoint(
    vulkan: Vulkan, grad: Tensor, grid: Tensor, bounds: Tensor, origin: Tensor, direction: Tensor
) -> tuple[Tensor, None, None]:
    """The gradient of the grid; those of the rays are the reference's alone."""
    d_density = zeros(vulkan, grid.numel())
    given = _given(vulkan, grid, bounds, origin, direction) | {"grad": upload(vulkan, grad, np.float32)}
    compute(vulkan, (precise(vulkan, SHADER), "adjoint"), len(origin), d_density=d_density, **given)
    return torch.from_numpy(download(vulkan, d_density, tuple(grid.shape))).to(grid.device), None, None


def _given(vulkan: Vulkan, grid: Tensor, bounds: Tensor, origin: Tensor, direction: Tensor) -> dict[str, Any]:
    """The rays in index units, and the size of the grid."""
    start, step = index_rays(grid, bounds, origin, direction)
    doubles = has_doubles(vulkan)
    if not doubles:
        start = _entered(start, step, torch.tensor(grid.shape[::-1]).double() - 1)
    rays = upload(vulkan, torch.cat([start, step], 1), np.float64 if doubles else np.float32)
    return {"rays": rays, "size": list(grid.shape[::-1])}


def _entered(start: Tensor, step: Tensor, top: Tensor) -> Tensor:
    """Origins [R,3] moved to where their rays enter the grid: floats count more finely there than far away."""
    planes = torch.where(step > 0, 0.0, top)
    enter = ((planes - start) / step).nan_to_num(0.0, 0.0, 0.0).amax(1, keepdim=True).clamp(min=0)
    return start + enter * step
