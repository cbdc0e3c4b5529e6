"""Silhouettes: areas and derivatives known by formula, central differences, and meshes that nobody planned for.

Every mesh is seen by the camera of `project`: from (0, 0, distance) along -Z with a 90 degree lens, so that a length at
depth d covers length / d * size / 2 pixels.
"""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from invrender import ops
from invrender.nouns.topology import topology

Tensor = torch.Tensor
SIZE = (64, 64)


@pytest.fixture
def cover(backend):
    """Coverage [N,H,W] of clip positions and faces."""
    return lambda clip, faces, size=SIZE: ops.silhouette(backend, clip, faces, topology(faces), size)


def derivative(cover, clip_of, faces, parameter: float, weight: Tensor | None = None, size=SIZE) -> float:
    """D sum(weight * coverage) / d parameter through the adjoint."""
    value = torch.tensor(parameter, dtype=torch.float64, requires_grad=True)
    image = cover(clip_of(value), faces, size)
    total = image.sum() if weight is None else (image * weight).sum()
    (slope,) = torch.autograd.grad(total, value)
    return float(slope)


def flat(points: list[tuple[float, float]] | Tensor, depth: float = 0.0) -> Tensor:
    """Clip positions [1,V,4] of points in NDC."""
    xy = torch.as_tensor(points, dtype=torch.float64)
    return torch.cat([xy, torch.full_like(xy[:, :1], depth), torch.ones_like(xy[:, :1])], 1)[None]


# --- areas ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("distance", [1.7, 3.0, 9.0])
def test_the_area_of_a_sphere(cover, icosphere, project, disc_area, distance):
    vertices, faces = icosphere(5)
    area = float(cover(project(vertices, distance), faces, (128, 128)).sum())
    assert area == pytest.approx(disc_area(1.0, distance, 128), rel=3e-3)


@pytest.mark.parametrize("subdivisions", [3, 5, 6])
def test_the_derivative_of_a_spheres_area_at_1k_20k_and_80k_triangles(
    cover, icosphere, project, disc_area, subdivisions
):
    """No share of d(area)/d(scale) may be lost where triangles are smaller than pixels."""
    vertices, faces = icosphere(subdivisions)
    size, h = 256, 1e-4
    found = derivative(cover, lambda scale: project(vertices * scale), faces, 1.0, size=(size, size))
    exact = (disc_area(1 + h, 3.0, size) - disc_area(1 - h, 3.0, size)) / (2 * h)
    inscribed = disc_area(1.0, 3.0, size) / float(cover(project(vertices), faces, (size, size)).sum())
    assert found * inscribed / exact == pytest.approx(1.0, abs=0.01)


def test_a_sphere_that_moves_sideways_keeps_its_area_and_moves_its_centroid(cover, icosphere, project):
    vertices, faces = icosphere(4)
    columns = torch.arange(64).double() + 0.5
    towards_x = torch.tensor([1.0, 0, 0], dtype=torch.float64)

    def moved(shift: Tensor) -> Tensor:
        return project(vertices + shift * towards_x, 6.0)

    area = float(cover(moved(torch.tensor(0.0)), faces).sum())
    assert abs(derivative(cover, moved, faces, 0.0)) < 0.01 * area
    stretch = derivative(cover, moved, faces, 0.0, columns.expand(1, 64, 64)) / area
    # The contour lies on the circle where tangents from the eye touch, at depth 6 - 1/6.
    assert stretch == pytest.approx(32 / (6 - 1 / 6), rel=0.02)


@pytest.mark.parametrize("corners", list(itertools.product([0.5, -0.5], [0.5, -0.5])))
@pytest.mark.parametrize("order", [[0, 1, 2], [0, 2, 1]])
def test_a_right_triangle_with_edges_through_pixel_centres(cover, corners, order):
    """Legs of 8 pixels. The long side runs through centres, shifted by half a pixel the legs do: area 32, always."""
    x, y = corners
    faces = torch.tensor([order])
    triangle = flat([(x, y), (-x, y), (x, -y)])
    assert float(cover(triangle, faces, (16, 16)).sum()) == pytest.approx(32, abs=1e-9)
    for across, down in ((1, 0), (0, 1), (1, 1)):
        shifted = triangle + torch.tensor([across / 16, down / 16, 0, 0], dtype=torch.float64)
        image = cover(shifted, faces, (16, 16))
        assert float(image.sum()) == pytest.approx(32, abs=0.5 * (across + down))  # corners on centres are rounded
        assert float(image.min()) >= -1e-9
        assert float(image.max()) <= 1 + 1e-9


def test_a_square_on_pixel_borders_is_exact(cover):
    square = flat([(-0.5, -0.25), (0.5, -0.25), (0.5, 0.25), (-0.5, 0.25)])
    image = cover(square, torch.tensor([[0, 1, 2], [0, 2, 3]]), (16, 16))[0]
    expected = torch.zeros(16, 16).double()
    expected[6:10, 4:12] = 1
    assert torch.allclose(image, expected, atol=1e-9)


