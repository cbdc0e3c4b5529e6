"""Automatic masks of several views together: what one of them holds and the others rule out, or hardly show, goes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from invrender.cameras.projection import look_at, perspective
from invrender.colour import srgb_to_linear
from invrender.nouns import Cameras, Views
from invrender.segmentation.automatic import with_automatic_masks

SIZE, COUNT, RADIUS, FOOT, RIM = (96, 96), 10, 0.5, -0.5, 0.8
BRIGHT, SHADOW, PEDESTAL, CLOTH = 0.7, 0.06, 0.08, 0.25  # sRGB


def ring(count=COUNT):
    turn = 2 * np.pi * np.arange(count) / count
    eyes = torch.from_numpy(np.stack([3 * np.cos(turn), 0.9 + 0 * turn, 3 * np.sin(turn)], 1))
    cameras = look_at(eyes, (0.0, 0.0, 0.0))
    return Cameras(cameras, perspective(34.0, SIZE, 1.0, 9.0).expand(count, 4, 4), SIZE)


def rays(cameras, view):
    height, width = SIZE
    x, y = np.meshgrid((np.arange(width) + 0.5) / width * 2 - 1, 1 - (np.arange(height) + 0.5) / height * 2)
    ends = (
        np.stack([x, y, np.full_like(x, 0.5), np.ones_like(x)], -1)
        @ np.linalg.inv(cameras.clip_from_world[view].numpy()).T
    )
    eye = cameras.position[view].numpy()
    direction = ends[..., :3] / ends[..., 3:] - eye
    return eye, direction / np.linalg.norm(direction, axis=-1, keepdims=True)


def photographs(cameras, dark=lambda hit: False):
    """A ball on a faintly lit disc before a dark noisy backdrop, sRGB [N,H,W,3], and where the ball is [N,H,W]."""
    random, pictures, balls = np.random.default_rng(3), [], []
    for view in range(len(cameras)):
        eye, direction = rays(cameras, view)
        along = direction @ eye
        inside = along**2 - (eye @ eye - RADIUS**2)
        ball = inside > 0
        hit = eye + (-along - np.sqrt(inside.clip(0)))[..., None] * direction
        foot = eye + ((FOOT - eye[1]) / direction[..., 1])[..., None] * direction
        disc = (direction[..., 1] < 0) & (np.hypot(foot[..., 0], foot[..., 2]) < RIM)
        shade = np.where(dark(hit), SHADOW, BRIGHT)
        grey = np.where(ball, shade, np.where(disc, PEDESTAL, 0.02))[..., None] + random.normal(0, 0.006, (*SIZE, 3))
        pictures.append(grey.clip(0, 1))
        balls.append(ball)
    return np.stack(pictures), np.stack(balls)


def found(cameras, pictures):
    linear = torch.from_numpy(srgb_to_linear(pictures).astype(np.float32))
    views = Views(cameras, torch.zeros(len(cameras), *SIZE), linear)
    return with_automatic_masks(views, [False] * len(cameras))


def overlap(masks, expected):
    inside = masks.numpy() >= 0.5
    return [float((a & b).sum() / (a | b).sum()) for a, b in zip(inside, expected, strict=True)]


def test_what_an_object_stands_on_goes_where_it_is_faint_from_all_sides():
    cameras = ring()
    pictures, ball = photographs(cameras)
    views, note = found(cameras, pictures)
    assert min(overlap(views.masks, ball)) > 0.87
    assert f"in {COUNT} of them" in note
    few, _ = found(cameras[:5], pictures[:5])  # of which none can overrule the rest
    assert max(overlap(few.masks, ball[:5])) < 0.8


def test_a_side_in_shadow_stays():
    cameras = ring()
    pictures, ball = photographs(cameras, lambda hit: hit[..., 0] < -0.3)
    views, _ = found(cameras, pictures)
    known_background = (views.masks < 0.5) & (views.confidence >= 0.5)
    lost = (known_background.numpy() & ball).sum((1, 2)) / ball.sum((1, 2))
    assert float(lost.max()) < 0.08
    assert min(overlap(views.masks, ball)) > 0.8


def test_an_object_that_is_dark_itself_stays():
    cameras = ring()
    pictures, ball = photographs(cameras, lambda hit: hit[..., 1] < 0.35)
    views, _ = found(cameras, pictures)
    kept = (views.masks >= 0.5).numpy() & ball
    assert float((kept.sum((1, 2)) / ball.sum((1, 2))).min()) > 0.97


def test_cloth_in_one_view_goes_and_a_wrong_pose_is_not_hidden():
    cameras = ring()
    pictures, ball = photographs(cameras)
    pictures[4, 10:60, 2:14] = CLOTH
    views, _ = found(cameras, pictures)
    assert min(overlap(views.masks, ball)) > 0.8
    turned = cameras.world_to_camera.clone()
    turned[2, 0, 3] += 0.6
    wrong, _ = found(replace(cameras, world_to_camera=turned), photographs(cameras)[0])
    assert overlap(wrong.masks[2:3], ball[2:3])[0] > 0.85


@pytest.mark.parametrize("scale", [0.01, 100.0])
def test_units_do_not_matter(scale):
    cameras = ring()
    pictures, _ = photographs(cameras)
    usual, _ = found(cameras, pictures)
    poses = cameras.world_to_camera.clone()
    poses[:, :3, 3] *= scale
    scaled = replace(
        cameras, world_to_camera=poses, projection=perspective(34.0, SIZE, scale, 9 * scale).expand(COUNT, 4, 4)
    )
    assert float((found(scaled, pictures)[0].masks - usual.masks).abs().mean()) < 0.002
