"""How well a medium explains its views, by paths of light: what the solver minimises."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from invrender.methods.scattering.haze import Haze, hidden
from invrender.methods.scattering.renderer import Renderer
from invrender.parameters.medium_values import EXTINCTION, MediumValues
from invrender.solve.protocol import Params, Terms

Tensor = torch.Tensor

SEEN = "seen"
"""Name of the running mean of what pixels show, [P,3], among the parameters."""

LEAST = 1e-3  # of the largest mean squared difference of a view: smaller ones count as that
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

    def evened(self, off: Tensor, share: float) -> Pixels:
        """With a share of the weight spread such that views whose differences [P,3] are larger count less."""
        squares = torch.stack([(self.weight[some] * off[some].square()).mean() for some in self.active])
        factor = 1 / squares.clamp(min=LEAST * float(squares.max()) + 1e-20)
        factor = (1 - share) + share * factor / factor.mean()
        weight = self.weight.clone()
        for some, each in zip(self.active, factor, strict=True):
            weight[some] *= each
        return replace(self, weight=weight)


@dataclass(frozen=True)
class Misfit:
    """Mean squared difference of some views, and total variation: a `ValueAndGrad`.

    Gradients are products of a difference and its derivative. Were both of the same paths, their noise would go
    together, and the mean of the product would not be the product of the means. The difference is that of a running
    mean of what was seen in the steps before, `SEEN`, whose paths are others and whose noise is small: that noise,
    times those of the derivatives, is most of what is wrong with a gradient. What the mean lags behind matters less.

    Where a model without noise foresees what a medium shows (`haze`), its derivatives take the place of those along
    paths, and the mean is of what paths show above the model: where that makes up for it, pictures agree with paths.

    Attributes:
        values: what parameters stand for.
        renderer: what sees it.
        pixels: what it should see.
        batch: views of a step.
        spp: rays a pixel of a step.
        smoothing: weight of the total variation.
        level: optical depth of the longest side that the medium's total variation is relative to.
        haze: what foresees the pictures of a thin medium; the running mean is then of what that does not tell.
    """

    values: MediumValues
    renderer: Renderer
    pixels: Pixels
    batch: int
    spp: int
    smoothing: float
    level: float
    haze: Haze | None = None

    def value_and_grad(self, params: Params, random: torch.Generator) -> tuple[Terms, Params]:
        """Loss and misfit, and the gradient of the loss."""
        leaves = {name: value.detach().requires_grad_(True) for name, value in params.items() if name != SEEN}
        some = self.chosen(random)
        weight, target = self.pixels.weight[some] / (3 * len(some)), self.pixels.target[some]
        arrays, rays = self.values.arrays(leaves), self.renderer.rays(some, self.spp, random)
        with torch.set_grad_enabled(self.replayed):
            layers = self.renderer.along(arrays, rays, self.spp, random)
        shown, foretold, rest = layers[:, :3], torch.zeros_like(target), layers[:, :3].detach()
        if self.haze is not None:
            haze = self.haze.of(some)
            foretold = haze.gain(hidden(self.renderer, arrays, (rays[0][:: self.spp], rays[1][:: self.spp])))
            rest = haze.rest(layers.detach())
        before = params[SEEN][some] + foretold.detach()
        off = weight * (before - target)
        misfit = (off * (shown.detach() - target)).sum()
        rough = self.smoothing * total_variation(self.values.depth(leaves) / self.level, self.values.support)
        gradients = self._summed(leaves, 2 * (off * shown).sum(), 2 * (off * foretold).sum() + rough)
        terms = {"loss": float((misfit + rough).detach()), "misfit": float(misfit)}
        above = torch.zeros_like(params[SEEN]).index_copy(0, some, params[SEEN][some] - rest)
        return terms, {**gradients, SEEN: above}

    @property
    def replayed(self) -> bool:
        """Whether derivatives along paths are needed."""
        return self.haze is None or self.haze.share < 1 or bool(self.values.encoded)

    def _summed(self, leaves: Params, paths: Tensor, model: Tensor) -> Params:
        """The gradients of two terms; of what the model of a thin medium knows, paths tell its complement alone."""
        every = list(leaves.values())
        told = torch.autograd.grad(model, every, retain_graph=True, materialize_grads=True)
        if not self.replayed:
            return dict(zip(leaves, told, strict=True))
        parts = torch.autograd.grad(paths, every, materialize_grads=True)
        share = 0.0 if self.haze is None else self.haze.share
        return {
            name: known + (1.0 if name in self.values.encoded else 1 - share) * part
            for name, known, part in zip(leaves, told, parts, strict=True)
        }

    def noise(self, params: Params, random: torch.Generator) -> Tensor:
        """The model's gradient with extinction, [D,H,W], were all between pictures and target noise."""
        assert self.haze is not None
        some, leaf = torch.cat(self.pixels.active), params[EXTINCTION].detach().requires_grad_(True)
        arrays = self.values.arrays({**params, EXTINCTION: leaf})
        foretold = self.haze.of(some).gain(hidden(self.renderer, arrays, self.renderer.rays(some, 1, random)))
        off = params[SEEN][some] + foretold.detach() - self.pixels.target[some]
        sign = (torch.randint(2, (len(some), 1), generator=random) * 2 - 1).to(off)
        loss = 2 * (self.pixels.weight[some] * sign * off * foretold).sum() / (3 * len(some))
        (found,) = torch.autograd.grad(loss, leaf)
        return found

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