def test_row_zero_is_the_top_and_size_is_height_by_width(cover):
    upper_left = flat([(-0.9, 0.2), (-0.2, 0.2), (-0.2, 0.9), (-0.9, 0.9)])
    image = cover(upper_left, torch.tensor([[0, 1, 2], [0, 2, 3]]), (20, 40))[0]
    assert image.shape == (20, 40)
    assert float(image[:10, :20].sum()) == pytest.approx(float(image.sum()), abs=1e-9)
    assert float(image.sum()) == pytest.approx(0.7 / 2 * 20 * 0.7 / 2 * 40, rel=1e-6)


@pytest.mark.parametrize("angle", [0.0, 17.0, 45.0, 80.0])
@pytest.mark.parametrize("width", [0.05, 0.3, 0.9])
def test_a_strip_thinner_than_a_pixel_keeps_its_width(cover, angle, width):
    rotation = math.radians(angle)
    along = torch.tensor([math.cos(rotation), math.sin(rotation)], dtype=torch.float64) * 20
    across = torch.tensor([-math.sin(rotation), math.cos(rotation)], dtype=torch.float64) * width / 2
    areas = []
    for shift in torch.linspace(0, 1, 8).double():
        corners = torch.stack([-along - across, along - across, along + across, -along + across]) + shift
        areas.append(float(cover(flat(corners / 32), torch.tensor([[0, 1, 2], [0, 2, 3]])).sum()))
    assert sum(areas) / len(areas) == pytest.approx(40 * width, rel=0.05)


# --- derivatives ------------------------------------------------------------------------------------------------------


def bump(vertices: Tensor) -> Tensor:
    """Outward displacement of one side of a unit sphere."""
    towards = torch.tensor([0.7, 0.6, 0.4], dtype=torch.float64)
    reach = torch.exp(-4 * (vertices - towards / towards.norm()).square().sum(1, keepdim=True))
    return reach * vertices


MODES = {
    "translation": lambda v: torch.tensor([0.8, -0.6, 0.0], dtype=torch.float64).expand_as(v),
    "approach": lambda v: torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64).expand_as(v),
    "scale": lambda v: v,
    "bump": bump,
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("subdivisions", [2, 5])
def test_the_adjoint_agrees_with_central_differences(cover, icosphere, project, smooth_noise, mode, subdivisions):
    """The sum of the image with smooth random weights, over steps of a pixel.

    The adjoint leaves the derivative of the row and column weights out, which averages to zero along a contour and over
    sub-pixel positions; so both sides are averaged over some.
    """
    vertices, faces = icosphere(subdivisions)
    direction = MODES[mode](vertices)
    weight = 0.5 + smooth_noise((1, *SIZE, 1), seed=3)[..., 0]
    size, found, true = 64, 0.0, 0.0
    pixel = 3 * 2 / size
    for index in range(12):
        shift = torch.tensor([0.618 * index % 1, 0.755 * index % 1, 0.0], dtype=torch.float64) * pixel

        def clip_of(step, shift=shift):
            return project(vertices + shift + step * direction)

        found += derivative(cover, clip_of, faces, 0.0, weight)
        after, before = (cover(clip_of(step), faces) for step in (pixel / 2, -pixel / 2))
        true += float(((after - before) * weight).sum()) / pixel
    assert abs(found - true) < 0.02 * abs(true)


def test_the_adjoint_of_a_straight_edge_is_exact(cover):
    """A half plane pushed sideways gains its height in pixels per pixel, whatever its position."""
    faces = torch.tensor([[0, 1, 2], [0, 2, 3]])
    right = torch.tensor([0, 1, 1, 0], dtype=torch.float64)

    def clip_of(shift):
        x = torch.tensor([-0.5, 0.1, 0.1, -0.5], dtype=torch.float64) + shift * right
        y = torch.tensor([-0.5, -0.5, 0.5, 0.5], dtype=torch.float64)
        return torch.stack([x, y, 0 * x, torch.ones_like(x)], 1)[None]

    for position in (0.0, 0.003, 0.0125, 0.02):
        assert derivative(cover, clip_of, faces, position) == pytest.approx(32 * 32, rel=1e-9)


def test_hidden_parts_do_not_matter(cover, icosphere, project):
    vertices, faces = icosphere(3)
    both = torch.cat([vertices, 0.5 * vertices])
    alone = cover(project(vertices), faces)
    union = cover(project(both), torch.cat([faces, faces + len(vertices)]))
    assert torch.allclose(alone, union, atol=1e-9)
    slope = derivative(
        cover, lambda s: project(torch.cat([vertices, s * vertices])), torch.cat([faces, faces + len(vertices)]), 0.5
    )
    assert slope == 0.0


