"""Walking rays through a grid: where the samples lie, and how what they show is put together.

Emission and absorption along a ray (Max 1995): with sigma_i and c_i at sample i and the distance h between samples,

    T_i = exp(-h (sigma_1 + ... + sigma_{i-1})),   C = sum_i T_i (1 - exp(-h sigma_i)) c_i,   T = T_{n+1}.

The exponential corrects the opacity for the step: the picture does not depend on how fine it is, but for detail.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from invrender.errors import UsageError
from invrender.nouns import Rays

Tensor = torch.Tensor

Compositing = Literal["vectorized", "sequential", "early-termination", "mip"]
COMPOSITING: tuple[str, ...] = get_args(Compositing)

OPAQUE = 1e-4
"""Early termination leaves a ray once no more than this of it is left: less than a tenth of an 8-bit step."""

MIP_RAMP = 20.0
"""A maximum below 1/20 of the window fades into the background, so that empty space is no black box."""


@dataclass(frozen=True)
class Walk:
    """R rays cut into samples, in index coordinates (x, y, z count samples of the grid from its first vertex).

    Attributes:
        start: [R,3], the first sample; it lies half a step behind where the ray enters the grid.
        step: [R,3], from one sample to the next.
        length: [R], the distance between samples in the world.
        count: [R] int32, how many samples; 0 where the ray misses the grid.
    """

    start: Tensor
    step: Tensor
    length: Tensor
    count: Tensor


@dataclass(frozen=True)
class Shade:
    """Lighting by the gradient of the density (Levoy 1988), weighted down where there is no surface to speak of.

    With the gradient g, its length m, n = g / m and w = m / (m + soft), a sample's colour c becomes

        c (1 - w + w (ambient + diffuse |n . l|)) + w specular |n . h|^shininess.

    Attributes:
        lights: [R,6]: per ray the unit vectors l to the light and h half-way between light and eye, in the world.
        ambient, diffuse, specular, shininess: as above.
        soft: gradient length, in values per world unit, at which w is one half.
    """

    lights: Tensor
    ambient: float = 0.35
    diffuse: float = 0.75
    specular: float = 0.25
    shininess: float = 24.0
    soft: float = 1.0


@dataclass(frozen=True)
class Rules:
    """How samples become colour and extinction, and how these are put together.

    Attributes:
        compositing: 'vectorized' (all samples of many rays at once), 'sequential' (front to back), 'early-termination'
            (front to back until hardly any light is left): the same image; 'mip': the greatest value along the ray.
        low, high: the values that the first and last row of the table stand for.
        shade: lighting, or None.
    """

    compositing: Compositing = "early-termination"
    low: float = 0.0
    high: float = 1.0
    shade: Shade | None = None


def walk(rays: Rays, bounds: Tensor, shape: tuple[int, int, int], step: float, dtype: torch.dtype) -> Walk:
    """Cut rays into equal steps of at most `step` (world units) within the box of a grid [D,H,W].

    Raises:
        UsageError: the step is not positive.
    """
    if not (step > 0 and math.isfinite(step)):
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
    return Walk(
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
