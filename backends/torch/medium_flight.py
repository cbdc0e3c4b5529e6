"""Flights of paths through a medium, with gradients with its extinction by four estimators.

As `kernels.radiance.Transport` names them: what is lost on the way is told by the integral of extinction at points of
the adjoint's own ("null": by null collisions); what is gained, by real collisions, or by one point of each path that is
kept, to be scattered there as if a collision were real (Nimier-David et al. 2022, "Unbiased inverse volume rendering
with differential trackers"; Leonard and Westermann 2024). All are sums of zero with a derivative (detached sampling).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from invrender.backends.torch.medium_field import Matter
from invrender.backends.torch.medium_track import (
    Stretch,
    Tentative,
    added,
    decided,
    march,
    passed_by,
    stretched,
    tentative,
    through,
)
from invrender.backends.torch.radiance_hits import Rays, Spots, attached
from invrender.backends.torch.radiance_random import Seed, drawn, streams, uniform_of
from invrender.backends.torch.radiance_shadows import Walk
from invrender.kernels import paths

Tensor = torch.Tensor


@dataclass
class Reservoir:
    """One point of the medium for each of R paths, kept by weight among those that its stretches offered.

    Attributes:
        bounce: [R] int64 of the stretch on which it lies, -1: none.
        total: [R] the sum of all weights.
        origin, direction: [3,R] of the stretch, and
        t: [R] how far it is.
        share: [3,R] what the path carries there, by its mean.
    """

    bounce: Tensor
    total: Tensor
    origin: Tensor
    direction: Tensor
    t: Tensor
    share: Tensor

    @property
    def point(self) -> Tensor:
        """[3,R]."""
        return self.origin + self.t * self.direction

    def offer(self, rays: Rays, offered: _Offer, chosen: Tensor, bounce: int) -> None:
        """Points on N rays, by random numbers [N]."""
        number, weight = rays.number, offered.weight
        self.total[number] += weight
        kept = ((chosen * self.total[number] < weight) & (weight > 0)).nonzero()[:, 0]
        number, beta = number[kept], offered.beta[:, kept]
        self.bounce[number], self.t[number], self.share[:, number] = bounce, offered.t[kept], beta / beta.mean(0)
        self.origin[:, number], self.direction[:, number] = rays.origin[:, kept], rays.direction[:, kept]

    def starts(self, seed: Seed, bounce: int) -> Spots | None:
        """Those of a bounce, for paths of their own."""
        number = (self.bounce == bounce).nonzero()[:, 0]
        if not len(number):
            return None
        whole = torch.ones_like(self.origin[:, number])
        return Spots(number, seed, whole, self.point[:, number], self.direction[:, number])


@dataclass
class _Offer:
    """A point on each of N rays: how far it is, what the path carries there [3,N], and its weight [N], 0: none."""

    t: Tensor
    beta: Tensor
    weight: Tensor

    def consider(self, step: Tentative, carried: Tensor, chosen: Tensor) -> None:
        """Collisions of rays that carry [3,K], by random numbers [K]."""
        weight, index = carried.mean(0) / step.majorant, step.index
        self.weight[index] += weight
        kept = (chosen * self.weight[index] < weight).nonzero()[:, 0]
        self.t[index[kept]], self.beta[:, index[kept]] = step.t[kept], carried[:, kept]


def reservoir(walk: Walk, count: int) -> Reservoir | None:
    """One for all paths, where gradients need it."""
    if walk.matter is None or not attached(walk.scene.extinction):
        return None
    if walk.transport.estimator not in ("differential", "singular"):
        return None
    zero = walk.scene.extinction.detach().new_zeros(3, count)
    bounce = torch.full((count,), -1, device=zero.device)
    return Reservoir(bounce, zero[0].clone(), zero.clone(), zero.clone(), zero[0].clone(), zero.clone())


def flown(
    walk: Walk, matter: Matter, rays: Rays, far: Tensor, bounce: int, keeps: Reservoir | None
) -> tuple[Rays, Tensor]:
    """Rays to their next real collision before `far` [N]: what they carry then, and its distance [N], inf: none."""
    key = streams(walk.space.seed, rays.number)
    stretch, estimator = stretched(matter, rays.origin, rays.direction, far), walk.transport.estimator
    again, bits = drawn(key ^ paths.KEEPS, bounce, paths.AGAIN), drawn(key, bounce, paths.FLIGHT)
    whole = torch.ones(3, len(far), dtype=far.dtype, device=far.device)
    carried = whole if rays.weight is None else rays.weight
    beta, gain, met = carried.detach().clone(), whole.clone(), torch.full_like(far, torch.inf)
    offered = _offer(stretch, beta, again, estimator == "singular")
    active, depth, item = (stretch.end > stretch.begin).nonzero()[:, 0], torch.zeros_like(far), 0
    logs: list[tuple[Tensor, Tensor]] = []
    tracked = matter if estimator in ("analog", "null") else matter.fixed
    while len(active):
        active, step = tentative(tracked, stretch, bits, active, depth, item)
        index, before = step.index, beta[:, step.index]
        if keeps is not None and estimator == "differential":
            offered.consider(step, before, uniform_of(again[index], 2 * item + 2, far.dtype))
        real, factor = decided(step, before, uniform_of(bits[index], 2 * item + 1, far.dtype))
        beta[:, index], gain[:, index] = before * factor, gain[:, index] * factor
        logs += _logarithms(step, real, estimator)
        met[index[real]] = step.t[real]
        active = active[torch.isinf(met[active])]
        item += 1
    if keeps is not None:
        keeps.offer(rays, offered, uniform_of(again, 0, far.dtype), bounce)
    slope = added(whole[: matter.scene.extinction.shape[3]], logs)
    if attached(matter.scene.extinction) and estimator != "null":
        bits = drawn(key, bounce, paths.AGAIN)
        lost = march(matter, stretch.origin, stretch.direction, torch.minimum(met, far), bits)
        slope = slope - (lost - lost.detach())
    return replace(rays, weight=carried * gain * slope.exp()), met


def _offer(stretch: Stretch, beta: Tensor, again: Tensor, everywhere: bool) -> _Offer:
    """What rays offer that carry [3,N] at their beginning: no points yet, or points `everywhere` in the box alike."""
    if not everywhere:
        return _Offer(torch.zeros_like(beta[0]), beta.clone(), torch.zeros_like(beta[0]))
    length = stretch.end - stretch.begin
    t = stretch.begin + uniform_of(again, paths.FURTHER, beta.dtype) * length
    return _Offer(t, beta.clone(), length * beta.mean(0))


def _logarithms(step: Tentative, real: Tensor, estimator: str) -> list[tuple[Tensor, Tensor]]:
    """By what collisions change what paths carry, of rays of index tensors: real ones, and for "null" the others."""
    if not attached(step.extinction):
        return []
    some, rest = step.some(real.nonzero()[:, 0]), step.some((~real).nonzero()[:, 0])
    there = some.extinction.detach() > 0
    parts = [(some.index, torch.where(there, torch.where(there, some.extinction, 1).log(), 0))]
    return [*parts, (rest.index, passed_by(rest))] if estimator == "null" else parts


def kept_light(walk: Walk, keeps: Reservoir, seen: Tensor) -> Tensor:
    """[3,R] zeros whose derivative is that of collisions at the kept points, from which `seen` [3,R] is scattered."""
    assert walk.matter is not None
    number = (keeps.bounce >= 0).nonzero()[:, 0]
    point = keeps.point[:, number]
    part = keeps.share[:, number] * keeps.total[number] * seen[:, number]
    within = walk.matter.encloses(point)
    part = part if within is None else part * within
    if walk.transport.estimator == "singular":
        stretch = stretched(walk.matter, keeps.origin[:, number], keeps.direction[:, number], keeps.t[number])
        key = streams(walk.space.seed._replace(nested=True), number)
        bits = torch.zeros_like(number)
        for bounce in keeps.bounce[number].unique().tolist():  # nested paths do not fly before they are scattered
            on = keeps.bounce[number] == bounce
            bits[on] = drawn(key[on], bounce, paths.FLIGHT)
        part = part * through(walk.matter.fixed, stretch, bits, False)[0]
    extinction = walk.matter.extinction(point)
    return torch.zeros_like(seen).index_add(1, number, (extinction - extinction.detach()) * part)
