"""Meshes as a photographer lights them, for people to look at: the look of `invrender render`'s shaded pictures.

    pictures = studio.layers(mesh, cameras, backend)                       # [N,H,W,4] premultiplied
    stage = studio.staged(mesh, backend, Studio(ground=True))              # baked once,
    frames = [studio.layers(stage, some, backend) for some in cameras]     # drawn from anywhere

Lights go with the camera, light from everywhere is stronger from above and is kept out of corners by ambient occlusion
(`baked`), plain surfaces have a faint gloss, which shows the form of dark ones, and what is brighter than a knee runs
into white instead of being cut off. None of it is a measurement: datasets and gradients have `raster` and `traced`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch

from invrender.kernels import Backend
from invrender.nouns import Cameras, Lights, Material, Mesh
from invrender.nouns.appearance import Colour
from invrender.render.baked import Baking, baked, is_solid
from invrender.render.ground import Ground, ground_below, shadows
from invrender.render.images import to_bytes
from invrender.render.raster import layers_of
from invrender.render.sketch import Outline, Picture, sketched
from invrender.shading import spherical_harmonics as harmonics
from invrender.shading.lights import to_lights
from invrender.shading.points import carried, points_of, seen
from invrender.shading.surface import Surface, surface_on

Tensor = torch.Tensor
Rig = Literal["studio", "three-point"]

RIGS: tuple[Rig, ...] = ("studio", "three-point")
KNEE = 0.75  # linear; what is brighter runs into white
_GLOSS = 0.7  # roughness of surfaces that have none
_ABOVE, _BELOW = 0.52, 0.2  # what a white surface that faces up or down reflects of the light from everywhere

_LAMPS: dict[Rig, tuple[tuple[tuple[float, float, float], float], ...]] = {
    "studio": (((-0.75, 0.8, 0.9), 0.72), ((1.0, 0.1, -0.1), 0.22)),
    "three-point": (((-0.9, 0.9, 0.8), 0.75), ((1.0, 0.2, 0.7), 0.2), ((0.55, 0.8, -1.0), 0.6)),
}
"""Directions in the camera's axes, and intensities: the key over the left shoulder, the fill from the right, the rim
from behind."""
_SKY = {"studio": 1.0, "three-point": 0.55}  # how much of the light from everywhere there is


@dataclass(frozen=True)
class Studio:
    """How a mesh is lit.

    Attributes:
        rig: "studio": a soft key light over the camera's left shoulder and a faint one from the right;
            "three-point": key, fill, and a rim light from behind, with more contrast.
        ground: whether the mesh stands on a ground, which is seen by its shadow alone.
        baking: of ambient occlusion; None: there is none.
        up: direction away from the ground, in which the light from everywhere is strongest.
    """

    rig: Rig = "studio"
    ground: bool = False
    baking: Baking | None = field(default_factory=Baking)
    up: tuple[float, float, float] = (0.0, 1.0, 0.0)


@dataclass(frozen=True)
class Stage:
    """What does not change from picture to picture.

    Attributes:
        surface: with its `openness`.
        ground: with its shadow, or None.
        studio: how it is lit.
    """

    surface: Surface
    ground: Ground | None
    studio: Studio


def staged(mesh: Mesh, backend: Backend, studio: Studio | None = None) -> Stage:
    """A mesh made ready: ambient occlusion and the shadow on the ground are found here, once for all pictures."""
    how = studio or Studio()
    surface = surface_on(backend.device, replace(mesh, material=polished(mesh)))
    ground = None
    if how.ground and len(mesh.faces):
        ground = ground_below(surface, backend, how.up)
    if how.baking is not None and len(mesh.faces):
        surface = baked(surface, backend, how.baking, None if ground is None else ground.triangles())
    return Stage(surface, ground, how)


def layers(
    what: Mesh | Stage, cameras: Cameras, backend: Backend, supersample: int = 2, studio: Studio | None = None
) -> Tensor:
    """Colour over nothing: [N,H,W,4] premultiplied linear RGB and alpha; no gradient.

    Args:
        what: a mesh, or one that is `staged` already.
        cameras: N of them.
        backend: whose kernels draw.
        supersample: samples on each side of a pixel.
        studio: how a mesh is lit; a stage knows it.
    """
    with torch.no_grad():
        stage = what if isinstance(what, Stage) else staged(what, backend, studio)
        lights = [lights_of(stage.studio, cameras[[k]]) for k in range(len(cameras))]
        drawn = layers_of(stage.surface, lights, cameras, "shaded", backend, supersample)
        if not stage.surface.material.unlit:
            drawn = _softened(drawn)
        if stage.ground is None:
            return drawn
        below = shadows(stage.ground, cameras).to(drawn)
        return drawn + (1 - drawn[..., 3:]) * torch.cat([torch.zeros_like(drawn[..., :3]), below], -1)


def picture(mesh: Mesh, camera: Cameras, backend: Backend, studio: Studio, paper: Colour) -> Picture:
    """One picture [H,W,3] uint8 on paper, without a ground.

    Closed bodies without a texture are lit at the corners of their triangles, halved as for ambient occlusion, and
    sketched, in a quarter of the time that `layers` takes; others are drawn by those.

    Args:
        mesh: what is shown.
        camera: [1].
        backend: whose kernels draw.
        studio: how it is lit.
        paper: linear RGB behind it.
    """
    with torch.no_grad():
        surface = surface_on(backend.device, replace(mesh, material=polished(mesh)))
        plain = surface.uv is None and surface.finish is None and not surface.material.unlit and len(mesh.faces) > 0
        if plain and is_solid(surface, surface.positions[surface.faces]):
            eye = torch.linalg.inv(camera.world_to_camera[0])[:3, 3]
            if studio.baking is not None:
                surface = baked(surface, backend, studio.baking, eye=eye)
            found = sketched(_lit(surface, camera, studio, eye), camera, "color", Material(), Lights(), paper)
            if found is not None:
                return found[0]
        drawn = layers(mesh, camera, backend, 1, studio)[0].cpu().float()
        return to_bytes(drawn[..., :3] + (1 - drawn[..., 3:].clamp(0, 1)) * torch.tensor(paper))


def _lit(surface: Surface, camera: Cameras, studio: Studio, eye: Tensor) -> Outline:
    """A closed surface in the colours that its corners show."""
    lights = lights_of(studio, camera)
    point = surface.positions[surface.position_of]
    to_eye = torch.nn.functional.normalize(eye.to(point) - point, dim=1)
    carries = torch.cat([point[:, :0], *carried(surface)], 1)
    open_to = None if surface.openness is None else surface.openness[:, :1]
    to_light = to_lights(lights, camera)[:, 0, 0].to(point)
    colour = seen(points_of(surface, carries), surface.normals, to_eye, to_light, lights, open_to)
    rows = _softened(torch.cat([colour, torch.ones_like(colour[:, :1])], 1))[:, :3].cpu().numpy().astype(np.float32)
    centre = surface.positions.mean(0)
    local = (surface.positions - centre).cpu().numpy().astype(np.float32)
    faces, number = surface.faces.cpu().numpy().astype(np.int32), surface.attribute_faces.cpu().numpy()
    return Outline(local, faces, np.ascontiguousarray(rows), number.astype(np.int32), centre.cpu().numpy(), True)


def lights_of(studio: Studio, camera: Cameras) -> Lights:
    """The lights of one camera's picture."""
    lamps = _LAMPS[studio.rig]
    rows = camera.world_to_camera[0, :3, :3].detach().double().cpu()
    directions = torch.tensor([direction for direction, _ in lamps], dtype=torch.float64) @ rows
    strength = torch.tensor([[intensity] for _, intensity in lamps], dtype=torch.float64)
    share = _SKY[studio.rig]
    return Lights(directions, strength, 0.0, _hemisphere(studio.up, share * _ABOVE, share * _BELOW))


