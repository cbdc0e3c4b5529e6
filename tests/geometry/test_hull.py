"""The visual hull against spheres and boxes whose masks are known by formula."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from invrender.cameras.projection import look_at, perspective
from invrender.cameras.rigs import fibonacci, orbit
from invrender.errors import InputError
from invrender.geometry.carving import Grid, carve, signed_distances
from invrender.geometry.connectivity import components, genus, is_closed_manifold
from invrender.geometry.hull import visual_hull
from invrender.geometry.hull_grid import fit_grid, frame_from_masks
from invrender.nouns import Cameras, Mesh

Tensor = torch.Tensor
Inside = Callable[[Tensor, Tensor], Tensor]  # ray origins and directions [...,3] -> hit [...]


def cameras(directions: Tensor, size: tuple[int, int] = (96, 96), distance: float = 4.0, fov: float = 40.0) -> Cameras:
    projection = perspective(fov, size, distance / 8, distance * 3).expand(len(directions), 4, 4)
    return Cameras(look_at(distance * directions, (0.0, 0.0, 0.0)), projection, size)


def coverage(views: Cameras, hit: Inside, samples: int = 4) -> Tensor:
    """Masks [N,H,W] from samples^2 rays per pixel."""
    height, width = views.size
    rows = (torch.arange(height * samples, dtype=torch.float64) + 0.5) / samples
    columns = (torch.arange(width * samples, dtype=torch.float64) + 0.5) / samples
    y, x = torch.meshgrid(1 - rows * 2 / height, columns * 2 / width - 1, indexing="ij")
    near = torch.stack([x, y, -torch.ones_like(x), torch.ones_like(x)], -1)
    masks = []
    for inverse, eye in zip(torch.linalg.inv(views.clip_from_world), views.position, strict=True):
        point = near @ inverse.T
        masks.append(hit(eye, point[..., :3] / point[..., 3:] - eye).double())
    fine = torch.stack(masks)[:, None]
    return torch.nn.functional.avg_pool2d(fine, samples)[:, 0].float()


def ball(radius: float = 0.8, centre: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Inside:
    middle = torch.tensor(centre, dtype=torch.float64)

    def hit(eye: Tensor, ray: Tensor) -> Tensor:
        across = torch.linalg.cross(ray, (middle - eye).expand_as(ray))
        return across.square().sum(-1) < radius**2 * ray.square().sum(-1)

    return hit


def box(*half: float) -> Inside:
    reach = torch.tensor(half, dtype=torch.float64)

    def hit(eye: Tensor, ray: Tensor) -> Tensor:
        sides = torch.stack([(-reach - eye) / ray, (reach - eye) / ray])
        return sides.amin(0).amax(-1) < sides.amax(0).amin(-1)

    return hit


def volume(mesh: Mesh) -> float:
    vertices, faces = mesh.numpy()
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return float((np.cross(a, b) * c).sum() / 6)


def test_the_hull_of_a_ball_holds_it_and_little_more():
    radius, views = 0.8, cameras(fibonacci(24))
    mesh = visual_hull(coverage(views, ball(radius)), views, 48)
    vertices, faces = mesh.numpy()
    pixel = 2 * 4.0 * math.tan(math.radians(20)) / 96
    distance = np.linalg.norm(vertices, axis=1)
    assert distance.min() > radius - 0.25 * pixel
    assert distance.max() < 1.2 * radius
    assert is_closed_manifold(faces)
    assert genus(faces) == 0
    exact = 4 / 3 * math.pi * radius**3
    assert exact < volume(mesh) < 1.07 * exact


def test_more_views_carve_more():
    def hull(count: int) -> float:
        views = cameras(fibonacci(count), (64, 64))
        return volume(visual_hull(coverage(views, ball()), views, 32))

    assert hull(4) > 1.06 * hull(30)


def test_the_hull_of_a_box_holds_it():
    half = (0.7, 0.4, 0.5)
    axes = torch.tensor([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, -1]], dtype=torch.float64)
    views = cameras(torch.cat([axes, orbit(8, 30.0)]), (128, 128))
    mesh = visual_hull(coverage(views, box(*half)), views, 48)
    exact = 8 * math.prod(half)
    assert exact < volume(mesh) < 1.2 * exact
    distances = signed_distances(coverage(views, box(*half)))
    inner = Grid((-0.99 * half[0], -0.98 * half[1], -0.98 * half[2]), 1.96 * half[0] / 8, (9, 5, 6))
    points = np.stack(np.meshgrid(*(inner.axis(k).numpy() for k in range(3)), indexing="ij"), -1)
    inside = (np.abs(points) <= 0.99 * np.array(half)).all(-1)
    assert inside.sum() > 100
    assert (carve(inner, distances, views)[inside] > 0).all()
    assert np.abs(mesh.numpy()[0]).max(0) == pytest.approx(half, rel=0.22)  # a view along z widens to 4/3.5 behind


def test_a_ring_seen_from_above_keeps_its_hole():
    views = cameras(torch.cat([orbit(5, 60.0), orbit(5, 5.0)]), (72, 72))
    angles = [2 * math.pi * k / 24 for k in range(24)]
    beads = [ball(0.2, (0.6 * math.cos(angle), 0.0, 0.6 * math.sin(angle))) for angle in angles]

    def ring(eye: Tensor, ray: Tensor) -> Tensor:
        return torch.stack([bead(eye, ray) for bead in beads]).any(0)

    _, faces = visual_hull(coverage(views, ring, 2), views, 40).numpy()
    assert genus(faces) == 1


@pytest.mark.parametrize("angle", [0.0, 20.0, 45.0, 90.0, 200.0])
@pytest.mark.parametrize("offset", [-0.4, 0.0, 0.3])
def test_signed_distances_see_straight_edges_to_a_tenth_of_a_pixel(angle, offset):
    normal = torch.tensor([math.cos(math.radians(angle)), math.sin(math.radians(angle))], dtype=torch.float64)
    fine = (torch.arange(24 * 16, dtype=torch.float64) + 0.5) / 16 - 12
    y, x = torch.meshgrid(fine, fine, indexing="ij")
    mask = (x * normal[0] + y * normal[1] < offset).float()
    mask = torch.nn.functional.avg_pool2d(mask[None, None], 16)[0]
    centre = torch.arange(24, dtype=torch.float64) + 0.5 - 12
    true = offset - centre[None, :] * normal[0] - centre[:, None] * normal[1]
    found = signed_distances(mask)[0].double()
    edge = (mask[0] > 0.05) & (mask[0] < 0.95)
    assert edge.any() or angle in (0.0, 90.0)
    assert (found - true)[edge].abs().max() < 0.12 if edge.any() else True
    assert (torch.sign(found) == torch.sign(true))[true.abs() > 0.12].all()
    inner = true.abs() < 5
    assert (found - true)[inner].abs().max() < 0.8


def test_a_mask_cut_by_the_border_says_nothing_beyond_it():
    """One camera sees only a part of the ball; what it cannot see must not be carved away."""
    views = cameras(fibonacci(12), (64, 64))
    near = cameras(torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64), (64, 64), fov=14.0)
    every = Cameras(
        torch.cat([views.world_to_camera, near.world_to_camera]),
        torch.cat([views.projection, near.projection]),
        (64, 64),
    )
    masks = coverage(every, ball())
    assert masks[-1, :, 0].max() > 0.5
    grid = fit_grid(signed_distances(masks), masks, every, 24)
    field = carve(grid, signed_distances(masks), every)
    points = np.stack(np.meshgrid(*(grid.axis(k).numpy() for k in range(3)), indexing="ij"), -1)
    assert (field[np.linalg.norm(points, axis=-1) < 0.75] > 0).all()


def test_an_object_cut_by_every_image_does_not_grow_far_beyond_them():
    """A tall bar of which all images see the middle alone."""
    views = cameras(orbit(10, 10.0), (48, 48), fov=14.0)  # half the image is 0.49 wide at the bar
    mesh = visual_hull(coverage(views, box(0.2, 2.0, 0.2)), views, 32)
    reach = np.abs(mesh.numpy()[0]).max(0)
    assert reach[1] > 0.45
    assert reach.max() < 0.8


@pytest.mark.parametrize(("distance", "most"), [(3.0, 7.6), (3.4, 7.0)])
def test_a_cube_whose_corners_most_images_cut_off_keeps_them(distance, most):
    """What too few images show ends smoothly: the hull is neither cut nor much larger than the object."""
    half = 0.9
    views = cameras(fibonacci(12), (96, 96), distance, 45.0)
    masks = coverage(views, box(half, half, half), 3)
    border = torch.cat([masks[:, 0], masks[:, -1], masks[:, :, 0], masks[:, :, -1]], 1)
    assert int((border.amax(1) >= 0.5).sum()) >= 7
    mesh = visual_hull(masks, views, 48)
    assert (2 * half) ** 3 < volume(mesh) < most
    points = torch.cartesian_prod(*[torch.tensor([-0.97, -0.5, 0.5, 0.97]) * half] * 3).double()
    for point in points.tolist():
        grid = Grid(tuple(point), 0.01, (1, 1, 1))
        assert carve(grid, signed_distances(masks), views) > 0


@pytest.mark.parametrize("pixels", [24, 600])
def test_small_and_large_images_give_the_same_hull(pixels):
    """The search for the object's box must not depend on how many pixels a coarse cell has."""
    views = cameras(fibonacci(8), (pixels, pixels))
    mesh = visual_hull(coverage(views, ball(1.0, (0.2, -0.1, 0.1)), 4 if pixels < 100 else 1), views, 32)
    vertices, faces = mesh.numpy()
    assert len(faces) > 4000
    assert vertices.min(0) == pytest.approx([-0.8, -1.1, -0.9], abs=0.4)
    assert vertices.max(0) == pytest.approx([1.2, 0.9, 1.1], abs=0.4)


