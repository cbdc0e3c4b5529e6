"""Density, colour and transfer functions as unconstrained numbers: softplus gives extinction, sigmoid colours."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.cameras.volume_rigs import volume_frame
from invrender.kernels.compositing import Rules
from invrender.nouns import TransferFunction, Volume
from invrender.nouns.transfer import REFERENCE
from invrender.solve.protocol import Params

Tensor = torch.Tensor

RAW = "raw"
SHARPEST = 20.0  # extinction per longest axis of a raw value of 1
FIRST = -3.0  # raw extinction to start from: a faint fog


@dataclass(frozen=True)
class RawGrid:
    """Density and colour on a grid as raw numbers [D,H,W,4].

    Attributes:
        support: [D,H,W] float, 0 where the density is held at zero, else 1.
        bounds: [2,3] of the grid.
    """

    support: Tensor
    bounds: Tensor

    def scene(self, params: Params) -> tuple[Tensor, Tensor | None, Rules]:
        """What the compositing kernel takes: grid [D,H,W,4], no table, and the rules."""
        raw = params[RAW]
        sigma = torch.nn.functional.softplus(raw[..., :1]) * sharpest(self.bounds) * self.support[..., None]
        return torch.cat([sigma, torch.sigmoid(raw[..., 1:])], -1), None, Rules("early-termination")

    def roughness(self, params: Params, grid: Tensor) -> Tensor:
        """Total variation of what the parameters show as `grid`; see `variation`."""
        del params
        return variation(grid, self.bounds)

    def decode(self, params: Params) -> Volume:
        """Extinction per world unit and linear RGB, as a volume of four channels."""
        with torch.no_grad():
            grid, _, _ = self.scene(params)
        return Volume(grid.permute(3, 0, 1, 2).contiguous().cpu(), self.bounds)


@dataclass(frozen=True)
class RawTable:
    """A transfer function as raw numbers [K,4] over a known volume.

    Attributes:
        known: the volume.
        window: the values that the first and the last row stand for.
    """

    known: Volume
    window: tuple[float, float]

    def scene(self, params: Params) -> tuple[Tensor, Tensor | None, Rules]:
        """What the compositing kernel takes: grid [D,H,W,1], table [K,4] and the rules."""
        raw = params[RAW]
        grid = self.known.values.permute(1, 2, 3, 0).contiguous().to(raw)
        sigma = torch.nn.functional.softplus(raw[:, 3:]) * SHARPEST / volume_frame(self.known)[1]
        return grid, torch.cat([torch.sigmoid(raw[:, :3]), sigma], 1), Rules("early-termination", *self.window)

    def roughness(self, params: Params, grid: Tensor) -> Tensor:
        """Squared second differences of the raw curves; the grid is known."""
        del grid
        return 1e-5 * params[RAW].diff(n=2, dim=0).square().sum()

    def decode(self, params: Params) -> TransferFunction:
        """The transfer function."""
        with torch.no_grad():
            _, table, _ = self.scene(params)
        assert table is not None
        opacity = 1 - torch.exp(-table[:, 3] * REFERENCE * volume_frame(self.known)[1])
        return TransferFunction(table[:, :3].cpu(), opacity.cpu(), *self.window)


def sharpest(bounds: Tensor) -> float:
    """The extinction per world unit that a raw value of 1 stands for, about, in a box [2,3]."""
    return SHARPEST / float((bounds[1] - bounds[0]).max())


def variation(grid: Tensor, bounds: Tensor) -> Tensor:
    """Total variation of what a grid [D,H,W,4] shows, per sample: extinction times colour, and extinction."""
    sigma = grid[..., :1] / sharpest(bounds)
    shown = torch.cat([sigma, sigma * grid[..., 1:]], -1)
    return 1e-3 * torch.as_tensor(sum(shown.diff(dim=axis).abs().mean() for axis in range(3)))


def fog(size: tuple[int, ...]) -> Params:
    """Raw numbers [*size,4] of a faint grey fog: (extinction, colour) on grids."""
    raw = torch.zeros(*size, 4)
    raw[..., 0] = FIRST
    return {RAW: raw}


def faint_table(rows: int) -> Params:
    """Raw numbers [rows,4] of a faint grey table: (colour, extinction), as tables have it."""
    raw = torch.zeros(rows, 4)
    raw[:, 3] = FIRST
    return {RAW: raw}


def resampled(params: Params, size: tuple[int, int, int]) -> Params:
    """The raw numbers of a grid on another one [D,H,W] in the same box, trilinear."""
    old = params[RAW].permute(3, 0, 1, 2)[None]
    new = torch.nn.functional.interpolate(old, size=size, mode="trilinear", align_corners=True)
    return {RAW: new[0].permute(1, 2, 3, 0).contiguous()}
