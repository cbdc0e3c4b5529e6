"""The light that arrives at points of a surface directly: of lights, of faces that emit, and of the environment."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from invrender.backends.torch.radiance_hits import Hits, Spots
from invrender.backends.torch.radiance_random import dot, length, turned, uniform
from invrender.backends.torch.radiance_tables import Emitters, Sky
from invrender.kernels import paths
from invrender.kernels.radiance import (
    COS_INNER,
    COS_OUTER,
    DIRECTION,
    DIRECTIONAL,
    EMISSION,
    INTENSITY,
    OPACITY,
    POSITION,
    SPOT,
    SceneArrays,
)

Tensor = torch.Tensor


EVERYWHERE = 0.25  # stands for the cosine with the normal where a sky of one colour is looked for on all sides alike


@dataclass(frozen=True)
class Arrival:
    """Light from one source at N points.

    Attributes:
        towards: [3,N] unit, to it.
        light: [3,N] or [3,1] irradiance across that direction, by the probability with which it was picked.
        density: [N] per solid angle, by which the direction was picked; None: no path finds the source by itself.
        segment: [3,N] from the point to the source, or None: it is far away.
        source: its number, for the random numbers by which faces of some opacity are there.
    """

    towards: Tensor
    light: Tensor
    density: Tensor | None
    segment: Tensor | None
    source: int


def arrivals(
    scene: SceneArrays, hits: Hits, bounce: int, emitters: Emitters | None, sky: Sky | None
) -> Iterator[Arrival]:
    """What arrives of every light, of one point of a face that emits, and from one direction of the environment."""
    yield from near(scene, hits, bounce, emitters)
    if scene.environment.numel():
        yield _far(scene, sky, hits, bounce)


def arrivals_within(
    scene: SceneArrays, spots: Spots, bounce: int, emitters: Emitters | None, sky: Sky | None, looked: bool
) -> Iterator[Arrival]:
    """The same at points of a medium, where the environment may not be looked for."""
    yield from near(scene, spots, bounce, emitters)
    if looked and scene.environment.numel():
        yield _around(scene, sky, spots, bounce)


def near(scene: SceneArrays, hits: Hits | Spots, bounce: int, emitters: Emitters | None) -> Iterator[Arrival]:
    """What arrives of every light, and of one point of a face that emits."""
    for number, kind in enumerate(scene.light_kinds.tolist()):
        yield _punctual(scene.lights[number], kind, hits, number)
    if emitters is not None:
        yield _area(scene, emitters, hits, bounce)


def _punctual(light: Tensor, kind: int, hits: Hits | Spots, number: int) -> Arrival:
    intensity = light[INTENSITY : INTENSITY + 3, None]
    axis = light[DIRECTION : DIRECTION + 3, None]
    if kind == DIRECTIONAL:
        return Arrival(axis.expand_as(hits.point), intensity, None, None, number + 1)
    segment = light[POSITION : POSITION + 3, None] - hits.point
    square = dot(segment, segment).clamp(min=paths.NEAREST)
    towards = segment / square.sqrt()
    arriving = intensity / square
    if kind == SPOT:
        inner, outer = light[COS_INNER], light[COS_OUTER]
        share = ((-dot(towards, axis.expand_as(towards)) - outer) / (inner - outer)).clamp(0, 1)
        arriving = arriving * share * share
    return Arrival(towards, arriving, None, segment, number + 1)


def _area(scene: SceneArrays, emitters: Emitters, hits: Hits | Spots, bounce: int) -> Arrival:
    pick, u, v = (_uniform(hits, bounce, number) for number in (paths.FACE, paths.ALONG, paths.ACROSS))
    u, v = torch.where(u + v > 1, 1 - u, u), torch.where(u + v > 1, 1 - v, v)
    face = emitters.faces[torch.searchsorted(emitters.cumulative, pick.float(), right=True)]
    a, b, c = scene.vertices[scene.faces[face]].permute(1, 2, 0)
    across = torch.linalg.cross(b - a, c - a, dim=0)
    segment = a + u * (b - a) + v * (c - a) - hits.point
    square = dot(segment, segment).clamp(min=paths.NEAREST)
    towards = segment / square.sqrt()
    seen = dot(across, towards).abs() / length(across).clamp(min=1e-30)
    density = emitters.density[face].to(square)
    rows = scene.materials[scene.face_material[face]]
    emission = rows[:, EMISSION : EMISSION + 3].T * rows[:, OPACITY].detach()
    by_angle = (density * square / seen.clamp(min=paths.LEAST)).detach()
    return Arrival(towards, emission * (seen / (square * density)), by_angle, segment, len(scene.lights) + 1)


def _far(scene: SceneArrays, sky: Sky | None, hits: Hits, bounce: int) -> Arrival:
    normal = hits.normal.detach()
    if sky is None:
        first, second = (_uniform(hits, bounce, number) for number in (paths.EAST, paths.NORTH))
        towards = turned(normal, (1 - first).sqrt(), first.sqrt(), second)
        density = dot(towards, normal).clamp(min=paths.LEAST) / math.pi
    else:
        towards, density = _picked(scene, sky, hits, bounce)
    light = sky_radiance(scene, towards) / density
    return Arrival(towards, light, density, None, len(scene.lights) + 2)


def _around(scene: SceneArrays, sky: Sky | None, spots: Spots, bounce: int) -> Arrival:
    if sky is None:
        first, second = (_uniform(spots, bounce, number) for number in (paths.EAST, paths.NORTH))
        up = 1 - 2 * first
        axis = torch.zeros_like(spots.point)
        axis[2] = 1
        towards = turned(axis, up, (1 - up * up).clamp(min=0).sqrt(), second)
        density = torch.full_like(up, EVERYWHERE / math.pi)
    else:
        towards, density = _picked(scene, sky, spots, bounce)
    light = sky_radiance(scene, towards) / density
    return Arrival(towards, light, density, None, len(scene.lights) + 2)


def _picked(scene: SceneArrays, sky: Sky, hits: Hits | Spots, bounce: int) -> tuple[Tensor, Tensor]:
    """Directions [3,N] of the world by the luminance of the environment, and their density [N]."""
    numbers = (paths.ROW, paths.COLUMN, paths.EAST, paths.NORTH)
    first, second, east, north = (_uniform(hits, bounce, number) for number in numbers)
    row = torch.searchsorted(sky.rows, first.float(), right=True)
    column = torch.searchsorted(sky.columns[row], second.float()[:, None], right=True)[:, 0]
    height, width = sky.columns.shape
    top, bottom = (row * (math.pi / height)).cos(), ((row + 1) * (math.pi / height)).cos()
    up = top + north * (bottom - top)
    flat, around = (1 - up * up).clamp(min=0).sqrt(), ((column + east) / width - 0.5) * (2 * math.pi)
    local = torch.stack([flat * around.sin(), up, -flat * around.cos()]).to(hits.point)
    return scene.turn.detach().T @ local, sky.density[row, column].to(local)


def sky_density(scene: SceneArrays, sky: Sky | None, towards: Tensor, cosine: Tensor) -> Tensor:
    """The density [N] with which the environment is looked at in directions [3,N], at a cosine [N] to the normal."""
    if sky is None:
        return cosine.clamp(min=paths.LEAST) / math.pi
    x, y = _place(scene, towards.detach())
    height, width = sky.density.shape
    column, row = (x * width).long().clamp(0, width - 1), (y * height).long().clamp(0, height - 1)
    return sky.density[row, column].to(towards)


def sky_radiance(scene: SceneArrays, towards: Tensor) -> Tensor:
    """The environment [3,N] in directions [3,N]: bilinear between texels, and around."""
    height, width = scene.environment.shape[:2]
    if height * width == 1:
        return scene.environment.reshape(3, 1).expand_as(towards)
    x, y = _place(scene, towards)
    x, y = x * width - 0.5, y * height - 0.5
    left, top = x.detach().floor(), y.detach().floor()
    fx, fy, left, top = x - left, y - top, left.long(), top.long()
    texels, total = scene.environment.reshape(-1, 3), torch.zeros_like(towards)
    for k in range(4):
        column, row = (left + k % 2) % width, (top + k // 2).clamp(0, height - 1)
        share = (fx if k % 2 else 1 - fx) * (fy if k // 2 else 1 - fy)
        total = total + share * texels[row * width + column].T
    return total


def _place(scene: SceneArrays, towards: Tensor) -> tuple[Tensor, Tensor]:
    """Where directions [3,N] look in the environment's picture: shares [N] of its width and height."""
    local = scene.turn @ towards
    across = torch.atan2(local[0], -local[2]) / (2 * math.pi) + 0.5
    return across, local[1].clamp(paths.LEAST - 1, 1 - paths.LEAST).acos() / math.pi


def _uniform(hits: Hits | Spots, bounce: int, dimension: int) -> Tensor:
    return uniform(hits.key, bounce, dimension, hits.point.dtype)