def test_points_beside_an_image_are_outside_and_points_that_no_view_sees_too():
    views = cameras(torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64), (32, 32))
    distances = signed_distances(coverage(views, ball()))
    assert carve(Grid((0.0, 0.0, 0.0), 1.0, (1, 1, 1)), distances, views) > 0
    beside = carve(Grid((-30.0, -30.0, 0.0), 60.0, (2, 2, 1)), distances, views)
    behind = carve(Grid((-1.0, -1.0, 6.0), 2.0, (2, 2, 3)), distances, views)
    for field in (beside, behind):
        assert np.isfinite(field).all()
        assert (field < 0).all()


def test_the_frame_finds_the_object_far_from_where_cameras_look():
    centre = (0.5, -0.3, 0.2)
    views = cameras(fibonacci(10), (96, 96))
    found, half = frame_from_masks(coverage(views, ball(0.4, centre)), views)
    assert found == pytest.approx(centre, abs=0.02)
    assert 0.4 < half < 0.5


def test_world_units_and_offset_change_nothing():
    views = cameras(fibonacci(10), (64, 64))
    masks = coverage(views, ball())
    vertices, faces = visual_hull(masks, views, 24).numpy()
    for scale, offset in ((1e-6, 0.0), (1.0, 1e6), (1e5, -3e8)):
        place = torch.linalg.inv(views.world_to_camera)
        place[:, :3, 3] = place[:, :3, 3] * scale + offset
        projection = perspective(40.0, (64, 64), 0.5 * scale, 12 * scale).expand(10, 4, 4)
        moved = Cameras(torch.linalg.inv(place), projection, (64, 64))
        other, same = visual_hull(masks, moved, 24).numpy()
        assert len(same) == pytest.approx(len(faces), rel=0.02)
        low, high = ((other - offset) / scale).min(0), ((other - offset) / scale).max(0)
        assert low == pytest.approx(vertices.min(0), abs=2e-3)
        assert high == pytest.approx(vertices.max(0), abs=2e-3)


