"""Where a medium scatters paths before they meet a surface, what they gain there, and how they go on."""

from __future__ import annotations

from dataclasses import replace

import torch

from invrender.backends.torch.medium_field import Matter
from invrender.backends.torch.medium_phase import phase, scattered
from invrender.backends.torch.radiance_hits import Rays, Spots, attached
from invrender.backends.torch.radiance_lights import EVERYWHERE, Arrival, arrivals_within
from invrender.backends.torch.radiance_random import dot, uniform
from invrender.backends.torch.radiance_shadows import Asked, Lit, Walk, answer
from invrender.backends.torch.radiance_surfaces import survivors
from invrender.kernels import paths

Tensor = torch.Tensor


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
