"""Where paths meet the surface and how they leave it, in plain torch. Vectors are [3,N], which torch adds up fastest.

What is discrete (which face is met, what blocks the light) is asked of the backend's `trace` on detached values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import torch

from invrender.backends.torch.radiance_random import Seed, dot, length, streams, uniform
from invrender.kernels import paths
from invrender.kernels.intersect import intersect
from invrender.kernels.mesh import Trace
from invrender.kernels.radiance import GLOSS, KD, METALLIC, OPACITY, ROUGHNESS, TEXTURE, SceneArrays

Tensor = torch.Tensor

_LAYERS = 1000  # faces of some opacity that a ray goes through, at most


@dataclass(frozen=True)
class Rays:
    """N rays on their way.

    Attributes:
        number: [N] int64 of the path, which it keeps.
        origin, direction: [3,N].
        weight: [3,N] what is left of the light that it carries, or None: all.
        face: [N] int64, that from which it starts; -1: none.
        density: [N] per solid angle with which the direction was picked where light was looked for otherwise, too; inf:
            it was not.
        cosine: [N] of the direction with the normal there; from points of a medium `radiance_lights.EVERYWHERE`, or -1
            where they do not look for the environment.
        clear: [N] the share of the backdrop that it sees: 1 after mirrors and glass alone, 0 after a diffuse surface,
            between them after rough gloss.
    """

    number: Tensor
    origin: Tensor
    direction: Tensor
    weight: Tensor | None
    face: Tensor
    density: Tensor
    cosine: Tensor
    clear: Tensor

    def some(self, chosen: Tensor) -> Rays:
        """Those of an index tensor."""
        weight = None if self.weight is None else self.weight[:, chosen]
        parts = (self.face[chosen], self.density[chosen], self.cosine[chosen], self.clear[chosen])
        return Rays(self.number[chosen], self.origin[:, chosen], self.direction[:, chosen], weight, *parts)


@dataclass(frozen=True)
class Hits:
    """N points of the surface that rays meet.

    Attributes:
        number: [N] int64 of the path.
        seed: of its random numbers.
        weight: [3,N] what is left of the light that it carries, or None: all.
        face, row: [N] int64, face and material.
        u, v: [N] barycentrics.
        point: [3,N].
        normal, flat: [3,N] unit, of the smooth surface and the face, on the side that is seen.
        side: [N] 1 where that is the face's front, else -1.
        to_eye: [3,N] unit, to where the ray came from.
        clear: [N] the share of the backdrop that the ray sees; see `Rays`.
    """

    number: Tensor
    seed: Seed
    weight: Tensor | None
    face: Tensor
    row: Tensor
    u: Tensor
    v: Tensor
    point: Tensor
    normal: Tensor
    flat: Tensor
    side: Tensor
    to_eye: Tensor
    clear: Tensor

    def some(self, chosen: Tensor) -> Hits:
        """Those of an index tensor."""
        parts = {name: part[..., chosen] for name, part in vars(self).items() if isinstance(part, Tensor)}
        return replace(self, **cast("Any", parts))

    @property
    def key(self) -> Tensor:
        """[N] int64, the streams of random numbers."""
        return streams(self.seed, self.number)


@dataclass(frozen=True)
class Spots:
    """N points of the medium at which light is scattered.

    Attributes:
        number: [N] int64 of the path.
        seed: of its random numbers.
        weight: [3,N] what is left of the light that it carries.
        point: [3,N].
        direction: [3,N] unit, that in which the path came.
    """

    number: Tensor
    seed: Seed
    weight: Tensor
    point: Tensor
    direction: Tensor

    def some(self, chosen: Tensor) -> Spots:
        """Those of an index tensor."""
        parts = (self.weight[:, chosen], self.point[:, chosen], self.direction[:, chosen])
        return Spots(self.number[chosen], self.seed, *parts)

    @property
    def key(self) -> Tensor:
        """[N] int64, the streams of random numbers."""
        return streams(self.seed, self.number)


@dataclass(frozen=True)
class Space:
    """What rays are asked of: a trace and what it needs, detached."""

    trace: Trace
    scene: SceneArrays
    vertices: Tensor
    opacity: Tensor | None  # [F], None where everything is opaque
    seed: Seed

    def first(
        self, origin: Tensor, direction: Tensor, own: Tensor | None, number: Tensor, place: tuple[int, int],
        far: Tensor | None = None, source: Tensor | int = 0,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
        """Face (-1: none before `far`), t, u and v [N] that rays [3,N] meet, besides their own face [N].

        Faces of some opacity are there by the random numbers of the paths [N], at a place (bounce and dimension), and
        of the sources [N] that are looked for.
        """
        at, towards = (part.detach().T.contiguous() for part in (origin, direction))
        face, t, u, v = self.trace(self.vertices, self.scene.faces, at, towards)
        for _ in range(_LAYERS):
            if own is None and self.opacity is None:
                break
            through = (face >= 0) & self._passes(face, own, number, place, source)
            index = (through if far is None else through & (t < far)).nonzero()[:, 0]
            if not len(index):
                break
            ahead = t[index] + paths.LIFT / towards[index].norm(dim=1)
            again = self.trace(
                self.vertices, self.scene.faces, at[index] + ahead[:, None] * towards[index], towards[index]
            )
            t[index], face[index], u[index], v[index] = again[1] + ahead, *(again[k] for k in (0, 2, 3))
        if far is not None:
            face = torch.where(t < far, face, -1)
        return face, t, u, v

    def _passes(
        self, face: Tensor, own: Tensor | None, number: Tensor, place: tuple[int, int], source: Tensor | int
    ) -> Tensor:
        """Whether rays go through the faces that they meet."""
        through = torch.zeros_like(face, dtype=torch.bool) if own is None else face == own
        if self.opacity is not None:
            opacity, key = self.opacity[face.clamp(min=0)], streams(self.seed, number) ^ source
            through = through | (uniform(key, *place, opacity.dtype, face) >= opacity)
        return through


def space(trace: Trace, scene: SceneArrays, seed: Seed) -> Space:
    """Makes a scene ready for questions."""
    opacity = scene.materials.detach()[:, OPACITY]
    partly = bool((opacity < 1).any())
    return Space(trace, scene, scene.vertices.detach(), opacity[scene.face_material] if partly else None, seed)


def attached(tensor: Tensor) -> bool:
    """Whether a tensor takes part in reverse or forward differentiation."""
    return tensor.requires_grad or torch.autograd.forward_ad.unpack_dual(tensor).tangent is not None


def located(scene: SceneArrays, rays: Rays, index: Tensor, seed: Seed, face: Tensor, u: Tensor, v: Tensor) -> Hits:
    """The points at which those rays of an index tensor meet faces; they move with the rays."""
    direction = rays.direction[:, index]
    corners = scene.vertices[scene.faces[face]]
    if any(attached(part) for part in (rays.origin, rays.direction, scene.vertices)):
        _, u, v = intersect(corners, rays.origin[:, index].T, direction.T)
    a, b, c = corners.permute(1, 2, 0).contiguous()
    one, other = b - a, c - a
    flat = torch.linalg.cross(one, other, dim=0)
    flat = flat / length(flat).clamp(min=1e-30)
    point = a + u * one + v * other
    first, second, third = scene.normals[face].permute(1, 2, 0).contiguous()
    smooth = first + u * (second - first) + v * (third - first)
    side = torch.where(dot(flat, direction).detach() > 0, -1.0, 1.0).to(flat)
    normal = smooth * (side / length(smooth).clamp(min=1e-30))
    row = scene.face_material[face]
    weight = None if rays.weight is None else rays.weight[:, index]
    number = rays.number[index]
    clear = rays.clear[index]
    return Hits(number, seed, weight, face, row, u, v, point, normal, flat * side, side, -direction, clear)


def between(corners: Tensor, hits: Hits) -> Tensor:
    """Values [C,N] at the points, of those at the corners [F,3,C]."""
    first, second, third = corners[hits.face].permute(1, 2, 0)
    result: Tensor = first + hits.u * (second - first) + hits.v * (third - first)
    return result


def colour(scene: SceneArrays, hits: Hits) -> Tensor:
    """Kd [3,N] with textures and colours."""
    result = scene.materials[:, KD : KD + 3][hits.row].T
    if len(scene.colours):
        result = result * between(scene.colours, hits)
    return _textured(scene, hits, TEXTURE, result, 3)


def gloss(scene: SceneArrays, hits: Hits) -> tuple[Tensor, Tensor]:
    """Roughness and metallic [N]."""
    rough, metal = _textured(scene, hits, GLOSS, scene.materials[:, [ROUGHNESS, METALLIC]][hits.row].T, 2)
    return rough, metal


def _textured(scene: SceneArrays, hits: Hits, column: int, values: Tensor, channels: int) -> Tensor:
    """Values [C,N] times the texture that the materials name in a column, where they do."""
    if not len(scene.uv) or not len(scene.textures):
        return values
    texture = scene.material_kinds[:, column][hits.row]
    index = (texture >= 0).nonzero()[:, 0]
    if not len(index):
        return values
    texels = sampled(scene, texture[index], between(scene.uv, hits.some(index)))[:channels]
    result: Tensor = values.index_put(
        (torch.arange(channels, device=index.device)[:, None], index), values[:, index] * texels
    )
    return result


def sampled(scene: SceneArrays, texture: Tensor, uv: Tensor) -> Tensor:
    """Textures' [N] values [3,N] at uv [2,N], bilinear and repeated."""
    first, height, width = scene.textures[texture].T
    x, y = uv[0] * width - 0.5, (1 - uv[1]) * height - 0.5
    left, top = x.detach().floor(), y.detach().floor()
    fx, fy, left, top = x - left, y - top, left.long(), top.long()
    total = torch.zeros_like(x)
    for k in range(4):
        column, row = (left + k % 2) % width, (top + k // 2) % height
        share = (fx if k % 2 else 1 - fx) * (fy if k // 2 else 1 - fy)
        total = total + share * scene.texels[first + row * width + column].T
    return total


def leave(
    scene: SceneArrays, hits: Hits, towards: Tensor, index: Tensor | None = None, side: float = 1.0
) -> tuple[Tensor, Tensor]:
    """By how much [3,N] rays along unit vectors [3,N] start above the point, and whether [N] they leave the face.

    Both are constants. With an index tensor [N], those points of it; with the side -1, to the side that is not seen.
    """
    flat = side * (hits.flat if index is None else hits.flat[:, index]).detach()
    cosine = dot(flat, towards.detach())
    offset, leaves = paths.LIFT * flat, cosine > 0
    low = (cosine < paths.GRAZING).nonzero()[:, 0]
    if len(low):
        bulge, curved = _bulge(scene, hits, low if index is None else index[low], flat[:, low])
        offset[:, low] += (1 - cosine[low] / paths.GRAZING).clamp(0, 1) * bulge
        leaves[low] |= curved
    return offset, leaves


def _bulge(scene: SceneArrays, hits: Hits, index: Tensor, flat: Tensor) -> tuple[Tensor, Tensor]:
    """From points of facets to the smooth surface above them [3,N], and whether [N] there is one; else 0."""
    face = hits.face[index]
    corners, normals = scene.vertices.detach()[scene.faces[face]], scene.normals.detach()[face]
    front = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    outside = (front * flat.T).sum(-1) >= 0
    normals = torch.where(outside[:, None, None], normals, -normals)
    away = hits.point.detach()[:, index].T[:, None] - corners
    below = (away * normals).sum(-1).clamp(max=0)
    curved = (-below > paths.FLAT * away.norm(dim=-1)).any(1)
    u, v = hits.u.detach()[index], hits.v.detach()[index]
    weights = torch.stack([1 - u - v, u, v], 1)
    return -((weights * below)[..., None] * normals).sum(1).T, curved
