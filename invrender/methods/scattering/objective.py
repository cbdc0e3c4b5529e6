"""How well a medium explains its views, by paths of light: what the solver minimises."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.methods.scattering.renderer import Renderer
from invrender.parameters.medium_values import MediumValues
from invrender.solve.protocol import Params, Terms

Tensor = torch.Tensor

SEEN = "seen"
"""Name of the running mean of what pixels show, [P,3], among the parameters."""

ROUND = 0.02  # of the level: smaller steps between vertices count by their squares


@dataclass(frozen=True)
class Pixels:
    """What pixels show, and which of them say something.

    Attributes:
        target: [P,3] linear RGB of all pixels, counted through views, rows and columns.
        weight: [P,3] of squared differences; 1 on average.
        active: for each view the numbers of the pixels that see where a medium can be.
    """

    target: Tensor
    weight: Tensor
    active: tuple[Tensor, ...]


@dataclass(frozen=True)
class Misfit:
    """Mean squared difference of some views, and total variation: a `ValueAndGrad`.

    Gradients are products of a difference and its derivative. Were both of the same paths, their noise would go
    together, and the mean of the product would not be the product of the means. The difference is that of a running
    mean of what was seen in the steps before, `SEEN`, whose paths are others and whose noise is small: that noise,
    times those of the derivatives, is most of what is wrong with a gradient. What the mean lags behind matters less.

    Attributes:
        values: what parameters stand for.
        renderer: what sees it.
        pixels: what it should see.
        batch: views of a step.
        spp: rays a pixel of a step.
        smoothing: weight of the total variation.
        level: optical depth of the longest side that the medium's total variation is relative to.
    """

    values: MediumValues
    renderer: Renderer
    pixels: Pixels
    batch: int
    spp: int
    smoothing: float
    level: float

    def value_and_grad(self, params: Params, random: torch.Generator) -> tuple[Terms, Params]:
        """Loss and misfit, and the gradient of the loss."""
        leaves = {name: value.detach().requires_grad_(True) for name, value in params.items() if name != SEEN}
        some = self.chosen(random)
        weight = self.pixels.weight[some] / (3 * len(some))
        target, before = self.pixels.target[some], params[SEEN][some]
        shown = self.renderer.seen(self.values.arrays(leaves), some, self.spp, random)
        misfit = (weight * (before - target) * (shown - target)).sum()
        rough = self.smoothing * total_variation(self.values.depth(leaves) / self.level, self.values.support)
        gradients = torch.autograd.grad(2 * misfit + rough, list(leaves.values()))
        terms = {"loss": float((misfit + rough).detach()), "misfit": float(misfit.detach())}
        above = torch.zeros_like(params[SEEN]).index_copy(0, some, before - shown.detach())
        return terms, {**dict(zip(leaves, gradients, strict=True)), SEEN: above}

    def chosen(self, random: torch.Generator) -> Tensor:
        """The numbers of the pixels of some views."""
        views = torch.randperm(len(self.pixels.active), generator=random)[: self.batch].sort().values
        return torch.cat([self.pixels.active[int(view)] for view in views])

    def difference(self, params: Params, random: torch.Generator) -> Tensor:
        """Mean squared difference of some views, without bias."""
        arrays, some = self.values.arrays(params), self.chosen(random)
        one, other = (self.renderer.seen(arrays, some, self.spp, random) - self.pixels.target[some] for _ in range(2))
        return (self.pixels.weight[some] * one * other).mean()


def total_variation(values: Tensor, support: Tensor) -> Tensor:
    """Mean over the support [D,H,W] of the length of forward differences, rounded where they are small."""
    inside = values * support
    steps = torch.zeros_like(inside)
    for axis in range(3):
        length = inside.shape[axis] - 1
        step = inside.narrow(axis, 1, length) - inside.narrow(axis, 0, length)
        steps = steps + torch.nn.functional.pad(step.square(), _last(axis))
    total: Tensor = ((steps + ROUND**2).sqrt() - ROUND).sum() / support.sum().clamp(min=1)
    return total


def _last(axis: int) -> tuple[int, ...]:
    """One zero at the end of an axis of three, as `pad` counts them from the last."""
    sides = [0] * 6
    sides[2 * (2 - axis) + 1] = 1
    return tuple(sides)
