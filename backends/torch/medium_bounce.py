"""Where a medium scatters paths before they meet a surface, what they gain there, and how they go on.

Gradients with extinction, as `kernels.radiance.Transport` names them: what is lost on the way is told by the integral
of extinction at points of the adjoint's own ("null": by null collisions); what is gained, by real collisions, or by one
point of each path that is kept to be scattered there as if a collision were real (Nimier-David et al. 2022).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from invrender.backends.torch.medium_field import Matter
from invrender.backends.torch.medium_phase import phase, scattered
from invrender.backends.torch.medium_track import Tentative, added, decided, march, passed_by, stretched, tentative
from invrender.backends.torch.radiance_hits import Rays, Spots, attached
from invrender.backends.torch.radiance_lights import EVERYWHERE, Arrival, arrivals_within
from invrender.backends.torch.radiance_random import Seed, dot, drawn, streams, uniform, uniform_of
from invrender.backends.torch.radiance_shadows import Asked, Lit, Walk, answer
from invrender.backends.torch.radiance_surfaces import survivors
from invrender.kernels import paths

Tensor = torch.Tensor


@dataclass
class Reservoir:
    """One point of the medium for each of R paths, kept by weight among those that have been told.

    Attributes:
        bounce: [R] int64 of the stretch on which it lies, -1: none.
        total: [R] the sum of all weights.
        point, direction: [3,R], and the unit vector along which the path came there.
        share: [3,R] what the path carries there, by its mean.
    """

    bounce: Tensor
    total: Tensor
    point: Tensor
    direction: Tensor
    share: Tensor

    def offer(self, rays: Rays, step: Tentative, beta: Tensor, weight: Tensor, chosen: Tensor, bounce: int) -> None:
        """Points of rays that carry `beta` [3,K], by weights [K] and random numbers [K]."""
        path = rays.number[step.index]
        self.total[path] += weight
        kept = (chosen * self.total[path] < weight).nonzero()[:, 0]
        path, carried = path[kept], beta[:, kept]
        self.bounce[path] = bounce
        self.point[:, path] = step.point[:, kept]
        self.direction[:, path] = rays.direction.detach()[:, step.index[kept]]
        self.share[:, path] = carried / carried.mean(0)

    def starts(self, seed: Seed, bounce: int) -> Spots | None:
        """Those of a bounce, for paths of their own."""
        number = (self.bounce == bounce).nonzero()[:, 0]
        if not len(number):
            return None
        whole = torch.ones_like(self.point[:, number])
        return Spots(number, seed, whole, self.point[:, number], self.direction[:, number])


def reservoir(walk: Walk, count: int) -> Reservoir | None:
    """One for all paths, where gradients need it."""
    if walk.matter is None or not attached(walk.scene.extinction):
        return None
    if walk.transport.estimator not in ("differential", "singular"):
        return None
    zero = walk.scene.extinction.detach().new_zeros(3, count)
    bounce = torch.full((count,), -1, device=zero.device)
    return Reservoir(bounce, zero[0].clone(), zero.clone(), zero.clone(), zero.clone())


def flown(
    walk: Walk, matter: Matter, rays: Rays, far: Tensor, bounce: int, keeps: Reservoir | None
) -> tuple[Rays, Tensor]:
    """Rays to their next real collision before `far` [N]: what they carry then, and its distance [N], inf: none."""
    key = streams(walk.space.seed, rays.number)
    stretch = stretched(matter, rays.origin, rays.direction, far)
    flight = _Flight(walk, matter, rays, keeps, bounce, drawn(key, bounce, paths.FLIGHT), key)
    whole = torch.ones(3, len(far), dtype=far.dtype, device=far.device)
    carried = whole if rays.weight is None else rays.weight
    beta, met, depth = carried.detach().clone(), torch.full_like(far, torch.inf), torch.zeros_like(far)
    gain, active, item = whole.clone(), (stretch.end > stretch.begin).nonzero()[:, 0], 0
    logs: list[tuple[Tensor, Tensor]] = []
    while len(active):
        active, step = tentative(matter, stretch, flight.bits, active, depth, item)
        real = flight.step(step, beta, gain, logs)
        met[step.index[real]] = step.t[real]
        active = active[torch.isinf(met[active])]
        item += 1
    slope = added(whole[: matter.scene.extinction.shape[3]], logs)
    slope = slope + flight.lost(torch.minimum(met, far))
    return replace(rays, weight=carried * gain * slope.exp()), met


@dataclass(frozen=True)
class _Flight:
    """The rules by which rays fly."""

    walk: Walk
    matter: Matter
    rays: Rays
    keeps: Reservoir | None
    bounce: int
    bits: Tensor
    key: Tensor

    def step(self, step: Tentative, beta: Tensor, gain: Tensor, logs: list[tuple[Tensor, Tensor]]) -> Tensor:
        """Which [K] of the collisions are real; what rays carry is brought up to date, and slopes are kept."""
        index, carried = step.index, beta[:, step.index]
        if self.keeps is not None and self.walk.transport.estimator == "differential":
            chosen = uniform_of(self.again[index], 2 * step.item + 2, carried.dtype)
            self.keeps.offer(self.rays, step, carried, carried.mean(0) / step.majorant, chosen, self.bounce)
        real, factor = decided(step, carried, uniform_of(self.bits[index], 2 * step.item + 1, carried.dtype))
        beta[:, index], gain[:, index] = carried * factor, gain[:, index] * factor
        if attached(step.extinction) and self.walk.transport.estimator in ("analog", "null"):
            some = real.nonzero()[:, 0]
            logs.append((index[some], _logarithm(step.extinction[:, some])))
            if self.walk.transport.estimator == "null":
                rest = (~real).nonzero()[:, 0]
                logs.append((index[rest], passed_by(step.some(rest))))
        return real

    @property
    def again(self) -> Tensor:
        """Bits of the adjoint alone."""
        return drawn(self.key, self.bounce, paths.AGAIN)

    def lost(self, end: Tensor) -> Tensor | float:
        """Minus the integral of extinction up to `end` [N], where gradients need it; less its value."""
        if not attached(self.matter.scene.extinction) or self.walk.transport.estimator == "null":
            return 0.0
        depth = march(self.matter, self.rays.origin.detach(), self.rays.direction.detach(), end, self.again)
        return depth.detach() - depth


def _logarithm(extinction: Tensor) -> Tensor:
    """Of what is there; where nothing is, 0 without a derivative."""
    there = extinction.detach() > 0
    return torch.where(there, torch.where(there, extinction, 1).log(), 0)


def collided(walk: Walk, matter: Matter, rays: Rays, t: Tensor, found: list[Lit]) -> Spots:
    """The points at which rays collide at distances [N]; what the medium emits there is added to `found`."""
    point = (rays.origin + t * rays.direction).detach()
    weight = torch.ones_like(point) if rays.weight is None else rays.weight
    return tinted(walk, matter, Spots(rays.number, walk.space.seed, weight, point, rays.direction.detach()), found)


def tinted(walk: Walk, matter: Matter, spots: Spots, found: list[Lit]) -> Spots:
    """Points of collisions with what is left of the light that they carry; what they emit is added to `found`."""
    if walk.scene.emission.numel():
        found.append((spots.number, spots.weight * matter.sampled(walk.scene.emission, spots.point)))
    weight = spots.weight * matter.sampled(walk.scene.albedo, spots.point)
    return replace(spots, weight=weight)


def scatter(walk: Walk, matter: Matter, spots: Spots, bounce: int, found: list[Lit]) -> Rays | None:
    """The rays that go on from points of the medium; what they scatter of lights is added to `found`."""
    if not attached(walk.scene.albedo):  # else even paths that carry nothing have a derivative
        spots = spots.some((spots.weight > 0).any(0).nonzero()[:, 0])
    if not len(spots.number):
        return None
    last = bounce == walk.transport.depth
    g = matter.sampled(walk.scene.asymmetry, spots.point)[0]
    looked = walk.looked or last
    asked = [
        Asked(spots, arrival, _value(walk, spots, g, arrival, last))
        for arrival in arrivals_within(walk.scene, spots, bounce, walk.emitters, walk.sky, looked)
    ]
    answer(walk, asked, bounce, found)
    if last:
        return None
    first, second = (uniform(spots.key, bounce, number, g.dtype) for number in (paths.ANGLE, paths.TURN))
    towards, cosine = scattered(spots.direction, g.detach(), first, second)
    law = phase(cosine, g)
    density, none = law.detach(), torch.full_like(spots.number, -1)
    side = torch.full_like(density, EVERYWHERE if walk.looked else -1.0)
    weight = spots.weight * (law / density)
    rays = Rays(spots.number, spots.point, towards, weight, none, density, side, torch.zeros_like(density))
    return survivors(rays, walk.space.seed, bounce, walk.transport)


def _value(walk: Walk, spots: Spots, g: Tensor, arrival: Arrival, last: bool) -> Tensor:
    """What points scatter of light [3,N] if nothing takes it away, by the weight of finding it that way."""
    law = phase(dot(spots.direction, arrival.towards), g)
    if arrival.density is not None and not last and walk.transport.shadows:
        law = law * (arrival.density / (arrival.density + law.detach()))
    return spots.weight * law * arrival.light


def kept_light(walk: Walk, keeps: Reservoir, seen: Tensor) -> Tensor:
    """[3,R] zeros whose derivative is that of collisions: at the kept points, from which `seen` [3,R] is scattered."""
    assert walk.matter is not None
    path = (keeps.bounce >= 0).nonzero()[:, 0]
    extinction = walk.matter.extinction(keeps.point[:, path])
    part = (extinction - extinction.detach()) * keeps.share[:, path] * keeps.total[path] * seen[:, path]
    return torch.zeros_like(seen).index_add(1, path, part)
