"""Cameras that masks prove wrong, and the object's box."""

from __future__ import annotations

import numpy as np

from invrender.poses.box import object_bounds
from invrender.poses.contradictions import contradicted
from tests.poses.made import disc_mask, made_model, ring

CAMERAS = ring(8, distance=4.0)
CENTRE = np.array([0.4, 0.1, 0.3])  # off the middle, so that a camera on the wrong side does not see it there
RADIUS = 0.5


def _ball(count=400):
    directions = np.random.default_rng(1).normal(size=(count, 3))
    return CENTRE + RADIUS * directions / np.linalg.norm(directions, axis=1, keepdims=True)


def _masks():
    return [disc_mask(pose, CENTRE, RADIUS) for pose in CAMERAS]


def test_right_cameras_agree_with_all_masks():
    assert contradicted(made_model(CAMERAS, _ball(), masks=_masks())) == ([], [])


def test_a_camera_on_the_wrong_side_is_the_one_that_is_named():
    placed = CAMERAS.copy()
    placed[3] = CAMERAS[6]
    views, pairs = contradicted(made_model(placed, _ball(), masks=_masks()))
    assert views == [3]
    assert pairs
    assert all(3 in pair for pair in pairs)


def test_without_masks_nothing_contradicts():
    placed = CAMERAS.copy()
    placed[3] = CAMERAS[6]
    assert contradicted(made_model(placed, _ball())) == ([], [])


def test_the_box_of_a_ball_between_points_of_a_wall():
    wall = np.random.default_rng(2).uniform((-4, -2, -4), (4, -1.5, 4), (300, 3))
    bounds = object_bounds(made_model(CAMERAS, np.concatenate([_ball(), wall]), masks=_masks()))
    assert (bounds[0] < CENTRE - 0.95 * RADIUS).all()
    assert (bounds[1] > CENTRE + 0.95 * RADIUS).all()
    assert np.abs(bounds - CENTRE).max() < 1.5 * RADIUS


def test_the_box_without_masks_is_about_what_all_cameras_look_at():
    far = np.random.default_rng(2).uniform(-1, 1, (300, 3)) - np.array([0, 0, 9])
    points = np.concatenate([_ball() - CENTRE, far])
    bounds = object_bounds(made_model(CAMERAS, points))
    assert (bounds[0] < -0.9 * RADIUS).all()
    assert np.abs(bounds).max() < 1.3 * RADIUS
