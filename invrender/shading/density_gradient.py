"""Lighting of volumes: the gradient of the values as a normal (Levoy 1988), and lights that move with the camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch

from invrender.kernels.compositing import Shade
from invrender.nouns import Cameras, Rays, Volume
from invrender.shading.lights import SHOULDER

Tensor = torch.Tensor
Rig = Literal["camera", "three-point"]

RIGS: tuple[str, ...] = get_args(Rig)
LAMPS: dict[str, tuple[tuple[tuple[float, float, float], float], ...]] = {
    "camera": ((SHOULDER, 1.0),),
    "three-point": (((-0.7, 0.6, 0.8), 0.55), ((0.9, 0.05, 0.6), 0.2), ((0.25, 0.8, -0.7), 0.25)),
}
"""Lights by rig, as directions in camera axes with shares that add up to 1: of three points the key from above left, the
fill from the right, and the back light from above behind, which draws an edge."""


@dataclass(frozen=True)
class Lighting:
    """How a volume is lit; see `kernels.compositing.Shade`.

    Attributes:
        ambient, diffuse, specular, shininess: shares of the light.
        soft: the gradient at which lighting is half as strong, as a share of the steepest ones of the volume.
        rig: which lights there are, of `LAMPS`.
    """

    ambient: float = 0.35
    diffuse: float = 0.8
    specular: float = 0.2
    shininess: float = 24.0
    soft: float = 0.06
    rig: Rig = "camera"


def value_gradient(values: Tensor, bounds: Tensor) -> Tensor:
    """Central differences of values [D,H,W] per world unit, [D,H,W,3] in the order x, y, z; differentiable."""
    counts = torch.tensor(values.shape[::-1], dtype=torch.float64) - 1
    steps = ((bounds[1] - bounds[0]).cpu().double() / counts).tolist()
    along_z, along_y, along_x = torch.gradient(values, spacing=(steps[2], steps[1], steps[0]))
    return torch.stack([along_x, along_y, along_z], -1)


def steepest(volume: Volume) -> float:
    """The length that the first channel's gradient stays below in all but a hundredth of the samples."""
    length = value_gradient(volume.values[0].detach(), volume.bounds).norm(dim=-1).flatten()
    return max(float(length.kthvalue(max(1, int(0.99 * len(length)))).values), 1e-12)


def shades(
    lighting: Lighting, rays: Rays, camera: Cameras, steep: float, dtype: torch.dtype = torch.float32
) -> list[tuple[Shade, float]]:
    """The lighting of one camera's rays, one shade for each light with its share.

    What a sample looks like is linear in the light that falls on it, so the picture under several lights is the sum of
    the pictures under each, weighted with the shares.
    """
    return [(_shade(lighting, place, rays, camera, steep, dtype), share) for place, share in LAMPS[lighting.rig]]


def _shade(
    lighting: Lighting, place: tuple[float, float, float], rays: Rays, camera: Cameras, steep: float, dtype: torch.dtype
) -> Shade:
    """Half-way vectors of a light at a place in camera axes."""
    towards = torch.tensor(place, dtype=torch.float64) @ camera.world_to_camera[0, :3, :3]
    light = torch.nn.functional.normalize(towards, dim=0).to(rays.direction).expand_as(rays.direction)
    half = torch.nn.functional.normalize(light - rays.direction, dim=1)
    return Shade(
        torch.cat([light, half], 1).to(dtype).contiguous(),
        lighting.ambient,
        lighting.diffuse,
        lighting.specular,
        lighting.shininess,
        lighting.soft * steep,
    )
