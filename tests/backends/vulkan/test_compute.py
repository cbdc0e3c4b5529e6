"""Compute shaders: how exact they are, with doubles and on devices that have none, and launches of many threads."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from invrender.backends import select

pytestmark = pytest.mark.vulkan

REFERENCE = select("torch")


@pytest.fixture(params=["doubles", "floats"])
def kernels(request):
    """The backend as it is, and as it is on a device whose shaders have no doubles."""
    from invrender.backends.vulkan.backend import kernels_on, usable
    from invrender.backends.vulkan.device import opened

    device = opened(usable())
    if request.param == "floats":
        lacking = tuple(name for name in device.adapter.features if name != "double")
        device = replace(device, adapter=replace(device.adapter, features=lacking), made={})
    return kernels_on(device, REFERENCE)


def off(value, expected):
    """Relative error, in the Euclidean norm."""
    return float((value.double() - expected).norm() / expected.norm())


def grid_and_rays(distance):
    """A density that varies from vertex to vertex, depths of 3 or so, and rays that aim near its middle."""
    generator = torch.Generator().manual_seed(1)
    grid = 4 * torch.rand(40, 50, 45, generator=generator)
    bounds = torch.tensor([[-1.0, -0.5, 0.25], [1.5, 1.0, 1.0]], dtype=torch.float64)
    start = torch.nn.functional.normalize(torch.randn(400, 3, generator=generator, dtype=torch.float64), dim=1)
    aim = bounds.mean(0) + 0.3 * torch.randn(400, 3, generator=generator, dtype=torch.float64)
    origin = bounds.mean(0) + distance * start
    return grid, bounds, origin, torch.nn.functional.normalize(aim - origin, dim=1)


@pytest.mark.parametrize("distance", [0.2, 4.0, 1000.0])
def test_transmittance_and_its_gradient_are_exact(kernels, distance):
    grid, *lines = grid_and_rays(distance)
    seen = torch.exp(-kernels.line_integral(grid, *lines))
    expected = torch.exp(-REFERENCE.line_integral(grid.double(), *lines))
    assert float((seen.double() - expected).abs().max()) < 2e-6
    assert float(expected.min()) < 0.3
    gradient, d_origin, d_direction = kernels.line_integral_adjoint(-seen, grid, *lines)
    assert off(gradient, REFERENCE.line_integral_adjoint(-expected, grid.double(), *lines)[0]) < 5e-5
    assert d_origin is d_direction is None


def test_rays_along_the_axes_and_through_vertices_see_the_trapezoid_rule(kernels):
    grid = torch.rand(4, 5, 6, generator=torch.Generator().manual_seed(2))
    bounds = torch.tensor([[0.0, 0, 0], [5, 4, 3]], dtype=torch.float64)
    origin = torch.tensor([[-2.0, 2, 1], [7, 4, 0], [3, 9, 2], [1, 1, -7]], dtype=torch.float64)
    direction = torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, -1, 0], [0, 0, 1]], dtype=torch.float64)
    lines = (grid[1, 2], grid[0, 4], grid[2, :, 3], grid[:, 1, 1])
    expected = [float(torch.trapezoid(line)) for line in lines]
    assert kernels.line_integral(grid, bounds, origin, direction).tolist() == pytest.approx(expected, rel=1e-6)


def test_diagonals_through_vertices_see_every_cell_once(kernels):
    grid = torch.ones(7, 7, 7)
    bounds = torch.tensor([[0.0, 0, 0], [6, 6, 6]], dtype=torch.float64)
    direction = torch.tensor([[1.0, 1, 1], [-1, 1, -1], [1, 1, 0]], dtype=torch.float64)
    origin = torch.tensor([3.0, 3, 3], dtype=torch.float64) - 5 * direction
    depth = kernels.line_integral(grid, bounds, origin, direction)
    assert depth.tolist() == pytest.approx([6.0, 6, 6], rel=1e-6)


@pytest.mark.parametrize("scale", [1.0, 1e-10, 1e10])
def test_interpolation_and_its_gradients_do_without_doubles(kernels, icosphere, project, scale):
    vertices, faces = icosphere(2)
    clip = project(vertices + 0.01, 2.0).float()
    face_id, _ = REFERENCE.rasterize(clip, faces, (24, 31))
    generator = torch.Generator().manual_seed(3)
    attributes, grad = (
        torch.randn(len(vertices), 7, generator=generator),
        torch.randn(1, 24, 31, 7, generator=generator),
    )
    given, clip = (attributes, faces, face_id), scale * clip
    exact = (attributes.double(), faces, face_id, clip.double())
    assert off(kernels.interpolate(*given, clip), REFERENCE.interpolate(*exact)) < 1e-5
    found = kernels.interpolate_adjoint(grad, *given, clip)
    for value, expected in zip(found, REFERENCE.interpolate_adjoint(grad.double(), *exact), strict=True):
        assert off(value, expected) < 2e-5


def test_more_threads_than_one_launch_holds_all_run(kernels):
    """A triangle over the whole of a picture of one row, which shows where each pixel's centre is."""
    clip = torch.tensor([[[-1.0, -1, 0, 1], [3, -1, 0, 1], [-1, 3, 0, 1]]])
    columns = 5 * 2**18 + 100
    face_id = torch.zeros(1, 1, columns, dtype=torch.int64)
    shown = kernels.interpolate(clip[0, :, :1], torch.tensor([[0, 1, 2]]), face_id, clip)
    expected = (torch.arange(columns, dtype=torch.float64) + 0.5) * (2 / columns) - 1
    assert torch.allclose(shown[0, 0, :, 0].double(), expected, atol=1e-6)


def test_nothing_to_do_is_no_trouble(kernels):
    grid, bounds, origin, direction = grid_and_rays(4.0)
    assert kernels.line_integral(grid, bounds, origin[:0], direction[:0]).shape == (0,)
    assert not kernels.line_integral_adjoint(torch.ones(0), grid, bounds, origin[:0], direction[:0])[0].any()
    faces, face_id = torch.tensor([[0, 1, 2]]), torch.full((1, 3, 4), -1)
    clip = torch.ones(1, 3, 4)
    image = kernels.interpolate(clip[0], faces, face_id, clip)
    assert image.shape == (1, 3, 4, 4) and not image.any()
    assert not any(part.any() for part in kernels.interpolate_adjoint(image + 1, clip[0], faces, face_id, clip))
