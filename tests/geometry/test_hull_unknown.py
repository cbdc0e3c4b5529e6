"""Hulls from masks of which pixels or whole views are unknown, and hulls in a box, against balls."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from invrender.cameras.framing import common_box
from invrender.cameras.projection import look_at, perspective
from invrender.cameras.rigs import fibonacci
from invrender.errors import InputError
from invrender.geometry.connectivity import is_closed_manifold
from invrender.geometry.hull import visual_hull
from invrender.geometry.hull_grid import frame_from_masks
from invrender.nouns import Cameras
from invrender.nouns.coverage import in_bytes

Tensor = torch.Tensor

SIZE = (72, 72)
RADIUS = 0.8


def cameras(count: int) -> Cameras:
    eyes = 4.0 * fibonacci(count)
    return Cameras(look_at(eyes, (0.0, 0.0, 0.0)), perspective(40.0, SIZE, 0.5, 12.0).expand(count, 4, 4), SIZE)


def ball_masks(views: Cameras, centre: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Tensor:
    """Masks [N,H,W] of a ball, sampled twice on each side of a pixel."""
    at = (torch.arange(2 * SIZE[0], dtype=torch.float64) + 0.5) / SIZE[0] - 1
    y, x = torch.meshgrid(-at, at, indexing="ij")
    near = torch.stack([x, y, -torch.ones_like(x), torch.ones_like(x)], -1)
    masks = []
    for inverse, eye in zip(torch.linalg.inv(views.clip_from_world), views.position, strict=True):
        point = near @ inverse.T
        ray = point[..., :3] / point[..., 3:] - eye
        across = torch.linalg.cross(ray, (torch.tensor(centre).double() - eye).expand_as(ray))
        masks.append((across.square().sum(-1) < RADIUS**2 * ray.square().sum(-1)).float())
    return torch.nn.functional.avg_pool2d(torch.stack(masks)[:, None], 2)[:, 0]


def reach(mesh) -> tuple[list[float], list[float]]:
    vertices, faces = mesh.numpy()
    assert is_closed_manifold(faces)
    return vertices.min(0).tolist(), vertices.max(0).tolist()


def same(one, two) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one.numpy(), two.numpy(), strict=True))


def test_masks_in_bytes_have_the_hull_of_those_in_floats():
    views = cameras(12)
    masks, confidence = ball_masks(views), torch.ones(12, *SIZE)
    confidence[::3, :, :40] = 0.0
    floats = visual_hull(masks, views, 32, confidence=confidence)
    kept = visual_hull(in_bytes(masks), views, 32, confidence=in_bytes(confidence))
    assert np.array_equal(floats.numpy()[1], kept.numpy()[1])
    assert np.abs(floats.numpy()[0] - kept.numpy()[0]).max() < 1e-3  # a pixel is .03


def test_views_without_masks_take_no_part():
    views = cameras(12)
    masks, confidence = ball_masks(views), torch.ones(12, *SIZE)
    known = [view for view in range(12) if view % 3]
    masks[::3], confidence[::3] = 0.0, 0.0
    assert same(visual_hull(masks, views, 32, confidence=confidence), visual_hull(masks[known], views[known], 32))


def test_unknown_pixels_take_nothing_away():
    """What others know of the region that is unknown here carves it all the same."""
    views = cameras(16)
    masks = ball_masks(views)
    whole = visual_hull(masks, views, 32)
    confidence, wrong = torch.ones_like(masks), masks.clone()
    for view in range(0, 16, 2):  # a corner is unknown, and black
        confidence[view, :30, :40], wrong[view, :30, :40] = 0, 0
    hull = visual_hull(wrong, views, 32, confidence=confidence)
    assert np.linalg.norm(hull.numpy()[0], axis=1).min() > RADIUS - 0.03
    (low, high), (full_low, full_high) = reach(hull), reach(whole)
    assert high == pytest.approx(full_high, abs=0.15)
    assert low == pytest.approx(full_low, abs=0.15)
    with pytest.raises(AssertionError):  # taken for background they cut the ball
        assert np.linalg.norm(visual_hull(wrong, views, 32).numpy()[0], axis=1).min() > RADIUS - 0.03


def test_an_unknown_rim_around_the_pictures_changes_nothing():
    """As undistorted pictures have it."""
    views = cameras(12)
    masks = ball_masks(views)
    confidence = torch.zeros_like(masks)
    confidence[:, 5:-5, 5:-5] = 1
    low, high = reach(visual_hull(masks, views, 32, confidence=confidence))
    full_low, full_high = reach(visual_hull(masks, views, 32))
    assert low == pytest.approx(full_low, abs=0.03)
    assert high == pytest.approx(full_high, abs=0.03)


def test_a_box_ends_the_hull():
    views = cameras(12)
    masks = ball_masks(views)
    box = torch.tensor([[-2.0, -2.0, -2.0], [0.3, 2.0, 2.0]])
    low, high = reach(visual_hull(masks, views, 40, bounds=box))
    assert high[0] == pytest.approx(0.3, abs=0.01)
    full_low, full_high = reach(visual_hull(masks, views, 40))
    assert low == pytest.approx(full_low, abs=0.02)
    assert high[1:] == pytest.approx(full_high[1:], abs=0.02)


def test_a_wide_box_changes_little():
    views = cameras(12)
    masks = ball_masks(views)
    low, high = reach(visual_hull(masks, views, 40, bounds=torch.tensor([[-3.0] * 3, [3.0] * 3])))
    full_low, full_high = reach(visual_hull(masks, views, 40))
    assert low == pytest.approx(full_low, abs=0.02)
    assert high == pytest.approx(full_high, abs=0.02)


def test_without_any_mask_the_box_is_the_hull():
    views = cameras(4)
    box = torch.tensor([[-1.0, -0.5, 0.0], [1.0, 0.5, 0.25]])
    nothing = torch.zeros(4, *SIZE)
    low, high = reach(visual_hull(nothing, views, 40, confidence=nothing, bounds=box))
    assert low == pytest.approx(box[0].tolist(), abs=0.01)
    assert high == pytest.approx(box[1].tolist(), abs=0.01)


def test_a_hull_without_end_is_refused_with_a_box_to_give():
    views = cameras(6)
    masks, confidence = ball_masks(views), torch.zeros(6, *SIZE)
    with pytest.raises(InputError, match="no view is known to show the object") as refused:
        visual_hull(masks, views, 32, confidence=confidence)
    assert "--bounds=" in refused.value.remedy
    confidence[:, :, 36:] = 1  # of one half of every picture nothing is known
    confidence[1:] = 0
    with pytest.raises(InputError, match="leave open where the object ends"):
        visual_hull(masks, views, 32, confidence=confidence)
    box = common_box(views)
    assert visual_hull(masks, views, 32, confidence=confidence, bounds=box).numpy()[0].max() <= float(box.max())


def test_the_frame_is_that_of_known_pixels():
    views = cameras(10)
    masks, confidence = ball_masks(views, (0.3, 0.1, -0.2)), torch.ones(10, *SIZE)
    expected = frame_from_masks(masks, views)
    masks[:, :6], confidence[:, :6] = 1.0, 0.0
    masks[3], confidence[3] = 0.0, 0.0
    centre, half = frame_from_masks(masks, views, confidence)
    assert centre == pytest.approx(expected[0], abs=0.02)
    assert half == pytest.approx(expected[1], rel=0.05)


def test_the_common_box_is_seen_whole_by_every_camera():
    views = cameras(9)
    low, high = common_box(views)
    assert low.tolist() == pytest.approx((-high).tolist(), abs=1e-9)
    for axis in range(3):  # the ball inside the cube
        for sign in (-1, 1):
            point = torch.zeros(4, dtype=torch.float64)
            point[axis], point[3] = sign * high[0], 1
            clip = views.clip_from_world @ point
            assert bool((clip[:, :2].abs() <= clip[:, 3:] + 1e-9).all())
