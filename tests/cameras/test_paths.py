"""Viewpoints and paths of cameras: what they see, and that a path passes through its keys."""

from __future__ import annotations

import pytest
import torch

from invrender.cameras.path import CameraPath
from invrender.cameras.projection import look_at
from invrender.cameras.viewpoint import Viewpoint, cameras_at, turned_about, viewpoint_of
from invrender.errors import UsageError

CORNERS = torch.tensor([[-1.0, -1, -1], [1, 1, 1]], dtype=torch.float64)
KEYS = (
    Viewpoint((0, 0, 4), (0, 0, 0)),
    Viewpoint((4, 1, 0), (0, 0.5, 0), fov=30),
    Viewpoint((0, 2, -4), (0, 0, 0), fov=60),
)


def test_a_viewpoint_looks_as_look_at_does() -> None:
    view = Viewpoint((3, 2, 1), (0.5, 0, 0), (0, 0, 1), 50)
    cameras = cameras_at([view], (40, 60), CORNERS)
    assert torch.equal(cameras.world_to_camera, look_at([[3, 2, 1]], [0.5, 0, 0], [0, 0, 1]))
    assert cameras.size == (40, 60)
    clip = cameras.clip_from_world[0] @ torch.tensor([0.5, 0, 0, 1], dtype=torch.float64)
    assert clip[:2] / clip[3] == pytest.approx([0, 0], abs=1e-12)
    again = viewpoint_of(cameras, 0, torch.tensor([0.5, 0, 0]))
    assert again.eye == pytest.approx(view.eye)
    assert again.target == pytest.approx(view.target)
    assert again.fov == pytest.approx(50)
    assert again.up == (0, 0, 1)
    assert torch.allclose(cameras_at([again], (40, 60), CORNERS).world_to_camera, cameras.world_to_camera)


@pytest.mark.parametrize("size", [(40, 80), (80, 40)])
def test_fov_spans_the_smaller_side(size: tuple[int, int]) -> None:
    cameras = cameras_at([Viewpoint((0, 0, 2), (0, 0, 0), fov=90)], size, CORNERS)
    smaller = 1 if size[0] < size[1] else 0
    edge = torch.zeros(4, dtype=torch.float64)
    edge[smaller], edge[3] = 2, 1  # at a distance of 2, half of 90 degrees reaches 2 to the side
    clip = cameras.clip_from_world[0] @ edge
    assert clip[smaller] / clip[3] == pytest.approx(1)
    assert viewpoint_of(cameras, 0, torch.zeros(3)).fov == pytest.approx(90)


def test_a_turn_keeps_height_and_distance_about_up() -> None:
    views = turned_about(Viewpoint((3, 1, 2), (1, 0, 0), (0, 0, 1)), 4)
    eyes = torch.tensor([view.eye for view in views])
    assert eyes[0].tolist() == [3, 1, 2]
    assert torch.allclose(eyes[:, 2], torch.full((4,), 2.0))
    assert torch.allclose(eyes[:, :2] - torch.tensor([1.0, 0]), torch.tensor([[2.0, 1], [-1, 2], [-2, -1], [1, -2]]))


def test_a_path_passes_through_its_keys_smoothly() -> None:
    path = CameraPath((1, 2, 4), KEYS, fps=2)
    assert [path.at(time) for time in (1, 2, 4)] == list(KEYS)
    assert path.frames == len(path.viewpoints()) == 7
    before, at, after = (torch.tensor(path.at(2 + step).eye) for step in (-1e-4, 0, 1e-4))
    assert torch.allclose((at - before) / 1e-4, (after - at) / 1e-4, atol=1e-2)
    assert path.at(1.7).up == (0, 1, 0)


def test_a_straight_path_is_followed_evenly() -> None:
    keys = tuple(Viewpoint((0, 0, z), (0, 0, -10)) for z in (0.0, 1.0, 2.0, 5.0))
    path = CameraPath((0, 1, 2, 5), keys)
    assert [path.at(time).eye[2] for time in (0.5, 1.25, 3.5)] == pytest.approx([0.5, 1.25, 3.5])


def test_a_closed_path_returns() -> None:
    path = CameraPath((0, 1, 2), KEYS, fps=2, closed=True)
    assert path.duration == 3
    assert path.frames == 6
    assert path.at(3) == path.at(0) == KEYS[0]
    eyes = [torch.tensor(path.at(time).eye) for time in (3 - 1e-4, 3, 1e-4)]
    assert torch.allclose((eyes[1] - eyes[0]) / 1e-4, (eyes[2] - eyes[1]) / 1e-4, atol=1e-2)
    assert len(path.viewpoints(5)) == 5


def test_views_that_are_none_are_refused() -> None:
    with pytest.raises(UsageError, match="is its target"):
        Viewpoint((1, 2, 3), (1, 2, 3))
    with pytest.raises(UsageError, match="along its up direction"):
        Viewpoint((0, 5, 0), (0, 0, 0))
    with pytest.raises(UsageError, match="0,0,0"):
        Viewpoint((0, 5, 0), (0, 0, 0), (0, 0, 0))
    with pytest.raises(UsageError, match="do not rise"):
        CameraPath((0, 2, 1), KEYS)
    with pytest.raises(UsageError, match="goes nowhere"):
        CameraPath((0,), KEYS[:1])
