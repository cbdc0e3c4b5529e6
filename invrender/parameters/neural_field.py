"""Functions of place that are learned: densities, colours, phase functions, environments, as a network on few numbers.

Points of a box go through a latent grid, read trilinearly, or through sines and cosines of rising frequency (Mildenhall
et al. 2020, NeRF), then through a small network, whose outputs are brought into the ranges that they need. Weights are
plain tensors by name, so that any solver can move them, and a field put on a grid (`NeuralField.volume`) is a volume
like any other: gradients of a picture of it, by whatever kernels, go on to the weights.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch.nn import functional

from invrender.nouns.medium import on_grid
from invrender.nouns.volume import Volume
from invrender.solve.protocol import Params

Tensor = torch.Tensor
Kind = Literal["latents", "network"]
Output = Literal["positive", "share", "cosine", "radiance", "any"]

FOG = -2.0  # bias of a positive output at the start: a little density everywhere
EDGE = 1e-5  # of the box, by which rounding may take a point of its faces outside
TOUCHED = 1e-4  # trilinear weight of the support from which a point belongs to it
PART = 1 << 18  # points that go through the network at once

_RANGES: Mapping[Output, Callable[[Tensor], Tensor]] = {
    "positive": functional.softplus,
    "share": torch.sigmoid,
    "cosine": torch.tanh,
    "radiance": torch.exp,
    "any": lambda raw: raw,
}
SCALED: frozenset[Output] = frozenset(("positive", "radiance", "any"))
"""The outputs that have no bound, and are in units of the field's level."""


@dataclass(frozen=True)
class FieldSettings:
    """How a field is built.

    Attributes:
        latents: numbers per vertex of the latent grid.
        coarseness: samples of the field's grid per vertex of the latent grid.
        hidden: width of the network's hidden layers.
        seed: of the first latents and weights.
        kind: latents: a latent grid below the network; network: a positional encoding.
        layers: how many hidden ones.
        frequencies: of the encoding: sines and cosines of pi x, 2 pi x, 4 pi x, ... for x from -1 to 1 in the box.
    """

    latents: int = 8
    coarseness: int = 2
    hidden: int = 16
    seed: int = 0
    kind: Kind = "latents"
    layers: int = 1
    frequencies: int = 5

    @staticmethod
    def of_kind(kind: Kind, seed: int = 0) -> FieldSettings:
        """What suits a kind: a wider and deeper network where there is no latent grid below it."""
        if kind == "latents":
            return FieldSettings(seed=seed)
        return FieldSettings(seed=seed, kind=kind, hidden=64, layers=2)


