"""Small scenes as texts of scene.toml, and pictures of them whose values are known without a renderer."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from invrender.io.exr import write_exr

Tensor = torch.Tensor

FLOOR = """
background = [0, 0, 0]
[[camera]]
name = "above"
position = [0, 3, 0]
direction = [0, -1, 0]
up = [0, 0, -1]
fov = 40
[[plane]]
center = [0, 0, 0]
normal = [0, 1, 0]
size = 20
material = "floor"
[material.floor]
Kd = [0.5, 0.5, 0.5]
"""
"""A floor that fills the picture of a camera above it."""

LAMP = '[[light]]\ntype = "point"\nname = "lamp"\nposition = [{0}]\nintensity = {1}\n'
SUN = '[[light]]\ntype = "directional"\nname = "sun"\ndirection = [{0}]\nintensity = {1}\n'

BALL = """
background = [0.1, 0.1, 0.1]
[[camera]]
name = "front"
position = [0, 2, 4]
target = [0, 0.4, 0]
fov = 40
[[sphere]]
center = [0, 0.5, 0]
radius = 0.5
material = "ball"
[[plane]]
center = [0, 0, 0]
normal = [0, 1, 0]
size = 6
material = "floor"
[material.ball]
Kd = [0.6, 0.3, 0.2]
[material.floor]
Kd = [0.5, 0.5, 0.5]
"""
"""A ball on a floor."""


def written(folder: Path, text: str, name: str = "scene") -> Path:
    """The path of a scene file."""
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


def lit_floor(light: tuple[float, float, float], intensity: float, albedo: Tensor, size: int = 24) -> Tensor:
    """What the camera above the floor sees under a point light, [size,size,3]: Kd / pi I cos / r^2 at pixel centres."""
    reach = 3 * math.tan(math.radians(20))
    steps = ((torch.arange(size, dtype=torch.float64) + 0.5) / size * 2 - 1) * reach
    z, x = torch.meshgrid(steps, steps, indexing="ij")
    away = torch.stack([light[0] - x, torch.full_like(x, light[1]), light[2] - z], -1)
    distance = away.norm(dim=-1)
    return (intensity * light[1] / distance**3 / math.pi)[..., None] * albedo.double()


def exr(path: Path, picture: Tensor) -> Path:
    """A picture [H,W,3] as an .exr file."""
    write_exr(path, picture.float().numpy())
    return path
