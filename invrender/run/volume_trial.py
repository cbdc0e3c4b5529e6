"""A tiny scene that exercises all volume kernels of a backend: to compile them ahead of time."""

from __future__ import annotations

import torch

from invrender.cameras.projection import look_at, perspective
from invrender.cameras.rays import camera_rays
from invrender.cameras.rigs import fibonacci
from invrender.kernels import VolumeKernels
from invrender.kernels.walks import Rules, Shade
from invrender.nouns import Cameras
from invrender.render.walk import walk

SHAPE, SIZE, VIEWS = (4, 5, 6), (3, 4), 2


def exercise(kernels: VolumeKernels) -> None:
    """Call every kernel and adjoint once, in each form that compiles anew."""
    place = kernels.device
    bounds = torch.tensor([[-0.5, -0.4, -0.3], [0.5, 0.4, 0.3]], dtype=torch.float64, device=place)
    grid = torch.linspace(0.1, 1, 4 * 5 * 6, device=place).reshape(SHAPE)
    eyes, lens = 2 * fibonacci(VIEWS), perspective(40.0, SIZE, 0.1, 4.0).repeat(VIEWS, 1, 1)
    cameras = Cameras(look_at(eyes, (0.0, 0.0, 0.0)), lens, SIZE)
    rays = camera_rays(cameras)
    depth = kernels.line_integral(grid, bounds, rays.origin.to(place), rays.direction.to(place))
    kernels.line_integral_adjoint(depth, grid, bounds, rays.origin.to(place), rays.direction.to(place))
    bundle = kernels.joseph_rays(SHAPE, bounds, cameras, torch.ones(VIEWS, *SIZE, dtype=torch.bool), grid.cpu() > 0.2)
    projected = bundle.forward(grid)
    bundle.adjoint(projected)
    bundle.normal(grid, projected, projected)
    kernels.smooth_step(grid, grid, grid, grid, (0.1, 0.1), 0.5)
    steps = walk(rays, bounds.cpu(), SHAPE, 0.1, torch.float32)
    steps = type(steps)(*(part.to(place) for part in (steps.start, steps.step, steps.length, steps.count)))
    lights = torch.ones(len(rays.origin), 6, device=place)
    lit = torch.stack([grid] * 4, -1)
    table = torch.rand(4, 4, device=place)
    rules = Rules(shade=Shade(lights))
    result = kernels.composite(lit, steps, table, rules)
    kernels.composite_adjoint(result, result, lit, steps, table, rules)
