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

Where the points lie and how much f jumps there is found without gradients (`Points`), either when a gradient is asked
for (`boundary`, of reverse mode), or once for many derivatives of both modes (`moved`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

Tensor = torch.Tensor


@dataclass(frozen=True)
class Points:
    """K points on lines across which pictures jump.

    Attributes:
        view: [K] int64, the picture.
        place: [K,2] in pixels.
        jump: [K,C] how much more radiance there is on the + side, times the pixels that each point stands for.
        number: [K] int64, the line that each point lies on.
        lines: takes what moves the lines to all of them [M,3]; differentiable.
    """

    view: Tensor
    place: Tensor
    jump: Tensor
    number: Tensor
    lines: Callable[..., Tensor]

    def apart(self, *moving: Tensor) -> Tensor:
        """How far [K] the points are from their lines when these move; see `distance`."""
        return distance(self.lines(*moving)[self.number], self.place)


Find = Callable[..., Iterator[Points]]
"""Takes what moves the lines, without gradients, and yields points on them."""


def boundary(image: Tensor, find: Find, *moving: Tensor) -> Tensor:
    """Zeros like an image [N,H,W,C], with the gradient of how the lines on which `find` finds points move.

    It is called when gradients are asked for, and only then.
    """
    zeros: Tensor = _Boundary.apply(image.detach(), find, *moving)  # type: ignore[no-untyped-call]
    return zeros


class _Boundary(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, image: Tensor, find: Find, *moving: Tensor) -> Tensor:
        ctx.save_for_backward(*moving)
        ctx.find = find
        return torch.zeros_like(image)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        needed = ctx.needs_input_grad[2:]
        moving = [part.detach().requires_grad_(need) for part, need in zip(ctx.saved_tensors, needed, strict=True)]
        total = [torch.zeros_like(part) for part in moving]
        asked = [k for k, need in enumerate(needed) if need]
        for points in ctx.find(*(part.detach() for part in moving)):
            factor = (points.jump * pixel_values(grad, points.view, points.place)).sum(1)
            with torch.enable_grad():
                part = (factor * points.apart(*moving)).sum()
                found = torch.autograd.grad(part, [moving[k] for k in asked], allow_unused=True)
            for k, one in zip(asked, found, strict=True):
                total[k] += 0 if one is None else one
        return None, None, *(part if need else None for part, need in zip(total, needed, strict=True))


def moved(image: Tensor, found: Iterable[Points], *moving: Tensor) -> Tensor:
    """Zeros like an image [N,H,W,C], with the derivative of how the lines through points move; of both modes."""
    count, height, width, channels = image.shape
    total = image.new_zeros(count * height * width, channels)
    for points in found:
        apart = points.apart(*moving)
        change = points.jump * (apart - apart.detach())[:, None]
        total = total.index_add(0, _pixel(points.view, points.place, (height, width)), change.to(total))
    return total.reshape(image.shape)


def distance(line: Tensor, point: Tensor) -> Tensor:
    """Signed distances [K] of points [K,2] from lines [K,3]; the derivative holds for points on them."""
    length = line.detach()[:, :2].norm(dim=1)
    return ((line[:, :2] * point).sum(1) + line[:, 2]) / torch.where(length > 0, length, 1)


def alike(*columns: Tensor) -> tuple[Tensor, Tensor]:
    """Numbers [K] of K rows of some columns [K] int64 >= 0, the same for equal ones; and a row [M] with each number."""
    key = columns[0]
    for column in columns[1:]:
        key = key * (int(column.max()) + 1 if len(column) else 1) + column
    found, number = torch.unique(key, return_inverse=True)
    row = torch.empty_like(found).index_put((number,), torch.arange(len(key), device=key.device))
    return number, row


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
    _, height, width, channels = grad.shape
    return grad.reshape(-1, channels)[_pixel(view, point, (height, width)).to(grad.device)].to(point)


def _pixel(view: Tensor, point: Tensor, size: tuple[int, int]) -> Tensor:
    """The numbers [K] of the pixels that points [K,2] of views [K] lie in, over all pictures."""
    height, width = size
    column, row = point[:, 0].long().clamp(0, width - 1), point[:, 1].long().clamp(0, height - 1)
    return (view * height + row) * width + column
