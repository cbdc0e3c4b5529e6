"""Shapes whose pictures are known, and the rays that look at them."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from invrender.backends import select
from invrender.kernels import Backend
from invrender.nouns import Lights, Material, Mesh
from invrender.render.ray_radiance import RaySettings, Sky, Traceable, traceable
from invrender.render.rays import body
from invrender.shading.surface import surface_on

Tensor = torch.Tensor
TORCH = select("torch")


def ball(rings: int = 16, radius: float = 1.0, centre: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Mesh:
    """A sphere of `rings` rings of 2 `rings` faces or pairs of faces."""
    count = 2 * rings
    polar, around = (torch.arange(n).double() * math.pi / rings for n in (rings + 1, count))
    ring, height = polar.sin()[:, None], polar.cos()[:, None].expand(-1, count)
    points = torch.stack([ring * around.sin(), height, ring * around.cos()], -1).reshape(-1, 3)
    i, j = (each.reshape(-1) for each in torch.meshgrid(torch.arange(rings), torch.arange(count), indexing="ij"))
    a, b = i * count + j, i * count + (j + 1) % count
    upper, lower = torch.stack([a, a + count, b], 1)[i > 0], torch.stack([b, a + count, b + count], 1)[i < rings - 1]
    return Mesh(points * radius + torch.tensor(centre).double(), torch.cat([upper, lower]))


def floor(height: float = 0.0, half: float = 4.0, **look: object) -> Mesh:
    """A square that faces +Y."""
    corners = torch.tensor([[-1.0, 0, -1], [-1, 0, 1], [1, 0, 1], [1, 0, -1]], dtype=torch.float64) * half
    corners[:, 1] = height
    return Mesh(corners, torch.tensor([[0, 1, 2], [0, 2, 3]]), material=Material(**look))


def together(*meshes: Mesh) -> Mesh:
    """One mesh of all, with the first one's material."""
    starts = [sum(len(mesh.vertices) for mesh in meshes[:k]) for k in range(len(meshes))]
    faces = torch.cat([mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)])
    return replace(meshes[0], vertices=torch.cat([mesh.vertices for mesh in meshes]), faces=faces)


def ready(
    mesh: Mesh,
    lights: Lights,
    settings: RaySettings | None = None,
    sky: Sky | None = None,
    backend: Backend = TORCH,
    dtype: torch.dtype = torch.float64,
) -> Traceable:
    """A mesh under lights for `traced.radiance`."""
    return traceable(body(surface_on(backend.device, mesh), backend, dtype), lights, settings, sky)


def grid(side: int, half: float, height: float) -> tuple[Tensor, Tensor]:
    """Rays straight down from a square of that height: origin and direction [side^2,3], and x, z between the lines."""
    at = (torch.arange(side).double() + 0.5) * 2 * half / side - half
    x, z = (each.reshape(-1) for each in torch.meshgrid(at, at, indexing="ij"))
    origin = torch.stack([x, torch.full_like(x, height), z], -1)
    return origin, torch.tensor([0.0, -1.0, 0.0], dtype=torch.float64).expand_as(origin).contiguous()
