"""One bounce of all paths: where they meet the surface, what they gain there, and which go on. Vectors are [3,N]."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.backends.arguments import check_faces
from invrender.backends.torch import radiance_surfaces as surfaces
from invrender.backends.torch.radiance_hits import Hits, Rays, Space, attached, colour, leave, located, space
from invrender.backends.torch.radiance_laws import under_constant_light
from invrender.backends.torch.radiance_lights import Arrival, arrivals, sky_density, sky_radiance
from invrender.backends.torch.radiance_random import dot
from invrender.backends.torch.radiance_tables import Emitters, Sky, emitters, sky
from invrender.kernels import paths
from invrender.kernels.mesh import Trace
from invrender.kernels.paths import first_key
from invrender.kernels.radiance import (
    CLASSIC,
    DIELECTRIC,
    EMISSION,
    GLOSSY,
    KIND,
    KS,
    MIRROR,
    UNLIT,
    SceneArrays,
    Transport,
)

Tensor = torch.Tensor
Lit = tuple[Tensor, Tensor]
"""Numbers [N] of paths, and light [3,N] that is added to them."""


@dataclass(frozen=True)
class Walk:
    """What all bounces need.

    Attributes:
        scene, space: what paths meet.
        emitters, sky: how lights are picked.
        kinds: of surfaces that there are.
        glows, highlights, mirrors: whether any emits, has a highlight, or mirrors.
        transport: which light is followed.
    """

    scene: SceneArrays
    space: Space
    emitters: Emitters | None
    sky: Sky | None
    kinds: tuple[int, ...]
    glows: bool
    highlights: bool
    mirrors: bool
    transport: Transport


@dataclass(frozen=True)
class _Asked:
    """Light that arrives unless something blocks it: points, its arrival and what they reflect of it [3,N]."""

    hits: Hits
    arrival: Arrival
    value: Tensor


def prepared(trace: Trace, scene: SceneArrays, seed: int, transport: Transport) -> Walk:
    """Finds out what need not be looked for.

    Raises:
        InputError: a face names a vertex that does not exist.
    """
    check_faces(scene.faces, len(scene.vertices))
    rows = scene.materials.detach()
    most = rows.amax(0).tolist() if len(rows) else [0.0] * rows.shape[1]
    free = attached(scene.materials)
    glows = max(most[EMISSION : EMISSION + 3]) > 0
    return Walk(
        scene,
        space(trace, scene, first_key(seed)),
        emitters(scene) if glows else None,
        sky(scene.environment),
        tuple(sorted(set(scene.material_kinds[:, KIND].tolist()))),
        glows or free,
        free or max(most[KS : KS + 3]) > 0,
        max(most[MIRROR : MIRROR + 3]) > 0,
        transport,
    )


def met(walk: Walk, rays: Rays, bounce: int, found: list[Lit]) -> Hits:
    """Where rays meet the surface; what it emits, and what those see that meet nothing, is added to `found`."""
    own = rays.face if bounce else None
    face, t, u, v = walk.space.first(rays.origin, rays.direction, own, rays.number, (bounce, paths.LAYER))
    if bounce or walk.scene.environment.numel():
        missed = (face < 0).nonzero()[:, 0]
        found += [_missed(walk, rays.some(missed), bounce)] if len(missed) else []
    index = (face >= 0).nonzero()[:, 0]
    hits = located(walk.scene, rays, index, walk.space.seed_key, face[index], u[index], v[index])
    if walk.glows and len(index):
        emission = walk.scene.materials[hits.row, EMISSION : EMISSION + 3].T
        weight = _by_chance(walk, rays.density[index], hits, t[index])
        found.append((hits.number, _times(hits.weight, emission * weight)))
    return hits


def _missed(walk: Walk, rays: Rays, bounce: int) -> Lit:
    """What rays see that meet nothing."""
    scene = walk.scene
    if scene.environment.numel():
        light = sky_radiance(scene, rays.direction)
        if bounce:
            light = light * _balance(walk, rays.density, sky_density(scene, walk.sky, rays.direction, rays.cosine))
    else:
        light = scene.backdrop[:, None] * rays.clear
    if bounce:
        light = light + scene.ambient[:, None] * (1 - rays.clear)
    return rays.number, _times(rays.weight, light)


def _by_chance(walk: Walk, density: Tensor, hits: Hits, distance: Tensor) -> Tensor | float:
    """The weight [N] of what faces emit, where it is looked for otherwise, too."""
    if walk.emitters is None:
        return 1.0
    cosine = dot(hits.flat, hits.to_eye).detach().clamp(min=paths.LEAST)
    distance = distance.to(cosine)
    other = walk.emitters.density[hits.face].to(cosine) * distance * distance / cosine
    return _balance(walk, density, other)


def _balance(walk: Walk, density: Tensor, other: Tensor) -> Tensor:
    """The weight [N] of a direction picked with a density, of light looked for with another; inf: not looked for."""
    certain = torch.isinf(density)
    if not walk.transport.shadows:  # then nothing but the search finds lights
        return certain.to(other)
    return torch.where(certain, 1, density / (density + other))


def reflected(walk: Walk, hits: Hits, bounce: int, found: list[Lit]) -> Rays | None:
    """The rays that go on; what the surface reflects of lights is added to `found`."""
    parts: list[Rays] = []
    asked: list[_Asked] = []
    kind_of = walk.scene.material_kinds[:, KIND][hits.row]
    for kind in walk.kinds:
        some = hits if len(walk.kinds) == 1 else hits.some((kind_of == kind).nonzero()[:, 0])
        if not len(some.number):
            continue
        if kind == UNLIT:
            found.append((some.number, _times(some.weight, colour(walk.scene, some))))
        elif kind == DIELECTRIC:
            parts += [] if bounce == walk.transport.depth else surfaces.through(walk.scene, some, bounce)
        else:
            parts += _lit(walk, some, kind, bounce, found, asked)
    _answer(walk, asked, bounce, found)
    rays = surfaces.joined(parts)
    return None if rays is None else surfaces.survivors(rays, walk.space.seed_key, bounce, walk.transport)


def _lit(walk: Walk, hits: Hits, kind: int, bounce: int, found: list[Lit], asked: list[_Asked]) -> list[Rays]:
    """The rays that go on from classic or glossy points; light that arrives there is added to `asked` or `found`."""
    scene, last = walk.scene, bounce == walk.transport.depth
    matter = surfaces.glossy(scene, hits) if kind == GLOSSY else surfaces.classic(scene, hits, walk.highlights)
    mirror = None
    if kind == CLASSIC and walk.mirrors and not last:
        mirror = surfaces.mirror_share(scene, hits)
    if not walk.transport.indirect:
        found.append((hits.number, _times(hits.weight, _ambient(walk, matter, last))))
    for arrival in arrivals(scene, matter.hits, bounce, walk.emitters, walk.sky):
        asked.append(_Asked(matter.hits, arrival, _value(walk, matter, arrival, mirror, last)))
    if last:
        return []
    return surfaces.onward(scene, matter, bounce, walk.transport.indirect, mirror)


def _ambient(walk: Walk, matter: surfaces.Matter, last: bool) -> Tensor:
    """What points reflect of the light that arrives from everywhere [3,N]; a lobe that is followed sees its own."""
    if matter.rough is None or matter.metal is None:
        return matter.colour * walk.scene.ambient[:, None]
    nv = dot(matter.hits.normal, matter.hits.to_eye)
    diffuse, lobe = under_constant_light(matter.colour, matter.rough, matter.metal, nv)
    return (diffuse + lobe if last else diffuse) * walk.scene.ambient[:, None]


def _value(walk: Walk, matter: surfaces.Matter, arrival: Arrival, mirror: Tensor | None, last: bool) -> Tensor:
    """What points reflect of light [3,N] if nothing blocks it, by the weight of finding it that way."""
    hits, indirect = matter.hits, walk.transport.indirect
    nl, vl = dot(hits.normal, arrival.towards), dot(hits.to_eye, arrival.towards)
    plain, lobe = matter.reflected(nl, vl)
    whole = plain if lobe is None else plain + lobe
    found_otherwise = arrival.density is not None and not last and walk.transport.shadows
    if not found_otherwise or arrival.density is None or (lobe is None and not indirect):
        return _times(hits.weight, whole * arrival.light)
    density = surfaces.picked_density(matter, nl.detach(), vl.detach(), indirect, mirror)
    share = arrival.density / (arrival.density + density)
    weighted = whole * share if indirect or lobe is None else plain + lobe * share
    return _times(hits.weight, weighted * arrival.light)


def _answer(walk: Walk, asked: list[_Asked], bounce: int, found: list[Lit]) -> None:
    """What of the light arrives; one question for all of it."""
    if not walk.transport.shadows:
        found += [(each.hits.number, each.value) for each in asked]
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
        found.append((each.hits.number[free], each.value[:, free]))


def _shadow_rays(walk: Walk, asked: _Asked) -> tuple[Tensor, ...]:
    """Rays from points to a source, where something arrives that could be blocked.

    Returns:
        the points [K] int64, origin and direction [3,K], own face [K], path [K] and where the rays end [K].
    """
    hits, arrival = asked.hits, asked.arrival
    towards = arrival.towards.detach()
    matters = dot(hits.normal.detach(), towards) > 0
    if not attached(asked.value):
        matters = matters & (asked.value != 0).any(0)
    index = matters.nonzero()[:, 0]
    direction = towards[:, index]
    offset, leaves = leave(walk.scene, hits, direction, index)
    if not bool(leaves.all()):
        rest = leaves.nonzero()[:, 0]
        index, direction, offset = index[rest], direction[:, rest], offset[:, rest]
    far = torch.full_like(offset[0], torch.inf)
    if arrival.segment is not None:
        direction, far = arrival.segment.detach()[:, index] - offset, torch.full_like(far, paths.REACH)
    origin = hits.point.detach()[:, index] + offset
    return index, origin, direction, hits.face[index], hits.number[index], far


def _times(weight: Tensor | None, value: Tensor) -> Tensor:
    return value if weight is None else weight * value