@dataclass(frozen=True)
class NeuralField:
    """The map from latents and weights to a function of place with C channels.

        field = NeuralField((64, 64, 64), volume.bounds, 5.0)                    # a density, 5 per length or so
        params = {name: value.requires_grad_() for name, value in field.initial().items()}
        medium = Medium(field.volume(params), albedo=0.9)                        # drawn, the gradient is the weights'

    Attributes:
        shape: (D, H, W) of the grid on which it is sampled unless another one is asked for.
        bounds: [2,3] of its box, outside of which it is zero.
        level: outputs without a bound are this times the network's.
        support: [D,H,W] bool, where it may differ from 0, or None: everywhere in the box.
        settings: how it is built.
        outputs: the range of each channel: positive (softplus), share (0 to 1), cosine (-1 to 1), radiance (above 0,
            exponential, for what spans magnitudes) or any.
    """

    shape: tuple[int, int, int]
    bounds: Tensor
    level: float
    support: Tensor | None = None
    settings: FieldSettings = field(default_factory=FieldSettings)
    outputs: tuple[Output, ...] = ("positive",)

    @property
    def sizes(self) -> Mapping[str, tuple[int, ...]]:
        """Of the tensors: latents [1,L,d,h,w], where there are any, weight_0, bias_0, weight_1, ... by layer."""
        settings = self.settings
        latents = (1, settings.latents, *(max(2, math.ceil(n / settings.coarseness)) for n in self.shape))
        entering = settings.latents if settings.kind == "latents" else 3 + 6 * settings.frequencies
        widths = [entering, *[settings.hidden] * settings.layers, len(self.outputs)]
        found: dict[str, tuple[int, ...]] = {"latents": latents} if settings.kind == "latents" else {}
        for layer, (columns, rows) in enumerate(itertools.pairwise(widths)):
            found |= {f"weight_{layer}": (rows, columns), f"bias_{layer}": (rows,)}
        return found

    def initial(self) -> Params:
        """The tensors to start from, named and shaped as in `sizes`: random, but for biases."""
        generator = torch.Generator().manual_seed(self.settings.seed)
        params = {}
        for name, size in self.sizes.items():
            if name == "latents":
                params[name] = 0.1 * torch.randn(size, generator=generator)
            elif name.startswith("weight"):
                spread = 1 / math.sqrt(size[1])
                params[name] = torch.empty(size).uniform_(-spread, spread, generator=generator)
            else:
                params[name] = torch.zeros(size)
        first = torch.tensor([FOG if output == "positive" else 0.0 for output in self.outputs])
        return {**params, f"bias_{self.settings.layers}": first}

    def function(self, params: Params) -> Callable[[Tensor], Tensor]:
        """Points [M,3] of the world to values [M,C] in their dtype; zero outside the box and the support."""

        def values(points: Tensor) -> Tensor:
            return torch.cat([self._values(params, part) for part in points.split(PART)])

        return values

    def density(self, params: Params) -> Callable[[Tensor], Tensor]:
        """Points [M,3] of the world to the values [M] of the first channel."""
        values = self.function(params)
        return lambda points: values(points)[:, 0]

    def volume(self, params: Params, shape: tuple[int, int, int] | None = None) -> Volume:
        """The field on the vertices of a grid, [C,D,H,W]; differentiable in the parameters."""
        return on_grid(self.function(params), self.bounds.to(params["bias_0"].device), shape or self.shape)

    @torch.no_grad()
    def decode(self, params: Params) -> Tensor:
        """The first channel [D,H,W] on the field's own grid."""
        return self.volume(params).values[0]

    def _values(self, params: Params, points: Tensor) -> Tensor:
        low, high = self.bounds.to(points)
        unit = (2 * (points - low) / (high - low) - 1).to(params["bias_0"].dtype)
        inside = (unit.abs() <= 1 + EDGE).all(-1)
        if self.support is not None:
            inside = inside & (_sampled(self.support[None, None].to(unit), unit)[:, 0] > TOUCHED)
        ranged = self._ranged(self._network(params, unit[inside]))
        values = ranged.new_zeros(len(points), len(self.outputs))
        return values.masked_scatter(inside[:, None], ranged).to(points.dtype)

    def _ranged(self, raw: Tensor) -> Tensor:
        """What the last layer says [M,C], brought into the channels' ranges."""
        scale = [self.level if output in SCALED else 1.0 for output in self.outputs]
        return torch.stack(
            [s * _RANGES[o](raw[:, c]) for c, (o, s) in enumerate(zip(self.outputs, scale, strict=True))], 1
        )

    def _network(self, params: Params, unit: Tensor) -> Tensor:
        """What the last layer says [M,C] of places [M,3] from -1 to 1."""
        if self.settings.kind == "latents":
            found = _sampled(params["latents"], unit)
        else:
            found = encoded(unit, self.settings.frequencies)
        for layer in range(self.settings.layers):
            found = torch.relu(functional.linear(found, params[f"weight_{layer}"], params[f"bias_{layer}"]))
        last = self.settings.layers
        return functional.linear(found, params[f"weight_{last}"], params[f"bias_{last}"])


@dataclass(frozen=True)
class LearnedField:
    """A neural field with its weights: a function of place that can be called, put on a grid, written and read.

        field = invrender.fit_field(volume)
        values = field(points)                   # [M,3] to [M,C]
        finer = field.volume((64, 64, 64))
        invrender.write("field.npz", field)      # and invrender.read_field("field.npz")

    Attributes:
        field: how it is built.
        params: its latents and weights; where these ask for gradients, they get them.
    """

    field: NeuralField
    params: Params

    def __call__(self, points: Tensor) -> Tensor:
        """Points [M,3] of the world to values [M,C] in their dtype; zero outside the field's box."""
        return self.field.function(self.params)(points)

    def volume(self, shape: tuple[int, int, int] | None = None) -> Volume:
        """The field on the vertices of a grid (D,H,W), or of its own one; differentiable."""
        return self.field.volume(self.params, shape)


def encoded(unit: Tensor, frequencies: int) -> Tensor:
    """Places [M,3] with their sines and cosines, [M, 3 + 6 frequencies]."""
    waves = [unit * (math.pi * 2**octave) for octave in range(frequencies)]
    return torch.cat([unit, *(torch.sin(wave) for wave in waves), *(torch.cos(wave) for wave in waves)], 1)


def _sampled(grid: Tensor, unit: Tensor) -> Tensor:
    """[M,C] of a grid [1,C,D,H,W] at places [M,3] from -1 to 1, trilinear."""
    found = functional.grid_sample(grid, unit[None, None, None], align_corners=True, padding_mode="border")
    return found[0, :, 0, 0].T
