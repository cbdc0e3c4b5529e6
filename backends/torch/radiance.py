"""The reference for light transport: what rays see, in plain torch, differentiable in reverse and in forward mode.

All paths go on together, bounce by bounce, and those that end drop out. Whitted 1980 ("An improved illumination model")
and Cook et al. 1984 ("Distributed ray tracing") where indirect light is not followed; else path tracing (Kajiya 1986)
with light looked for at every surface, and multiple importance sampling by the balance heuristic (Veach 1995).

Decisions and random directions are constants; where rays meet the surface moves with the rays, and mirrored and
refracted directions with the normals.
"""

from __future__ import annotations

import math
from dataclasses import fields

import torch

from invrender.backends.torch.medium_bounce import scatter, tinted
from invrender.backends.torch.medium_flight import Reservoir, kept_light, reservoir
from invrender.backends.torch.radiance_bounce import met, prepared, reflected
from invrender.backends.torch.radiance_hits import Rays, Spots
from invrender.backends.torch.radiance_shadows import Lit, Walk
from invrender.backends.torch.radiance_surfaces import joined
from invrender.kernels.mesh import Trace
from invrender.kernels.radiance import RadianceGradient, SceneArrays, Transport

Tensor = torch.Tensor

NAMES = tuple(field.name for field in fields(RadianceGradient))


def path_radiance(
    trace: Trace, scene: SceneArrays, origin: Tensor, direction: Tensor, seed: int, transport: Transport
) -> Tensor:
    """What rays see, [R,4]; see `kernels.radiance.Radiance`. Differentiable in all floats of the scene and the rays."""
    walk = prepared(trace, scene, seed, transport)
    if walk.matter is not None:
        origin, direction = origin.detach(), direction.detach()
    keeps = reservoir(walk, len(origin))
    light, alpha = _walked(walk, len(origin), _first(origin, direction), keeps=keeps)
    if keeps is not None:
        plain = SceneArrays(**{name: part.detach() for name, part in vars(scene).items()})
        with torch.no_grad():
            nested = prepared(trace, plain, seed, transport, nested=True)
            seen, _ = _walked(nested, len(origin), None, starts=keeps)
        light = light + kept_light(walk, keeps, seen)
    return torch.cat([light, alpha]).T.contiguous()


def _walked(
    walk: Walk, count: int, rays: Rays | None, starts: Reservoir | None = None, keeps: Reservoir | None = None
) -> tuple[Tensor, Tensor]:
    """The light [3,R] that R paths see, and 1 [1,R] where rays of the camera meet something.

    Args:
        rays: of the camera, or
        starts: points of the medium at which paths begin.
        keeps: where a point of each path is kept.
    """
    found: list[Lit] = []
    total = torch.zeros(3, count, dtype=walk.scene.lights.dtype, device=walk.scene.lights.device)
    alpha, latest = torch.zeros_like(total[:1]), -1 if starts is None else int(starts.bounce.max())
    for bounce in range(walk.transport.depth + 1):
        begun = None if starts is None else starts.starts(walk.space.seed, bounce)
        if bounce > latest and (rays is None or not len(rays.number)):
            break
        rays, reached = _bounced(walk, rays, begun, bounce, found, keeps)
        if bounce == 0:
            alpha[:, reached] = 1
    if found:
        total = total.index_add(1, torch.cat([part[0] for part in found]), torch.cat([part[1] for part in found], 1))
    return total, alpha


def _bounced(
    walk: Walk, rays: Rays | None, begun: Spots | None, bounce: int, found: list[Lit], keeps: Reservoir | None
) -> tuple[Rays | None, Tensor]:
    """The rays that go on after a bounce, and the paths [K] that met something; `begun` are scattered with them."""
    parts: list[Rays | None] = []
    spots = [] if begun is None or walk.matter is None else [tinted(walk, walk.matter, begun, found)]
    reached = [torch.zeros(0, dtype=torch.int64, device=walk.scene.lights.device)]
    if rays is not None and len(rays.number):
        hits, scattering = met(walk, rays, bounce, found, keeps)
        parts += [reflected(walk, hits, bounce, found)] if len(hits.number) else []
        reached.append(hits.number)
        if scattering is not None:
            spots.append(scattering)
            reached.append(scattering.number)
    if walk.matter is not None:
        parts += [scatter(walk, walk.matter, some, bounce, found) for some in spots if len(some.number)]
    return joined([part for part in parts if part is not None]), torch.cat(reached)


def path_adjoint(
    trace: Trace, grad: Tensor, scene: SceneArrays, origin: Tensor, direction: Tensor, seed: int,
    transport: Transport, radiance: Tensor, needs: frozenset[str],
) -> RadianceGradient:  # fmt: skip
    """See `kernels.radiance.RadianceAdjoint`; the radiance is computed anew."""
    names = [name for name in NAMES if name in needs]
    rays = {"origin": origin, "direction": direction}
    given = {name: rays.get(name, getattr(scene, name, None)) for name in names}
    free = {name: value.detach().clone().requires_grad_() for name, value in given.items() if value is not None}
    parts = {name: value.detach() for name, value in vars(scene).items()}
    parts.update({name: value for name, value in free.items() if name not in rays})
    with torch.enable_grad():
        starts = (free.get("origin", origin.detach()), free.get("direction", direction.detach()))
        shown = path_radiance(trace, SceneArrays(**parts), *starts, seed, transport)[:, :3]
    found: dict[str, Tensor] = {}
    if shown.requires_grad:
        sums = torch.autograd.grad(shown, list(free.values()), grad[:, :3].to(shown), allow_unused=True)
        found = {name: value for name, value in zip(free, sums, strict=True) if value is not None}
    found = {name: found.get(name, torch.zeros_like(value)) for name, value in free.items()}
    return RadianceGradient(**{name: found.get(name) for name in NAMES})


def _first(origin: Tensor, direction: Tensor) -> Rays:
    """The camera's rays; those that are not finite see nothing."""
    number = torch.arange(len(origin), device=origin.device)
    unknown = torch.full_like(origin.detach()[:, 0], math.inf)
    rays = Rays(
        number, origin.T, direction.T, None, torch.full_like(number, -1), unknown, unknown, torch.ones_like(unknown)
    )
    if bool(torch.isfinite(origin.detach().sum() + direction.detach().sum())):
        return rays
    good = (torch.isfinite(origin.detach()) & torch.isfinite(direction.detach())).all(1)
    return rays.some(good.nonzero()[:, 0])
