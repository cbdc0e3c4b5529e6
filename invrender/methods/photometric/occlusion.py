"""How much of the light a shape blocks itself: traced for every vertex, as seen from many directions.

The share of the irradiance that arrives weighs directions by what comes from there, so that a bright side of the light
casts shadows, and by the cosine. It is a constant of the descent: a shape does not move to change its own shadows.
"""

from __future__ import annotations

import torch

from invrender.geometry.visibility import spread_directions
from invrender.kernels import Backend
from invrender.methods.photometric.normals import smooth_normals
from invrender.methods.silhouette.target import Shape
from invrender.shading.spherical_harmonics import radiance

Tensor = torch.Tensor

DIRECTIONS = 96
LIFT = 4e-3  # normalised units by which rays start above the surface, so that its facets do not shadow themselves
GRAZING = 0.02  # cosine below which a direction counts for nothing
DIMMEST = 0.02  # radiance that arrives from any side, at least: order 2 swings below 0
DARKEST = 0.1  # share that arrives everywhere, at least: light that was reflected before


def traced_occlusion(shape: Shape, light: Tensor, backend: Backend, directions: int = DIRECTIONS) -> Tensor:
    """The share [V,3] float64 of the irradiance of a light [9,3] that reaches each vertex of a shape."""
    vertices, faces = torch.from_numpy(shape.vertices), torch.from_numpy(shape.faces)
    normals = smooth_normals(vertices, faces)
    towards = torch.from_numpy(spread_directions(directions))
    arriving = radiance(towards, light).clamp(min=DIMMEST)
    cosine = normals @ towards.T
    vertex, direction = (cosine > GRAZING).nonzero(as_tuple=True)
    start = vertices[vertex] + LIFT * normals[vertex]
    device = backend.device
    given = (vertices.to(device), faces.to(device), start.to(device), towards[direction].to(device))
    free = (backend.trace(*given)[0] < 0).cpu().double()
    weight = cosine[vertex, direction, None] * arriving[direction]
    total = torch.zeros_like(vertices).index_add(0, vertex, weight)
    reached = torch.zeros_like(vertices).index_add(0, vertex, weight * free[:, None])
    share: Tensor = (reached / total.clamp(min=1e-12)).clamp(DARKEST, 1.0)
    return share
