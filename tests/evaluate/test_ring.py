"""How cameras stand, as a dry run tells it."""

from __future__ import annotations

import pytest
import torch

from invrender.cameras.projection import look_at, perspective
from invrender.evaluate.ring import coverage_of, ring_of
from invrender.nouns import Cameras, Views


def around(azimuth: list[float], elevation: float, turned: bool = False) -> Cameras:
    """Cameras at a distance of 2 about +Y, or about +X with their pictures on their sides."""
    a, e = torch.tensor(azimuth, dtype=torch.float64).deg2rad(), torch.tensor(elevation).double().deg2rad()
    eyes = 2 * torch.stack([e.cos() * a.sin(), e.sin().expand_as(a), e.cos() * a.cos()], 1)
    eyes = eyes[:, [1, 2, 0]] if turned else eyes
    lens = perspective(40.0, (8, 8), 0.1, 9.0).repeat(len(eyes), 1, 1)
    return Cameras(look_at(eyes, (0.0, 0.0, 0.0)), lens, (8, 8))


@pytest.mark.parametrize("turned", [False, True])
def test_a_part_of_a_ring(turned: bool) -> None:
    ring = ring_of(around([0, 30, 60, 90, 120], 25.0, turned))
    assert (ring.views, ring.azimuth, ring.gap) == (5, pytest.approx(120), pytest.approx(240))
    assert sorted(map(abs, ring.elevation)) == pytest.approx([25, 25], abs=1e-6)
    assert ring.distance == pytest.approx([2, 2]) and ring.fov_x == pytest.approx([40, 40])


def test_coverage_is_of_masks_that_say_something() -> None:
    masks = torch.zeros(3, 8, 8)
    masks[1, :4], masks[2] = 1, 1
    cameras = around([0, 90, 180], 0.0)
    assert coverage_of(Views(cameras, masks)) == pytest.approx((0, 0.5, 1))
    assert coverage_of(Views(cameras, torch.ones(3, 8, 8))) is None