def polished(mesh: Mesh) -> Material:
    """The mesh's material, with a faint gloss where it says nothing of gloss."""
    look = mesh.material
    plain = look.lambertian and not look.emits and not look.unlit and mesh.finish is None
    return replace(look, roughness=_GLOSS) if plain else look


def _hemisphere(up: tuple[float, float, float], above: float, below: float) -> Tensor:
    """Light from everywhere [9,1] of which a white surface that faces `up` reflects `above`, one that faces away
    `below`, and others in between by the cosine."""
    axis = torch.nn.functional.normalize(torch.tensor(up, dtype=torch.float64), dim=0)
    first = harmonics.basis(axis[None])[0, :4]
    sh = torch.zeros(harmonics.COUNT, 1, dtype=torch.float64)
    # E(n) / pi = sh_0 Y_0 + 2/3 sum sh_i Y_i(n), and sum Y_i(n) Y_i(up) = 3 / (4 pi) n . up
    sh[0] = (above + below) / 2 / first[0]
    sh[1:4, 0] = (above - below) / 2 * 1.5 * first[1:4] / (3 / (4 * math.pi))
    return sh


def _softened(premultiplied: Tensor) -> Tensor:
    """Premultiplied RGBA whose colours above the knee approach white, with the slope 1 at the knee."""
    alpha = premultiplied[..., 3:]
    colour = premultiplied[..., :3] / alpha.clamp(min=1e-6)
    room = 1 - KNEE
    bright = KNEE + room * (1 - torch.exp(-(colour - KNEE).clamp(min=0) / room))
    return torch.cat([torch.where(colour > KNEE, bright, colour) * alpha, alpha], -1)
