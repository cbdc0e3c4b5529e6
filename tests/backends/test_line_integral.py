"""The exact line integral: chords with known answers, the transpose, and central differences in float64."""

from __future__ import annotations

import math

import pytest
import torch

from invrender.backends.cpu.line_integral import line_integral as cpu_line_integral
from invrender.backends.torch.line_integral import line_integral, line_integral_adjoint

Tensor = torch.Tensor


def box(shape: tuple[int, int, int] = (5, 6, 7)) -> tuple[Tensor, Tensor]:
    """A random grid [D,H,W] and a box with three different sides."""
    generator = torch.Generator().manual_seed(1)
    grid = torch.rand(*shape, generator=generator, dtype=torch.float64)
    return grid, torch.tensor([[-1.0, -0.5, 0.25], [1.5, 1.0, 1.0]], dtype=torch.float64)


def rays(count: int, seed: int = 2) -> tuple[Tensor, Tensor]:
    """Rays from all around that aim near the middle of `box`."""
    generator = torch.Generator().manual_seed(seed)
    middle = torch.tensor([0.25, 0.25, 0.625], dtype=torch.float64)
    start = torch.randn(count, 3, generator=generator, dtype=torch.float64)
    start = middle + 4 * start / start.norm(dim=1, keepdim=True)
    aim = middle + 0.3 * torch.randn(count, 3, generator=generator, dtype=torch.float64)
    return start, (aim - start) / (aim - start).norm(dim=1, keepdim=True)


def test_a_constant_grid_gives_the_length_of_the_chord() -> None:
    grid, bounds = box()
    origin = torch.tensor([[-5.0, 0.1, 0.5], [0.3, 0.2, 9.0], [-5.0, 0.1, 3.0]], dtype=torch.float64)
    direction = torch.tensor([[1.0, 0, 0], [0, 0, -1.0], [1.0, 0, 0]], dtype=torch.float64)
    depth = line_integral(torch.full_like(grid, 2.0), bounds, origin, direction)
    assert depth.tolist() == pytest.approx([5.0, 1.5, 0.0])


def test_a_diagonal_through_a_unit_cube_of_x_y_z() -> None:
    """density = x y z is trilinear, and along the diagonal of [0,1]^3 it integrates to sqrt(3) / 4."""
    grid = torch.zeros(2, 2, 2, dtype=torch.float64)
    grid[1, 1, 1] = 1
    bounds = torch.tensor([[0.0, 0, 0], [1, 1, 1]], dtype=torch.float64)
    origin = torch.full((1, 3), -1.0, dtype=torch.float64)
    direction = torch.full((1, 3), 1 / math.sqrt(3), dtype=torch.float64)
    assert float(line_integral(grid, bounds, origin, direction)) == pytest.approx(math.sqrt(3) / 4)


def test_a_ray_that_starts_inside_counts_what_lies_ahead_alone() -> None:
    grid, bounds = box()
    origin = torch.tensor([[1.0, 0.1, 0.5]], dtype=torch.float64)
    direction = torch.tensor([[1.0, 0, 0]], dtype=torch.float64)
    ones = torch.ones_like(grid)
    assert float(line_integral(ones, bounds, origin, direction)) == pytest.approx(0.5)
    assert float(line_integral(ones, bounds, origin, -direction)) == pytest.approx(2.0)


def test_a_ray_in_a_face_of_the_box_sees_the_face() -> None:
    grid, bounds = box()
    origin, direction = torch.tensor([[-3.0, -0.5, 0.5]]).double(), torch.tensor([[1.0, 0, 0]]).double()
    assert float(line_integral(torch.ones_like(grid), bounds, origin, direction)) == pytest.approx(2.5)


def test_the_integral_agrees_with_many_samples() -> None:
    grid, bounds = box()
    origin, direction = rays(40)
    t = (torch.arange(40000, dtype=torch.float64) + 0.5) * (8 / 40000)
    points = origin[:, None] + t[:, None] * direction[:, None]
    unit = 2 * (points - bounds[0]) / (bounds[1] - bounds[0]) - 1
    inside = (unit.abs() <= 1).all(-1)
    values = torch.nn.functional.grid_sample(grid[None, None], unit[None, :, :, None], align_corners=True)[0, 0, ..., 0]
    expected = (values * inside).sum(1) * (8 / 40000)
    assert torch.allclose(line_integral(grid, bounds, origin, direction), expected, atol=5e-4)


def test_the_adjoint_is_the_transpose() -> None:
    grid, bounds = box()
    origin, direction = rays(50)
    weights = torch.randn(50, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    there = (line_integral(grid, bounds, origin, direction) * weights).sum()
    back = (line_integral_adjoint(weights, grid, bounds, origin, direction)[0] * grid).sum()
    assert float(there) == pytest.approx(float(back), rel=1e-12)


@pytest.mark.parametrize("inside", [False, True])
def test_rays_that_move_or_turn_change_the_integral_as_central_differences_say(inside: bool) -> None:
    grid, bounds = box()
    origin, direction = rays(30)
    if inside:
        origin = origin + 3.9 * direction
    ones = torch.ones(30, dtype=torch.float64)
    _, d_origin, d_direction = line_integral_adjoint(ones, grid, bounds, origin, direction)
    step = 1e-6
    for axis in range(3):
        move = torch.zeros(3, dtype=torch.float64)
        move[axis] = step
        ahead = line_integral(grid, bounds, origin + move, direction)
        back = line_integral(grid, bounds, origin - move, direction)
        assert torch.allclose(d_origin[:, axis], (ahead - back) / (2 * step), atol=1e-5)
        ahead = line_integral(grid, bounds, origin, direction + move)
        back = line_integral(grid, bounds, origin, direction - move)
        assert torch.allclose(d_direction[:, axis], (ahead - back) / (2 * step), atol=1e-5)


def test_grids_that_are_empty_but_for_single_samples_lose_none_of_them() -> None:
    """Rays are followed between blocks that hold something: samples on their borders and at the grid's ends count."""
    _, bounds = box()
    origin, direction = rays(500)
    for at in ((0, 0, 0), (8, 16, 8), (16, 7, 9), (18, 20, 24)):
        grid = torch.zeros(19, 21, 25)
        grid[at] = 1
        aim = bounds[0] + torch.tensor(at).flip(0) / (torch.tensor(grid.shape).flip(0) - 1) * (bounds[1] - bounds[0])
        towards = aim + 0.02 * direction - origin
        towards = towards / towards.norm(dim=1, keepdim=True)
        wanted = line_integral(grid.double(), bounds, origin, towards)
        assert float(wanted.max()) > 0.01
        found = cpu_line_integral(grid, bounds, origin, towards)
        torch.testing.assert_close(found.double(), wanted, rtol=1e-5, atol=1e-6)
