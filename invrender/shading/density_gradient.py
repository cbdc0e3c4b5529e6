"""Lighting of volumes: the gradient of the values as a normal (Levoy 1988), and a light that moves with the camera."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.kernels.compositing import Shade
from invrender.nouns import Cameras, Rays, Volume
from invrender.shading.lights import SHOULDER

Tensor = torch.Tensor


@dataclass(frozen=True)
class Lighting:
    """How a volume is lit; see `kernels.compositing.Shade`.

    Attributes:
        ambient, diffuse, specular, shininess: shares of the light.
        soft: the gradient at which lighting is half as strong, as a share of the steepest ones of the volume.
    """

    ambient: float = 0.35
    diffuse: float = 0.8
    specular: float = 0.2
    shininess: float = 24.0
    soft: float = 0.06


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


def shade(lighting: Lighting, rays: Rays, camera: Cameras, steep: float, dtype: torch.dtype = torch.float32) -> Shade:
    """The lighting of one camera's rays: half-way vectors of a light over its shoulder."""
    towards = torch.tensor(SHOULDER, dtype=torch.float64) @ camera.world_to_camera[0, :3, :3]
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
