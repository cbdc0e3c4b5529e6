"""Pictures of any asset in any mode, with defaults for everything: what `invrender.render` calls.

Gradients of meshes reach vertices, colours, material, lights and cameras; of volumes, values and transfer function,
and with mode "transmittance" and the torch backend the cameras. Where a backend has no gradient it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, cast

import torch

from invrender.backends import select
from invrender.cameras.around import around
from invrender.cameras.lens import camera_of
from invrender.errors import UsageError
from invrender.io.scenes.join import joined
from invrender.kernels import Backend, Part
from invrender.nouns import Camera, Cameras, Lights, Mesh, Scene, Volume
from invrender.nouns.appearance import BLACK, Colour
from invrender.parameters.neural_field import LearnedField
from invrender.render import raster, traced
from invrender.render.emission import VolumeStyle, render_volume
from invrender.render.estimated import Estimation, light_through
from invrender.render.images import average, enlarge
from invrender.render.modes import Mode, find_mode
from invrender.render.ray_radiance import RaySettings, backdrop
from invrender.render.scene_arrays import geometry
from invrender.render.scene_checks import check_scene
from invrender.render.scene_parts import parts_of
from invrender.render.scene_view import Kind
from invrender.render.scenes import Shot, layers, picture
from invrender.render.transfer import transfer_function
from invrender.render.volume_scene import scene_of_volume

Tensor = torch.Tensor

WHITE: Colour = (1.0, 1.0, 1.0)
STRENGTH = 0.5  # opacity of a volume's greatest value, as `invrender render` has it


def render(
    asset: Mesh | Volume | Scene | LearnedField,
    cameras: Cameras | Camera | Sequence[Camera] | None = None,
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
    estimation: Estimation | None = None,
    dtype: torch.dtype = torch.float32,
    rays: RaySettings | None = None,
    shot: Shot | None = None,
) -> Tensor:
    """Draw a mesh, a scene or a volume; differentiable in what the asset, its lights and the cameras hold as tensors.

        picture = invrender.render(mesh)                                  # shaded, [1,512,512,3] linear RGB
        masks = invrender.render(mesh, cameras, "silhouette")             # [N,H,W,1]
        light = invrender.render(volume, mode="transmittance", views=8)   # [8,512,512,1]
        seen = invrender.render(scene, mode="path", shot=Shot("path", spp=256))   # by the scene's first camera

    Scenes with lamps, environment, several meshes or a camera of their own are drawn in mode "raytraced" as in "path":
    see `render.scenes`, with gradients of materials, lights and camera, but for those of vertices.

    Args:
        asset: a mesh under a light that moves with the camera, a scene, a volume, or a neural field, which but for
            the estimators of transmittance is a volume on its own grid.
        cameras: N of them; None takes the scene's first, else places `views` around the asset (`cameras.around`) with
            images of `size`.
        mode: of `render.modes`; None takes "shaded" for meshes, "volume" for volumes and "scattering" for scenes with a
            medium. In mode "scattering" a volume is a medium under a clear sky.
        size: (H, W) in pixels, or the side of square images; only where the cameras have none.
        views: how many cameras; only where there are none.
        backend: a name; or what `backends.select` returned, which then is tested once and not in every call.
        background: linear RGB behind what is seen; None: the scene's own, else white.
        alpha: return premultiplied RGB and alpha [N,H,W,4] without a background, where a mode has colours.
        supersample: samples on each side of a pixel; depth has one.
        style: of mode "volume": transfer function, lighting, quality; None: chosen after the values.
        extinction: of modes "transmittance" and "scattering": the factor on the density; "auto" makes the volume well
            visible, and counts as constant in gradients.
        estimation: of mode "transmittance": the estimator, rays a pixel and seed; None: exact.
        dtype: of pictures of meshes; those of volumes have that of the values.
        rays: of mode "raytraced" of meshes: depth of mirroring, shadows, ambient occlusion; of mode "shaded" the
            occlusion alone.
        shot: of modes "raytraced", "path" and "scattering" of scenes: depth, rays a pixel, seed, gradients of edges;
            None: 16 rays a pixel, of paths 64. Given for a mesh, it is drawn as a scene.

    Returns:
        [N,H,W,C] on the backend's device: linear RGB, or one channel for silhouette, depth and transmittance.

    Raises:
        UsageError: the mode does not exist or does not fit; the backend does not exist.
        InputError: the asset cannot be drawn like this.
        BackendError: the backend does not run here, or has no gradient that is required.
    """
    if mode is None and isinstance(asset, Scene) and asset.media:
        mode = "scattering"
    row = find_mode(mode, "volume" if isinstance(asset, Volume | LearnedField) else "mesh")
    if alpha and not row.layered:
        raise UsageError(f"mode {row.name} has no alpha", "leave `alpha` out")
    if isinstance(asset, Volume | LearnedField) and row.renderer == "paths":
        volume = asset if isinstance(asset, Volume) else asset.volume()
        asset = scene_of_volume(volume, None if isinstance(extinction, str) else extinction)
    if isinstance(asset, Volume | LearnedField):
        volume = asset if isinstance(asset, Volume) else asset.volume()
        posed = enlarge(_posed(cameras) or around(volume, "orbit", views, size), supersample)
        ready = _selected(backend, "volumes")
        if row.renderer == "absorption":
            factor = None if isinstance(extinction, str) else extinction
            light, _, _ = light_through(asset, posed, ready, factor, estimation)
            return average(light[..., None], supersample)
        return _volume(volume, posed, ready, background, alpha, supersample, style)
    scene = asset if isinstance(asset, Scene) else Scene(asset)
    if background is not None:
        scene = replace(scene, background=background)
    ready = _selected(backend, "meshes")
    if row.renderer == "paths" or (row.renderer == "traced" and (shot is not None or _needs_rays(scene, cameras))):
        return _followed(scene, _cameras_of_scene(scene, cameras, views, size), row, ready, shot, alpha)
    if shot is not None:
        raise UsageError(f"mode {row.name} follows no rays through a scene", "leave `shot` out")
    if scene.media:
        raise UsageError(f"mode {row.name} does not show media", "use the mode scattering")
    mesh = joined(scene)
    posed = _posed(cameras) or around(mesh, "orbit", views, size)
    flat = scene if len(scene.meshes) == 1 else replace(scene, meshes=(mesh,))
    drawn = _mesh(flat, posed, row, ready, supersample, dtype, rays or RaySettings(), alpha)
    return drawn if alpha or row.channels == 1 else over(drawn, scene.backdrop)


def _posed(cameras: Cameras | Camera | Sequence[Camera] | None) -> Cameras | None:
    """Cameras as matrices, as all but scenes take them."""
    if cameras is None or isinstance(cameras, Cameras):
        return cameras
    raise UsageError("this mode takes cameras as matrices", "make them by `cameras.lens.cameras_of`")


def _needs_rays(scene: Scene, cameras: Cameras | Camera | Sequence[Camera] | None) -> bool:
    """Whether a scene holds more than a mesh under plain lights."""
    lamps, own = not isinstance(scene.lights, Lights), not (cameras is None or isinstance(cameras, Cameras))
    clear = any(mesh.material.refracts for mesh in scene.meshes)
    return lamps or own or clear or len(scene.meshes) > 1 or bool(scene.cameras) or scene.environment is not None


def _cameras_of_scene(
    scene: Scene, cameras: Cameras | Camera | Sequence[Camera] | None, views: int, size: int | tuple[int, int]
) -> list[Camera]:
    """The cameras, each with the size of its picture."""
    if cameras is None:
        seen = scene.media[0].extinction if scene.media and not scene.meshes else joined(scene)
        cameras = scene.cameras[:1] or around(seen, "orbit", views, size)
    if isinstance(cameras, Cameras):
        return [camera_of(cameras, k) for k in range(len(cameras))]
    several = [cameras] if isinstance(cameras, Camera) else list(cameras)
    shape = (size, size) if isinstance(size, int) else size
    sized = [camera if camera.size else replace(camera, size=shape) for camera in several]
    if len({camera.size for camera in sized}) != 1:
        raise UsageError("the cameras have no size in common", "draw them one by one")
    return sized


def _followed(
    scene: Scene, cameras: Sequence[Camera], mode: Mode, backend: Backend, shot: Shot | None, alpha: bool
) -> Tensor:
    """Pictures by rays or paths: [N,H,W,3] over the background, or [N,H,W,4] premultiplied."""
    if shot is None:
        shot = Shot(cast("Kind", mode.name), spp=64 if mode.renderer == "paths" else 16)
    elif shot.mode != mode.name:
        raise UsageError(f"the mode is {mode.name}, and that of the shot {shot.mode}", "choose one of them")
    scene = replace(scene, meshes=tuple(part for mesh in scene.meshes for part in parts_of(mesh)))
    check_scene(scene)
    if alpha:
        scene = replace(scene, background=BLACK)
    prepared = geometry(scene.meshes, backend.device, media=scene.media)
    draw = layers if alpha else picture
    return torch.stack(
        [draw(scene, each, each.size or (512, 512), backend, shot, geometry=prepared) for each in cameras]
    )


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
    large: Cameras,
    backend: Backend,
    background: Colour | Tensor | None,
    alpha: bool,
    supersample: int,
    style: VolumeStyle | None,
) -> Tensor:
    drawn = average(render_volume(volume, large, style or default_style(volume), backend), supersample)
    return drawn if alpha else over(drawn, WHITE if background is None else background)
