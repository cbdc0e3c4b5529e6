"""Gradients of pictures with what moves the lines across which they jump: the boundary integral of visibility.

A pixel is the mean of the radiance f over its square (a box filter). Where lines that move with some parameters part
the square, the mean's derivative has two terms (Li, Aittala, Durand and Lehtinen 2018, "Differentiable Monte Carlo Ray
Tracing through Edge Sampling"; Reynolds' transport theorem):

    d I / d theta = integral over the square of df/dtheta
                    + sum over lines of the integral along the part within the square of (f- - f+) v dl,

with f+ and f- the radiance on both sides, and v how fast the line moves towards the + side, in pixels. The first is
what automatic differentiation of the picture gives. The second is estimated here, from points on the lines.

A line is l = (l1, l2, l3) with l1 column + l2 row + l3 = 0, and + is where this is positive. If l depends on theta,
the point x that stays where it is has the signed distance d = (l . (x, 1)) / |(l1, l2)| from it, and v = -dd/dtheta:
(f+ - f-) dd/dtheta is all there is to compute, whatever the line's ends do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

Tensor = torch.Tensor

Estimate = Callable[..., Iterator[Tensor]]
"""Takes the gradient [N,H,W,C] of a picture and tensors; yields numbers whose derivatives add up to the term."""


def boundary(image: Tensor, estimate: Estimate, *moving: Tensor) -> Tensor:
    """Zeros like an image, whose gradient with the tensors is the derivative of what `estimate` yields for them.

    It is called when gradients are asked for, and only then.
    """
    zeros: Tensor = _Boundary.apply(image.detach(), estimate, *moving)  # type: ignore[no-untyped-call]
    return zeros


class _Boundary(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, image: Tensor, estimate: Estimate, *moving: Tensor) -> Tensor:
        ctx.save_for_backward(*moving)
        ctx.estimate = estimate
        return torch.zeros_like(image)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        needed = ctx.needs_input_grad[2:]
        moving = [part.detach().requires_grad_(need) for part, need in zip(ctx.saved_tensors, needed, strict=True)]
        total = [torch.zeros_like(part) for part in moving]
        with torch.enable_grad():
            for part in ctx.estimate(grad, *moving):
                asked = [k for k, need in enumerate(needed) if need]
                found = torch.autograd.grad(part, [moving[k] for k in asked], allow_unused=True)
                for k, one in zip(asked, found, strict=True):
                    total[k] += 0 if one is None else one
        return None, None, *(part if need else None for part, need in zip(total, needed, strict=True))


def distance(line: Tensor, point: Tensor) -> Tensor:
    """Signed distances [K] of points [K,2] from lines [K,3]; the derivative holds for points on them."""
    length = line.detach()[:, :2].norm(dim=1)
    return ((line[:, :2] * point).sum(1) + line[:, 2]) / torch.where(length > 0, length, 1)


def spread(density: Tensor, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Places [K] in [0, 1], one at random in each of `count` parts that weigh the same, and the length of each [K].

    The density [J] > 0 need not be normalised; it is constant over each of J equal cells. A mean over [0, 1] is the sum
    over the places of lengths times values, without bias whatever the density.
    """
    end = density.double().cumsum(0)
    strata = torch.arange(count, dtype=torch.float64) + torch.rand(count, generator=generator, dtype=torch.float64)
    at = strata.to(end.device) / count * end[-1]
    cell = torch.searchsorted(end, at, right=True).clamp(max=len(end) - 1)
    within = ((at - (end[cell] - density[cell])) / density[cell]).clamp(0, 1)
    return (cell + within) / len(end), end[-1] / density[cell] / (count * len(end))


def located(measure: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
    """Which of E lines of a measure [E] > 0, laid end to end, holds a place [K] in [0, 1], and how far along it [K]."""
    end = measure.double().cumsum(0)
    at = place * end[-1]
    line = torch.searchsorted(end, at, right=True).clamp(max=len(end) - 1)
    return line, ((at - (end[line] - measure[line])) / measure[line]).clamp(0, 1)


def spread_on_lines(measure: Tensor, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """About `count` points on lines of a measure [E] > 0: which line, how far along it, and what each stands for; [K].

    Lines that have a share in the points of one or more are divided into equal parts with one point each, so that what
    is constant along them adds up without noise; the others share the points that remain.
    """
    expected = count * measure / measure.sum()
    long, short = (expected >= 1).nonzero()[:, 0], (expected < 1).nonzero()[:, 0]
    parts = expected[long].ceil().long()
    line = long.repeat_interleave(parts)
    part = torch.arange(len(line), device=line.device) - (parts.cumsum(0) - parts).repeat_interleave(parts)
    shift = torch.rand(len(line), generator=generator, dtype=torch.float64).to(measure.device)
    along, share = (part + shift) / parts.repeat_interleave(parts), (measure[long] / parts).repeat_interleave(parts)
    if not len(short):
        return line, along, share
    place, weight = spread(measure.new_ones(1), max(1, int(expected[short].sum().ceil())), generator)
    which, within = located(measure[short], place)
    total = measure[short].sum()
    return torch.cat([line, short[which]]), torch.cat([along, within]), torch.cat([share, total * weight])


def pixel_values(grad: Tensor, view: Tensor, point: Tensor) -> Tensor:
    """Values [K,C] of pictures [N,H,W,C] at the pixels of views [K] that points [K,2] lie in; where the points live."""
    height, width = grad.shape[1:3]
    column, row = point[:, 0].long().clamp(0, width - 1), point[:, 1].long().clamp(0, height - 1)
    return grad[view.to(grad.device), row.to(grad.device), column.to(grad.device)].to(point)
