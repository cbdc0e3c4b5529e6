"""The projected gradient step with smoothed total variation and momentum on a Vulkan device: twin of the torch one."""

from __future__ import annotations

import numpy as np
import torch

from invrender.backends.vulkan.device import Vulkan
from invrender.backends.vulkan.launch import compute
from invrender.backends.vulkan.memory import download, empty, upload

Tensor = torch.Tensor


def smooth_step(
    vulkan: Vulkan,
    at: Tensor,
    gradient: Tensor,
    curvature: Tensor,
    before: Tensor,
    smoothing: tuple[float, float],
    beta: float,
) -> tuple[Tensor, Tensor, float]:
    """See `invrender.kernels.SmoothStep`."""
    weight, epsilon = smoothing
    count = at.numel()
    here, steep = upload(vulkan, at, np.float32), empty(vulkan, count if weight else 1)
    size = list(at.shape[::-1])
    if weight:
        compute(vulkan, ("smooth_step", "steepness"), count, at=here, steep=steep, size=size, epsilon=epsilon)
    given = {"gradient": gradient, "curvature": curvature, "before": before}
    buffers = {name: upload(vulkan, grid, np.float32) for name, grid in given.items()}
    after, extrapolated = empty(vulkan, count), empty(vulkan, count)
    compute(
        vulkan, ("smooth_step", "step"), count, at=here, steep=steep, size=size, smoothing=weight, beta=beta,
        after=after, extrapolated=extrapolated, **buffers,
    )  # fmt: skip
    shape = tuple(at.shape)
    moved, ahead = (torch.from_numpy(download(vulkan, part, shape)).to(at.device) for part in (after, extrapolated))
    uphill = ((at - moved) * (moved - before)).sum(dtype=torch.float64)
    return moved, ahead, float(uphill)
