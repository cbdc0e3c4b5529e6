"""Photographs warped by a surface: they agree on the true one, and the gradient leads there."""

from __future__ import annotations

import math

import pytest
import torch

from invrender.backends import select
from invrender.photometry.zncc import Warped, Window, neighbours, warped
from tests.photometry.painted_ball import ball, taken

VIEW = 3


def compared(scale: torch.Tensor | float, count: int = 20) -> Warped:
    vertices, faces = ball(4)
    photos = taken(count)
    near = neighbours(photos, 3, math.radians(60))
    return warped(vertices * scale, faces, photos, VIEW, near[VIEW], Window(noise=0.002), select("cpu"))


def test_neighbours_are_the_nearest_within_the_angle() -> None:
    photos = taken(20)
    direction = torch.nn.functional.normalize(photos.eye, dim=1)
    near = neighbours(photos, 3, math.radians(60))
    for view, others in enumerate(near):
        assert view not in others
        cosines = [float(direction[view] @ direction[j]) for j in others]
        assert cosines == sorted(cosines, reverse=True)
        assert all(cosine > 0.5 for cosine in cosines)
    assert not any(neighbours(photos, 3, math.radians(1)))


def test_photographs_agree_best_on_the_true_surface() -> None:
    apart = {scale: compared(scale) for scale in (0.9, 1.0, 1.1)}
    mean = {scale: float(each.apart / each.count) for scale, each in apart.items()}
    assert mean[1.0] < 0.1
    assert mean[1.0] < 0.5 * min(mean[0.9], mean[1.1])
    colour = {scale: float(each.colours / each.count) for scale, each in apart.items()}
    assert colour[1.0] < 0.01 * min(colour[0.9], colour[1.1])


@pytest.mark.parametrize("size", [0.94, 1.06])
def test_the_gradient_leads_to_the_true_surface(size: float) -> None:
    scale = torch.tensor(size, dtype=torch.float64, requires_grad=True)
    seen = compared(scale)
    (slope,) = torch.autograd.grad((seen.apart + seen.colours) / seen.count, scale)
    assert float(slope) * (size - 1) > 0


def test_without_neighbours_there_is_nothing_to_compare() -> None:
    vertices, faces = ball(2)
    assert warped(vertices, faces, taken(4), 0, [], Window(), select("cpu")).count == 0
