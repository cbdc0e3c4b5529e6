"""A camera of a scene: where it stands, which way it looks, and its lens."""

from __future__ import annotations

from dataclasses import dataclass

import torch

Tensor = torch.Tensor


@dataclass(frozen=True)
class Camera:
    """One named camera: perspective, orthographic, or with a thin lens.

    Attributes:
        pose: [4,4] float64, camera to world, rigid; the camera looks down its -Z, +Y is up.
        fov: vertical angle of view in degrees, a number or a tensor []; of a perspective camera.
        extent: height of what an orthographic camera sees, in world units; None: it is a perspective camera.
        aperture: radius of the lens in world units; 0: a pinhole, everything is sharp.
        focus: distance of the plane that is sharp, along the viewing axis, in world units.
        size: (H, W) in pixels, or None: as asked for when it is used.
        name: by which it is found again.
    """

    pose: Tensor
    fov: float | Tensor = 45.0
    extent: float | Tensor | None = None
    aperture: float | Tensor = 0.0
    focus: float | Tensor = 1.0
    size: tuple[int, int] | None = None
    name: str = "camera"
