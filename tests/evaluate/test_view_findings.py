"""Views that are nearly the same, and blurred ones: found where they are planted, and nowhere else."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from invrender.cameras.projection import look_at, perspective
from invrender.evaluate.view_findings import view_findings
from invrender.nouns import Cameras, Views

Tensor = torch.Tensor
SIDE, COUNT = 96, 10


def ring(degrees: list[float], size: int = SIDE) -> Cameras:
    """Cameras on a circle, at these azimuths."""
    azimuth = torch.tensor(degrees, dtype=torch.float64).deg2rad()
    eyes = 3 * torch.stack([azimuth.sin(), torch.full_like(azimuth, 0.2), azimuth.cos()], 1)
    return Cameras(look_at(eyes, (0.0, 0.0, 0.0)), perspective(45.0, (size, size), 0.1, 9.0).repeat(len(eyes), 1, 1),
                   (size, size))  # fmt: skip


def texture(seed: int, shift: float = 0.0, blur: float = 0.0) -> Tensor:
    """[SIDE,SIDE] a picture whose amplitudes fall with frequency, as photographs' do; moved and blurred in pixels."""
    random = np.random.default_rng(seed)
    u, v = np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE)[None]
    size = np.maximum(np.hypot(u, v), 1 / SIDE)
    waves = np.fft.fft2(random.standard_normal((SIDE, SIDE))) / size
    waves *= np.exp(-2j * math.pi * v * shift - 2 * (math.pi * blur * size) ** 2)
    found = np.fft.ifft2(waves).real
    return torch.from_numpy(0.4 + 0.12 * found / found.std()).clamp(0.02, 1).float()


def photographs(pictures: list[Tensor], cameras: Cameras) -> Views:
    """A ball before a background, with the textures on it."""
    unit = (torch.arange(SIDE) + 0.5) / SIDE * 2 - 1
    mask = ((unit[:, None].square() + unit[None].square()) < 0.6).float()
    linear = torch.stack(pictures).square()[..., None].expand(-1, -1, -1, 3)
    names = tuple(f"{k:02}.jpg" for k in range(len(pictures)))
    return Views(cameras, mask.expand(len(pictures), -1, -1), linear, names)


@pytest.fixture
def usual() -> Views:
    return photographs([texture(k) for k in range(COUNT)], ring([36.0 * k for k in range(COUNT)]))


def changed(views: Views, view: int, picture: Tensor) -> Views:
    """The views with another picture in the place of one."""
    assert views.images is not None
    images = views.images.clone()
    images[view] = picture.square()[..., None]
    return replace(views, images=images)


def test_good_photographs_are_left_in_peace(usual: Views) -> None:
    assert view_findings(usual) == []


def test_a_picture_with_two_poses_is_found_though_it_was_compressed_again(usual: Views) -> None:
    noise = torch.randn(SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    (found,) = view_findings(changed(usual, 6, texture(2) + 0.004 * noise))
    assert found.views == ("06.jpg",) and "02.jpg and 06.jpg are nearly the same view" in found.cause


def test_two_photographs_from_one_place_are_found(usual: Views) -> None:
    moved = [36.0 * k for k in range(COUNT)]
    moved[4] = moved[3] + 0.1
    views = changed(replace(usual, cameras=ring(moved)), 4, texture(3, shift=0.2))
    assert [found.views for found in view_findings(views)] == [("04.jpg",)]


def test_frames_half_a_degree_apart_are_views_of_their_own() -> None:
    steps = [0.5 * k for k in range(COUNT)]  # half a degree moves the middle of the ball by 0.3 of these pixels
    assert view_findings(photographs([texture(0, shift=0.6 * k) for k in range(COUNT)], ring(steps))) == []


def test_masks_that_look_alike_from_all_sides_are_no_copies(usual: Views) -> None:
    masks = replace(usual, images=None)
    assert view_findings(masks) == []
    twice = replace(masks, cameras=ring([36.0 * (k - (k == 5)) for k in range(COUNT)]))
    assert [found.views for found in view_findings(twice)] == [("05.jpg",)]


def test_a_smooth_ball_that_looks_alike_from_all_sides_is_neither_copied_nor_blurred(usual: Views) -> None:
    unit = (torch.arange(SIDE) + 0.5) / SIDE
    shade = (0.3 + 0.4 * unit)[None].expand(SIDE, -1)
    views = photographs([shade] * COUNT, ring([36.0 * k for k in range(COUNT)]))
    assert view_findings(views) == []


@pytest.mark.parametrize("blur", [1.5, 3.0])
def test_a_blurred_photograph_is_named(usual: Views, blur: float) -> None:
    (found,) = view_findings(changed(usual, 3, texture(3, blur=blur)))
    assert found.views == ("03.jpg",) and "03.jpg is blurred" in found.cause


def test_photographs_that_are_all_soft_are_not_blamed_on_one(usual: Views) -> None:
    soft = photographs([texture(k, blur=2.0) for k in range(COUNT)], usual.cameras)
    assert view_findings(soft) == []
