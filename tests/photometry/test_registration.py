"""Cameras that are off come back, from photographs of a painted ball with a nose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from invrender.backends import select
from invrender.cameras.rigs import rig
from invrender.colour import linear_to_srgb
from invrender.nouns import Cameras
from invrender.parameters.frame import Frame
from invrender.photometry.photos import Photos
from invrender.photometry.registration import Moved, corrected, longer, register, twisted
from tests.photometry.painted_ball import SIZE, ball, painted, taken


def coloured() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    vertices, faces = ball(4)
    return vertices, faces, torch.from_numpy(linear_to_srgb(painted(vertices).numpy()))


def displaced(photos: Photos, twist: torch.Tensor, focal: float = 0.0) -> Photos:
    moved = [longer(c, focal) @ m @ twisted(t)
             for c, m, t in zip(photos.principal, photos.clip_from_object, twist, strict=True)]  # fmt: skip
    return replace(photos, clip_from_object=torch.stack(moved))


def error(photos: Photos, twist: torch.Tensor, found: Moved) -> float:
    """How far the rim moves, in normalised units, once twists and their corrections are applied (but for the mean)."""
    rest = twist + found.twist
    return float((rest - rest.mean(0)).norm(dim=1).mean())


def test_poses_that_are_off_are_found() -> None:
    photos = taken(6, fine=4)
    random = torch.Generator().manual_seed(1)
    twist = 0.02 * torch.randn(6, 6, dtype=torch.float64, generator=random)
    found = register(*coloured(), displaced(photos, twist), select("cpu"))
    assert error(photos, twist, found) < 0.15 * float(photos.pixel[0]) < 0.15 * error(photos, twist, Moved(0 * twist))


def test_a_focal_length_that_is_off_is_found() -> None:
    photos = taken(6, fine=4)
    still = torch.zeros(6, 6, dtype=torch.float64)
    found = register(*coloured(), displaced(photos, still, 0.03), select("cpu"), focal=True)
    assert found.focal == pytest.approx(-0.03, abs=0.01)


def test_good_cameras_stay_where_they_are() -> None:
    photos = taken(5)
    found = register(*coloured(), photos, select("cpu"))
    assert float(found.twist.norm(dim=1).mean()) < 0.4 * float(photos.pixel[0])


def test_outlines_count_as_far_as_they_fit() -> None:
    photos, still = taken(5, fine=4), torch.zeros(5, 6, dtype=torch.float64)
    cut = replace(photos, masks=photos.masks * photos.masks.roll(-4, 2))  # all masks lack a rim on the right
    trusting, weighing = (
        error(photos, still, register(*coloured(), cut, select("cpu"), centred=False, outline=outline))
        for outline in (1.0, None)
    )
    assert weighing < 0.5 * trusting


def test_corrections_move_cameras_in_the_world() -> None:
    frame = Frame(np.array([5.0, -2.0, 1.0]), 3.0)
    cameras = rig("sphere", 3, frame.centre, 3.0, SIZE)
    moved = Moved(0.1 * torch.arange(18).reshape(3, 6).double() / 18, 0.05)
    found = corrected(cameras, frame, moved)
    wanted = torch.stack([longer(c, 0.05) @ m @ twisted(t) for c, m, t in zip(
        -cameras.projection[:, :2, 2], frame.clip_matrices(cameras), moved.twist, strict=True)])  # fmt: skip
    assert torch.allclose(frame.clip_matrices(found), wanted)
    rotation = found.world_to_camera[:, :3, :3]
    assert torch.allclose(rotation @ rotation.transpose(1, 2), torch.eye(3).double().expand(3, 3, 3))
    assert isinstance(found, Cameras)