def test_phantoms_are_dropped_and_real_parts_kept():
    views = cameras(fibonacci(16), (96, 96))
    left, right = ball(0.35, (-0.5, 0, 0)), ball(0.3, (0.55, 0.1, 0))
    mesh = visual_hull(coverage(views, lambda eye, ray: left(eye, ray) | right(eye, ray)), views, 48)
    _, faces = mesh.numpy()
    assert components(faces).max() + 1 == 2


def test_silhouettes_without_a_common_point_are_refused():
    directions = torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]], dtype=torch.float64)
    views = cameras(directions, (64, 64))
    masks = torch.zeros(2, 64, 64)
    masks[0, 5:12, 20:40] = 1  # high in one view
    masks[1, 52:60, 20:40] = 1  # low in the other
    with pytest.raises(InputError, match="no point of space in common"):
        visual_hull(masks, views, 24)


def test_a_camera_that_looks_away_is_named():
    views = cameras(fibonacci(6), (48, 48))
    masks = coverage(views, ball())
    turned = views.world_to_camera.clone()
    turned[2] = torch.diag(torch.tensor([-1.0, 1.0, -1.0, 1.0], dtype=torch.float64)) @ turned[2]
    with pytest.raises(InputError, match="camera 2 looks away"):
        visual_hull(masks, Cameras(turned, views.projection, (48, 48)), 24)


def test_a_plate_thinner_than_a_coarse_cell_is_found():
    views = cameras(torch.cat([orbit(8, 10.0), orbit(4, 50.0)]), (192, 192))
    mesh = visual_hull(coverage(views, box(0.8, 0.8, 0.02)), views, 96)
    vertices, _ = mesh.numpy()
    assert np.abs(vertices).max(0)[:2] == pytest.approx([0.8, 0.8], abs=0.05)
