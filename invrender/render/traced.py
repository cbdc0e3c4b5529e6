"""Pictures by rays: every pixel is the mean of what the rays through it see (`ray_radiance`).

Differentiable in vertices, material, vertex colours, lights and cameras; also in how outlines and shadows move with
vertices, cameras and the directions of lights (`traced_edges`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from invrender.cameras.rays import camera_rays
from invrender.kernels import Backend
from invrender.nouns import Cameras, Lights, Scene
from invrender.render.images import average, enlarge
from invrender.render.ray_radiance import RaySettings, Sky, Traceable, backdrop, radiance, traceable
from invrender.render.rays import body
from invrender.render.traced_edges import moves, moving_edges
from invrender.shading.lights import fixed
from invrender.shading.surface import surface_on

Tensor = torch.Tensor

_RAYS_AT_ONCE = 2**18


def render(
    scene: Scene,
    cameras: Cameras,
    backend: Backend,
    supersample: int = 1,
    dtype: torch.dtype = torch.float32,
    lights: Sequence[Lights] | None = None,
    settings: RaySettings | None = None,
) -> Tensor:
    """Pictures [N,H,W,3], linear RGB, over the scene's background, which mirrors see as well; see `layers`."""
    premultiplied = layers(scene, cameras, backend, supersample, dtype, lights, settings, backdrop(scene.backdrop))
    background = torch.as_tensor(scene.backdrop).to(premultiplied)
    return premultiplied[..., :3] + (1 - premultiplied[..., 3:]) * background


def layers(
    scene: Scene,
    cameras: Cameras,
    backend: Backend,
    supersample: int = 1,
    dtype: torch.dtype = torch.float32,
    lights: Sequence[Lights] | None = None,
    settings: RaySettings | None = None,
    sky: Sky | None = None,
) -> Tensor:
    """Colour over nothing: [N,H,W,4] premultiplied linear RGB and alpha.

    Args:
        scene: mesh and lights.
        cameras: N of them.
        backend: whose `trace` finds what rays meet.
        supersample: rays on each side of a pixel, in a regular grid.
        dtype: of the computation in the mesh's frame.
        lights: those of each picture, instead of the scene's for all.
        settings: depth of mirroring, shadows, occlusion, and gradients of edges.
        sky: what mirrored rays see that meet nothing; None: the light from everywhere.
    """
    prepared, settings = body(surface_on(backend.device, scene.mesh), backend, dtype), settings or RaySettings()
    settings = replace(settings, occlusion=settings.occlusion and settings.occlusion.shared(supersample))
    pictures = []
    for k in range(len(cameras)):
        own = fixed(lights[k] if lights is not None else scene.look, cameras[[k]])
        ready = traceable(prepared, own, settings, sky)
        picture = _picture(ready, cameras[[k]], supersample)
        if settings.edges is not None and moves(ready, cameras):
            picture = picture + moving_edges(picture, ready, cameras[[k]], settings.edges)
        pictures.append(picture)
    return torch.cat(pictures)


def _picture(scene: Traceable, camera: Cameras, supersample: int) -> Tensor:
    """[1,H,W,4] of one camera; rays go some rows of pixels at a time, so that memory grows with the picture alone."""
    large = enlarge(camera, supersample)
    height, width = large.size
    step = supersample * max(1, _RAYS_AT_ONCE // (supersample * width))
    return torch.cat(
        [_rows(scene, large, (top, min(top + step, height)), supersample) for top in range(0, height, step)], 1
    )


def _rows(scene: Traceable, large: Cameras, rows: tuple[int, int], supersample: int) -> Tensor:
    rays, device = camera_rays(large, rows), scene.body.vertices.device
    seen_by = radiance(scene, rays.origin.to(device), rays.direction.to(device))
    return average(seen_by.reshape(1, rows[1] - rows[0], large.size[1], 4), supersample)
