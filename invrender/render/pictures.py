"""Pictures of any asset in any mode, with defaults for everything: what `invrender.render` calls.

Gradients of meshes reach vertices, colours, material, lights and cameras; of volumes, values and transfer function,
and with mode "transmittance" and the torch backend the cameras. Where a backend has no gradient it says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch

from invrender.backends import select
from invrender.cameras.around import around
from invrender.errors import UsageError
from invrender.kernels import Backend, Part
from invrender.nouns import Cameras, Mesh, Scene, Volume
from invrender.nouns.appearance import Colour
from invrender.render import raster, traced
from invrender.render.absorption import transmittance
from invrender.render.emission import VolumeStyle, render_volume
from invrender.render.images import average, enlarge
from invrender.render.modes import Mode, find_mode
from invrender.render.ray_radiance import RaySettings, backdrop
from invrender.render.transfer import transfer_function

Tensor = torch.Tensor

WHITE: Colour = (1.0, 1.0, 1.0)
STRENGTH = 0.5  # opacity of a volume's greatest value, as `invrender render` has it


def render(
    asset: Mesh | Volume | Scene,
    cameras: Cameras | None = None,
    mode: str | None = None,
    *,
    size: int | tuple[int, int] = 512,
    views: int = 1,
    backend: str | Backend = "auto",
    background: Colour | Tensor | None = None,
    alpha: bool = False,
    supersample: int = 1,
    style: VolumeStyle | None = None,
    extinction: float | Tensor | Literal["auto"] = 1.0,
    dtype: torch.dtype = torch.float32,
    rays: RaySettings | None = None,
) -> Tensor:
    """Draw a mesh, a scene or a volume; differentiable in what the asset, its lights and the cameras hold as tensors.

        picture = invrender.render(mesh)                                  # shaded, [1,512,512,3] linear RGB
        masks = invrender.render(mesh, cameras, "silhouette")             # [N,H,W,1]
        light = invrender.render(volume, mode="transmittance", views=8)   # [8,512,512,1]

    Args:
        asset: a mesh under a light that moves with the camera, a scene, or a volume.
        cameras: N of them; None places `views` around the asset (`cameras.around`) with images of `size`.
        mode: of `render.modes`; None takes "shaded" for meshes and "volume" for volumes.
        size: (H, W) in pixels, or the side of square images; only where there are no cameras.
        views: how many cameras; only where there are none.
        backend: a name; or what `backends.select` returned, which then is tested once and not in every call.
        background: linear RGB behind what is seen; None: the scene's own, else white.
        alpha: return premultiplied RGB and alpha [N,H,W,4] without a background, where a mode has colours.
        supersample: samples on each side of a pixel; depth has one.
        style: of mode "volume": transfer function, lighting, quality; None: chosen after the values.
        extinction: of mode "transmittance": the factor on the density; "auto" makes the volume well visible, and counts
            as constant in gradients.
        dtype: of pictures of meshes; those of volumes have that of the values.
        rays: of mode "raytraced": depth of mirroring, shadows, ambient occlusion; of mode "shaded" the occlusion alone.

    Returns:
        [N,H,W,C] on the backend's device: linear RGB, or one channel for silhouette, depth and transmittance.

    Raises:
        UsageError: the mode does not exist or does not fit; the backend does not exist.
        InputError: the asset cannot be drawn like this.
        BackendError: the backend does not run here, or has no gradient that is required.
    """
    row = find_mode(mode, "volume" if isinstance(asset, Volume) else "mesh")
    if alpha and not row.layered:
        raise UsageError(f"mode {row.name} has no alpha", "leave `alpha` out")
    if cameras is None:
        cameras = around(asset.mesh if isinstance(asset, Scene) else asset, "orbit", views, size)
    if isinstance(asset, Volume):
        return _volume(
            asset, cameras, row, _selected(backend, "volumes"), background, alpha, supersample, style, extinction
        )
    scene = asset if isinstance(asset, Scene) else Scene(asset)
    if background is not None:
        scene = replace(scene, background=background)
    drawn = _mesh(scene, cameras, row, _selected(backend, "meshes"), supersample, dtype, rays or RaySettings(), alpha)
    return drawn if alpha or row.channels == 1 else over(drawn, scene.backdrop)


def default_style(volume: Volume) -> VolumeStyle:
    """The style of `invrender render`: a volume of four channels has its own colours, others a transfer function."""
    return VolumeStyle(None if len(volume.values) == 4 else transfer_function(volume, strength=STRENGTH))


def over(premultiplied: Tensor, background: Colour | Tensor) -> Tensor:
    """RGB [...,3] of premultiplied RGB and alpha [...,4] over a background."""
    behind = torch.as_tensor(background).to(premultiplied)
    return premultiplied[..., :3] + (1 - premultiplied[..., 3:]) * behind


def _selected(backend: str | Backend, part: Part) -> Backend:
    return select(backend, needs=(part,)) if isinstance(backend, str) else backend


def _mesh(
    scene: Scene,
    cameras: Cameras,
    mode: Mode,
    backend: Backend,
    supersample: int,
    dtype: torch.dtype,
    rays: RaySettings,
    alpha: bool,
) -> Tensor:
    """Premultiplied RGBA where the mode has an alpha, else one channel."""
    if mode.renderer == "traced":
        sky = None if alpha else backdrop(scene.backdrop)
        return traced.layers(scene, cameras, backend, supersample, dtype, settings=rays, sky=sky)
    if not mode.layered:
        return raster.render(scene, cameras, mode.name, backend, supersample, dtype)
    return raster.layers(scene, cameras, mode.name, backend, supersample, dtype, occlusion=rays.occlusion)


def _volume(
    volume: Volume,
    cameras: Cameras,
    mode: Mode,
    backend: Backend,
    background: Colour | Tensor | None,
    alpha: bool,
    supersample: int,
    style: VolumeStyle | None,
    extinction: float | Tensor | Literal["auto"],
) -> Tensor:
    large = enlarge(cameras, supersample)
    if mode.renderer == "absorption":
        light, _ = transmittance(volume, large, backend, None if isinstance(extinction, str) else extinction)
        return average(light[..., None], supersample)
    drawn = average(render_volume(volume, large, style or default_style(volume), backend), supersample)
    return drawn if alpha else over(drawn, WHITE if background is None else background)
