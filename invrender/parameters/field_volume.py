"""Density and colour as one neural field, shown on grids of any resolution: what `raw_volume` has as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.kernels.compositing import Rules
from invrender.nouns import Volume
from invrender.parameters.neural_field import FieldSettings, NeuralField, Output
from invrender.parameters.raw_volume import sharpest, variation
from invrender.solve.protocol import Params

Tensor = torch.Tensor

CHANNELS: tuple[Output, ...] = ("positive", "share", "share", "share")  # extinction, red, green, blue


def colour_field(support: Tensor, bounds: Tensor, settings: FieldSettings) -> NeuralField:
    """The field of extinction and colour in a box [2,3], on a support [D,H,W] that is above 0 where it may be."""
    depth, height, width = support.shape
    return NeuralField((depth, height, width), bounds, sharpest(bounds), support > 0, settings, CHANNELS)


@dataclass(frozen=True)
class FieldGrid:
    """A field of density and colour, on a grid (D,H,W)."""

    field: NeuralField
    size: tuple[int, int, int]

    def scene(self, params: Params) -> tuple[Tensor, Tensor | None, Rules]:
        """What the compositing kernel takes: grid [D,H,W,4], no table, and the rules."""
        grid = self.field.volume(params, self.size).values.permute(1, 2, 3, 0).contiguous()
        return grid, None, Rules("early-termination")

    def roughness(self, params: Params, grid: Tensor) -> Tensor:
        """Total variation of what the parameters show as `grid`; see `variation`."""
        del params
        return variation(grid, self.field.bounds)

    def decode(self, params: Params) -> Volume:
        """Extinction per world unit and linear RGB, as a volume of four channels."""
        with torch.no_grad():
            found = self.field.volume(params, self.size)
        return Volume(found.values.contiguous().cpu(), self.field.bounds)
