"""What traced pictures lack of gradients: how outlines and the borders of shadows move; zero but for its gradient."""

from __future__ import annotations

from functools import partial

import torch

from invrender.nouns import Cameras
from invrender.render.edges import EdgeSampling, visibility
from invrender.render.ray_radiance import Traceable, direct, radiance
from invrender.render.shadow_edges import shadow_visibility
from invrender.shading.lights import unit

Tensor = torch.Tensor


def moves(scene: Traceable, cameras: Cameras) -> bool:
    """Whether gradients are asked for with something that moves edges."""
    parts = (scene.body.surface.positions, cameras.world_to_camera, cameras.projection, scene.lights.direction)
    return torch.is_grad_enabled() and any(isinstance(part, Tensor) and part.requires_grad for part in parts)


def moving_edges(picture: Tensor, scene: Traceable, camera: Cameras, sampling: EdgeSampling) -> Tensor:
    """Zeros [1,H,W,4] that add to a picture the gradients of its edges, with vertices, camera and directions of lights.

    Edges in mirrors have none; see `edges.visibility` and `shadow_edges.shadow_visibility`.
    """
    surface = scene.body.surface
    towards = unit(torch.as_tensor(scene.lights.direction, dtype=torch.float64).to(surface.positions).reshape(-1, 3))
    lights = torch.cat([towards, torch.zeros_like(towards[:, :1])], 1)
    seen = partial(radiance, scene)
    if not scene.settings.shadows:
        return visibility(picture, surface, camera, seen, sampling)
    total = visibility(picture, surface, camera, seen, sampling, lights.detach())
    for k in range(len(lights)):
        given = (picture, surface, camera, scene.body.backend, lights[k], partial(direct, scene, k), sampling)
        total = total + shadow_visibility(*given)
    return total
