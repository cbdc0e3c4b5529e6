"""Where objects stand before a camera that does not move: the camera space that voxels and pictures share.

The world is in metres or whatever the user likes, +Y up; the camera looks at its origin from +Z and above. Voxels fill
the camera's frustum between two depths, so that the column behind a pixel is what the pixel sees: `points` has where
they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

Tensor = torch.Tensor


@dataclass(frozen=True)
class Stage:
    """A camera, a ground and a light, all of which stay; objects turn about the vertical axis.

    Attributes:
        fov: field of view across the smaller side of a picture, in degrees.
        near, far: depths along the viewing axis between which voxels are; the origin lies in their middle.
        elevation: of the camera above the horizon, in degrees.
        ground: height of the plane that objects stand on, which is filled below; None: there is none.
        light: [3] direction towards the light, of any length.
    """

    fov: float = 32.0
    near: float = 1.0
    far: float = 1.8
    elevation: float = 30.0
    ground: float | None = -0.2
    light: tuple[float, float, float] = (-0.6, 1.0, 0.5)

    @property
    def distance(self) -> float:
        """Of the camera from the origin."""
        return (self.near + self.far) / 2

    @property
    def reach(self) -> float:
        """Radius of the upright cylinder about the origin within which objects are in view and between the depths."""
        half = math.radians(self.fov) / 2
        return 0.72 * min((self.far - self.near) / 2, self.distance * math.sin(half))

    @property
    def height(self) -> float:
        """How high objects may stand on the ground so that they are in view wherever `reach` lets them be."""
        return 1.2 * self.reach

    @property
    def camera_to_world(self) -> Tensor:
        """[4,4] float64, rigid; the camera looks down its -Z."""
        cosine, sine = math.cos(math.radians(self.elevation)), math.sin(math.radians(self.elevation))
        d = self.distance
        return torch.tensor(
            [[1, 0, 0, 0], [0, cosine, sine, d * sine], [0, -sine, cosine, d * cosine], [0, 0, 0, 1]],
            dtype=torch.float64,
        )

    def half_extents(self, size: tuple[int, int]) -> tuple[float, float]:
        """Half the width and the height of what a picture of (H, W) sees at depth 1."""
        height, width = size
        unit = math.tan(math.radians(self.fov) / 2) / min(height, width)
        return unit * width, unit * height

    def points(self, shape: tuple[int, int, int], device: torch.device | None = None) -> Tensor:
        """Where the centres of voxels are in the world, [D,H,W,3] float32.

        Args:
            shape: (D, H, W): slices from the nearest on, rows from the top, columns from the left.
            device: of the result.
        """
        depth, height, width = shape
        right, up = self.half_extents((height, width))

        def centres(n: int) -> Tensor:
            return (torch.arange(n, dtype=torch.float64, device=device) + 0.5) / n

        z = self.near + (self.far - self.near) * centres(depth)[:, None, None]
        x, y = (2 * centres(width) - 1) * right * z, (1 - 2 * centres(height))[:, None] * up * z
        local = torch.stack(torch.broadcast_tensors(x, y, -z), -1)
        pose = self.camera_to_world.to(local)
        return (local @ pose[:3, :3].T + pose[:3, 3]).float()
