"""A density as a neural field: a latent grid, read trilinearly, and a small network on top."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

Tensor = torch.Tensor


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
