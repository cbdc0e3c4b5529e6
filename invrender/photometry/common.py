"""What corrections of all cameras have in common, which is none of theirs: a motion of the frame that they stand in.

Pictures do not tell it, so it is taken out: the similarity by which the cameras come nearest to what they were.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.nouns import Cameras
from invrender.parameters.frame import Frame
from invrender.photometry.registration import Moved, twist_of, twisted

Tensor = torch.Tensor

RIDGE = (
    1e-9  # of a camera's weight: cameras that all stand in one place tell a shift from a change of distance by nothing
)


@dataclass(frozen=True)
class Settled:
    """Cameras after a while.

    Attributes:
        moved: their corrections, without what they have in common.
        common: [4,4] float64, the similarity that the object goes through in their place.
        share: of colours in what is known of the cameras, 0 to 1; the rest is outlines'.
    """

    moved: Moved
    common: Tensor
    share: float = 0.0


def settled(motions: Tensor, bend: float, eye: Tensor) -> Settled:
    """Motions [N,4,4] of the object before cameras at `eye` [N,3], without what they have in common."""
    together, farther = _in_common(motions, eye)
    common = twisted(together)
    rest = motions @ torch.linalg.inv(common)
    rest[:, :3, 3] += farther * eye
    common[:3] /= 1 + farther
    return Settled(Moved(torch.stack([twist_of(motion) for motion in rest]), bend), common)


def aligned(cameras: Cameras, given: Cameras, frame: Frame) -> Cameras:
    """The cameras after the similarity of the world that brings them nearest to those that were given.

    Their pictures of what goes through the same similarity stay what they are.
    """
    to_world = torch.eye(4, dtype=torch.float64)
    to_world[:3, :3] *= frame.scale
    to_world[:3, 3] = torch.from_numpy(frame.centre)
    motions = torch.linalg.inv(given.world_to_camera @ to_world) @ cameras.world_to_camera @ to_world
    eye = torch.from_numpy(frame.normalise(given.position.numpy()))
    common = settled(motions, 0.0, eye).common
    shrunk = torch.linalg.det(common[:3, :3]) ** (1 / 3)
    matrices = cameras.world_to_camera @ to_world @ torch.linalg.inv(to_world @ common)
    matrices[:, :3] *= shrunk  # rigid again
    return Cameras(matrices, cameras.projection, cameras.size)


def _in_common(motions: Tensor, eye: Tensor) -> tuple[Tensor, float]:
    """The twist [6], and the part of the distances, that are nearest to N motions [N,4,4] before cameras at `eye`.

    Both at once, by least squares: cameras on one side of the object that come nearer also shift towards it. By the
    normal equations, whose last bits do not depend on where in memory the motions lie.
    """
    twists = torch.stack([twist_of(motion) for motion in motions])
    basis = torch.eye(6, 7, dtype=torch.float64).repeat(len(eye), 1, 1)
    basis[:, 3:, 6] = -eye
    normal = (basis[..., :, None] * basis[..., None, :]).sum((0, 1))
    right = (basis * twists[..., None]).sum((0, 1))
    found = torch.linalg.solve(normal + RIDGE * torch.eye(7, dtype=torch.float64), right)
    return found[:6], float(found[6])
