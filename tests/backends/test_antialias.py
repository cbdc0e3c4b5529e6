"""Antialiasing: areas and their derivatives, occluders that move, and hidden edges that must not show."""

from __future__ import annotations

import pytest
import torch

from invrender import ops
from invrender.nouns.topology import topology

SIZE = (256, 256)


def bumpy(vertices, amount=0.05):
    x, y, z = (vertices * vertices.new_tensor([5.0, 7.0, 6.0])).unbind(-1)
    return vertices * (1 + amount * torch.sin(x + 1) * torch.sin(y) * torch.cos(z))[:, None]


def coverage(backend, clip, faces, edges, size=SIZE):
    face_id, depth = ops.rasterize(backend, clip, faces, size)
    mask = (face_id >= 0).to(clip.dtype)[..., None]
    return ops.antialias(backend, mask, face_id, depth, clip, faces, edges)


@pytest.mark.parametrize("subdivisions", [3, 5, 6])  # 1.3k, 20k and 82k triangles
def test_the_whole_derivative_of_the_area_survives_tiny_triangles(backend, project, icosphere, subdivisions):
    vertices, faces = icosphere(subdivisions)
    vertices, edges = bumpy(vertices), topology(faces)

    def area(scale):
        return coverage(backend, project(vertices * scale, 1.6), faces, edges).sum()

    scale = torch.ones((), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(area(scale), scale)
    # Over a wide step the plain pixel count knows the truth, whatever the antialiasing does.
    with torch.no_grad():
        expected = float(area(1.04) - area(0.96)) / 0.08
    assert float(slope) == pytest.approx(expected, rel=0.01)


def test_a_sphere_has_its_analytic_area_and_derivative(backend, project, icosphere, disc_area):
    vertices, faces = icosphere(5)
    scale = torch.ones((), dtype=torch.float64, requires_grad=True)
    area = coverage(backend, project(vertices * scale, 2.0), faces, topology(faces)).sum()
    (slope,) = torch.autograd.grad(area, scale)
    assert float(area.detach()) == pytest.approx(disc_area(1.0, 2.0, 256), rel=2e-3)
    expected = (disc_area(1.001, 2.0, 256) - disc_area(0.999, 2.0, 256)) / 0.002
    assert float(slope) == pytest.approx(expected, rel=0.01)


def two_spheres(icosphere, subdivisions):
    ball, faces = icosphere(subdivisions)
    centre = ball.new_tensor([0.15, 0.1, 1.0])
    vertices = torch.cat([0.45 * ball + centre, 0.9 * ball])
    front = (torch.arange(len(vertices)) < len(ball)).double()[:, None]
    colours = front * front.new_tensor([1.0, 0.7, 0.9]) + (1 - front) * front.new_tensor([0.3, 0.2, 0.5])
    return vertices, torch.cat([faces, faces + len(ball)]), front, colours, centre


@pytest.mark.parametrize("mode", ["translation", "scale", "bump"])
@pytest.mark.parametrize("subdivisions", [2, 5])
def test_adjoint_of_a_sphere_before_another_matches_central_differences(
    backend, project, icosphere, smooth_noise, subdivisions, mode
):
    vertices, faces, front, colours, centre = two_spheres(icosphere, subdivisions)
    edges, size = topology(faces), (128, 160)
    move = {
        "translation": front * front.new_tensor([1.0, 0.4, 0.0]),
        "scale": front * (vertices - centre),
        "bump": vertices * torch.exp(-6 * ((vertices - vertices[5]) ** 2).sum(1, keepdim=True)),
    }[mode]
    weights = torch.cat([smooth_noise((1, *size, 3), seed) for seed in range(4)])

    def losses(step):
        clip = project(vertices + step * move, 2.2)
        face_id, depth = ops.rasterize(backend, clip, faces, size)
        image = ops.interpolate(backend, colours, faces, face_id, clip)
        return (ops.antialias(backend, image, face_id, depth, clip, faces, edges) * weights).sum((1, 2, 3))

    # A picture changes in small steps as pixel centres change sides: compare over a move of two pixels.
    span, adjoint, share = 0.02, torch.zeros(4, dtype=torch.float64), [0.5, 1, 1, 1, 1, 1, 0.5]
    for offset, part in zip(torch.linspace(-span, span, 7, dtype=torch.float64), share, strict=True):
        step = offset.clone().requires_grad_()
        adjoint += part / 6 * torch.stack([torch.autograd.grad(x, step, retain_graph=True)[0] for x in losses(step)])
    with torch.no_grad():
        expected = (losses(span) - losses(-span)) / (2 * span)
    assert float((adjoint - expected).norm() / expected.norm()) < 0.02


def test_adjoint_is_the_transpose_in_the_image(backend, project, icosphere):
    vertices, faces, *_ = two_spheres(icosphere, 3)
    clip, edges = project(vertices, 2.2).float(), topology(faces)
    face_id, depth = backend.rasterize(clip, faces, (48, 64))
    generator = torch.Generator().manual_seed(5)
    x, y = (torch.randn(1, 48, 64, 2, generator=generator) for _ in range(2))
    forward = (backend.antialias(x, face_id, depth, clip, faces, edges) * y).sum()
    d_image, _ = backend.antialias_adjoint(y, x, face_id, depth, clip, faces, edges)
    assert float(forward) == pytest.approx(float((d_image * x).sum()), rel=1e-4)
    assert forward != (x * y).sum()


def test_an_occluder_over_a_light_plane_shifts_light_by_its_edge_length(backend, project):
    # A square of side 1 at depth 2 (64 pixels wide) over a plane twice as far: moved right, light leaves at its right
    # edge and comes back at its left one.
    square = torch.tensor([[-0.5, -0.5, 1], [0.5, -0.5, 1], [0.5, 0.5, 1], [-0.5, 0.5, 1]], dtype=torch.float64)
    plane = torch.tensor([[-9.0, -9, -1], [9, -9, -1], [9, 9, -1], [-9, 9, -1]], dtype=torch.float64)
    vertices = torch.cat([square + square.new_tensor([0.0037, 0.0052, 0.0]), plane])
    quad = torch.tensor([[0, 1, 2], [0, 2, 3]])
    faces = torch.cat([quad, quad + 4])
    colours = torch.tensor([0.0] * 4 + [1.0] * 4, dtype=torch.float64)[:, None]
    clip = project(vertices).requires_grad_()
    face_id, depth = ops.rasterize(backend, clip, faces, SIZE)
    image = ops.interpolate(backend, colours, faces, face_id, clip)
    blended = ops.antialias(backend, image, face_id, depth, clip, faces, topology(faces))
    assert float(blended.detach().sum()) == pytest.approx(256 * 256 - 64 * 64, abs=2)
    (gradient,) = torch.autograd.grad(blended[0, :, 128:].sum(), clip)
    moved = gradient[0, :4, 0].sum() / 128 * 2  # per pixel: x/w moves a pixel by 2/256, and w is 2
    assert float(moved) == pytest.approx(-64, rel=0.02)
    assert float(gradient[0, 4:].abs().max()) < 1e-12


def test_edges_behind_a_surface_leave_the_picture_alone(backend, project, icosphere):
    ball, faces = icosphere(3)
    wall = torch.tensor([[-9.0, -9, 1], [9, -9, 1.5], [9, 9, 1.2], [-9, 9, 1]], dtype=torch.float64)
    vertices = torch.cat([ball * 0.9 - torch.tensor([0.0, 0.0, 0.2]), wall])
    faces = torch.cat([faces, torch.tensor([[0, 1, 2], [0, 2, 3]]) + len(ball)])
    clip = project(vertices)
    face_id, depth = backend.rasterize(clip, faces, (64, 64))
    assert face_id.min() >= len(faces) - 2
    image = torch.rand(1, 64, 64, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.equal(backend.antialias(image, face_id, depth, clip, faces, topology(faces)), image)


def test_a_wire_that_no_pixel_centre_sees_leaves_the_picture_alone(backend, project):
    # Two walls meet where the wire hangs, at x = 0 between two pixel columns; the wire is a third of a pixel wide.
    wire = torch.tensor([[-0.006, -9, 1], [0.004, -9, 1], [0.004, 9, 1], [-0.006, 9, 1]], dtype=torch.float64)
    left = torch.tensor([[-9.0, -9, -1], [0, -9, -1], [0, 9, -1], [-9, 9, -1]], dtype=torch.float64)
    vertices = torch.cat([wire, left, left + left.new_tensor([9.0, 0, 0])])
    quad = torch.tensor([[0, 1, 2], [0, 2, 3]])
    faces = torch.cat([quad, quad + 4, quad + 8])
    clip = project(vertices)
    face_id, depth = backend.rasterize(clip, faces, (64, 64))
    assert face_id.min() == 2
    image = torch.rand(1, 64, 64, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.equal(backend.antialias(image, face_id, depth, clip, faces, topology(faces)), image)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_faces_behind_the_camera_give_finite_gradients(backend, project, dtype):
    generator = torch.Generator().manual_seed(6)
    vertices = torch.randn(90, 3, generator=generator, dtype=torch.float64) * 3
    faces = torch.arange(90).reshape(-1, 3)
    clip = project(vertices).to(dtype).requires_grad_()
    image = coverage(backend, clip, faces, topology(faces), (33, 20))
    image.square().sum().backward()
    assert image.dtype == dtype
    assert torch.isfinite(clip.grad).all()
    assert clip.grad.abs().max() > 0


@pytest.mark.parametrize("near", [False, True])
def test_corners_that_are_not_finite_take_no_part(backend, project, icosphere, near):
    vertices, faces = icosphere(2)
    clip, edges = project(vertices, 2.2, near=1.5 if near else 0.1).float(), topology(faces)
    clip[0, 5], clip[0, 40, 0] = torch.nan, torch.inf
    face_id, depth = backend.rasterize(clip, faces, (33, 20))
    grad, image = torch.rand(2, 1, 33, 20, 2, generator=torch.Generator().manual_seed(2))
    assert torch.isfinite(backend.antialias(image, face_id, depth, clip, faces, edges)).all()
    d_image, d_clip = backend.antialias_adjoint(grad, image, face_id, depth, clip, faces, edges)
    assert torch.isfinite(d_image).all()
    assert torch.isfinite(d_clip).all()
    assert d_clip.abs().max() > 0
    assert float(d_clip[0, [5, 40]].abs().max()) == 0


def test_one_pixel_and_no_faces(backend, project, icosphere):
    vertices, faces = icosphere(1)
    for some in (faces, faces[:0]):
        assert coverage(backend, project(vertices, 2.0), some, topology(some), (1, 1)).shape == (1, 1, 1, 1)
