"""Pictures of transmittance by a named estimator, of grids and of any other field, with their standard errors.

What estimators do along rays is in `estimators`; here they get majorants and controls, and rays of cameras.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from torch.nn import functional

from invrender.cameras.rays import camera_rays
from invrender.errors import UsageError
from invrender.kernels import Backend
from invrender.nouns import Cameras, Rays, Volume
from invrender.parameters.neural_field import LearnedField
from invrender.render.absorption import density, transmittance
from invrender.render.estimators import (
    Field,
    MajorantError,
    box_ends,
    delta_tracking,
    grid_control,
    grid_field,
    ratio_tracking,
    ray_marching,
    residual_ratio_tracking,
)

Tensor = torch.Tensor
Estimator = Literal["exact", "march", "delta", "ratio", "residual-ratio"]

RANDOM: tuple[Estimator, ...] = ("delta", "ratio", "residual-ratio")
PER_VOXEL = 2.0  # samples of a march
COARSER = 4  # samples of a grid per sample of its control
SLACK = 1.2  # of the greatest density that was seen of a field that is no grid
RAISES = 8  # times that such a majorant is doubled
PART = 1 << 20  # samples of a march at once


@dataclass(frozen=True)
class Estimation:
    """How transmittance is found.

    Attributes:
        estimator: exact (of a grid alone), march, or by chance and without bias: delta, ratio, residual-ratio.
        spp: estimates a pixel, of those by chance.
        seed: of the random numbers.
    """

    estimator: Estimator = "exact"
    spp: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        if self.estimator not in get_args(Estimator):
            known = ", ".join(get_args(Estimator))
            raise UsageError(f"there is no estimator {self.estimator!r}", f"choose one of {known}")
        if self.spp < 1:
            raise UsageError(f"{self.spp} estimates a pixel are none", "give 1 or more")


def estimated_transmittance(
    field: Field | Volume, cameras: Cameras, how: Estimation, backend: Backend, grid: Volume | None = None
) -> tuple[Tensor, Tensor]:
    """The share [N,H,W] of the light that comes through, and its standard error, 0 where nothing is left to chance.

    Differentiable in what the field depends on; the error is not.

    Args:
        field: extinction per length, a grid or a function of points [M,3] to [M], with a box of its own.
        cameras: N of them.
        how: the estimator; not "exact", which is `absorption.transmittance`.
        backend: what integrates the control of residual ratio tracking.
        grid: of a function: its values on a grid, which tells its box, how fine it is, and about how dense.

    Raises:
        InputError: a grid of several channels, or with densities below 0.
        UsageError: a function without a grid.
    """
    if isinstance(field, Volume):
        density(field)
        grid, function, slack = field, grid_field(field), 1.0
    else:
        function, slack = field, SLACK
    if grid is None:
        raise UsageError("a function tells neither its box nor its majorant", "give it on a `grid` too")
    grid = replace(grid, values=grid.values.detach())
    for _ in range(RAISES):
        try:
            views = [_view(function, grid, cameras[[i]], replace(how, seed=how.seed + 7919 * i), backend, slack)
                     for i in range(len(cameras))]  # fmt: skip
        except MajorantError:
            slack *= 2  # anew from the first ray: an estimate that met too low a majorant is biased
            continue
        return torch.stack([light for light, _ in views]), torch.stack([error for _, error in views])
    raise UsageError("the field rises without end between the samples of its grid", "use a finer grid, or march")


def light_through(
    asset: Volume | LearnedField,
    cameras: Cameras,
    backend: Backend,
    extinction: float | Tensor | None = None,
    how: Estimation | None = None,
) -> tuple[Tensor, Tensor, float | Tensor]:
    """The share [N,H,W] of the light that comes through a grid or a neural field, its standard error, the extinction.

    Of a field the first channel is the density. It is put on its own grid for the exact estimator alone; the others
    look at it wherever they need it.

    Args:
        asset, cameras: what is looked at, and from where; differentiable in the values or the weights.
        backend: what integrates.
        extinction: the factor on the density; None makes it well visible (`absorption.auto_extinction`).
        how: the estimator; None: exact.
    """
    own = asset if isinstance(asset, Volume) else Volume(asset.volume().values[:1], asset.field.bounds)
    if how is None or how.estimator == "exact":
        light, factor = transmittance(own, cameras, backend, extinction)
        return light, torch.zeros_like(light.detach()), factor
    if extinction is None:
        with torch.no_grad():
            extinction = float(transmittance(own, cameras, backend)[1])
    factor = extinction
    if isinstance(asset, Volume):
        light, error = estimated_transmittance(replace(own, values=own.values * factor), cameras, how, backend)
    else:
        depth, height, width = (2 * n - 1 for n in asset.field.shape)
        with torch.no_grad():
            grid = Volume(asset.volume((depth, height, width)).values[:1] * factor, own.bounds)
        light, error = estimated_transmittance(lambda p: asset(p)[:, 0] * factor, cameras, how, backend, grid)
    return light, error, factor


def _view(
    field: Field, grid: Volume, camera: Cameras, how: Estimation, backend: Backend, slack: float
) -> tuple[Tensor, Tensor]:
    rays = camera_rays(camera)
    ends = box_ends(rays, grid.bounds)
    hit = torch.nonzero(ends[:, 1] > ends[:, 0])[:, 0]
    rays, ends = Rays(rays.origin[hit], rays.direction[hit]), ends[hit]
    through, error = torch.ones(camera.size, dtype=torch.float64).reshape(-1), torch.zeros(camera.size).reshape(-1)
    if len(hit):
        if how.estimator == "march":
            through = through.index_put((hit,), _marched(field, grid, rays, ends))
        else:
            mean, deviation = _mean(tracker(field, grid, how.estimator, backend, slack), rays, ends, how)
            through, error = through.index_put((hit,), mean), error.index_put((hit,), deviation.float())
    return through.float().reshape(camera.size), error.reshape(camera.size)


def _marched(field: Field, grid: Volume, rays: Rays, ends: Tensor) -> Tensor:
    """[R], all rays with as many samples as the longest way through the box needs."""
    cells = torch.tensor(grid.shape[::-1], dtype=torch.float64) - 1
    steps = math.ceil(PER_VOXEL * float(cells.norm()))
    parts = range(0, len(ends), max(1, PART // steps))
    found = []
    for first in parts:
        own = slice(first, first + parts.step)
        found.append(ray_marching(field, Rays(rays.origin[own], rays.direction[own]), ends[own], steps))
    return torch.cat(found)


Tracker = Callable[[Rays, Tensor, torch.Generator], Tensor]


def tracker(field: Field, grid: Volume, estimator: Estimator, backend: Backend, slack: float = 1.0) -> Tracker:
    """An estimator by chance with its majorant, which is `slack` times the greatest value on the grid."""
    if estimator == "residual-ratio":
        control = coarser(grid)
        bound = slack * greatest_difference(grid, control)
        known = grid_control(replace(control, values=control.values.to(backend.device)), backend)
        return lambda rays, ends, random: residual_ratio_tracking(field, known, bound, rays, ends, random)
    bound = _above_0(slack * float(grid.values.max()))
    track = delta_tracking if estimator == "delta" else ratio_tracking
    return lambda rays, ends, random: track(field, bound, rays, ends, random)


def _mean(track: Tracker, rays: Rays, ends: Tensor, how: Estimation) -> tuple[Tensor, Tensor]:
    """The mean [R] of many estimates and its standard error; infinite where there is one."""
    random = torch.Generator().manual_seed(how.seed)
    total, squares = torch.zeros(len(ends), dtype=ends.dtype), torch.zeros(len(ends), dtype=ends.dtype)
    for _ in range(how.spp):
        estimate = track(rays, ends, random)
        total, squares = total + estimate, squares + estimate.detach().square()
    mean = total / how.spp
    if how.spp == 1:
        return mean, torch.full_like(squares, math.inf)
    spread = (squares / how.spp - mean.detach().square()).clamp(min=0)
    return mean, (spread / (how.spp - 1)).sqrt()


def coarser(grid: Volume) -> Volume:
    """A density's means around the vertices of a grid a quarter as fine, over the same box."""
    size = [max(2, (n - 1) // COARSER + 1) for n in grid.shape]
    around = [2 * ((n - 1) // (m - 1) // 2) + 1 for n, m in zip(grid.shape, size, strict=True)]
    padding = [n // 2 for n in around]
    smooth = functional.avg_pool3d(grid.values[None], around, 1, padding, count_include_pad=False)
    means = functional.interpolate(smooth, size, mode="trilinear", align_corners=True)[0]
    return Volume(means, grid.bounds, grid.name)


def greatest_difference(one: Volume, other: Volume) -> float:
    """What two grids over the same box differ by at most, above 0.

    Both are trilinear between all their planes, so it is found where these meet.
    """
    low, high = one.bounds
    lines = []
    for axis in range(3):
        counts = {volume.shape[2 - axis] for volume in (one, other)}
        places = torch.cat([torch.linspace(0, 1, count, dtype=torch.float64) for count in counts]).unique()
        lines.append(low[axis] + places * (high[axis] - low[axis]))
    greatest = 0.0
    y, x = torch.meshgrid(lines[1], lines[0], indexing="ij")
    for z in lines[2]:
        points = torch.stack([x, y, z.expand_as(x)], -1).reshape(-1, 3)
        difference = _inside(one, points) - _inside(other, points)
        greatest = max(greatest, float(difference.abs().max()))
    return _above_0(greatest * (1 + 1e-5))


def _inside(volume: Volume, points: Tensor) -> Tensor:
    """A grid's values [M] at points of its box, its faces included."""
    low, high = volume.bounds
    return grid_field(volume)(torch.minimum(torch.maximum(points, low), high))


def _above_0(value: float) -> float:
    """A majorant; that of nothing is small, so that nothing collides."""
    return max(value, 1e-30)
