"""Where images are seen from: pinhole cameras and rays."""

from __future__ import annotations

from dataclasses import dataclass

import torch

Tensor = torch.Tensor


@dataclass(frozen=True)
class Cameras:
    """N pinhole cameras of one image size.

    Attributes:
        world_to_camera: [N,4,4] float64, rigid; the camera looks down its -Z.
        projection: [N,4,4] float64, camera to clip space (OpenGL: visible where -w <= x, y, z <= w; w is the depth
            along the viewing axis).
        size: (H, W) in pixels.
    """

    world_to_camera: Tensor
    projection: Tensor
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.world_to_camera)

    @property
    def clip_from_world(self) -> Tensor:
        """[N,4,4] float64: world to clip space."""
        return self.projection @ self.world_to_camera

    @property
    def position(self) -> Tensor:
        """[N,3] float64: the eye points in the world."""
        position: Tensor = torch.linalg.inv(self.world_to_camera)[:, :3, 3]
        return position

    def __getitem__(self, index: slice | list[int] | Tensor) -> Cameras:
        """A subset of the cameras (a slice, list or index tensor; not a bare integer)."""
        return Cameras(self.world_to_camera[index], self.projection[index], self.size)


@dataclass(frozen=True)
class Rays:
    """R rays in the world.

    Attributes:
        origin: [R,3] float.
        direction: [R,3] float, unit length.
        t_min, t_max: the range of distances along the ray that counts.
    """

    origin: Tensor
    direction: Tensor
    t_min: float = 0.0
    t_max: float = float("inf")
