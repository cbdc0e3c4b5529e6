"""Pictures and datasets of meshes, drawn and written: what `invrender render` does with a mesh."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from invrender.evaluate.posed_views import cut_off
from invrender.io.datasets.dataset import write_dataset
from invrender.kernels import Backend
from invrender.nouns import Cameras, Lights, Mesh, Scene, Views
from invrender.nouns.appearance import Colour
from invrender.render.images import depth_picture, stored_as_is, straight
from invrender.render.modes import Mode
from invrender.render.pictures import WHITE
from invrender.render.raster import layers, render, render_views
from invrender.run.pictures import Written, dataset_written, write_picture
from invrender.run.relight import Relight
from invrender.run.staged import write_staged

Tensor = torch.Tensor


def mesh_views(mesh: Mesh, cameras: Cameras, mode: Mode, backend: Backend, lights: Lights | None = None) -> Views:
    """Posed images of a mesh: masks of exact coverage, and colours with straight alpha but for silhouettes.

    What is no colour (normals) is prepared so that an image file holds its values as they are.
    """
    if mode.colour:
        return render_views(mesh, cameras, backend, lights, mode.name)
    views = render_views(mesh, cameras, backend)
    if not mode.layered:
        return replace(views, images=None)
    return replace(views, images=stored_as_is(straight(layers(Scene(mesh), cameras, mode.name, backend))[0]))


def mesh_pictures(
    mesh: Mesh,
    cameras: Cameras,
    mode: Mode,
    backend: Backend,
    background: Colour | None = WHITE,
    supersample: int = 2,
    light: Relight | None = None,
) -> tuple[Tensor, dict[str, Any]]:
    """What image files show of a mesh.

    Args:
        mesh, cameras, mode, backend: what to draw, from where, and how.
        background: linear RGB; None: transparent, in modes that have an alpha.
        supersample: samples on each side of a pixel.
        light: of mode "shaded", and whether it goes round; None: over the camera's shoulder.

    Returns:
        [N,H,W,C] on the CPU: grey in [0, 1] for silhouette and depth (white is nearest), else colours, with straight
        alpha for a transparent background; and facts: `depth_range`, the nearest and farthest distance.
    """
    light = light or Relight()
    cameras, lights = light.over(cameras)
    scene = Scene(mesh, light.lights, background or WHITE)
    draw = layers if background is None and mode.layered else render
    pictures = draw(scene, cameras, mode.name, backend, supersample, lights=lights).cpu()
    if background is None and mode.layered:
        colour, alpha = straight(pictures)
        return torch.cat([colour, alpha[..., None]], -1), {}
    if mode.name != "depth":
        return pictures, {}
    grey, near, far = depth_picture(pictures)
    return grey, {"depth_range": [near, far]}


def write_mesh_picture(
    path: Path,
    mesh: Mesh,
    cameras: Cameras,
    mode: Mode,
    backend: Backend,
    background: Colour | None = WHITE,
    supersample: int = 2,
    light: Relight | None = None,
) -> Written:
    """Draw a mesh and write a still or a sheet of stills (.png), or a turning picture (.gif); see `mesh_pictures`."""
    pictures, facts = mesh_pictures(mesh, cameras, mode, backend, background, supersample, light)
    written = _told_blank(write_picture(path, pictures, mode, facts), pictures)
    if "depth_range" not in facts:
        return written
    near, far = facts["depth_range"]
    return replace(written, note=f"{written.note}, depth {near:.4g} (white) to {far:.4g} (dark)")


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


def write_mesh_dataset(
    folder: Path, mesh: Mesh, cameras: Cameras, mode: Mode, backend: Backend, lights: Lights | None = None
) -> Written:
    """Write a mesh's own views as a dataset that `invrender reconstruct` takes; see `mesh_views`."""
    views = mesh_views(mesh, cameras, mode, backend, lights)
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
