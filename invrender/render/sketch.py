"""Quick pictures of meshes, for films: straight to sRGB bytes at the size that is shown, on one core of the CPU.

What `raster` draws with gradients, exact coverage and any material, this draws for eyes alone, in a twentieth of the
time: four samples of each pixel are offered all triangles, and their mean is the pixel. No interpreter's lock is held,
so a film can be drawn while a solver goes on.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.colour import linear_to_srgb
from invrender.nouns import Cameras, Lights, Material, Mesh
from invrender.nouns.appearance import Colour
from invrender.render import sketch_kernels as kernels
from invrender.render.corner_normals import corner_normals, is_solid
from invrender.shading.lights import to_lights
from invrender.shading.surface import CREASE_DEGREES, equal_rows
from invrender.shading.texture import albedo

Picture = NDArray[np.uint8]
Coverage = NDArray[np.float32]

_kept = threading.local()

CODES = 2**14  # rows of the table from linear values to sRGB: less than a quarter of a step apart where it is steepest


@dataclass(frozen=True)
class Outline:
    """A mesh made ready to be sketched, about its centre.

    Attributes:
        points: [P,3] float32, all different.
        faces: [F,3] int32.
        rows: [R,3] float32 normals, smooth up to creases, or linear RGB.
        row_of: [F,3] int32, which of them each triangle's corners have.
        centre: [3] float64, what was subtracted.
        coloured: whether the rows are colours.
        solid: whether it is closed, its faces outside, so that no camera beyond it sees a back.
    """

    points: NDArray[np.float32]
    faces: NDArray[np.int32]
    rows: NDArray[np.floating[Any]]
    row_of: NDArray[np.integer[Any]]
    centre: NDArray[np.float64]
    coloured: bool = False
    solid: bool = False


def outline(mesh: Mesh, coloured: bool = False, merged: bool = False) -> Outline:
    """A mesh made ready: equal positions merged, a normal for each smooth part around a vertex.

    Args:
        mesh: any triangle soup.
        coloured: whether its colours will be shown, not its shape: those of its vertices times the albedo, no texture.
        merged: whether no two of its vertices lie in one place, as in a mesh that a solver moves; one that is closed
            then shows no backs. Of others, parts may be inside out.
    """
    points = mesh.vertices.detach().cpu().double().numpy()
    given = mesh.faces.detach().cpu()
    faces = given.numpy().astype(np.int32)
    if not merged:
        number = equal_rows(torch.from_numpy(points)).numpy()
        faces, whole = number[faces].astype(np.int32), points
        points = np.empty((int(number.max()) + 1 if len(number) else 0, 3))
        points[number] = whole
    centre = np.full(len(points), 1 / max(len(points), 1)) @ points
    local = (points - centre).astype(np.float32)
    solid = merged and bool(is_solid(local, faces))
    if coloured:
        return Outline(local, faces, *_colours(mesh, given.numpy()), centre, True, solid)
    return Outline(
        local, faces, *corner_normals(local, faces, np.cos(np.radians(CREASE_DEGREES))), centre, False, solid
    )


def _colours(mesh: Mesh, faces: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    colours = None if mesh.colours is None else mesh.colours.detach().cpu().float()
    own = albedo(mesh.material, None, colours).detach().cpu().float().numpy()
    plain = own.ndim == 1
    return np.ascontiguousarray(own.reshape(-1, 3)), np.zeros_like(faces, np.int32) if plain else faces.astype(np.int32)


def sketched(
    body: Outline, camera: Cameras, mode: str, material: Material, lights: Lights, paper: Colour
) -> tuple[Picture, Coverage] | None:
    """A mesh on paper.

    Args:
        body: what is drawn.
        camera: [1].
        mode: "shaded": of `material`, which is Lambertian, under `lights`, which stand over the camera's shoulder;
            "normal" and "color" as in `raster`.
        material, lights: of mode "shaded".
        paper: linear RGB behind it.

    Returns:
        The picture [H,W,3] uint8 sRGB and the coverage [H,W] in [0, 1]; None where some of it is not between the
        camera's near and far planes, which this does not cut.
    """
    height, width = camera.size
    matrix = camera.clip_from_world[0].detach().cpu().double().numpy()
    moved = matrix @ np.block([[np.eye(3), body.centre[:, None]], [np.zeros((1, 3)), np.ones((1, 1))]])
    kind = {"shaded": kernels.SHADED, "normal": kernels.NORMAL, "color": kernels.COLOUR}[mode]
    assert body.coloured == (mode == "color"), "an outline is made for what it is to show"
    towards = to_lights(lights, camera)[0, 0, 0, 0].detach().cpu().double().numpy()
    reflected = torch.as_tensor(material.albedo).detach().cpu().double().expand(3)
    light = np.array([*towards, float(lights.ambient), float(lights.intensity), *reflected.tolist()])
    picture, cover = np.empty((height, width, 3), np.uint8), np.empty((height, width), np.float32)
    behind = np.array(paper, np.float64)
    drawn = kernels.sketch(
        body.points, body.faces, body.rows, body.row_of, moved, light, kind, body.solid, behind, _codes(),
        _room(height, width), picture, cover,
    )  # fmt: skip
    return (picture, cover) if drawn else None


def _room(height: int, width: int) -> NDArray[np.int64]:
    """[H,W,4] to work in, of the thread's own: fresh memory costs more than to fill it."""
    room: NDArray[np.int64] | None = getattr(_kept, "room", None)
    if room is None or room.shape != (height, width, 4):
        room = _kept.room = np.empty((height, width, 4), np.int64)
    return room


@lru_cache(maxsize=1)
def _codes() -> Picture:
    """sRGB bytes [CODES] of linear values from 0 to 1."""
    return np.round(linear_to_srgb(np.linspace(0, 1, CODES)) * 255).astype(np.uint8)
