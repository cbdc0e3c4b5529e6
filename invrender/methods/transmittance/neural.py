"""A density as a neural field, learned from transmittance by marching jittered rays.

The field is a latent grid, read trilinearly, and a small network on top that turns each latent vector into a density
(softplus keeps it positive). Unlike a grid of densities it is never solved for, only trained: every step takes random
pixels and compares transmittances, so saturated rays say little and no logarithm of noisy pixels is needed.
"""

from __future__ import annotations

from collections.abc import Generator

import torch

from invrender.cameras.rays import pixel_directions
from invrender.methods.transmittance.measurement import Measurement
from invrender.methods.transmittance.schedule import Problem, Result, Step
from invrender.nouns import Rays
from invrender.parameters.neural_field import DensityField, FieldSettings
from invrender.render.estimators import box_ends, ray_marching

Tensor = torch.Tensor


PICTURES = 40  # steps that the loop yields, evenly spread over the training


def train(problem: Problem, settings: FieldSettings, pictures: int = PICTURES) -> Generator[Step, None, Result]:
    """Yield `pictures` steps evenly spread over the training, and return the density on the problem's grid."""
    data = problem.measurement
    generator = torch.Generator().manual_seed(settings.seed)
    field = DensityField(problem.shape, problem.bounds.cpu(), problem.level, settings)
    optimiser = torch.optim.Adam(field.parameters(), lr=settings.rate)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, 0.1 ** (1 / settings.iterations))
    pixels = problem.wanted.reshape(-1).nonzero()[:, 0]
    support = problem.support.cpu()
    total, running = pictures, 0.0
    for iteration in range(settings.iterations):
        chosen = pixels[torch.randint(len(pixels), (settings.rays,), generator=generator)]
        loss = _loss(field, data, chosen, problem.bounds.cpu(), settings.steps, generator)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        running += float(loss.detach())
        due = (iteration + 1) * total // settings.iterations
        if due > iteration * total // settings.iterations:
            estimate = torch.where(support, field.sampled(problem.shape), 0.0)
            yield Step("train", due - 1, total, estimate, {"misfit": running, "smoothing": 0.0})
            running = 0.0
    density = torch.where(support, field.sampled(problem.shape), 0.0)
    return Result(density, 0.0, {}, float(support.double().mean()), settings.rays * settings.steps)


def _loss(
    field: DensityField, data: Measurement, chosen: Tensor, bounds: Tensor, steps: int, generator: torch.Generator
) -> Tensor:
    """Mean squared difference of transmittances on the chosen pixels."""
    rays = pixel_rays(data, chosen)
    ends = box_ends(rays, bounds.float())
    shown = ray_marching(field, rays, ends, steps, generator)
    target = torch.exp(-data.depth.reshape(-1)[chosen])
    return (shown - target).square().mean()


def pixel_rays(data: Measurement, pixels: Tensor) -> Rays:
    """Float32 rays through pixels [P], counted through all views, rows and columns."""
    height, width = data.cameras.size
    view, place = pixels // (height * width), pixels % (height * width)
    at = torch.stack([place % width + 0.5, place // width + 0.5, torch.ones(len(pixels))], -1).double()
    direction = (pixel_directions(data.cameras)[view] @ at[..., None])[..., 0]
    return Rays(data.cameras.position[view].float(), torch.nn.functional.normalize(direction, dim=-1).float())
