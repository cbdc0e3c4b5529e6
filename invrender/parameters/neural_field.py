"""A density as a neural field: a latent grid, read trilinearly, and a small network on top.

The network turns each latent vector into a density; softplus keeps it positive.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional

from invrender.solve.protocol import Params

Tensor = torch.Tensor

FOG = -2.0  # bias of the last layer at the start: a little density everywhere


@dataclass(frozen=True)
class FieldSettings:
    """How the field is built.

    Attributes:
        latents: numbers per vertex of the latent grid.
        coarseness: samples of the density's grid per vertex of the latent grid.
        hidden: width of the network's one hidden layer.
        seed: of the first latents and weights.
    """

    latents: int = 8
    coarseness: int = 2
    hidden: int = 16
    seed: int = 0


@dataclass(frozen=True)
class NeuralField:
    """The map from latents and weights to a density.

    Attributes:
        shape: (D, H, W) of the grid on which the density is sampled.
        bounds: [2,3] of its box.
        level: densities are this times the network's output.
        support: [D,H,W] bool, where the sampled density may be above 0.
        settings: how it is built.
    """

    shape: tuple[int, int, int]
    bounds: Tensor
    level: float
    support: Tensor
    settings: FieldSettings

    def initial(self) -> Params:
        """Random latents [1,C,d,h,w], and the weights and biases of both layers."""
        generator = torch.Generator().manual_seed(self.settings.seed)
        latents, hidden = self.settings.latents, self.settings.hidden
        size = [max(2, math.ceil(n / self.settings.coarseness)) for n in self.shape]
        return {
            "latents": 0.1 * torch.randn(1, latents, *size, generator=generator),
            "inner_weight": _spread(hidden, latents, generator),
            "inner_bias": torch.zeros(hidden),
            "outer_weight": _spread(1, hidden, generator),
            "outer_bias": torch.full((1,), FOG),
        }

    def density(self, params: Params) -> Callable[[Tensor], Tensor]:
        """Points [M,3] of the world to densities [M]; zero outside the box."""
        low, high = self.bounds[0].float(), self.bounds[1].float()

        def field(points: Tensor) -> Tensor:
            unit = 2 * (points - low) / (high - low) - 1
            found = functional.grid_sample(
                params["latents"], unit[None, None, None], align_corners=True, padding_mode="border"
            )[0, :, 0, 0].T
            inner = torch.relu(functional.linear(found, params["inner_weight"], params["inner_bias"]))
            values = functional.softplus(functional.linear(inner, params["outer_weight"], params["outer_bias"])[:, 0])
            return torch.where((unit.abs() <= 1 + 1e-5).all(-1), self.level * values, 0.0)

        return field

    @torch.no_grad()
    def decode(self, params: Params) -> Tensor:
        """The density [D,H,W] on the vertices of the grid."""
        field = self.density(params)
        low, high = self.bounds.float()
        axes = [torch.linspace(float(low[a]), float(high[a]), self.shape[2 - a]) for a in range(3)]
        y, x = torch.meshgrid(axes[1], axes[0], indexing="ij")
        layers = [field(torch.stack([x, y, z.expand_as(x)], -1).reshape(-1, 3)).reshape(y.shape) for z in axes[2]]
        return torch.where(self.support, torch.stack(layers), 0.0)


def _spread(rows: int, columns: int, generator: torch.Generator) -> Tensor:
    """A layer's weights [rows,columns] at the start."""
    spread = 1 / math.sqrt(columns)
    return torch.empty(rows, columns).uniform_(-spread, spread, generator=generator)
