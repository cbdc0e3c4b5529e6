"""Pictures of objects on a stage: by rays or paths, under a sun and a dim sky, on a ground that fills the view."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.colour import linear_to_srgb
from invrender.kernels import Backend
from invrender.networks.staging import GROUND_ALBEDO
from invrender.nouns import Camera, Lights, Material, Mesh, Scene
from invrender.nouns.appearance import Colour
from invrender.nouns.stage import Stage
from invrender.render.scenes import Shot, picture

Tensor = torch.Tensor

SUN, SKY = 0.64, 0.14  # radiance of a white surface that faces the sun, and what the sky adds
WHITE = 0.9  # albedo of objects without colours
GROUND: Colour = (GROUND_ALBEDO,) * 3
HORIZON: Colour = (0.6, 0.6, 0.6)  # behind the ground's end
FAR = 12.0  # how far the ground reaches, in distances of the camera


def drawn(
    meshes: Sequence[Mesh], stage: Stage, size: tuple[int, int], backend: Backend, shot: Shot, ground: bool = True
) -> Tensor:
    """Linear RGB [H,W,3] float32: what the stage's camera sees.

    Args:
        meshes: in the stage's world, with their materials.
        stage: camera, ground and light.
        size: (H, W) of the picture.
        backend: that follows the light.
        shot: rays or paths, and how many.
        ground: whether the ground is drawn, where the stage has one.
    """
    things = list(meshes)
    if ground and stage.ground is not None:
        things.append(ground_mesh(stage, stage.ground))
    scene = Scene(things, Lights(stage.light, SUN, SKY), background=HORIZON)
    return picture(scene, camera(stage, size), size, backend, shot).float().cpu()


def camera(stage: Stage, size: tuple[int, int]) -> Camera:
    """The stage's camera for pictures of (H, W)."""
    fov = 2 * math.degrees(math.atan(stage.half_extents(size)[1]))
    return Camera(stage.camera_to_world, fov, size=size)


def ground_mesh(stage: Stage, height: float) -> Mesh:
    """A square below all that the camera sees down to near the horizon."""
    side = FAR * stage.distance
    corners = torch.tensor([[-1.0, 0, 1], [1, 0, 1], [1, 0, -1], [-1, 0, -1]], dtype=torch.float64) * side
    corners[:, 1] = height
    return Mesh(corners, torch.tensor([[0, 1, 2], [0, 2, 3]]), material=Material(GROUND, name="ground"))


def material(colour: Colour, gloss: float, name: str) -> Material:
    """A surface from matte to polished: the more it mirrors, the less light it scatters."""
    if not gloss:
        return Material(colour, name=name)
    share = 0.35 * gloss
    red, green, blue = ((1 - share) * channel for channel in colour)
    shininess = 12 * 16**gloss
    strength = share * (shininess + 8) / (8 * math.pi)  # of which the highlight reflects about the share
    return Material((red, green, blue), name=name, specular=(strength,) * 3, shininess=shininess, mirror=(share,) * 3)


def shot_of(bounces: int, gloss: float, spp: int, seed: int) -> Shot:
    """What is followed: rays to the lamp and into mirrors, or paths of so many bounces."""
    if bounces:
        return Shot("path", depth=bounces, spp=spp, seed=seed)
    return Shot("raytraced", depth=2 if gloss else 0, spp=spp, seed=seed)


def encoded(linear: Tensor, colours: bool) -> NDArray[np.uint8]:
    """A picture as it is stored: uint8 [H,W,3], or [H,W,1] of the mean, in the encoding of screens."""
    values = linear.numpy() if colours else linear.mean(-1, keepdim=True).numpy()
    return np.asarray(linear_to_srgb(values) * 255 + 0.5, np.uint8)
