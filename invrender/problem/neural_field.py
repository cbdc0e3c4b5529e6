"""A density as a neural field, learned from transmittance by marching jittered rays.

The field is a latent grid, read trilinearly, and a small network on top that turns each latent vector into a density
(softplus keeps it positive). Unlike a grid of densities it is never solved for, only trained: every step takes random
pixels and compares transmittances, so saturated rays say little and no logarithm of noisy pixels is needed.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import nn

from invrender.nouns import Rays
from invrender.problem.transmittance import Problem, Result, Step
from invrender.volume.estimators import box_ends, ray_marching
from invrender.volume.geometry import pixel_directions
from invrender.volume.measurement import Measurement

Tensor = torch.Tensor


PICTURES = 40  # steps that the loop yields, evenly spread over the training


@dataclass(frozen=True)
class FieldSettings:
    """How the field is built and trained.

    Attributes:
        iterations: steps, each with new pixels.
        latents: numbers per vertex of the latent grid.
        coarseness: samples of the density's grid per vertex of the latent grid.
        hidden: width of the network's one hidden layer.
        rays, steps: of a training step: pixels, and samples on each.
        rate: of Adam at the start; it falls to a tenth.
        seed: of everything random.
    """

    iterations: int = 400
    latents: int = 8
    coarseness: int = 2
    hidden: int = 16
    rays: int = 2048
    steps: int = 64
    rate: float = 0.03
    seed: int = 0


class DensityField(nn.Module):
    """Points [M,3] of the world to densities [M]; zero outside the box."""

    low: Tensor
    high: Tensor

    def __init__(self, shape: tuple[int, int, int], bounds: Tensor, level: float, settings: FieldSettings) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(settings.seed)
        size = [max(2, math.ceil(n / settings.coarseness)) for n in shape]
        self.latents = nn.Parameter(0.1 * torch.randn(1, settings.latents, *size, generator=generator))
        self.inner = nn.Linear(settings.latents, settings.hidden)
        self.outer = nn.Linear(settings.hidden, 1)
        with torch.no_grad():
            for layer in (self.inner, self.outer):
                spread = 1 / math.sqrt(layer.in_features)
                layer.weight.uniform_(-spread, spread, generator=generator)
                layer.bias.zero_()
            self.outer.bias.fill_(-2.0)
        self.level = level
        self.register_buffer("low", bounds[0].float())
        self.register_buffer("high", bounds[1].float())

    def forward(self, points: Tensor) -> Tensor:
        """[M,3] to [M]."""
        unit = 2 * (points - self.low) / (self.high - self.low) - 1
        found = nn.functional.grid_sample(
            self.latents, unit[None, None, None], align_corners=True, padding_mode="border"
        )[0, :, 0, 0].T
        values = nn.functional.softplus(self.outer(torch.relu(self.inner(found)))[:, 0])
        return torch.where((unit.abs() <= 1 + 1e-5).all(-1), self.level * values, 0.0)

    @torch.no_grad()
    def sampled(self, shape: tuple[int, int, int]) -> Tensor:
        """The density [D,H,W] on the vertices of a grid in the same box."""
        axes = [torch.linspace(float(self.low[a]), float(self.high[a]), shape[2 - a]) for a in range(3)]
        layers = []
        for z in axes[2]:
            y, x = torch.meshgrid(axes[1], axes[0], indexing="ij")
            layers.append(self(torch.stack([x, y, z.expand_as(x)], -1).reshape(-1, 3)).reshape(y.shape))
        return torch.stack(layers)


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
