"""What cameras have in common is taken out: a similarity of the world, also where all are on one side of the object."""

from __future__ import annotations

import torch

from invrender.cameras.rigs import rig
from invrender.nouns import Cameras
from invrender.photometry.common import aligned, settled
from invrender.photometry.registration import twisted
from tests.photometry.painted_ball import FRAME, SIZE

Tensor = torch.Tensor


def _one_side() -> Cameras:
    """Cameras of which none looks from below."""
    cameras = rig("sphere", 24, FRAME.centre, 3.0, SIZE)
    above = cameras.position[:, 1] > float(FRAME.centre[1])
    return cameras[above.nonzero()[:, 0].tolist()]


def _after(cameras: Cameras, turn: Tensor, scale: float) -> Cameras:
    """The cameras after a similarity of the world."""
    similarity = twisted(turn)
    similarity[:3, :3] *= scale
    matrices = cameras.world_to_camera @ torch.linalg.inv(similarity)
    matrices[:, :3] *= scale
    return Cameras(matrices, cameras.projection, cameras.size)


def test_cameras_come_back_to_where_they_were_given() -> None:
    given = _one_side()
    moved = _after(given, torch.tensor([0.004, -0.002, 0.003, 0.002, 0.001, -0.004]).double(), 1.004)
    back = aligned(moved, given, FRAME)
    left = (back.position - given.position).norm(dim=1).max()
    assert float(left) < 0.01 * float((moved.position - given.position).norm(dim=1).max())
    turned = back.world_to_camera[:, :3, :3]
    assert torch.allclose(turned @ turned.transpose(1, 2), torch.eye(3, dtype=torch.float64).expand_as(turned))


def test_coming_nearer_on_one_side_is_no_shift() -> None:
    eye = torch.from_numpy(FRAME.normalise(_one_side().position.numpy()))
    motions = torch.eye(4, dtype=torch.float64).repeat(len(eye), 1, 1)
    motions[:, :3, 3] = 0.01 * eye  # of the object before each camera
    found = settled(motions, 0.0, eye)
    assert float(found.moved.twist.abs().max()) < 1e-3 * 0.01 * float(eye.norm(dim=1).mean())
    assert float(found.common[:3, 3].abs().max()) < 1e-12
    assert abs(float(torch.linalg.det(found.common[:3, :3])) ** (1 / 3) - 1.01) < 2e-4
