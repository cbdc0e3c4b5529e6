"""The four kinds of surface that paths meet: what they reflect, and how paths go on from them. Vectors are [3,N]."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch

from invrender.backends.torch import radiance_laws as laws
from invrender.backends.torch.radiance_hits import Hits, Rays, colour, gloss, leave
from invrender.backends.torch.radiance_random import Seed, dot, length, streams, turned, uniform, visible_half
from invrender.kernels import paths
from invrender.kernels.radiance import IOR, KS, MIRROR, NS, TRANSMISSION, SceneArrays, Transport
from invrender.shading.split_sum import sharp

Tensor = torch.Tensor


@dataclass(frozen=True)
class Matter:
    """What N points of one kind are made of: classic ones have `specular` and `shininess`, others gloss."""

    hits: Hits
    colour: Tensor
    specular: Tensor | None = None
    shininess: Tensor | None = None
    rough: Tensor | None = None
    metal: Tensor | None = None

    def reflected(self, nl: Tensor, vl: Tensor) -> tuple[Tensor, Tensor | None]:
        """f cos [3,N]: the whole of classic surfaces (and None), or the Lambertian part and the gloss."""
        nv = dot(self.hits.normal, self.hits.to_eye)
        if self.rough is not None and self.metal is not None:
            return laws.glossy(self.colour, self.rough, self.metal, nl, nv, vl)
        result = self.colour * (nl.clamp(min=0) / math.pi)
        if self.specular is not None and self.shininess is not None:
            result = result + self.specular * laws.highlight(self.shininess, nl, nv, vl)
        return result, None

    def shares(self) -> tuple[Tensor, Tensor]:
        """By how much [N] a path goes on diffusely, and in the lobe; constants."""
        tint = self.colour.detach().mean(0)
        if self.rough is not None and self.metal is not None:
            nv, metal = dot(self.hits.normal, self.hits.to_eye).detach(), self.metal.detach()
            layer = paths.HEAD_ON + (1 - paths.HEAD_ON) * (1 - nv).clamp(0, 1) ** 5
            return (1 - metal) * (1 - layer) * tint, (1 - metal) * layer + metal * (tint + (1 - tint) * layer)
        if self.specular is None or self.shininess is None:
            return tint, torch.zeros_like(tint)
        ns = self.shininess.detach()
        return tint, torch.where(ns > 0, self.specular.detach().mean(0) * 8 / (ns + 2), 0)

    def lobe_density(self, nl: Tensor, vl: Tensor) -> Tensor:
        """Per solid angle [N], of directions picked for the lobe; constants."""
        nv = dot(self.hits.normal, self.hits.to_eye).detach()
        if self.rough is not None:
            return laws.glossy_density(self.rough.detach(), nl, nv, vl)
        if self.shininess is None:
            return torch.zeros_like(nl)
        return laws.highlight_density(self.shininess.detach(), nl, nv, vl)

    def lobe_half(self, first: Tensor, second: Tensor) -> Tensor:
        """Half vectors [3,N] of the lobe."""
        normal = self.hits.normal.detach()
        if self.rough is not None:
            return visible_half(normal, self.hits.to_eye.detach(), self.rough.detach() ** 2, first, second)
        shininess = torch.zeros_like(first) if self.shininess is None else self.shininess.detach()
        cosine = (1 - first) ** (1 / (shininess + 1))
        return turned(normal, cosine, (1 - cosine * cosine).clamp(min=0).sqrt(), second)


def classic(scene: SceneArrays, hits: Hits, highlights: bool) -> Matter:
    """Lambertian points, with highlights where there are any in the scene."""
    kd = colour(scene, hits)
    if not highlights:
        return Matter(hits, kd)
    rows = scene.materials[hits.row]
    return Matter(hits, kd, rows[:, KS : KS + 3].T, rows[:, NS])


def glossy(scene: SceneArrays, hits: Hits) -> Matter:
    """Metallic-roughness points; normals that face away from the eye are bent."""
    nv = dot(hits.normal, hits.to_eye)
    if bool((nv < paths.FACING).any()):
        bent = hits.normal + (paths.FACING - nv).clamp(min=0) * hits.to_eye
        hits = replace(hits, normal=bent / length(bent))
    rough, metal = gloss(scene, hits)
    return Matter(hits, colour(scene, hits), rough=laws.least(rough), metal=metal)


def picked_density(matter: Matter, nl: Tensor, vl: Tensor, indirect: bool, mirror: Tensor | None) -> Tensor:
    """Per solid angle [N], of directions in which paths go on that light is looked for in, too; constants."""
    lobe = matter.lobe_density(nl, vl)
    if not indirect:
        return lobe
    diffuse, shine = matter.shares()
    total = diffuse + shine if mirror is None else diffuse + shine + mirror.detach().mean(0)
    return (diffuse * nl.clamp(min=0) / math.pi + shine * lobe) / total.clamp(min=1e-20)


def mirror_share(scene: SceneArrays, hits: Hits) -> Tensor:
    """[3,N] the share of what mirrored rays see that classic points add."""
    return scene.materials[hits.row, MIRROR : MIRROR + 3].T


def onward(scene: SceneArrays, matter: Matter, bounce: int, indirect: bool, mirror: Tensor | None) -> list[Rays]:
    """The rays that go on from classic or glossy points; `mirror` [3,N] is the share of those that are mirrored.

    Where indirect light is not followed, all mirrored rays go on, or the gloss; else one ray by chance.
    """
    if not indirect:
        if matter.rough is not None:
            return [scattered(scene, matter, bounce, indirect, None)]
        if mirror is None:
            return []
        index = (mirror.detach() > 0).any(0).nonzero()[:, 0]
        return [mirrored(scene, matter.hits.some(index), mirror[:, index])]
    if mirror is None:
        return [scattered(scene, matter, bounce, indirect, None)]
    chance = mirror.detach().mean(0)
    total = sum(matter.shares()) + chance
    picked = uniform(matter.hits.key, bounce, paths.LOBE, chance.dtype) * total >= total - chance
    index, rest = (picked & (chance > 0)).nonzero()[:, 0], (~picked).nonzero()[:, 0]
    share = mirror[:, index] * (total / chance)[index]
    return [
        mirrored(scene, matter.hits.some(index), share),
        scattered(scene, some(matter, rest), bounce, indirect, mirror[:, rest]),
    ]


def scattered(scene: SceneArrays, matter: Matter, bounce: int, indirect: bool, mirror: Tensor | None) -> Rays:
    """Rays in random directions, of the lobe alone unless indirect light is followed."""
    hits, dtype = matter.hits, matter.colour.dtype
    first, second = (uniform(hits.key, bounce, number, dtype) for number in (paths.ANGLE, paths.TURN))
    normal, to_eye = hits.normal.detach(), hits.to_eye.detach()
    half = matter.lobe_half(first, second)
    towards = 2 * dot(half, to_eye) * half - to_eye
    if indirect:
        diffuse, lobe = matter.shares()
        total = diffuse + lobe if mirror is None else diffuse + lobe + mirror.detach().mean(0)
        diffusely = uniform(hits.key, bounce, paths.LOBE, dtype) * total < diffuse
        towards = torch.where(diffusely, turned(normal, (1 - first).sqrt(), first.sqrt(), second), towards)
    nl, vl = dot(normal, towards), dot(to_eye, towards)
    density = picked_density(matter, nl, vl, indirect, mirror)
    offset, leaves = leave(scene, hits, towards)
    index = ((density > 0) & (nl > 0) & leaves).nonzero()[:, 0]
    matter, towards = some(matter, index), towards[:, index]
    hits, density = matter.hits, density[index]
    plain, lobed = matter.reflected(dot(hits.normal, towards), dot(hits.to_eye, towards))
    followed = plain if lobed is None else plain + lobed if indirect else lobed
    clear = torch.zeros_like(density)
    if lobed is not None and matter.rough is not None:
        clear = sharp(matter.rough.detach()) * (lobed / (followed + paths.NEAREST)).detach().mean(0)
    return _onward(hits, offset[:, index], towards, followed / density, (density, nl[index], clear))


def mirrored(scene: SceneArrays, hits: Hits, share: Tensor) -> Rays:
    """Rays mirrored at the points, times a share [3,N] of what they see."""
    direction = bent(2 * dot(hits.normal, hits.to_eye) * hits.normal - hits.to_eye, hits.flat)
    offset, _ = leave(scene, hits, direction)
    return _onward(hits, offset, direction, share)


def through(scene: SceneArrays, hits: Hits, bounce: int) -> list[Rays]:
    """Rays reflected at smooth dielectrics, or refracted, by Fresnel's share."""
    ior = scene.materials[hits.row, IOR]
    ratio = torch.where(hits.side > 0, ior, 1 / ior)
    cosine = dot(hits.normal, hits.to_eye).clamp(min=paths.LEAST)
    share, inner = laws.fresnel(cosine, ratio)
    reflects = uniform(hits.key, bounce, paths.LOBE, share.dtype) < share.detach()
    back, rest = reflects.nonzero()[:, 0], (~reflects).nonzero()[:, 0]
    whole = (share / share.detach())[back].expand(3, -1)
    rays = [mirrored(scene, hits.some(back), whole)] if len(back) else []
    if len(rest):
        own = hits.some(rest)
        e, kept = 1 / ratio[rest], (1 - share)[rest]
        inside = (cosine[rest] * e - inner[rest]) * own.normal - e * own.to_eye
        direction = bent(inside / length(inside).detach(), -own.flat)
        offset, _ = leave(scene, own, direction, side=-1)
        tint = scene.materials[own.row, TRANSMISSION : TRANSMISSION + 3].T
        rays.append(_onward(own, offset, direction, tint * (kept / kept.detach())))
    return rays


