"""Flights through a medium in plain torch: delta tracking (Woodcock et al. 1965) and ratio tracking (Novak et al. 2014)
under a coarse grid of majorants; with colour by history-aware weights (Kutz et al. 2017).

Optical depths of majorants are added up cell by cell along all rays beforehand, and each tentative collision found in
those sums; walking from cell to cell, as kernels do, gives the same. The k-th tentative collision takes the random
numbers 2k, for how far it is, and 2k + 1, for what happens there.

Decisions are constants. What a flight gains or loses with the medium is told by `Flight.slope`: a sum of zero whose
derivative is that of the logarithm of what the path carries.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.backends.torch.medium_field import Matter
from invrender.backends.torch.radiance_hits import attached
from invrender.backends.torch.radiance_random import uniform_of
from invrender.kernels import paths

Tensor = torch.Tensor

TINY = 1e-20


@dataclass(frozen=True)
class Stretch:
    """N rays as far as they are in the box.

    Attributes:
        origin, direction: [3,N], constants.
        begin, end: [N].
        edges: [N,E+1] where cells begin and end.
        depth: [N,E+1] optical depth of majorants up to there.
        majorant: [N,E].
    """

    origin: Tensor
    direction: Tensor
    begin: Tensor
    end: Tensor
    edges: Tensor
    depth: Tensor
    majorant: Tensor

    def at(self, index: Tensor, depth: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Where [K] rays of an index tensor [K] have spent an optical depth; the majorant; and whether they have."""
        sums = self.depth[index]
        there = depth < sums[:, -1]
        cell = torch.searchsorted(sums, depth[:, None], right=True).clamp(1, sums.shape[1] - 1) - 1
        majorant = self.majorant[index].gather(1, cell)[:, 0]
        rest = depth - sums.gather(1, cell)[:, 0]
        t = self.edges[index].gather(1, cell)[:, 0] + rest / torch.where(majorant > 0, majorant, 1)
        return t, majorant, there

    def point(self, index: Tensor, t: Tensor) -> Tensor:
        """[3,K]."""
        return self.origin[:, index] + t * self.direction[:, index]


@dataclass(frozen=True)
class Tentative:
    """Collisions of K rays with the majorants, at a step of all.

    Attributes:
        index: [K] int64 of the rays.
        item: number of the step, for random numbers.
        t, majorant: [K].
        point: [3,K].
        extinction: [C,K], attached where the medium's is.
    """

    index: Tensor
    item: int
    t: Tensor
    majorant: Tensor
    point: Tensor
    extinction: Tensor

    def some(self, chosen: Tensor) -> Tentative:
        """Those of an index tensor."""
        parts = (part[..., chosen] for part in (self.t, self.majorant, self.point, self.extinction))
        return Tentative(self.index[chosen], self.item, *parts)


def stretched(matter: Matter, origin: Tensor, direction: Tensor, far: Tensor) -> Stretch:
    """Rays [3,N] up to `far` [N]."""
    origin, direction, far = origin.detach(), direction.detach(), far.detach()
    begin, end = matter.interval(origin, direction, far)
    end = torch.maximum(begin, end)
    safe = torch.where(direction == 0, TINY, direction)
    counts, borders = matter.majorants.shape[::-1], [begin[:, None], end[:, None]]
    for axis in range(3):
        share = torch.arange(1, counts[axis], device=origin.device) / counts[axis]
        planes = matter.low[axis] + share * matter.size[axis]
        borders.append((planes - origin[axis, :, None]) / safe[axis, :, None])
    edges = torch.cat(borders, 1).clamp(begin[:, None], end[:, None]).sort(1).values
    middle = (edges[:, 1:] + edges[:, :-1]) / 2
    cell = torch.zeros_like(middle, dtype=torch.int64)
    for axis, step in ((0, 1), (1, counts[0]), (2, counts[0] * counts[1])):
        place = (origin[axis, :, None] + middle * direction[axis, :, None] - matter.low[axis]) / matter.size[axis]
        cell += step * (place * counts[axis]).long().clamp(0, counts[axis] - 1)
    majorant = matter.majorants.reshape(-1)[cell]
    depth = torch.cat([torch.zeros_like(edges[:, :1]), (majorant * edges.diff(dim=1)).cumsum(1)], 1)
    return Stretch(origin, direction, begin, end, edges, depth, majorant)


