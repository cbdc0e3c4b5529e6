"""Pictures of a run: which way is up, and targets as large as the estimate beside them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from invrender.cameras.projection import look_at, perspective
from invrender.cameras.rigs import fibonacci, orbit
from invrender.nouns import Cameras
from invrender.parameters.frame import Frame
from invrender.run.turntable import make_turntable, nearest_views, zoomed

UPS = [(0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.6, 0.0, -0.8)]


def looking(directions, up=(0.0, 1.0, 0.0), size=(40, 60), distance=4.0, fov=30.0) -> Cameras:
    projection = perspective(fov, size, 0.1, 20.0).expand(len(directions), 4, 4)
    return Cameras(look_at(distance * directions, (0.0, 0.0, 0.0), up=up), projection, size)


@pytest.mark.parametrize("up", UPS)
@pytest.mark.parametrize("kind", ["ring", "sphere", "one side"])
def test_the_turn_is_about_the_up_of_level_cameras(up, kind):
    """Also where the views lie to one side, so that the mean of their own ups leans."""
    directions = {"ring": orbit(9, 35.0), "sphere": fibonacci(20)}.get(kind)
    if directions is None:
        directions = fibonacci(60)
        directions = directions[(directions[:, 2] > 0.3) & (directions[:, 1] > 0.2)]
    axis = torch.tensor(up, dtype=torch.float64)
    turn = make_turntable(8, 16, looking(directions, up))
    heights = turn.directions @ axis
    assert heights.tolist() == pytest.approx([float(np.sin(np.radians(12.0)))] * 8)
    assert (turn.cameras.world_to_camera[:, 1, :3] @ axis).min() > 0.9  # upright
    assert turn.directions.mean(0) @ axis == pytest.approx(heights[0])


def test_two_opposite_cameras_still_have_an_up():
    turn = make_turntable(4, 16, looking(orbit(2, 0.0)))
    assert (turn.directions[:, 1] > 0).all()


def test_the_turn_begins_at_the_first_view():
    turn = make_turntable(12, 16, looking(orbit(5, 10.0)))
    assert float(turn.directions[0, 2]) == pytest.approx(np.cos(np.radians(12.0)))


@pytest.mark.parametrize("size", [(40, 60), (300, 200)])
def test_target_and_estimate_have_the_same_scale_and_place(size):
    """A disc that covers the frame's ball of radius 1/2 around (0.3, 0, 0), in images of any shape."""
    frame = Frame(np.array([0.3, 0.0, 0.0]), 0.5)
    cameras = looking(orbit(6, 12.0), size=size)
    x, y, _, w = (cameras.clip_from_world @ torch.tensor([0.3, 0, 0, 1]).double()).unbind(-1)
    centre = torch.stack([(x / w + 1) / 2 * size[1], (1 - y / w) / 2 * size[0]], 1)
    radius = 0.5 / frame.pixel(cameras)
    rows, columns = torch.meshgrid(torch.arange(size[0]) + 0.5, torch.arange(size[1]) + 0.5, indexing="ij")
    off = torch.stack([(columns - c[0]).square() + (rows - c[1]).square() for c in centre])
    masks = (off < radius[:, None, None].square()).float()
    turn = make_turntable(12, 64, cameras)
    pictures = torch.stack(
        [zoomed(masks[v, ..., None], cameras[[v]], frame, turn) for v in nearest_views(cameras, turn)]
    )
    assert pictures.shape == (12, 64, 64, 1)
    dark = (pictures[..., 0] > 0.5).double()
    true = 0.5 / (2 * 3.0 * np.tan(np.radians(21.0))) * 64  # pixels that half a unit takes in the estimate's picture
    assert torch.sqrt(dark.sum((1, 2)) / np.pi).tolist() == pytest.approx([true] * 12, rel=0.06)
    middle = (dark.sum(1) * torch.arange(64)).sum(1) / dark.sum((1, 2))
    assert middle.tolist() == pytest.approx([31.5] * 12, abs=1.0)
