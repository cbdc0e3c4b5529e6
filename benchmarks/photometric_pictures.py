"""Pictures for `benchmarks/photometric.py`: lit by spherical harmonics, or traced with hard shadows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from invrender.cameras.projection import look_at, perspective
from invrender.cameras.rigs import fibonacci
from invrender.geometry.vectors import vertex_normals
from invrender.kernels import Backend
from invrender.nouns import Cameras, Mesh
from invrender.shading.spherical_harmonics import ambient, directional, irradiance
from invrender.shading.surface import face_normals
from invrender.shading.texture import sample_texture

Tensor = torch.Tensor

SIZE, SAMPLES = 256, 4
SUNS = (((0.5, 0.7, 0.5), (0.75, 0.70, 0.60)), ((-0.7, 0.1, -0.5), (0.20, 0.25, 0.35)))
"""Directions towards two directional lights and their intensities, beside an ambient light of AMBIENT."""

AMBIENT = 0.2


@dataclass(frozen=True)
class Drawn:
    """Pictures of a mesh: linear colours on black [N,H,W,3], coverage [N,H,W] and mean albedo [N,H,W,3], float32."""

    images: Tensor
    masks: Tensor
    albedo: Tensor


def cameras(directions: Tensor) -> Cameras:
    """Views from these directions [N,3], three half-extents of .9 away."""
    projection = perspective(45.0, (SIZE, SIZE), 0.03, 12.0).repeat(len(directions), 1, 1)
    return Cameras(look_at(3.0 * directions, torch.zeros(3, dtype=torch.float64)), projection, (SIZE, SIZE))


def training() -> Cameras:
    """The views that are given."""
    return cameras(fibonacci(24, 0.5))


def held_out() -> Cameras:
    """Views from directions of another spiral, turned away from it."""
    a, b = math.cos(0.4), math.sin(0.4)
    c, d = math.cos(0.7), math.sin(0.7)
    about_z = torch.tensor([[a, -b, 0], [b, a, 0], [0, 0, 1]], dtype=torch.float64)
    about_x = torch.tensor([[1, 0, 0], [0, c, -d], [0, d, c]], dtype=torch.float64)
    return cameras(fibonacci(8, 1.9) @ (about_z @ about_x).T)


def true_light() -> Tensor:
    """The light [9,3]: both suns and the ambient light as order 2 sees them."""
    light = ambient(torch.full((3,), AMBIENT, dtype=torch.float64))
    for towards, intensity in SUNS:
        light = light + directional(torch.tensor(towards, dtype=torch.float64), torch.tensor(intensity).double())
    return light


def normalised(mesh: Mesh) -> Mesh:
    """The mesh about the mean of its vertices, in [-.9, .9]."""
    vertices = mesh.vertices.double()
    vertices = vertices - vertices.mean(0)
    return Mesh(vertices * (0.9 / vertices.abs().max()), mesh.faces, mesh.uv, mesh.colours, mesh.material)


Samples = tuple[Tensor, Tensor, Tensor]
"""Positions, normals towards the eye and albedo [P,3] of the samples that hit something."""


def draw(mesh: Mesh, views: Cameras, shade: Shade, backend: Backend, smooth: bool = False) -> Drawn:
    """One view after another, SAMPLES^2 samples a pixel; flat faces, or smooth between the vertices' normals."""
    large = (SIZE * SAMPLES, SIZE * SAMPLES)
    parts = []
    for matrix, eye in zip(views.clip_from_world, views.position, strict=True):
        clip = (mesh.vertices @ matrix[:, :3].T + matrix[:, 3])[None]
        face_id = backend.rasterize(clip, mesh.faces, large)[0]
        hit = face_id[0] >= 0
        samples = sampled(mesh, face_id, clip, hit, eye, backend, smooth)
        sums = torch.zeros(*large, 7)
        sums[hit] = torch.cat([shade(*samples), samples[2], torch.ones(len(samples[0]), 1)], 1).float()
        parts.append(sums.reshape(SIZE, SAMPLES, SIZE, SAMPLES, 7).mean((1, 3)))
    means = torch.stack(parts)
    return Drawn(means[..., :3], means[..., 6], means[..., 3:6] / means[..., 6:].clamp(min=1e-6))


def sampled(
    mesh: Mesh, face_id: Tensor, clip: Tensor, hit: Tensor, eye: Tensor, backend: Backend, smooth: bool
) -> Samples:
    """What the samples of a view show."""

    def between(values: Tensor) -> Tensor:
        return backend.interpolate(values.double(), mesh.faces, face_id, clip)[0][hit]

    position = between(mesh.vertices)
    normal = face_normals(mesh.vertices, mesh.faces)[face_id[0][hit]]
    if smooth:
        normal = torch.nn.functional.normalize(between(torch.from_numpy(vertex_normals(*mesh.numpy()))), dim=-1)
    normal = torch.where(((eye - position) * normal).sum(1, keepdim=True) < 0, -normal, normal)
    if mesh.material.texture is not None and mesh.uv is not None:
        return position, normal, sample_texture(mesh.material.texture.double(), between(mesh.uv))
    plain = torch.as_tensor(mesh.material.albedo).double().expand(len(position), 3)
    return position, normal, plain if mesh.colours is None else between(mesh.colours)


Shade = Callable[[Tensor, Tensor, Tensor], Tensor]


def lit_by(light: Tensor) -> Shade:
    """Shading by a light [9,3], without shadows."""
    return lambda position, normal, albedo: albedo * irradiance(normal, light).clamp(min=0) / math.pi


def traced(mesh: Mesh, backend: Backend) -> Shade:
    """Shading by the suns with hard shadows and by the ambient light, of which a random ray a sample sees a part."""
    random = torch.Generator().manual_seed(0)

    def escapes(position: Tensor, normal: Tensor, towards: Tensor) -> Tensor:
        return (backend.trace(mesh.vertices, mesh.faces, position + 1e-4 * normal, towards)[0] < 0).double()[:, None]

    def shade(position: Tensor, normal: Tensor, albedo: Tensor) -> Tensor:
        ball = torch.nn.functional.normalize(torch.randn(len(normal), 3, generator=random).double(), dim=-1)
        arriving = AMBIENT * escapes(position, normal, torch.nn.functional.normalize(normal + ball, dim=-1))
        for direction, intensity in SUNS:
            towards = torch.nn.functional.normalize(torch.tensor(direction).double(), dim=0).expand_as(normal)
            cosine = (normal * towards).sum(1, keepdim=True).clamp(min=0) * escapes(position, normal, towards)
            arriving = arriving + cosine * torch.tensor(intensity).double()
        return albedo * arriving

    return shade
