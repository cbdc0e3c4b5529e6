"""Where images are seen from: perspective and parallel cameras, and rays."""

from __future__ import annotations

from dataclasses import dataclass

import torch

Tensor = torch.Tensor


@dataclass(frozen=True)
class Cameras:
    """N cameras of one image size: pinholes, or parallel (orthographic) ones.

    Attributes:
        world_to_camera: [N,4,4] float64, rigid; the camera looks down its -Z.
        projection: [N,4,4] float64, camera to clip space (OpenGL: visible where -w <= x, y, z <= w). Its last row is
            (0, 0, -1, 0) for a pinhole, whose w is the depth along the viewing axis, and (0, 0, 0, 1) for a parallel
            camera, whose w is 1. Its first two rows may shear: pixels that are no rectangles, rays that meet a
            detector at a slant.
        size: (H, W) in pixels.
    """

    world_to_camera: Tensor
    projection: Tensor
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.world_to_camera)

    @property
    def parallel(self) -> Tensor:
        """[N] bool: which cameras have parallel rays, and no eye point."""
        return (self.projection[:, 3, 2] == 0) & (self.projection[:, 3, 3] != 0)

    @property
    def clip_from_world(self) -> Tensor:
        """[N,4,4] float64: world to clip space."""
        return self.projection @ self.world_to_camera

    @property
    def position(self) -> Tensor:
        """[N,3] float64: the eye points in the world; of a parallel camera, where its rays begin to count."""
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
