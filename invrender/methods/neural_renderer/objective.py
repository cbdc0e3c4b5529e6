"""How far a network's pictures are from those of a data set, and the gradient of that.

Of a run over several processes each one works on its share of every batch and of the samples that judge; the sums are
equal on all of them, and so are the steps.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.func import functional_call

from invrender.cameras.rigs import evenly
from invrender.io.pairs.dataset import Batch, Split, decoded
from invrender.io.pairs.feed import Feed
from invrender.ranks import alike as ranks
from invrender.solve.protocol import Params, Terms

Tensor = torch.Tensor

BEST = 99.0  # dB told where pictures agree to the last bit


@dataclass(frozen=True)
class Precision:
    """Of the layers: the type that autocast takes, or None for float32."""

    device: torch.device
    kind: torch.dtype | None = None

    @contextlib.contextmanager
    def layers(self) -> Iterator[None]:
        """The block's layers compute in it."""
        if self.kind is None:
            yield
        else:
            with torch.autocast(self.device.type, self.kind):
                yield


def precision(name: str, device: torch.device) -> Precision:
    """What `--precision` means on a device."""
    able = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return Precision(device, torch.bfloat16 if name == "bfloat16" or (name == "auto" and able) else None)


def on(batch: Batch, device: torch.device) -> tuple[Tensor, Tensor]:
    """Voxels [B,C,D,H,W] and pictures [B,C',H',W'] as floats on a device; they travel as they are stored."""
    return decoded(batch.voxels.to(device)), decoded(batch.pictures.to(device)).permute(0, 3, 1, 2)


@dataclass(frozen=True)
class PictureMisfit:
    """The mean difference of pictures over batches of a split, judged by the PSNR of other samples: `Minibatched`.

    Attributes:
        module: how the network is built; its own weights are not used.
        feed: the batches to learn from.
        judges: the samples to judge by; `judged`: which of them.
        loss: l1 or l2.
        parts: in which a batch is worked on.
        precision: of the layers, and the device.
    """

    module: nn.Module
    feed: Feed
    judges: Split
    judged: tuple[int, ...]
    loss: str
    parts: int
    precision: Precision

    def minibatch(self, number: int) -> BatchMisfit:
        """The misfit on a batch, from 0 on."""
        return BatchMisfit(self, number)

    @torch.no_grad()
    def score(self, params: Params) -> float:
        """The mean PSNR in dB of the samples to judge by, all processes together."""
        own = self.judged[ranks.rank() :: ranks.count()]
        size = max(1, self.feed.order.size // (self.parts * ranks.count()))
        total = torch.zeros((), dtype=torch.float64, device=self.precision.device)
        for first in range(0, len(own), size):
            voxels, pictures = on(self.judges.read(own[first : first + size]), self.precision.device)
            total += psnr(self.drawn(params, voxels), pictures).double().sum()
        return float(ranks.sums({"psnr": total})["psnr"]) / len(self.judged)

    def drawn(self, params: Params, voxels: Tensor) -> Tensor:
        """The network's pictures, [B,C,H,W] float32."""
        with self.precision.layers():
            drawn: Tensor = functional_call(self.module, dict(params), (voxels,))
        return drawn.float()

    def misfit(self, difference: Tensor) -> Tensor:
        """Its sum over all values."""
        return difference.abs().sum() if self.loss == "l1" else difference.square().sum()


@dataclass(frozen=True)
class BatchMisfit:
    """The same of one batch."""

    whole: PictureMisfit
    number: int

    def value_and_grad(self, params: Params, random: torch.Generator) -> tuple[Terms, Params]:
        """The mean misfit, and what PSNR the batch has; the gradient of the former."""
        del random
        whole = self.whole
        batch = whole.feed.batch(self.number)
        values = batch.pictures.numel() * ranks.count()
        leaves = {name: value.detach().requires_grad_(True) for name, value in params.items()}
        sums = {"misfit": torch.zeros((), device=whole.precision.device)}
        sums |= {"squares": torch.zeros_like(sums["misfit"])}
        gradient = {name: torch.zeros_like(value) for name, value in leaves.items()}
        for part in _parts(batch, whole.parts):
            voxels, pictures = on(part, whole.precision.device)
            difference = whole.drawn(leaves, voxels) - pictures
            loss = whole.misfit(difference) / values
            for name, own in zip(leaves, torch.autograd.grad(loss, list(leaves.values())), strict=True):
                gradient[name] += own
            sums["misfit"] += loss.detach()
            sums["squares"] += difference.detach().square().sum() / values
        total = ranks.sums({**_prefixed(gradient), **sums})
        terms = {whole.loss: float(total["misfit"]), "psnr": _decibel(float(total["squares"]))}
        return terms, {name: total[f"gradient {name}"] for name in gradient}


def _prefixed(gradient: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"gradient {name}": value for name, value in gradient.items()}


def _parts(batch: Batch, count: int) -> Iterator[Batch]:
    size = -(-len(batch.voxels) // count)
    pairs = zip(batch.voxels.split(size), batch.pictures.split(size), strict=True)
    return (Batch(voxels, pictures) for voxels, pictures in pairs)


def judged(split: Split, most: int) -> tuple[int, ...]:
    """Which samples judge: all, or so many of them, spread evenly."""
    return tuple(evenly(len(split), most))


def psnr(drawn: Tensor, pictures: Tensor) -> Tensor:
    """Peak signal-to-noise ratios [B] in dB of pictures whose values go from 0 to 1."""
    error = (drawn.clamp(0, 1) - pictures).square().flatten(1).mean(1)
    return (-10 * torch.log10(error.clamp(min=1e-30))).clamp(max=BEST)


def _decibel(error: float) -> float:
    return min(BEST, -10 * math.log10(max(error, 1e-30)))
