"""A small network for voxels in camera space: geometry and slices in, a picture out.

What the camera sees of the voxels (`geometry_buffer`), where each pixel is, and the voxels themselves, as slices that
each hold the fullest of several in depth, are the channels of pictures; a U-Net (Ronneberger et al. 2015) at half their
resolution finds what light makes of them, and two convolutions at full resolution draw it along the edges of the
geometry. Deep shading (Nalbach et al. 2017) works from such buffers; slices let it see what casts shadows.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from invrender.networks.geometry import channels, geometry_buffer

Tensor = torch.Tensor

SLOPE = 0.1  # of the leaky rectifier below zero
MULTIPLE = 16  # of which sides are padded to: half the resolution, and three times half of that
FINE, DRAWN = 16, 24  # channels at full resolution: from the U-Net, and between the last convolutions
FAINT = 0.1  # factor on the last layer's first weights, so that learning begins near a grey picture
GREY = 0.3


class Slices(nn.Module):
    """Voxels [B,C,D,H,W] to pictures [B,C',H',W'].

    Args:
        voxels: (C, D, H, W) of a sample.
        pictures: (H', W', C') of a sample.
        width: channels of the finest level of the U-Net; 2, 4 and 4 times as many below.
        slices: into how many the depth is pooled; fewer where there are fewer.
    """

    def __init__(
        self, voxels: tuple[int, int, int, int], pictures: tuple[int, int, int], width: int = 32, slices: int = 16
    ) -> None:
        super().__init__()
        self.slices = min(slices, voxels[1])
        self.size = pictures[:2]
        self.guides = channels(voxels[0]) + 2
        self.finer = _finer(voxels[2:], self.size)
        levels = ((4 * (self.guides + self.slices), width), (width, 2 * width), (2 * width, 4 * width))
        self.down = nn.ModuleList([_block(*level) for level in levels])
        self.bottom = _block(4 * width, 4 * width)
        self.up = nn.ModuleList([_block(8 * width, 2 * width), _block(4 * width, width), _block(2 * width, width)])
        self.fine = nn.Conv2d(width, 4 * FINE, 1)
        self.draw = nn.Conv2d(FINE + self.guides, DRAWN, 3, padding=1)
        self.last = nn.Conv2d(DRAWN, pictures[2] * self.finer**2, 3, padding=1)
        self.apply(_scaled)  # He et al. 2015
        with torch.no_grad():
            self.last.weight.mul_(FAINT)
            self.last.bias.fill_(GREY)  # type: ignore[union-attr]

    def forward(self, voxels: Tensor) -> Tensor:
        """[B,C',H',W'], as the pictures that it learnt from are encoded."""
        height, width = voxels.shape[-2:]
        entering = self._entering(voxels)
        padded = functional.pad(entering, (0, -width % MULTIPLE, 0, -height % MULTIPLE), mode="replicate")
        found, levels = functional.pixel_unshuffle(padded, 2), []
        for block in self.down:
            found = block(found)
            levels.append(found)
            found = functional.avg_pool2d(found, 2)
        found = self.bottom(found)
        for block in self.up:
            larger = functional.interpolate(found, scale_factor=2, mode="bilinear")
            found = block(torch.cat([larger, levels.pop()], 1))
        fine = functional.pixel_shuffle(self.fine(found), 2)[..., :height, :width]
        drawn = functional.leaky_relu(self.draw(torch.cat([fine, entering[:, : self.guides]], 1)), SLOPE)
        return fitted(functional.pixel_shuffle(self.last(drawn), self.finer), self.size)

    def _entering(self, voxels: Tensor) -> Tensor:
        """Geometry, places and slices, [B,K,H,W]; the first two are `guides` channels."""
        batch, _, _, height, width = voxels.shape
        across = torch.linspace(-1, 1, width, device=voxels.device, dtype=voxels.dtype).expand(batch, 1, height, width)
        down = torch.linspace(-1, 1, height, device=voxels.device, dtype=voxels.dtype)[:, None].expand_as(across)
        return torch.cat([geometry_buffer(voxels), across, down, self._pooled(voxels[:, 0])], 1)

    def _pooled(self, occupancy: Tensor) -> Tensor:
        """The fullest of the slices in each of as many parts, [B,S,H,W]."""
        depth, height, width = occupancy.shape[1:]
        if depth % self.slices == 0:
            pooled: Tensor = occupancy.unflatten(1, (self.slices, -1)).amax(2)
            return pooled
        return functional.adaptive_max_pool3d(occupancy[:, None], (self.slices, height, width))[:, 0]


def _finer(voxels: tuple[int, int], pictures: tuple[int, int]) -> int:
    """How many times finer pictures are than voxels, where that is a whole number; else 1, and they are fitted."""
    times = pictures[0] // voxels[0]
    return times if times and pictures == (voxels[0] * times, voxels[1] * times) else 1


def _block(entering: int, leaving: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(entering, leaving, 3, padding=1),
        nn.LeakyReLU(SLOPE),
        nn.Conv2d(leaving, leaving, 3, padding=1),
        nn.LeakyReLU(SLOPE),
    )


def _scaled(layer: nn.Module) -> None:
    """First weights that neither swell nor fade from layer to layer."""
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, SLOPE)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def fitted(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    """Pictures [B,C,H,W] of the size that was learnt, by interpolation where they are of another."""
    if pictures.shape[-2:] == size:
        return pictures
    return functional.interpolate(pictures, size=size, mode="bilinear")
