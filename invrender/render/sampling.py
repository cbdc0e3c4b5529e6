"""Samples along rays through a grid, and the sum by which they are composited.

Emission and absorption along a ray (Max 1995): with sigma_i and c_i at sample i and the distance h between samples,

    T_i = exp(-h (sigma_1 + ... + sigma_{i-1})),   C = sum_i T_i (1 - exp(-h sigma_i)) c_i,   T = T_{n+1}.

The exponential corrects the opacity for the step: the picture does not depend on how fine it is, but for detail.
"""

from __future__ import annotations

import math

import torch

from invrender.errors import UsageError
from invrender.kernels.compositing import RaySamples
from invrender.nouns import Rays

Tensor = torch.Tensor


def sample_rays(
    rays: Rays, bounds: Tensor, shape: tuple[int, int, int], step: float | Tensor, dtype: torch.dtype
) -> RaySamples:
    """Sample rays at equal steps of at most `step` (world units, or [R]) within the box of a grid [D,H,W].

    Raises:
        UsageError: the step is not positive.
    """
    if not isinstance(step, torch.Tensor) and not (step > 0 and math.isfinite(step)):
        raise UsageError(f"a step of {step:g} is impossible", "use a step > 0")
    origin, direction = rays.origin.double(), rays.direction.double()
    bounds = bounds.to(origin)
    cells = torch.tensor(shape[::-1], dtype=torch.float64, device=origin.device) - 1
    spacing = (bounds[1] - bounds[0]) / cells
    near, far = _chord(origin, direction, bounds, rays)
    span = (far - near).clamp(min=0)
    count = torch.ceil(span / step - 1e-9)
    length = span / count.clamp(min=1)
    first = (origin + (near + 0.5 * length)[:, None] * direction - bounds[0]) / spacing
    hit = count > 0
    return RaySamples(
        torch.where(hit[:, None], first, 0).to(dtype),
        (direction * length[:, None] / spacing).to(dtype),
        length.to(dtype),
        count.int(),
    )


def _chord(origin: Tensor, direction: Tensor, bounds: Tensor, rays: Rays) -> tuple[Tensor, Tensor]:
    """Distances [R] at which the rays enter and leave the box."""
    parallel = direction.abs() < 1e-12
    inverse = 1 / torch.where(parallel, 1.0, direction)
    one, other = (bounds[0] - origin) * inverse, (bounds[1] - origin) * inverse
    inside = (origin >= bounds[0]) & (origin <= bounds[1])
    low = torch.where(parallel, torch.where(inside, -math.inf, math.inf), torch.minimum(one, other))
    high = torch.where(parallel, torch.where(inside, math.inf, -math.inf), torch.maximum(one, other))
    near = low.amax(1).clamp(min=rays.t_min)
    far = high.amin(1).clamp(max=rays.t_max)
    missed = far <= near
    return torch.where(missed, 0.0, near), torch.where(missed, 0.0, far)
