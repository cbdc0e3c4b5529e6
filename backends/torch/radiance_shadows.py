"""What of the light of sources arrives: what surfaces block, and what a medium lets through. Vectors are [3,N]."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from invrender.backends.torch.medium_field import Matter
from invrender.backends.torch.medium_track import march, stretched, through
from invrender.backends.torch.radiance_hits import Hits, Space, Spots, attached, leave
from invrender.backends.torch.radiance_lights import Arrival
from invrender.backends.torch.radiance_random import dot, drawn, streams
from invrender.backends.torch.radiance_tables import Emitters, Sky
from invrender.kernels import paths
from invrender.kernels.radiance import SceneArrays, Transport

Tensor = torch.Tensor
Lit = tuple[Tensor, Tensor]
"""Numbers [N] of paths, and light [3,N] that is added to them."""


@dataclass(frozen=True)
class Walk:
    """What all bounces need.

    Attributes:
        scene, space: what paths meet.
        matter: the medium among it.
        emitters, sky: how lights are picked.
        looked: whether points of the medium look for the environment.
        kinds: of surfaces that there are.
        glows, highlights, mirrors: whether any emits, has a highlight, or mirrors.
        transport: which light is followed.
    """

    scene: SceneArrays
    space: Space
    matter: Matter | None
    emitters: Emitters | None
    sky: Sky | None
    looked: bool
    kinds: tuple[int, ...]
    glows: bool
    highlights: bool
    mirrors: bool
    transport: Transport


@dataclass(frozen=True)
class Asked:
    """Light that arrives unless something blocks it: points, its arrival and what they reflect of it [3,N]."""

    points: Hits | Spots
    arrival: Arrival
    value: Tensor

    def some(self, chosen: Tensor) -> Asked:
        """Those of an index tensor."""
        arrival, far = self.arrival, self.arrival.segment
        towards, segment = arrival.towards[:, chosen], None if far is None else far[:, chosen]
        kept = replace(arrival, towards=towards, segment=segment)
        return Asked(self.points.some(chosen), kept, self.value[:, chosen])


def answer(walk: Walk, asked: list[Asked], bounce: int, found: list[Lit]) -> None:
    """Adds what of the light arrives; one question for all of it."""
    if not walk.transport.shadows:
        found += [(each.points.number, each.value) for each in asked]
        return
    rays = [_shadow_rays(walk, each) for each in asked]
    count = [len(ray[0]) for ray in rays]
    if not sum(count):
        return
    origin, direction, own, number, far = (
        torch.cat(parts, -1) for parts in zip(*(ray[1:] for ray in rays), strict=True)
    )
    source = torch.cat([own.new_full((size,), each.arrival.source) for each, size in zip(asked, count, strict=True)])
    face = walk.space.first(origin, direction, own, number, (bounce, paths.BLOCKS), far, source)[0]
    for each, ray, blocked in zip(asked, rays, (face >= 0).split(count), strict=True):
        free = ray[0][~blocked]
        if walk.matter is not None:
            found.append(_seen_through(walk, walk.matter, each.some(free), bounce))
        else:
            found.append((each.points.number[free], each.value[:, free]))


def _seen_through(walk: Walk, matter: Matter, asked: Asked, bounce: int) -> Lit:
    """Light that no surface blocks, by what a medium lets through."""
    origin, arrival = asked.points.point.detach(), asked.arrival
    distance = torch.full_like(origin[0], torch.inf)
    if arrival.segment is not None:
        distance = dot(arrival.segment, arrival.segment).clamp(min=paths.NEAREST).sqrt()
    key = streams(walk.space.seed, asked.points.number) ^ arrival.source
    free, by_nulls = attached(matter.scene.extinction), walk.transport.estimator == "null"
    stretch = stretched(matter, origin, arrival.towards, distance)
    left, slope = through(
        matter if by_nulls else matter.fixed, stretch, drawn(key, bounce, paths.THROUGH), free and by_nulls
    )
    if attached(arrival.towards) or (free and not by_nulls):
        depth = march(
            matter.fixed if by_nulls else matter, origin, arrival.towards, distance, drawn(key, bounce, paths.AGAIN)
        )
        slope = slope - (depth - depth.detach())
    return asked.points.number, asked.value * (left * slope.exp())


def _shadow_rays(walk: Walk, asked: Asked) -> tuple[Tensor, ...]:
    """Rays from points to a source, where something arrives that could be blocked.

    Returns:
        the points [K] int64, origin and direction [3,K], own face [K], path [K] and where the rays end [K].
    """
    points, arrival = asked.points, asked.arrival
    towards = arrival.towards.detach()
    matters = torch.ones_like(points.number, dtype=torch.bool)
    if isinstance(points, Hits):
        matters = dot(points.normal.detach(), towards) > 0
    if not attached(asked.value):
        matters = matters & (asked.value != 0).any(0)
    index = matters.nonzero()[:, 0]
    direction, offset, own = towards[:, index], torch.zeros_like(towards[:, index]), torch.full_like(index, -1)
    if isinstance(points, Hits):
        offset, leaves = leave(walk.scene, points, direction, index)
        if not bool(leaves.all()):
            rest = leaves.nonzero()[:, 0]
            index, direction, offset = index[rest], direction[:, rest], offset[:, rest]
        own = points.face[index]
    far = torch.full_like(offset[0], torch.inf)
    if arrival.segment is not None:
        direction, far = arrival.segment.detach()[:, index] - offset, torch.full_like(far, paths.REACH)
    origin = points.point.detach()[:, index] + offset
    return index, origin, direction, own, points.number[index], far


def times(weight: Tensor | None, value: Tensor) -> Tensor:
    """By each other; no weight: 1."""
    return value if weight is None else weight * value
