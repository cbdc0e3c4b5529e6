"""What rays see: hard shadows, mirrors, ambient occlusion (Whitted 1980, "An improved illumination model").

A ray takes the light that the first surface it meets reflects to it: of each light that nothing blocks, of the light
from everywhere, as far as ambient occlusion lets it through, and, times the material's mirror share, what the mirrored
ray sees, and so on to the depth that was asked for. All rays go on together, mirrored ones as a smaller bundle each.

Differentiable in vertices, material, vertex colours, lights and cameras. What is discrete has no gradient: what a ray
meets, and whether something blocks the light; see `traced_edges`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch

from invrender.errors import UsageError
from invrender.nouns import Lights
from invrender.render.edges import DEFAULT, EdgeSampling
from invrender.render.occlusion import Occlusion, openness
from invrender.render.rays import Body, Places, between, escapes, meet, start
from invrender.shading.lights import Arriving, arriving
from invrender.shading.points import Points, carried, mirror, points_of, seen
from invrender.shading.spherical_harmonics import radiance as light_from

Tensor = torch.Tensor
Sky = Callable[[Tensor], Tensor]
"""What rays see that meet nothing: unit directions [R,3] to linear RGB [R,3]."""


@dataclass(frozen=True)
class RaySettings:
    """What rays show.

    Attributes:
        depth: how often a ray is mirrored, at most.
        shadows: whether things block the light.
        occlusion: of the light from everywhere; None: all of it arrives.
        edges: how closely edges are looked at where gradients are asked for; None: they have no gradients.
    """

    depth: int = 2
    shadows: bool = True
    occlusion: Occlusion | None = None
    edges: EdgeSampling | None = DEFAULT

    def __post_init__(self) -> None:
        if self.depth < 0:
            raise UsageError(f"rays cannot be mirrored {self.depth} times", "use a depth from 0")


@dataclass(frozen=True)
class Traceable:
    """A scene made ready for rays.

    Attributes:
        body: what they meet.
        attributes: [A,C], what the vertices carry; see `shading.points`.
        lights: with directions of their own.
        sky: what mirrored rays see that meet nothing.
        settings: what the rays show.
    """

    body: Body
    attributes: Tensor
    lights: Lights
    sky: Sky
    settings: RaySettings = field(default_factory=RaySettings)


def traceable(body: Body, lights: Lights, settings: RaySettings | None = None, sky: Sky | None = None) -> Traceable:
    """A body under lights that have directions of their own (`shading.lights.fixed`)."""
    columns = carried(body.surface)
    attributes = torch.cat(columns, 1) if columns else body.surface.normals[:, :0]
    settings = settings or RaySettings()
    return Traceable(body, attributes.to(body.vertices), lights, sky or surroundings(lights), settings)


def backdrop(colour: Tensor | Sequence[float]) -> Sky:
    """The same colour everywhere."""
    return lambda direction: torch.as_tensor(colour).to(direction).expand_as(direction)


def surroundings(lights: Lights) -> Sky:
    """The light from everywhere, as it arrives from each side."""

    def sky(direction: Tensor) -> Tensor:
        ambient = torch.as_tensor(lights.ambient).to(direction).expand_as(direction)
        return ambient if lights.sh is None else ambient + light_from(direction, lights.sh.to(direction)).clamp(min=0)

    return sky


def radiance(scene: Traceable, origin: Tensor, direction: Tensor) -> Tensor:
    """What rays see: linear RGB, premultiplied, and 1 where they meet the surface, else 0.

    Args:
        scene: made by `traceable`.
        origin: [R,3] in the world, float64 where that is large.
        direction: [R,3] unit vectors.

    Returns:
        [R,4] with the dtype of the scene's frame.
    """
    origin, direction = scene.body.near(origin, direction), direction.to(scene.body.vertices)
    total, alpha = torch.zeros_like(direction), torch.zeros_like(direction[:, :1])
    row, weight = torch.arange(len(direction), device=direction.device), torch.ones_like(direction)
    for bounce in range(scene.settings.depth + 1):
        found, at = meet(scene.body, origin, direction)
        if bounce == 0:
            alpha = alpha.index_fill(0, found, 1.0)
        else:
            lost = _without(found, len(row))
            total = total.index_add(0, row[lost], weight[lost] * scene.sky(direction[lost]))
        row, weight, direction = row[found], weight[found], direction[found]
        points, last = _points(scene, at), bounce == scene.settings.depth
        total = total.index_add(0, row, weight * _reflected(scene, at, points, -direction, not last))
        if last:
            break
        share = weight * mirror(points, at.normal, -direction)
        on = (share.detach() > 0).any(-1).nonzero()[:, 0]
        if not len(on):
            break
        row, weight = row[on], share[on]
        origin, direction = _mirrored(scene.body, at.some(on), direction[on])
    return torch.cat([total, alpha], -1)


def direct(scene: Traceable, light: int, origin: Tensor, direction: Tensor) -> Tensor:
    """What surfaces reflect to rays of one light alone, if nothing blocks it: linear RGB and 0; [R,4] as `radiance`."""
    origin, direction = scene.body.near(origin, direction), direction.to(scene.body.vertices)
    found, at = meet(scene.body, origin, direction)
    points = _points(scene, at)
    coming = arriving(scene.lights, at.point)[light]
    dark = replace(scene.lights, intensity=torch.zeros_like(coming.intensity)[None], ambient=0.0, sh=None)
    lit = replace(dark, intensity=coming.intensity[None])
    towards, to_eye = coming.towards[None], -direction[found]
    share = seen(points, at.normal, to_eye, towards, lit) - seen(points, at.normal, to_eye, towards, dark)
    leaves = start(scene.body, at, coming.towards)[1]
    share = torch.cat([share * leaves[:, None], torch.zeros_like(share[:, :1])], 1)
    return share.new_zeros(len(direction), 4).index_add(0, found, share)


def _points(scene: Traceable, at: Places) -> Points:
    """What shading needs at the places."""
    prepared = scene.body.surface
    return points_of(prepared, between(scene.attributes, prepared.attribute_faces, at.face, at.weights))


def _reflected(scene: Traceable, at: Places, points: Points, to_eye: Tensor, mirrored: bool) -> Tensor:
    """Linear RGB [R,3] that the surface reflects of the lights that reach it, besides what mirrored rays see."""
    coming = arriving(scene.lights, at.point)
    strength = torch.stack([each.intensity * _reaches(scene, at, each)[:, None] for each in coming])
    occlusion = scene.settings.occlusion
    share = None if occlusion is None else openness(scene.body, at, occlusion)
    lights = replace(scene.lights, intensity=strength)
    return seen(points, at.normal, to_eye, torch.stack([each.towards for each in coming]), lights, share, mirrored)


def _reaches(scene: Traceable, at: Places, light: Arriving) -> Tensor:
    """[R] 1 where nothing blocks a light, and the surface is turned towards it; else 0; no gradient."""
    free = torch.ones_like(at.point[:, 0])
    if not scene.settings.shadows:
        return free
    with torch.no_grad():
        origin, leaves = start(scene.body, at, light.towards)
        sends = (light.intensity > 0).any(-1) & ((at.normal * light.towards).sum(-1) > 0)
        asked = (leaves & sends).nonzero()[:, 0]
        far = light.distance if isinstance(light.distance, float) else light.distance[asked]
        clear = escapes(scene.body, origin[asked], light.towards[asked], far)
        return torch.zeros_like(free).index_put((asked,), clear.to(free))


def _mirrored(body: Body, at: Places, direction: Tensor) -> tuple[Tensor, Tensor]:
    """Origins and unit directions [R,3] of mirrored rays, those that would enter the face bent just above it."""
    mirrored = direction - 2 * (direction * at.normal).sum(-1, keepdim=True) * at.normal
    into = (mirrored * at.flat).sum(-1, keepdim=True)
    above = torch.nn.functional.normalize(mirrored + (into < 0) * (1e-3 - into) * at.flat, dim=-1)
    return start(body, at, above)[0], above


def _without(found: Tensor, count: int) -> Tensor:
    """The numbers below `count` that are not among `found`, both int64."""
    rest = torch.ones(count, dtype=torch.bool, device=found.device)
    rest[found] = False
    return rest.nonzero()[:, 0]
