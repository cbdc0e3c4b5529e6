"""Photographs of a ball of known colours, looked up again at its points."""

from __future__ import annotations

import pytest
import torch

from invrender.backends import select
from invrender.nouns.topology import topology
from invrender.photometry.blend import blended, filled
from invrender.photometry.photos import smaller
from invrender.photometry.sampling import Samples, depth_buffer, look_at_points, project
from tests.photometry.painted_ball import SIZE, ball, painted, taken


def test_points_of_a_ball_have_the_colour_that_was_painted() -> None:
    vertices, faces = ball()
    photos = taken()
    depth = depth_buffer(vertices, faces, photos.clip_from_object, photos.size, select("cpu"))
    samples = look_at_points(vertices, vertices, photos, depth)
    seen = samples.weight.amax(0) > 0.5
    assert float(seen.float().mean()) > 0.6
    linear = painted(vertices)
    coded = torch.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear.clamp(min=1e-9) ** (1 / 2.4) - 0.055)
    assert float((blended(samples) - coded)[seen].abs().max()) < 0.02


def test_the_far_side_is_not_seen_and_distances_are_in_world_units() -> None:
    vertices, faces = ball()
    photos = taken(1)
    depth = depth_buffer(vertices, faces, photos.clip_from_object, photos.size, select("cpu"))
    near = float((photos.eye[0].norm() - 1) * 3.0)
    assert float(depth.min()) == pytest.approx(near, rel=2e-3)
    towards = vertices @ torch.nn.functional.normalize(photos.eye[0], dim=0)
    weight = look_at_points(vertices, vertices, photos, depth).weight[0]
    horizon = 1 / float(photos.eye[0].norm())
    assert bool((weight[towards < horizon - 0.01] == 0).all())
    assert bool((weight[towards > horizon + 0.1] > 0).all())


def test_what_hides_a_point_hides_its_colour() -> None:
    """A small ball behind a large one."""
    vertices, faces = ball()
    photos = taken(1)
    behind = vertices * 0.1 - 1.5 * torch.nn.functional.normalize(photos.eye[0], dim=0)
    both, count = torch.cat([vertices, behind]), len(vertices)
    depth = depth_buffer(both, torch.cat([faces, faces + count]), photos.clip_from_object, photos.size, select("cpu"))
    assert not bool(look_at_points(behind, vertices, photos, depth).weight.any())


def test_smaller_photographs_show_points_in_the_same_place() -> None:
    photos = taken(2)
    half = smaller(photos, 5)
    assert half.size == (19, 25)
    points = torch.tensor([[0.3, 0.2, 0.4]], dtype=torch.float64)
    (at, _), (there, _) = project(points, photos.clip_from_object), project(points, half.clip_from_object)
    pixels = (at + 1) / 2 * torch.tensor(SIZE).flip(0)
    small = (there + 1) / 2 * torch.tensor(half.size).flip(0)
    assert torch.allclose(pixels / 5, small)


def test_an_outlier_does_not_colour_the_mean() -> None:
    colours = torch.full((5, 1, 3), 0.4)
    colours[3] = 1.0
    assert float((blended(Samples(colours, torch.ones(5, 1))) - 0.4).abs().max()) < 0.02


def test_unseen_vertices_take_the_colours_of_neighbours() -> None:
    vertices, faces = ball()
    known = vertices[:, 0] > 0
    result = filled(torch.full((len(vertices), 3), 0.25), known, topology(faces))
    assert bool((result == 0.25).all())
    assert bool((filled(torch.zeros(len(vertices), 3), known & False, topology(faces)) == 0.5).all())
