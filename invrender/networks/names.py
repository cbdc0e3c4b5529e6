"""The networks by name, and what has to be known of one to build it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from invrender.errors import UsageError
from invrender.io.files.paths import nearest
from invrender.networks.conv_deconv import ConvDeconv, ConvDeconvApart
from invrender.networks.slices import Slices
from invrender.nouns.stage import Stage


@dataclass(frozen=True)
class Kind:
    """One kind of network.

    Attributes:
        about: in a few words.
        build: (voxels, pictures, width) to a module from [B,C,D,H,W] to [B,C',H',W'].
        width: unless another is given.
    """

    about: str
    build: Callable[[tuple[int, int, int, int], tuple[int, int, int], float], nn.Module]
    width: float


NETWORKS: Mapping[str, Kind] = {
    "slices": Kind(
        "geometry buffer and pooled slices into a small U-Net",
        lambda voxels, pictures, width: Slices(voxels, pictures, max(1, round(width))),
        32,
    ),
    "conv-deconv": Kind("VoxelNeuralRender's, for cubes of 16, 64 or 256 a side", ConvDeconv, 1.0),
    "conv-deconv-apart": Kind("the same with depth apart from rows, for any size divisible by 8", ConvDeconvApart, 1.0),
}


@dataclass(frozen=True)
class Architecture:
    """How a network is built, and what it was made for.

    Attributes:
        network: its name in `NETWORKS`.
        width: of it: channels for slices, a factor on the channels for the others.
        voxels: (C, D, H, W) of what it takes; `pictures`: (H, W, C) of what it makes.
        encoding: of the pictures' values: srgb or linear.
        stage: camera, ground and light of what it learnt from, where they are known.
    """

    network: str
    width: float
    voxels: tuple[int, int, int, int]
    pictures: tuple[int, int, int]
    encoding: str = "srgb"
    stage: Stage | None = None

    def build(self, seed: int = 0) -> nn.Module:
        """The module, with weights drawn at random.

        Raises:
            UsageError: there is no such network for voxels and pictures of these shapes.
        """
        if any(n % 8 for n in self.voxels[1:]):
            shown = " x ".join(map(str, self.voxels[1:]))
            raise UsageError(f"networks take voxels whose sides are divisible by 8, and these are {shown}", "crop them")
        state = torch.get_rng_state()
        torch.manual_seed(seed)
        try:
            return kind_called(self.network).build(self.voxels, self.pictures, self.width)
        finally:
            torch.set_rng_state(state)


def kind_called(name: str) -> Kind:
    """A kind of network.

    Raises:
        UsageError: there is none of this name.
    """
    if name not in NETWORKS:
        near = nearest(name, NETWORKS)
        hint = f"did you mean {near}? " if near else ""
        raise UsageError(f"--network is {name!r}", f"{hint}choose one of {', '.join(NETWORKS)}")
    return NETWORKS[name]


def parameters(module: nn.Module) -> dict[str, Any]:
    """The weights by name, as tensors of their own."""
    return {name: value.detach().clone() for name, value in module.named_parameters()}


def count_parameters(module: nn.Module) -> int:
    """How many numbers are learnt."""
    return sum(value.numel() for value in module.parameters())
