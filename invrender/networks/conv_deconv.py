"""The networks of VoxelNeuralRender: three-dimensional convolutions down, two-dimensional deconvolutions up.

`ConvDeconv` is its version 001, layer by layer: 48,271,745 parameters, for 256^3 voxels and 256^2 pictures. Between its
halves it reads the numbers of [1024,16,16,16] as [1024,64,64], which mixes depth with rows and needs a cube of N/16 a
side to hold a square number: N of 16, 64 or 256. `ConvDeconvApart` keeps depth apart: its slices become channels, which
a convolution of one pixel projects (RenderNet's projection unit, Nguyen-Phuoc et al. 2018), for any N divisible by 8.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import nn
from torch.nn import functional

from invrender.errors import UsageError
from invrender.networks.slices import fitted

Tensor = torch.Tensor

STAGES = (64, 128, 512, 1024)  # channels behind each halving
MIDDLE = 512  # channels between the deconvolutions
SLOPE = 0.01  # of the leaky rectifier below zero


def _wide(channels: int, width: float) -> int:
    return max(1, round(channels * width))


class _Halving(nn.Module):
    """Half the resolution, and one convolution of single voxels: what the original does four times."""

    def __init__(self, entering: int, leaving: int) -> None:
        super().__init__()
        self.halve = nn.Conv3d(entering, leaving, 4, 2, padding=1)
        self.mix = nn.Conv3d(leaving, leaving, 1)

    def forward(self, voxels: Tensor) -> Tensor:
        """[B,C,D,H,W] to [B,C',D/2,H/2,W/2]."""
        halved = functional.leaky_relu(self.halve(voxels), SLOPE)
        return functional.leaky_relu(self.mix(functional.max_pool3d(halved, 3, 1, 1)), SLOPE)


class ConvDeconv(nn.Module):
    """The original: voxels [B,C,N,N,N] to pictures [B,C',H,W].

    Args:
        voxels: (C, N, N, N) of a sample, N of 16, 64 or 256.
        pictures: (H, W, C') of a sample; from N^2 / 4 pixels of 64^3 voxels it comes by interpolation.
        width: factor on the channels of all layers; 1: the original's.

    Raises:
        UsageError: there is no such network for these voxels.
    """

    def __init__(self, voxels: tuple[int, int, int, int], pictures: tuple[int, int, int], width: float = 1.0) -> None:
        super().__init__()
        side = voxels[1]
        if set(voxels[1:]) != {side} or side not in (16, 64, 256):
            shown = " x ".join(map(str, voxels[1:]))
            raise UsageError(
                f"the network conv-deconv takes cubes of 16, 64 or 256 voxels a side, and these are {shown}",
                "use --network conv-deconv-apart or slices, which take any size divisible by 8",
            )
        self.size = pictures[:2]
        widths = [voxels[0], *(_wide(n, width) for n in STAGES)]
        middle = _wide(MIDDLE, width)
        self.down = nn.Sequential(*(_Halving(a, b) for a, b in itertools.pairwise(widths)))
        self.up = nn.Sequential(
            nn.ConvTranspose2d(widths[-1], middle, 4, 2, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.ConvTranspose2d(middle, middle, 1),
            nn.LeakyReLU(SLOPE),
            nn.ConvTranspose2d(middle, pictures[2], 4, 2, padding=1),
        )

    def forward(self, voxels: Tensor) -> Tensor:
        """[B,C',H,W], as the pictures that it learnt from are encoded."""
        found = self.down(voxels)
        side = math.isqrt(found[0, 0].numel())
        return fitted(self.up(found.reshape(len(found), -1, side, side)), self.size)


class ConvDeconvApart(nn.Module):
    """The same with depth kept apart from rows: voxels [B,C,D,H,W], all divisible by 8, to pictures [B,C',H',W'].

    Args:
        voxels: (C, D, H, W) of a sample.
        pictures: (H, W, C') of a sample.
        width: factor on the channels of all layers.
    """

    def __init__(self, voxels: tuple[int, int, int, int], pictures: tuple[int, int, int], width: float = 1.0) -> None:
        super().__init__()
        self.size = pictures[:2]
        widths = [voxels[0], *(_wide(n, width) for n in STAGES[:3])]
        top, middle = _wide(STAGES[3], width), _wide(MIDDLE, width)
        self.down = nn.Sequential(*(_Halving(a, b) for a, b in itertools.pairwise(widths)))
        self.project = nn.Conv2d(widths[-1] * (voxels[1] // 8), top, 1)
        self.up = nn.Sequential(
            nn.ConvTranspose2d(top, middle, 4, 2, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.ConvTranspose2d(middle, middle, 1),
            nn.LeakyReLU(SLOPE),
            nn.ConvTranspose2d(middle, middle // 2 or 1, 4, 2, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.ConvTranspose2d(middle // 2 or 1, pictures[2], 4, 2, padding=1),
        )

    def forward(self, voxels: Tensor) -> Tensor:
        """[B,C',H',W'], as the pictures that it learnt from are encoded."""
        found = self.down(voxels)
        projected = functional.leaky_relu(self.project(found.flatten(1, 2)), SLOPE)
        return fitted(self.up(projected), self.size)