def tentative(
    matter: Matter, stretch: Stretch, bits: Tensor, active: Tensor, depth: Tensor, item: int
) -> tuple[Tensor, Tentative]:
    """The next step of rays of an index tensor: those that still meet something, and those of them within the boundary.

    `depth` [N] is the optical depth that each has spent so far; it is gone on with.
    """
    depth[active] -= torch.log(1 - uniform_of(bits[active], 2 * item, depth.dtype))
    t, majorant, there = stretch.at(active, depth[active])
    index = active[there]
    point = stretch.point(index, t[there])
    found = Tentative(index, item, t[there], majorant[there], point, matter.extinction(point))
    within = matter.encloses(point)
    return index, found if within is None else found.some(within.nonzero()[:, 0])


def decided(step: Tentative, beta: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """Whether [K] collisions are real, by numbers [K], and the factors [3,K] on what the paths carry [3,K]."""
    extinction = step.extinction.detach()
    if len(extinction) == 1:
        return chosen * step.majorant < extinction[0], torch.ones_like(beta)
    share = (beta * extinction).sum(0) / (step.majorant * beta.sum(0)).clamp(min=TINY)
    real = chosen < share
    rest = (step.majorant - extinction).clamp(min=0)
    return real, torch.where(
        real, extinction / share.clamp(min=TINY), rest / (1 - share).clamp(min=TINY)
    ) / step.majorant


def passed_by(step: Tentative) -> Tensor:
    """The logarithm [C,K] of what null collisions let pass: by it gradients reach the extinction there."""
    return torch.log((step.majorant - step.extinction).clamp(min=TINY))


def through(matter: Matter, stretch: Stretch, bits: Tensor, slopes: bool) -> tuple[Tensor, Tensor]:
    """What gets through of red, green and blue [C,N], and with `slopes` the slope [C,N] by its null collisions."""
    count, channels = len(stretch.begin), matter.scene.extinction.shape[3]
    left = torch.ones(channels, count, dtype=stretch.begin.dtype, device=bits.device)
    depth, active, item = torch.zeros_like(stretch.begin), torch.arange(count, device=bits.device), 0
    logs: list[tuple[Tensor, Tensor]] = []
    while len(active):
        active, step = tentative(matter, stretch, bits, active, depth, item)
        logs += [(step.index, passed_by(step))] if slopes else []
        share = (step.majorant - step.extinction.detach()).clamp(min=0) / step.majorant
        weight = left[:, step.index] * share
        weak = weight.amax(0) < paths.WEAK
        goes_on = uniform_of(bits[step.index], 2 * item + 1, weight.dtype) < 0.5
        left[:, step.index] = torch.where(weak, torch.where(goes_on, 2 * weight, 0), weight)
        active = active[left[:, active].amax(0) > 0]
        item += 1
    return left, added(left, logs)


def added(like: Tensor, logs: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Sums [C,N] of terms [C,K] for rays of index tensors [K], less their values: zeros with a derivative."""
    total = torch.zeros_like(like)
    if not logs:
        return total
    total = total.index_add(1, torch.cat([index for index, _ in logs]), torch.cat([term for _, term in logs], 1))
    return total - total.detach()


def march(matter: Matter, origin: Tensor, direction: Tensor, far: Tensor, bits: Tensor) -> Tensor:
    """The integral of extinction [C,N] along rays [3,N] up to `far` [N], at a random point of each piece.

    Differentiable in the extinction, and in how the points move with the rays and their end.
    """
    begin, end = matter.interval(origin, direction, far)
    rays = (end.detach() > begin.detach()).nonzero()[:, 0]
    length = (end - begin)[rays]
    voxels = length.detach() * (direction.detach()[:, rays] / matter.voxel[:, None]).norm(dim=0)
    pieces = (voxels / paths.PIECE).long() + 1
    ray = torch.arange(len(rays), device=rays.device).repeat_interleave(pieces)
    piece = torch.arange(len(ray), device=rays.device) - (pieces.cumsum(0) - pieces)[ray]
    share = (piece + uniform_of(bits[rays][ray], piece, length.dtype)) / pieces[ray]
    index = rays[ray]
    point = origin[:, index] + (begin[index] + share * length[ray]) * direction[:, index]
    part = matter.extinction(point) * (length / pieces)[ray]
    within = matter.encloses(point)
    part = part if within is None else part * within
    total: Tensor = part.new_zeros(len(part), len(begin)).index_add(1, index, part)
    return total


def moves(matter: Matter, towards: Tensor | None = None) -> bool:
    """Whether a gradient asks for the integral of extinction along rays."""
    return attached(matter.scene.extinction) or (towards is not None and attached(towards))
