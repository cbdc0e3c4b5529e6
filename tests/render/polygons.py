"""Flat scenes whose pictures are polygons, so that pixels and their gradients are known exactly."""

from __future__ import annotations

import torch

from invrender.cameras.projection import look_at, perspective
from invrender.kernels import Backend
from invrender.nouns import Cameras, Mesh
from invrender.ops import first_hits
from invrender.shading.surface import Surface, surface

Tensor = torch.Tensor

SIZE = (40, 48)


def numbers(values: list[float] | list[list[float]]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def pinhole(motion: Tensor | None = None, eye: tuple[float, float, float] = (0.3, -0.2, 3.0)) -> Cameras:
    """A camera that looks at the origin, moved by a twist [6] (turned by the first three, shifted by the others)."""
    world_to_camera = look_at([eye], (0.0, 0.0, 0.0))
    if motion is not None:
        world_to_camera = moved(motion) @ world_to_camera
    return Cameras(world_to_camera, perspective(50.0, SIZE, 0.1, 100.0)[None], SIZE)


def orthographic(motion: Tensor | None = None, eye: tuple[float, float, float] = (0.3, -0.2, 3.0)) -> Cameras:
    projection = torch.diag(numbers([1 / 1.2, 1 / 1.0, -0.1, 1.0]))
    projection[2, 3] = -1.0  # the near plane goes through the camera's place
    return Cameras(pinhole(motion, eye).world_to_camera, projection[None], SIZE)


def moved(twist: Tensor) -> Tensor:
    """The rigid motion [4,4] of a twist [6]."""
    x, y, z, *shift = twist.unbind()
    zero = torch.zeros_like(x)
    rows = [[zero, -z, y, shift[0]], [z, zero, -x, shift[1]], [-y, x, zero, shift[2]], [zero] * 4]
    return torch.linalg.matrix_exp(torch.stack([torch.stack(row) for row in rows]))


def telescope(motion: Tensor | None = None) -> Cameras:
    """A camera 300 times as far away, with as narrow a lens."""
    world_to_camera = pinhole(motion, (90.0, -60.0, 900.0)).world_to_camera
    return Cameras(world_to_camera, perspective(50.0 / 300, SIZE, 0.1, 1e4)[None], SIZE)


def pixels(points: Tensor, cameras: Cameras) -> Tensor:
    """Where a camera sees points [K,3]: [K,2]."""
    clip = torch.cat([points, torch.ones_like(points[:, :1])], 1) @ cameras.clip_from_world[0].T
    height, width = cameras.size
    x, y = (clip[:, :2] / clip[:, 3:]).unbind(1)
    return torch.stack([(x + 1) / 2 * width, (1 - y) / 2 * height], 1)


def area(polygon: Tensor) -> Tensor:
    """The area of a polygon [K,2]."""
    x, y = polygon.unbind(1)
    return ((x * y.roll(-1) - y * x.roll(-1)).sum() / 2).abs()


def lit(
    surface: Surface, backend: Backend, colours: Tensor, light: Tensor | None, origin: Tensor, direction: Tensor
) -> Tensor:
    """Colours [F,3] of the faces that rays meet where nothing is between them and the light; black elsewhere."""
    at = surface.positions.detach()
    hits = first_hits(backend, at, surface.faces, origin, direction)
    seen = (hits.face >= 0).to(at)
    if light is not None:
        normal = surface.face_normals.detach()[hits.face.clamp(min=0)]
        point = origin + torch.where(hits.face[:, None] >= 0, hits.t[:, None], 0) * direction
        point = point - 1e-6 * (normal * direction).sum(1, keepdim=True).sign() * normal
        to_light = light[:3] - light[3] * point
        blocked = first_hits(backend, at, surface.faces, point, to_light).t < (1 if float(light[3]) else torch.inf)
        seen = seen * ~blocked
    return colours[hits.face.clamp(min=0)] * seen[:, None]


def square(side: float, height: float) -> Tensor:
    """Corners [4,3] of a square about the z axis."""
    return numbers([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * side / 2 + numbers([0, 0, height])


def prepared(vertices: Tensor, faces: list[list[int]]) -> Surface:
    return surface(Mesh(vertices, torch.tensor(faces, dtype=torch.int64).reshape(-1, 3)))
