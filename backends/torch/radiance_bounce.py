"""One bounce of all paths: where they meet the surface, what they gain there, and which go on. Vectors are [3,N]."""

from __future__ import annotations

import torch

from invrender.backends.arguments import check_faces
from invrender.backends.torch import radiance_surfaces as surfaces
from invrender.backends.torch.medium_bounce import collided
from invrender.backends.torch.medium_field import matter as medium
from invrender.backends.torch.medium_flight import Reservoir, flown
from invrender.backends.torch.medium_tables import looks_for_sky
from invrender.backends.torch.radiance_hits import Hits, Rays, Spots, attached, colour, located, space
from invrender.backends.torch.radiance_laws import under_constant_light
from invrender.backends.torch.radiance_lights import Arrival, arrivals, sky_density, sky_radiance
from invrender.backends.torch.radiance_random import Seed, dot
from invrender.backends.torch.radiance_shadows import Asked, Lit, Walk, answer, times
from invrender.backends.torch.radiance_tables import emitters, sky
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


def prepared(trace: Trace, scene: SceneArrays, seed: int, transport: Transport, nested: bool = False) -> Walk:
    """Finds out what need not be looked for; nested paths have other random numbers.

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
        space(trace, scene, Seed(first_key(seed), nested)),
        medium(trace, scene, transport),
        emitters(scene) if glows else None,
        sky(scene.environment),
        looks_for_sky(scene, transport),
        tuple(sorted(set(scene.material_kinds[:, KIND].tolist()))),
        glows or free,
        free or max(most[KS : KS + 3]) > 0,
        max(most[MIRROR : MIRROR + 3]) > 0,
        transport,
    )


def met(
    walk: Walk, rays: Rays, bounce: int, found: list[Lit], keeps: Reservoir | None = None
) -> tuple[Hits, Spots | None]:
    """Where rays meet the surface, or are scattered by the medium before.

    What is emitted there, and what those see that meet nothing, is added to `found`.
    """
    own = rays.face if bounce else None
    face, t, u, v = walk.space.first(rays.origin, rays.direction, own, rays.number, (bounce, paths.LAYER))
    spots = None
    if walk.matter is not None:
        rays, distance = flown(walk, walk.matter, rays, t, bounce, keeps)
        within, on = torch.isfinite(distance).nonzero()[:, 0], torch.isinf(distance).nonzero()[:, 0]
        spots = collided(walk, walk.matter, rays.some(within), distance[within], found)
        rays, face, t, u, v = rays.some(on), face[on], t[on], u[on], v[on]
    if bounce or walk.transport.behind or walk.scene.environment.numel():
        missed = (face < 0).nonzero()[:, 0]
        found += [_missed(walk, rays.some(missed), bounce)] if len(missed) else []
    index = (face >= 0).nonzero()[:, 0]
    hits = located(walk.scene, rays, index, walk.space.seed, face[index], u[index], v[index])
    if walk.glows and len(index):
        emission = walk.scene.materials[hits.row, EMISSION : EMISSION + 3].T
        weight = _by_chance(walk, rays.density[index], hits, t[index])
        found.append((hits.number, times(hits.weight, emission * weight)))
    return hits, spots


def _missed(walk: Walk, rays: Rays, bounce: int) -> Lit:
    """What rays see that meet nothing."""
    scene = walk.scene
    if walk.transport.behind and not bounce:
        light = scene.backdrop[:, None].expand(3, len(rays.number))
    elif scene.environment.numel():
        light = sky_radiance(scene, rays.direction)
        if bounce:
            density = torch.where(rays.cosine < 0, torch.inf, rays.density)
            light = light * _balance(walk, density, sky_density(scene, walk.sky, rays.direction, rays.cosine))
    else:
        light = scene.backdrop[:, None] * rays.clear
    if bounce:
        light = light + scene.ambient[:, None] * (1 - rays.clear)
    return rays.number, times(rays.weight, light)


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
    asked: list[Asked] = []
    kind_of = walk.scene.material_kinds[:, KIND][hits.row]
    for kind in walk.kinds:
        some = hits if len(walk.kinds) == 1 else hits.some((kind_of == kind).nonzero()[:, 0])
        if not len(some.number):
            continue
        if kind == UNLIT:
            found.append((some.number, times(some.weight, colour(walk.scene, some))))
        elif kind == DIELECTRIC:
            parts += [] if bounce == walk.transport.depth else surfaces.through(walk.scene, some, bounce)
        else:
            parts += _lit(walk, some, kind, bounce, found, asked)
    answer(walk, asked, bounce, found)
    rays = surfaces.joined(parts)
    return None if rays is None else surfaces.survivors(rays, walk.space.seed, bounce, walk.transport)


def _lit(walk: Walk, hits: Hits, kind: int, bounce: int, found: list[Lit], asked: list[Asked]) -> list[Rays]:
    """The rays that go on from classic or glossy points; light that arrives there is added to `asked` or `found`."""
    scene, last = walk.scene, bounce == walk.transport.depth
    matter = surfaces.glossy(scene, hits) if kind == GLOSSY else surfaces.classic(scene, hits, walk.highlights)
    mirror = None
    if kind == CLASSIC and walk.mirrors and not last:
        mirror = surfaces.mirror_share(scene, hits)
    if not walk.transport.indirect:
        found.append((hits.number, times(hits.weight, _ambient(walk, matter, last))))
    for arrival in arrivals(scene, matter.hits, bounce, walk.emitters, walk.sky):
        asked.append(Asked(matter.hits, arrival, _value(walk, matter, arrival, mirror, last)))
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
        return times(hits.weight, whole * arrival.light)
    density = surfaces.picked_density(matter, nl.detach(), vl.detach(), indirect, mirror)
    share = arrival.density / (arrival.density + density)
    weighted = whole * share if indirect or lobe is None else plain + lobe * share
    return times(hits.weight, weighted * arrival.light)