def bent(direction: Tensor, flat: Tensor) -> Tensor:
    """Unit vectors [3,N] that do not enter the face with normals [3,N]."""
    into = dot(direction, flat)
    if not bool((into < 0).any()):
        return direction
    above = direction + (into < 0) * (paths.ABOVE - into) * flat
    return above / length(above)


def survivors(rays: Rays, seed: Seed, bounce: int, transport: Transport) -> Rays:
    """Russian roulette, of paths that are long enough."""
    if not transport.indirect or bounce + 1 <= transport.roulette or rays.weight is None:
        return rays
    chance = rays.weight.detach().amax(0).clamp(paths.SURVIVAL, 1)
    index = (uniform(streams(seed, rays.number), bounce, paths.ROULETTE, chance.dtype) < chance).nonzero()[:, 0]
    kept = rays.some(index)
    return replace(kept, weight=None if kept.weight is None else kept.weight / chance[index])


def joined(parts: list[Rays]) -> Rays | None:
    """All rays of the parts; None where there are none."""
    parts = [part for part in parts if len(part.number)]
    if len(parts) <= 1:
        return parts[0] if parts else None
    names = ("number", "origin", "direction", "weight", "face", "density", "cosine", "clear")
    return Rays(*(torch.cat([getattr(part, name) for part in parts], -1) for name in names))


def _onward(
    hits: Hits,
    offset: Tensor,
    direction: Tensor,
    share: Tensor,
    picked: tuple[Tensor, Tensor, Tensor] | None = None,
) -> Rays:
    """Rays from points, with density, cosine and clear share where they were picked at random."""
    weight = share if hits.weight is None else share * hits.weight
    if picked is None:
        certain = torch.full_like(hits.u.detach(), math.inf)
        picked = (certain, certain, torch.ones_like(certain))
    density, cosine, clear = picked
    return Rays(hits.number, hits.point + offset, direction, weight, hits.face, density, cosine, clear * hits.clear)


def some(matter: Matter, chosen: Tensor) -> Matter:
    """Those points of an index tensor."""
    beside = (matter.specular, matter.shininess, matter.rough, matter.metal)
    parts = [None if part is None else part[..., chosen] for part in beside]
    return Matter(matter.hits.some(chosen), matter.colour[:, chosen], *parts)
