"""Albedo and light of a ball told apart where the albedo goes with the normals."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from trimesh.creation import icosphere

from invrender.methods.photometric.appearance import Appearance, plain
from invrender.methods.photometric.separation import pairs_of, separated
from invrender.shading.spherical_harmonics import ambient, directional

BALL = np.array(icosphere(subdivisions=4, radius=0.8).vertices)
NORMALS = torch.from_numpy(BALL / 0.8)
LIGHT = ambient(torch.tensor([0.3, 0.3, 0.3])).double() + directional(torch.tensor([1.0, 2.0, 0.5]).double(), 0.3)


def two_sided():
    """Skin and stone, with the border across the light."""
    stone = NORMALS[:, 1] > 0.2
    colours = torch.tensor([[0.7, 0.5, 0.4], [0.2, 0.25, 0.3]], dtype=torch.float64)
    return Appearance(colours[stone.long()], LIGHT)


def found(true, weight=None, calls=8):
    """The light after some calls, each from the one before."""
    look = dataclasses.replace(plain(len(BALL), 0.3), occlusion=true.occlusion)
    look = dataclasses.replace(look, light=look.light * torch.tensor([1.0, 2.0, 3.0]))
    weight = torch.ones_like(true.albedo) if weight is None else weight
    pairs = pairs_of(BALL, NORMALS.numpy())
    for _ in range(calls):
        look = separated(look, NORMALS, true.colours(NORMALS), weight, pairs)
    return look.light


def off(light):
    """How far a light is from the true one up to a factor per channel, as a share of that."""
    shape, true = light / light[0], LIGHT / LIGHT[0]
    return float((shape - true).norm() / true.norm())


def test_a_dark_side_is_no_light_from_the_other_one():
    assert off(plain(1, 0.3).light) > 0.45
    assert off(found(two_sided())) < 0.02


def test_what_the_object_blocks_of_the_light_is_no_albedo():
    shadow = (0.3 + 0.7 * torch.rand(len(BALL), 1, generator=torch.Generator().manual_seed(0)).double()).expand(-1, 3)
    assert off(found(dataclasses.replace(two_sided(), occlusion=shadow))) < 0.02


def test_colours_that_no_picture_tells_do_not_count():
    true = two_sided()
    lost = NORMALS[:, :1] > 0.5
    garbage = dataclasses.replace(true, albedo=torch.where(lost, (NORMALS[:, 2:] + 1.1) / 2, true.albedo))
    assert off(found(garbage, (~lost).expand(-1, 3).double())) < 0.04


def test_the_light_is_neutral_and_black_objects_leave_it_finite():
    light = found(two_sided())
    assert light[0].numpy() == pytest.approx(float(light[0, 0]))
    black = Appearance(torch.zeros(len(BALL), 3, dtype=torch.float64), LIGHT)
    assert bool(found(black).isfinite().all())


def test_pairs_are_a_short_way_apart_and_always_the_same():
    pairs = pairs_of(BALL, NORMALS.numpy())
    apart = np.linalg.norm(BALL[pairs[:, 0]] - BALL[pairs[:, 1]], axis=1)
    assert len(pairs) > 5000
    assert 0.05 < apart.min() <= apart.max() < 0.4
    assert np.array_equal(pairs, pairs_of(BALL, NORMALS.numpy()))