def test_two_views_at_once_are_each_their_own(cover, icosphere, project):
    vertices, faces = icosphere(3)
    clips = [project(vertices, distance) for distance in (2.5, 5.0)]
    together = cover(torch.cat(clips), faces)
    for image, clip in zip(together, clips, strict=True):
        assert torch.allclose(image, cover(clip, faces)[0], atol=1e-12)


# --- the near plane, and behind the camera ----------------------------------------------------------------------------


def test_a_mesh_behind_the_camera_is_not_seen_and_gets_no_gradient(cover, icosphere, project):
    vertices, faces = icosphere(3)
    assert float(cover(project(vertices, -3.0), faces).abs().max()) == 0.0
    assert derivative(cover, lambda s: project(vertices * s, -3.0), faces, 1.0) == 0.0


def test_a_floor_that_passes_under_the_camera_ends_at_the_horizon(cover, project):
    """A plane y = -1 from far ahead to far behind the eye covers the lower half of the image, up to what ends it."""
    floor = torch.tensor([[-500.0, -1, 500], [500.0, -1, 500], [500.0, -1, -97], [-500.0, -1, -97]]).double()
    faces = torch.tensor([[0, 1, 2], [0, 2, 3]])
    image = cover(project(floor, 3.0, near=0.01, far=1000.0), faces)[0]
    horizon = 32 + 32 / 100  # pixels: the far side lies 100 ahead and 1 below
    expected = (64 - horizon) * 64
    assert float(image.sum()) == pytest.approx(expected, rel=1e-3)
    assert float(image[:32].abs().max()) < 1e-9
    assert torch.allclose(image[33:], torch.ones(31, 64).double(), atol=1e-9)


def test_a_camera_inside_a_sphere_sees_it_everywhere(cover, icosphere, project):
    vertices, faces = icosphere(3)
    image = cover(project(vertices * 2, 0.3, near=0.05), faces)
    assert torch.allclose(image, torch.ones_like(image), atol=1e-9)


def test_a_triangle_cut_by_the_near_plane_keeps_its_visible_part_and_its_derivative(cover, project):
    """Corner C lies behind the eye; what is in front of the near plane is a trapezoid with a known area."""
    faces = torch.tensor([[0, 1, 2]])

    def clip_of(width):
        half = width * torch.tensor([-0.5, 0.5, 0.0], dtype=torch.float64)
        y = torch.full((3,), -0.7, dtype=torch.float64)
        z = torch.tensor([-1.0, -1.0, 4.0], dtype=torch.float64)
        return project(torch.stack([half, y, z], 1), 1.0, near=0.5)

    image = cover(clip_of(torch.tensor(1.0)), faces)

    # Depth d from 2 (width 1) to 0.875, where y = -0.7 leaves the image at the bottom; the tip lies at depth -3.
    def half_width(y: float) -> float:  # at y = -v, depth is 0.7 / v
        depth = 0.7 / y
        return 0.5 * (depth + 3) / 5 / depth

    top, bottom, steps = 0.35, 1.0, 2000
    exact = sum(2 * half_width(top + (bottom - top) * (k + 0.5) / steps) * (bottom - top) / steps for k in range(steps))
    assert float(image.sum()) == pytest.approx(exact * 32**2, rel=0.01)
    assert derivative(cover, clip_of, faces, 1.0) == pytest.approx(exact * 32**2, rel=0.01)


@pytest.mark.parametrize("end", ["near", "far"])
def test_derivatives_through_the_cut_itself(cover, project, end):
    """A sloping strip that comes towards the eye ends where the near plane cuts it; moving an end moves that cut."""
    faces = torch.tensor([[0, 1, 2], [0, 2, 3]])
    moving = torch.tensor([0.0, 0, 1, 1] if end == "near" else [1.0, 1, 0, 0], dtype=torch.float64)

    def clip_of(shift):
        x = torch.tensor([-0.2, 0.2, 0.2, -0.2], dtype=torch.float64)
        y = torch.tensor([-0.1, -0.1, -1.0, -1.0], dtype=torch.float64)
        z = torch.tensor([-3.0, -3.0, 2.0, 2.0], dtype=torch.float64) + shift * moving
        return project(torch.stack([x, y, z], 1), 1.0, near=0.8)

    step = 0.2
    after, before = (float(cover(clip_of(torch.tensor(h).double()), faces).sum()) for h in (step, -step))
    true = (after - before) / (2 * step)
    shifts = [step * (k + 0.5) / 8 for k in range(-8, 8)]
    slopes = [derivative(cover, clip_of, faces, shift) for shift in shifts]
    assert abs(true) > 5
    assert sum(slopes) / len(slopes) == pytest.approx(true, rel=0.02)
