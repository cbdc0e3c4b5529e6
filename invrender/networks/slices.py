"""A small network for voxels in camera space: geometry and slices in, a picture out.

What the camera sees of the voxels (`geometry_buffer`), where each pixel is, and the voxels themselves, as slices that
each hold the fullest of several in depth, are the channels of pictures; a U-Net (Ronneberger et al. 2015) draws what
light makes of them. Deep shading (Nalbach et al. 2017) works from such buffers; slices let it see what casts shadows.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from invrender.networks.geometry import channels, geometry_buffer

Tensor = torch.Tensor

SLOPE = 0.1  # of the leaky rectifier below zero


class Slices(nn.Module):
    """Voxels [B,C,D,H,W] to pictures [B,C',H',W'], with D, H and W divisible by 8.

    Args:
        voxels: (C, D, H, W) of a sample.
        pictures: (H, W, C) of a sample.
        width: channels of the finest level of the U-Net; 2, 4 and 4 times as many below.
        slices: into how many the depth is pooled; fewer where there are fewer.
    """

    def __init__(
        self, voxels: tuple[int, int, int, int], pictures: tuple[int, int, int], width: int = 24, slices: int = 16
    ) -> None:
        super().__init__()
        self.slices = min(slices, voxels[1])
        self.size = pictures[:2]
        entering = channels(voxels[0]) + self.slices + 2
        self.down = nn.ModuleList(
            [_block(a, b) for a, b in ((entering, width), (width, 2 * width), (2 * width, 4 * width))]
        )
        self.bottom = _block(4 * width, 4 * width)
        self.up = nn.ModuleList([_block(a, b) for a, b in ((8 * width, 2 * width), (4 * width, width), (2 * width, width))])
        self.finer = self.size[0] // voxels[2] if self.size[0] % voxels[2] == 0 else 1
        if self.size != (voxels[2] * self.finer, voxels[3] * self.finer):
            self.finer = 1
        self.last = nn.Conv2d(width, pictures[2] * self.finer**2, 1 if self.finer == 1 else 3, padding="same")

    def forward(self, voxels: Tensor) -> Tensor:
        """[B,C',H',W'], as the pictures that it learnt from are encoded."""
        found, levels = self._entering(voxels), []
        for block in self.down:
            found = block(found)
            levels.append(found)
            found = functional.avg_pool2d(found, 2)
        found = self.bottom(found)
        for block in self.up:
            larger = functional.interpolate(found, scale_factor=2, mode="bilinear")
            found = block(torch.cat([larger, levels.pop()], 1))
        return fitted(functional.pixel_shuffle(self.last(found), self.finer), self.size)

    def _entering(self, voxels: Tensor) -> Tensor:
        batch, _, _, height, width = voxels.shape
        pooled = self._pooled(voxels[:, 0])
        across = torch.linspace(-1, 1, width, device=voxels.device, dtype=voxels.dtype).expand(batch, 1, height, width)
        down = torch.linspace(-1, 1, height, device=voxels.device, dtype=voxels.dtype)[:, None].expand_as(across)
        return torch.cat([geometry_buffer(voxels), pooled, across, down], 1)

    def _pooled(self, occupancy: Tensor) -> Tensor:
        """The fullest of the slices in each of as many parts, [B,S,H,W]."""
        depth, height, width = occupancy.shape[1:]
        if depth % self.slices == 0:
            return occupancy.unflatten(1, (self.slices, -1)).amax(2)
        return functional.adaptive_max_pool3d(occupancy[:, None], (self.slices, height, width))[:, 0]


def _block(entering: int, leaving: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(entering, leaving, 3, padding=1),
        nn.LeakyReLU(SLOPE),
        nn.Conv2d(leaving, leaving, 3, padding=1),
        nn.LeakyReLU(SLOPE),
    )


def fitted(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    """Pictures of the size that was learnt; where it is no multiple of the voxels', by interpolation."""
    if pictures.shape[-2:] == size:
        return pictures
    return functional.interpolate(pictures, size=size, mode="bilinear")
