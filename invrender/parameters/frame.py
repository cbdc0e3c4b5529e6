"""The normalised frame in which reconstruction works: the object fills [-0.9, 0.9] along its longest axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.cameras.rigs import mesh_frame
from invrender.nouns import Cameras

Tensor = torch.Tensor
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """World = centre + scale * normalised; centre [3] and scale in world units."""

    centre: Floats
    scale: float

    def normalise(self, world: Floats) -> Floats:
        """World points [P,3] in the normalised frame."""
        return (world - self.centre) / self.scale

    def restore(self, normalised: Floats) -> Floats:
        """Normalised points [P,3] in the world."""
        return normalised * self.scale + self.centre

    def clip_matrices(self, cameras: Cameras) -> Tensor:
        """[N,4,4] float64: the normalised frame to clip space."""
        world_from_normalised = torch.eye(4, dtype=torch.float64)
        world_from_normalised[:3, :3] *= self.scale
        world_from_normalised[:3, 3] = torch.from_numpy(self.centre)
        return cameras.clip_from_world @ world_from_normalised

    def pixel(self, cameras: Cameras) -> Tensor:
        """[N] float64: the size of a pixel at the frame's origin, in normalised units."""
        origin = self.clip_matrices(cameras)[:, 3, 3]
        return 2 * origin / (cameras.projection[:, 1, 1] * cameras.size[0] * self.scale)


def frame_of(world: Floats) -> Frame:
    """The frame that centres the bounding box of points [P,3]."""
    centre, scale = mesh_frame(world)
    return Frame(centre.numpy(), scale)
