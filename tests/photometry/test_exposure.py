"""Exposures that are known come back, whatever the few points that shine."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from invrender.cameras.rigs import rig
from invrender.colour import linear_to_srgb
from invrender.photometry.exposure import exposed, exposed_views, exposure_gains, in_their_exposure
from invrender.photometry.sampling import Samples
from tests.photometry.painted_ball import FRAME, SIZE, photographed, taken


def samples(true: torch.Tensor, shining: float = 0.0) -> Samples:
    """1000 random colours as photographs of given exposures [N,3] show them, each seen by two thirds of them."""
    random = np.random.default_rng(3)
    colours = torch.from_numpy(random.uniform(0.1, 0.5, (1000, 3)))
    light = colours[None] / true[:, None]
    light[:, torch.from_numpy(random.random(1000) < shining)] *= 1.8
    light[0] = colours / true[0]
    seen = torch.from_numpy((random.random((len(true), 1000)) < 0.67).astype(np.float32))
    return Samples(torch.from_numpy(linear_to_srgb(light.numpy())), seen)


def test_known_exposures_are_found() -> None:
    true = torch.tensor([[1.0, 1.0, 1.0], [1.4, 1.3, 1.2], [0.8, 0.8, 0.9], [0.9, 1.0, 1.0]]).double()
    found = exposure_gains(samples(true))
    wanted = true / true.log().mean(0).exp()
    assert torch.allclose(found, wanted, rtol=1e-3)


def test_exposures_that_are_stops_apart_are_found() -> None:
    true = torch.tensor([0.5, 1.0, 2.0, 1.0, 0.5]).double()[:, None].expand(-1, 3)
    colours = samples(true)
    wanted = true / true.log().mean(0).exp()
    assert torch.allclose(exposure_gains(colours), wanted, rtol=1e-3)


def test_highlights_do_not_count() -> None:
    true = torch.ones(5, 3).double()
    found = exposure_gains(samples(true, shining=0.1))
    assert float((found - 1).abs().max()) < 0.02


def test_a_photograph_that_sees_nothing_keeps_its_exposure() -> None:
    given = samples(torch.ones(3, 3).double())
    weight = given.weight.clone()
    weight[2] = 0
    found = exposure_gains(Samples(given.colours, weight))
    assert found[2].tolist() == pytest.approx([1, 1, 1], abs=1e-6)


def test_photographs_are_multiplied_in_linear_light() -> None:
    photos = taken(2)
    twice = exposed(photos, torch.tensor([[1.0, 1.0, 1.0], [0.5, 0.5, 0.5]]).double())
    assert torch.allclose(twice.images[0], photos.images[0], atol=1e-6)
    bright = photos.images[1] > 0.5
    assert float((twice.images[1] - photos.images[1])[bright].max()) < -0.1


def test_pictures_become_as_bright_as_photographs_that_were_set_aside() -> None:
    views = photographed(rig("sphere", 2, FRAME.centre, 3.0, SIZE))
    assert views.images is not None
    drawn = torch.cat([views.images * views.masks[..., None], views.masks[..., None]], -1)
    gains = torch.tensor([[0.5, 0.5, 0.5], [0.9, 0.8, 0.9]]).double()
    darker = exposed_views(views, gains)
    assert darker.images is not None
    found = in_their_exposure(drawn, darker.images, views.masks)[..., :3]
    assert torch.allclose(found, darker.images * views.masks[..., None], atol=1e-4)
