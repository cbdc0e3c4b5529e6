"""Highlights go with the camera, what is painted on a ball does not."""

from __future__ import annotations

import dataclasses

import torch

from invrender.backends import select
from invrender.colour import linear_to_srgb
from invrender.photometry.highlights import GLOSSY, brightness, surface_brightness
from invrender.photometry.photos import Photos
from invrender.photometry.sampling import Samples
from tests.photometry.painted_ball import ball, taken

LAMP = torch.nn.functional.normalize(torch.tensor([0.3, 0.8, 0.5], dtype=torch.float64), dim=0)


def sphere_of(photos: Photos) -> tuple[torch.Tensor, torch.Tensor]:
    """Where rays through the pixels [N,H,W] meet the unit ball [N,H,W,3], and whether they do."""
    height, width = photos.size
    y, x = torch.meshgrid(*((torch.arange(n) + 0.5) / n * 2 - 1 for n in (height, width)), indexing="ij")
    ends = torch.stack([x, -y, torch.ones_like(x), torch.ones_like(x)], -1).double().reshape(-1, 4)
    there = ends @ torch.linalg.inv(photos.clip_from_object).transpose(1, 2)
    eye = photos.eye[:, None]
    ray = torch.nn.functional.normalize(there[..., :3] / there[..., 3:] - eye, dim=-1)
    half = (ray * eye).sum(-1)
    root = half**2 - (eye**2).sum(-1) + 1
    points = eye + (-half - root.clamp(min=0).sqrt())[..., None] * ray
    return points.reshape(len(photos), height, width, 3), (root > 0).reshape(len(photos), height, width)


def polished(photos: Photos) -> Photos:
    """Photographs with the highlights of a lamp (Blinn and Phong) on a ball of one grey."""
    points, hit = sphere_of(photos)
    halfway = torch.nn.functional.normalize(
        torch.nn.functional.normalize(photos.eye[:, None, None] - points, dim=-1) + LAMP, dim=-1
    )
    lobe = 0.5 * (halfway * points).sum(-1).clamp(min=0) ** 40 * hit
    linear = (0.3 * hit + lobe)[..., None].expand(*lobe.shape, 3)
    return dataclasses.replace(photos, images=torch.from_numpy(linear_to_srgb(linear.numpy())).float())


def test_a_painted_ball_has_no_highlights_and_a_polished_one_has() -> None:
    vertices, faces = (part.numpy() for part in ball(3))
    assert surface_brightness(vertices, faces, taken(24), select("cpu")).share < 0.1 * GLOSSY
    assert surface_brightness(vertices, faces, polished(taken(24)), select("cpu")).share > GLOSSY


def test_differences_to_both_sides_are_no_highlight_and_few_photographs_tell_nothing() -> None:
    grey = torch.full((6, 3), 0.5)
    grey[0, :2] = 0.9  # the first two points are brighter in one photograph
    grey[1, 0] = 0.05  # the first is darker in another
    weight = torch.ones(6, 3)
    weight[:2, 2] = 0.0
    found = brightness(Samples(grey[..., None].expand(6, 3, 3), weight))
    assert found.told.tolist() == [True, True, False]
    assert found.shining.tolist() == [False, True, False]
    assert found.share == 0.5
