"""Handles of hulls that no image supports go, and those that one supports stay."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.measure import marching_cubes

from invrender.cameras.projection import look_at, perspective
from invrender.cameras.rigs import orbit
from invrender.geometry.carving import Grid
from invrender.geometry.connectivity import genus
from invrender.geometry.handles import Evidence, without_false_handles
from invrender.geometry.hull import hull_from
from invrender.geometry.lines_of_sight import needed
from invrender.nouns import Cameras

COUNT, SPACING = 40, 0.06
LOWER = np.full(3, -0.5 * SPACING * (COUNT - 1))


def ring(gap=None, at=0.0):
    """A ring around z with a gap of a width in y at its -x side, around y = at."""

    def field(x, y, z):
        whole = 0.2 - np.hypot(np.hypot(x, y) - 0.7, z)
        return whole if gap is None else np.where(x < 0, np.minimum(whole, np.abs(y - at) - gap / 2), whole)

    return field


def plate(radius):
    """A plate with a hole along z through a point of the grid."""

    def field(x, y, z):
        slab = np.minimum(0.15 - np.abs(z), 0.8 - np.maximum(np.abs(x), np.abs(y)))
        return np.minimum(slab, np.hypot(x - 0.5 * SPACING, y - 0.5 * SPACING) - radius)

    return field


def genera(formula, needed=True):
    """Genus of a formula's surface on the grid, and after false handles are gone."""

    def field_at(lower, counts, finer):
        axes = [LOWER[k] + SPACING * (lower[k] + np.arange(counts[k]) / finer) for k in range(3)]
        return formula(*np.meshgrid(*axes, indexing="ij")).astype(np.float32)

    field = field_at(np.zeros(3, int), np.full(3, COUNT), 1)
    evidence = Evidence(field_at, lambda voxels, whole: needed, 0.1 * SPACING, 0.2 * SPACING)
    mended = without_false_handles(field, SPACING, evidence)
    after = field if mended is None else mended
    return tuple(genus(marching_cubes(each, 1e-6)[1].astype(np.int64)) for each in (field, after))


def test_a_gap_between_the_points_of_the_grid_opens_again():
    assert genera(ring(gap=0.03)) == (1, 0)  # the points of the grid lie .03 to its left and right


def test_a_whole_ring_stays_where_an_image_needs_it():
    assert genera(ring()) == (1, 1)


def test_a_ring_that_nothing_needs_is_cut_at_its_narrowest_place():
    thin = lambda x, y, z: ring()(x, y, z) - 0.12 * np.exp(-((x + 0.7) ** 2 + y**2) / 0.05)  # noqa: E731
    assert genera(thin) == (1, 1)
    assert genera(thin, needed=False) == (1, 0)


@pytest.mark.parametrize(("radius", "left"), [(0.005, 0), (0.05, 1), (0.2, 1)])
def test_a_hole_of_a_fraction_of_a_pixel_is_filled_and_a_real_one_stays(radius, left):
    assert genera(plate(radius)) == (1, left)


def boxes(views, parts, samples=3):
    """Masks [N,H,W] of boxes (low [3], high [3]) from rays."""
    height, width = views.size
    y, x = np.meshgrid(1 - (np.arange(height * samples) + 0.5) * 2 / height / samples,
                       (np.arange(width * samples) + 0.5) * 2 / width / samples - 1, indexing="ij")  # fmt: skip
    near = np.stack([x, y, -np.ones_like(x), np.ones_like(x)], -1)
    masks = []
    for inverse, eye in zip(torch.linalg.inv(views.clip_from_world).numpy(), views.position.numpy(), strict=True):
        point = near @ inverse.T
        ray = point[..., :3] / point[..., 3:] - eye
        hit = np.zeros(ray.shape[:2], bool)
        for low, high in parts:
            ends = (np.array([low, high])[:, None, None] - eye) / ray
            hit |= ends.min(0).max(-1) < ends.max(0).min(-1)
        masks.append(hit)
    fine = torch.from_numpy(np.stack(masks)).float()[:, None]
    return torch.nn.functional.avg_pool2d(fine, samples)[:, 0]


def around(count, size=96):
    projection = perspective(40.0, (size, size), 0.5, 12.0).expand(count, 4, 4)
    return Cameras(look_at(4.0 * orbit(count, 10.0), (0.0, 0.0, 0.0)), projection, (size, size))


def column(x, z, low, high, half=0.09):
    return (x - half, low, z - half), (x + half, high, z + half)


@pytest.mark.parametrize(("behind", "expected"), [(None, True), (1, True), (2, False)])
def test_a_thin_part_behind_a_web_is_enough_for_an_image(behind, expected):
    """A web of one voxel, and a bar that begins so many voxels behind it; what is next to it may be the web's own."""
    views = around(1)
    grid = Grid((-1.0, -1.0, -1.0), 0.1, (21, 21, 21))
    field = np.full((21, 21, 21), -1.0, np.float32)
    field[9:12, 9:12, 12] = 1.0
    if behind is not None:
        field[9:12, 8:12, 13 - 2 * behind : 13 - behind] = 1.0
    web = np.argwhere(field[:, :, 12:] > 0) + np.array((0, 0, 12))
    assert needed(web, field, grid, torch.ones(1, 96, 96), views) is expected


@pytest.mark.parametrize(("count", "number", "turn", "cells"), [(7, 5, 0.3, 64), (9, 5, 0.1, 48), (9, 7, 0.2, 48)])
def test_webs_that_no_silhouette_needs_close_no_handle(count, number, turn, cells):
    """Posts on a plate: seen from around alone, phantoms join them above the plate, some at edges of voxels alone."""
    posts = [column(0.6 * np.cos(a), 0.6 * np.sin(a), -0.8, 0.7) for a in np.arange(number) * 2 * np.pi / number + turn]
    views = around(count)
    hull = hull_from(boxes(views, [((-0.8, -0.9, -0.8), (0.8, -0.7, 0.8)), *posts]), views, cells)
    assert genus(hull.mesh.faces.numpy()) == hull.handles == 0
    assert hull.false_handles > 0


def test_a_window_that_images_look_through_stays():
    frame = [column(x, 0.0, -0.7, 0.7) for x in (-0.6, 0.0, 0.6)]
    bars = [((-0.69, y - 0.09, -0.09), (0.69, y + 0.09, 0.09)) for y in (-0.7, 0.0, 0.7)]
    views = around(12)
    hull = hull_from(boxes(views, frame + bars), views, 64)
    assert genus(hull.mesh.faces.numpy()) == hull.handles == 4
