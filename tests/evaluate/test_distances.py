"""What cameras saw and what silhouettes show is told apart from what is wrong."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from invrender.cameras.projection import look_at, perspective
from invrender.evaluate.distances import Solid, distances
from invrender.nouns import Cameras
from invrender.samples import SAMPLES


def cameras(*eyes: tuple[float, float, float], fov: float = 60.0) -> Cameras:
    at = torch.tensor(eyes, dtype=torch.float64)
    projection = perspective(fov, (8, 8), 0.1, 100.0).repeat(len(eyes), 1, 1)
    up = (1.0, 0.0, 0.0)
    return Cameras(look_at(at, torch.zeros(3, dtype=torch.float64), up=up), projection, (8, 8))


@pytest.fixture(scope="module")
def ball() -> Solid:
    return Solid(*SAMPLES["sphere"]().numpy())


def test_the_cap_of_a_ball_is_seen_from_its_distance(ball: Solid) -> None:
    """From a distance D a ball of radius r shows the share (1 - r / D) / 2 of its surface."""
    radius = float(np.linalg.norm(ball.v, axis=1).max())
    one = distances(ball, ball, 8000, 0, cameras((0, 0, 4 * radius)))
    assert one.unseen == pytest.approx(1 - (1 - 1 / 4) / 2, abs=0.02)
    both = distances(ball, ball, 8000, 0, cameras((0, 0, 4 * radius), (0, 0, -4 * radius)))
    assert both.unseen == pytest.approx(1 / 4, abs=0.02)
    narrow = distances(ball, ball, 8000, 0, cameras((0, 0, 4 * radius), fov=1.0))
    assert narrow.unseen is not None
    assert narrow.unseen > 0.98  # the rest is not in the picture


def test_an_error_that_no_camera_saw_does_not_count_as_seen(ball: Solid) -> None:
    radius = float(np.linalg.norm(ball.v, axis=1).max())
    dented = Solid(ball.v * np.where(ball.v[:, 2:] < 0, 0.8, 1.0), ball.f)
    from_above, from_below = (
        distances(dented, ball, 4000, 0, cameras((0, 0, side * 9 * radius))).seen for side in (1, -1)
    )
    assert from_above[0] is not None
    assert from_below[0] is not None
    assert from_above[0] < 0.1 * from_below[0]
    assert from_above[1:] == pytest.approx((1.0, 1.0), abs=0.05)
    without = distances(dented, ball, 4000, 0)
    assert (without.seen, without.unseen) == ((None, None, None), None)


def test_only_the_inside_of_a_cup_is_in_a_hollow(ball: Solid) -> None:
    """The wall, the floor and what the handle hides of the mug; nothing of a ball, and little of a knot."""
    mug, knot = (Solid(*SAMPLES[name]().numpy()) for name in ("mug", "torus-knot"))
    filled = distances(mug, mug, 4000, 0)
    assert 0.25 < filled.hollow < 0.5
    assert distances(knot, knot, 2000, 0).hollow < 0.01
    assert distances(ball, ball, 2000, 0).hollow == 0
    inside_out = Solid(mug.v, mug.f[:, ::-1])
    assert distances(inside_out, inside_out, 4000, 0).hollow == pytest.approx(filled.hollow, abs=0.02)


def test_a_hollow_that_is_filled_is_no_error_of_what_is_outlined(ball: Solid) -> None:
    """A ball with a bubble inside, a quarter as large, beside one without: its surface is 1/17 of all."""
    bubble = Solid(np.concatenate([ball.v, ball.v / 4]), np.concatenate([ball.f, ball.f[:, ::-1] + len(ball.v)]))
    found = distances(ball, bubble, 8000, 0)
    assert found.hollow == pytest.approx(1 / 17, abs=0.005)
    assert found.chamfer == pytest.approx(found.hollow * 0.75 / (2 * 12**0.5), rel=0.1)  # of the diagonal
    assert found.outlined == pytest.approx(0, abs=1e-9)
    assert found.visible == pytest.approx(0, abs=1e-9)
