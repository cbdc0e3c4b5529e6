"""A network that has learnt, as a renderer: voxels or a volume in, pictures out; differentiable in the voxels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from invrender.errors import InputError
from invrender.networks.names import Architecture
from invrender.networks.staging import staged
from invrender.nouns.volume import Volume

Tensor = torch.Tensor


@dataclass(frozen=True)
class TrainedNetwork:
    """A network with its weights.

        network = invrender.read_network("outputs/run")
        pictures = network.render(volume, [0, 45, 90])   # [3,H,W,C], as screens show them; differentiable

    Attributes:
        architecture: how it is built.
        module: what computes; its weights ask for no gradients.
    """

    architecture: Architecture
    module: nn.Module

    def pictures(self, voxels: Tensor) -> Tensor:
        """Pictures [B,H,W,C], encoded like those that it learnt from, of voxels [B,C,D,H,W] in camera space.

        Raises:
            InputError: the voxels are of another shape than those that it learnt from.
        """
        if voxels.shape[1:] != self.architecture.voxels:
            wanted, found = (" x ".join(map(str, s)) for s in (self.architecture.voxels, voxels.shape[1:]))
            raise InputError(
                f"the network takes voxels of {wanted}, and these are {found}",
                "train one on such voxels, or make them of the size that it takes",
            )
        drawn: Tensor = self.module(voxels)
        return drawn.permute(0, 2, 3, 1)

    def render(self, volume: Volume, turns: list[float] | Tensor) -> Tensor:
        """Pictures [N,H,W,C] of a volume that stands on the network's stage, turned about the vertical axis.

        Args:
            volume: occupancy from 0 to 1, as `networks.staging.placed` puts it on the stage; one channel, or four with
                albedo.
            turns: N angles in degrees, anticlockwise as seen from above.

        Raises:
            InputError: the network's stage is not known, or it takes other channels.
        """
        return torch.cat([self.pictures(staged(volume, self.architecture, float(turn))) for turn in turns])
