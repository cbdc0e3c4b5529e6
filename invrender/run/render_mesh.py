"""Pictures and datasets of meshes, drawn and written: what `invrender render` does with a mesh."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from invrender.evaluate.posed_views import cut_off
from invrender.io.datasets.dataset import write_dataset
from invrender.kernels import Backend
from invrender.nouns import Cameras, Lights, Mesh, Scene, Views
from invrender.nouns.appearance import Colour
from invrender.photometry.view_dependent import pictures
from invrender.render import studio, traced
from invrender.render.images import depth_picture, stored_as_is, straight
from invrender.render.modes import Mode
from invrender.render.pictures import WHITE
from invrender.render.raster import layers, render, render_views
from invrender.render.ray_radiance import RaySettings, backdrop
from invrender.render.studio import Studio
from invrender.run.measured import depth_with_scale, write_measured
from invrender.run.pictures import ARRAYS, SPEED, Written, dataset_written, on_background, write_picture
from invrender.run.relight import Relight
from invrender.run.staged import write_staged

Tensor = torch.Tensor


@dataclass(frozen=True)
class MeshShot:
    """What to draw of a mesh.

    Attributes:
        mode: of `render.modes`.
        background: linear RGB; None: transparent, in modes that have an alpha.
        supersample: samples on each side of a pixel, of stills, turntables and whatever is traced.
        light: of modes "shaded" and "raytraced", and whether it goes round.
        coefficients: of mode "color": [V,K,3], colours of the vertices that change with the view, see
            `photometry.view_dependent`; None: the mesh's own.
        rays: of mode "raytraced"; of mode "shaded" their ambient occlusion.
        studio: how people are shown the mesh in mode "shaded", in place of `light` and `rays`, and with "raytraced" in
            place of `light`; None in datasets whose light a method is to know.
        gradient: whether the background is darker towards its border.
        depth: how pictures of mode "depth" are coloured: "grey", or the name of a colormap of matplotlib.
        scale: whether pictures of mode "depth" have a scale beside them.
        speed: of moving pictures, in pictures a second.
    """

    mode: Mode
    background: Colour | None = WHITE
    supersample: int = 2
    light: Relight = field(default_factory=Relight)
    coefficients: Tensor | None = None
    rays: RaySettings = field(default_factory=RaySettings)
    studio: Studio | None = None
    gradient: bool = False
    depth: str = "grey"
    scale: bool = True
    speed: float = SPEED


def mesh_views(mesh: Mesh, cameras: Cameras, shot: MeshShot, backend: Backend) -> Views:
    """Posed images of a mesh: masks of exact coverage, and colours with straight alpha but for silhouettes.

    What is no colour (normals) is prepared so that an image file holds its values as they are.
    """
    mode = shot.mode
    if mode.name == "shaded" and shot.studio is not None:
        views = render_views(mesh, cameras, backend)
        drawn = studio.layers(mesh, cameras, backend, shot.supersample, shot.studio)
        return replace(views, images=up_to_contours(drawn).clamp(0, 1).to(views.masks))
    if mode.colour and mode.renderer == "raster" and shot.coefficients is None:
        return render_views(mesh, cameras, backend, shot.light.lights, mode.name, shot.rays.occlusion)
    views = render_views(mesh, cameras, backend)
    if not mode.layered:
        return replace(views, images=None)
    if mode.renderer == "traced":
        colours = up_to_contours(_traced(mesh, cameras, shot, backend))
        return replace(views, images=colours.clamp(0, 1).to(views.masks))
    if shot.coefficients is not None:
        colours, _ = straight(pictures(mesh, shot.coefficients, cameras, backend))
        return replace(views, images=colours.clamp(0, 1).to(views.masks))
    return replace(views, images=stored_as_is(straight(layers(Scene(mesh), cameras, mode.name, backend))[0]))


def mesh_pictures(mesh: Mesh, cameras: Cameras, shot: MeshShot, backend: Backend) -> tuple[Tensor, dict[str, Any]]:
    """What image files show of a mesh.

    Returns:
        [N,H,W,C] on the CPU: grey in [0, 1] for silhouette and depth (white is nearest), else colours, with straight
        alpha for a transparent background; and facts: `depth_range`, the nearest and farthest distance.
    """
    name = shot.mode.name
    if shot.mode.layered:
        drawn = _layers(mesh, cameras, shot, backend)
        return on_background(drawn.cpu(), shot.background, shot.gradient), {}
    found = render(Scene(mesh), cameras, name, backend, shot.supersample).cpu()
    if name != "depth":
        return found, {}
    grey, near, far = depth_picture(found)
    return grey, {"depth_range": [near, far]}


def _layers(mesh: Mesh, cameras: Cameras, shot: MeshShot, backend: Backend) -> Tensor:
    """Premultiplied RGBA [N,H,W,4] of a mode that has an alpha."""
    name = shot.mode.name
    if name == "shaded" and shot.studio is not None:
        return studio.layers(mesh, cameras, backend, shot.supersample, shot.studio)
    cameras, lights = shot.light.over(cameras)
    if shot.mode.renderer == "traced":
        if shot.studio is not None:
            lights = [studio.lights_of(shot.studio, cameras[[k]]) for k in range(len(cameras))]
        return _traced(mesh, cameras, shot, backend, lights)
    if shot.coefficients is not None:
        return pictures(mesh, shot.coefficients, cameras, backend, shot.supersample).float()
    scene, occlusion = Scene(mesh, shot.light.lights), shot.rays.occlusion
    return layers(scene, cameras, name, backend, shot.supersample, lights=lights, occlusion=occlusion)


def _traced(
    mesh: Mesh, cameras: Cameras, shot: MeshShot, backend: Backend, lights: list[Lights] | None = None
) -> Tensor:
    """Premultiplied RGBA [N,H,W,4] by rays; mirrors see the background, and the light from everywhere over none."""
    sky = None if shot.background is None else backdrop(shot.background)
    scene = Scene(mesh, shot.light.lights)
    return traced.layers(scene, cameras, backend, shot.supersample, lights=lights, settings=shot.rays, sky=sky)


def up_to_contours(premultiplied: Tensor) -> Tensor:
    """Straight colours [N,H,W,3]; pixels that no ray found something in take the mean of those around.

    The masks of a dataset are exact coverage, which may reach into pixels that all rays miss.
    """
    planes = premultiplied.permute(0, 3, 1, 2)
    around = 9 * torch.nn.functional.avg_pool2d(planes, 3, 1, 1, count_include_pad=True)
    filled = torch.where(planes[:, 3:] > 0, planes, around).permute(0, 2, 3, 1)
    return filled[..., :3] / torch.where(filled[..., 3:] > 0, filled[..., 3:], 1)


def write_mesh_picture(path: Path, mesh: Mesh, cameras: Cameras, shot: MeshShot, backend: Backend) -> Written:
    """Draw a mesh and write a still or a sheet of stills (.png), a turning picture (.gif, .mp4), or what is measured
    (.npy, .exr; see `run.measured`); see `mesh_pictures`."""
    if path.suffix.lower() in ARRAYS:
        return write_measured(path, mesh, cameras, shot.mode, backend)
    drawn, facts = mesh_pictures(mesh, cameras, shot, backend)
    if "depth_range" not in facts:
        written = write_picture(path, drawn, shot.mode, facts, shot.speed)
        return _told_blank(written, drawn)
    near, far = facts["depth_range"]
    shown = depth_with_scale(drawn, near, far, shot.depth, shot.scale and len(drawn) == 1)
    written = _told_blank(write_picture(path, shown, shot.mode, facts, shot.speed), drawn)
    ends = " (white) to {:.4g} (dark)" if shot.depth == "grey" else " to {:.4g}"
    return replace(written, note=f"{written.note}, depth {near:.4g}{ends.format(far)}")


def _told_blank(written: Written, pictures: Tensor) -> Written:
    """The same, with a word on pictures [N,H,W,C] in which every pixel is like the others."""
    blank = int((pictures == pictures[:, :1, :1]).all(-1).all(-1).all(-1).sum())
    if not blank:
        return written
    which = "" if len(pictures) == 1 else f" in {blank} of them"
    why = "the object is thinner than a pixel, fills the picture or lies outside"
    return replace(
        written, note=f"{written.note}; nothing to see{which}: {why}", facts={**written.facts, "blank": blank}
    )


def write_mesh_dataset(folder: Path, mesh: Mesh, cameras: Cameras, shot: MeshShot, backend: Backend) -> Written:
    """Write a mesh's own views as a dataset that `invrender reconstruct` takes; see `mesh_views`."""
    views = mesh_views(mesh, cameras, shot, backend)
    files = write_staged(folder, lambda place: write_dataset(place, views))
    written = dataset_written(folder, files, cameras)
    faint = int((views.masks.amax((1, 2)) < 0.5).sum())
    if faint:
        note = (
            f"{written.note}; the object covers no pixel in {faint} of them: look from nearer or with a larger --size"
        )
        written = replace(written, note=note, facts={**written.facts, "faint": faint})
    cut = len(cut_off(views))
    if not cut:
        return written
    note = (
        f"{written.note}; the object reaches the border in {cut} of them: look from farther away or with a larger fov"
    )
    return replace(written, note=note, facts={**written.facts, "cut_off": cut})
