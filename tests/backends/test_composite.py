"""Compositing: analytic media, one image from every mode and backend, and the adjoint against central differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from invrender.backends import select
from invrender.backends.cpu import composite as cpu_composite
from invrender.kernels import Backend
from invrender.kernels.compositing import OPAQUE, RaySamples, Rules, Shade
from invrender.nouns import Rays
from invrender.render.sampling import sample_rays

Tensor = torch.Tensor
BOUNDS = torch.tensor([[-1.0, -0.5, 0.25], [1.5, 1.0, 1.0]], dtype=torch.float64)
SHAPE = (5, 6, 7)
EVERY = ("vectorized", "sequential", "early-termination", "mip")
CPU, REFERENCE = select("cpu", needs=("volumes",)), select("torch", needs=("volumes",))


def rays(count: int) -> Rays:
    """Rays from all around that aim near the middle of the box; the first misses it, the second starts inside."""
    generator = torch.Generator().manual_seed(2)
    middle = BOUNDS.mean(0)
    start = middle + 4 * torch.nn.functional.normalize(torch.randn(count, 3, generator=generator).double(), dim=1)
    aim = middle + 0.3 * torch.randn(count, 3, generator=generator).double()
    aim[0] = start[0] + torch.tensor([0.0, 9.0, 0.0])
    start[1] = middle
    return Rays(start, torch.nn.functional.normalize(aim - start, dim=1))


def scene(
    kind: str, count: int = 60, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, RaySamples, Tensor | None, Rules]:
    """Grid, samples, table and rules: 'table', 'lit' or 'colour'."""
    generator = torch.Generator().manual_seed(5)
    grid = torch.rand(*SHAPE, 1 if kind == "table" else 4, generator=generator, dtype=torch.float64)
    if kind == "lit":
        grid[..., 1:] = grid[..., 1:] * 4 - 2
    table = None
    rules = Rules("sequential", low=0.1, high=0.9)
    if kind != "colour":
        table = torch.rand(6, 4, generator=generator, dtype=torch.float64) * torch.tensor([1, 1, 1, 3.0])
    if kind == "lit":
        lights = torch.nn.functional.normalize(torch.randn(count, 2, 3, generator=generator).double(), dim=2)
        rules = replace(rules, shade=Shade(lights.reshape(count, 6).to(dtype), 0.2, 0.7, 0.4, 5.0, 0.6))
    steps = sample_rays(rays(count), BOUNDS, SHAPE, 0.11, dtype)
    return grid.to(dtype), steps, None if table is None else table.to(dtype), rules


def test_a_homogeneous_medium_is_beer_lambert_at_any_step() -> None:
    sigma, colour = 0.8, torch.tensor([0.9, 0.4, 0.1], dtype=torch.float64)
    grid = torch.cat([torch.full((*SHAPE, 1), sigma, dtype=torch.float64), colour.expand(*SHAPE, 3)], 3)
    ray = Rays(torch.tensor([[-5.0, 0.1, 0.5]]).double(), torch.tensor([[1.0, 0, 0]]).double())
    for step in (2.5, 0.3, 0.01):
        for mode in EVERY[:3]:
            steps = sample_rays(ray, BOUNDS, SHAPE, step, torch.float64)
            result = REFERENCE.composite(grid, steps, None, Rules(mode))[0]
            left = math.exp(-sigma * 2.5)
            assert float(result[3]) == pytest.approx(left)
            assert torch.allclose(result[:3], (1 - left) * colour)


def test_a_slab_hides_what_is_behind_it() -> None:
    """Red in front of green: an opaque front shows red alone, and from behind green alone."""
    grid = torch.zeros(2, 2, 8, 4, dtype=torch.float64)
    grid[:, :, :3, :2] = torch.tensor([50.0, 1.0], dtype=torch.float64)
    grid[:, :, 5:, 0], grid[:, :, 5:, 2] = 50.0, 1.0
    bounds = torch.tensor([[0.0, 0, 0], [7, 1, 1]], dtype=torch.float64)
    for x, colour in ((-1.0, [1.0, 0, 0]), (8.0, [0, 1.0, 0])):
        ray = Rays(torch.tensor([[x, 0.5, 0.5]]).double(), torch.tensor([[-math.copysign(1, x), 0, 0]]).double())
        result = REFERENCE.composite(grid, sample_rays(ray, bounds, (2, 2, 8), 0.1, torch.float64), None, Rules())[0]
        assert torch.allclose(result[:3], torch.tensor(colour).double(), atol=2e-3)
        assert float(result[3]) < 1e-4


def test_the_table_is_linear_between_rows_and_constant_beyond() -> None:
    table = torch.tensor([[0, 0, 0, 1.0], [1, 0, 0, 1.0], [1, 1, 1, 1.0]], dtype=torch.float64)
    ray = Rays(torch.tensor([[-5.0, 0.1, 0.5]]).double(), torch.tensor([[1.0, 0, 0]]).double())
    steps = sample_rays(ray, BOUNDS, SHAPE, 1.0, torch.float64)
    for value, colour in ((-3.0, [0, 0, 0]), (2.5, [0.5, 0, 0]), (3.5, [1, 0.5, 0.5]), (9.0, [1.0, 1, 1])):
        grid = torch.full((*SHAPE, 1), value, dtype=torch.float64)
        result = REFERENCE.composite(grid, steps, table, Rules(low=2.0, high=4.0))[0]
        assert torch.allclose(result[:3] / (1 - result[3]), torch.tensor(colour).double())


def test_a_surface_that_faces_the_light_is_brightest() -> None:
    lights = torch.tensor([[1.0, 0, 0, 1.0, 0, 0]], dtype=torch.float64)
    shade = Shade(lights, ambient=0.3, diffuse=0.6, specular=0.0, soft=1e-6)
    table = torch.tensor([[1.0, 1, 1, 2], [1, 1, 1, 2]], dtype=torch.float64)
    ray = Rays(torch.tensor([[-5.0, 0.1, 0.5]]).double(), torch.tensor([[1.0, 0, 0]]).double())
    steps = sample_rays(ray, BOUNDS, SHAPE, 0.1, torch.float64)
    for gradient, brightness in (
        ([2.0, 0, 0], 0.9),
        ([-2.0, 0, 0], 0.9),
        ([0, 1, 0], 0.3),
        ([1, 1, 0], 0.3 + 0.6 / 2**0.5),
    ):
        grid = torch.cat([torch.ones(*SHAPE, 1), torch.tensor(gradient).expand(*SHAPE, 3)], 3).double()
        result = REFERENCE.composite(grid, steps, table, Rules(shade=shade))[0]
        assert float(result[0] / (1 - result[3])) == pytest.approx(brightness, rel=1e-5)


@pytest.mark.parametrize("kind", ["table", "lit", "colour"])
def test_every_mode_gives_the_same_image(kind: str) -> None:
    grid, steps, table, rules = scene(kind)
    one, other, early = (REFERENCE.composite(grid, steps, table, replace(rules, compositing=m)) for m in EVERY[:3])
    assert torch.allclose(one, other, atol=1e-12)
    assert float((early - other).abs().max()) <= 2 * OPAQUE
    assert other[0].tolist() == [0, 0, 0, 1]  # that ray misses


@pytest.mark.parametrize("mode", EVERY)
@pytest.mark.parametrize("kind", ["table", "lit", "colour"])
def test_the_adjoint_against_central_differences(kind: str, mode: str) -> None:
    grid, steps, table, rules = scene(kind, 12)
    rules = replace(rules, compositing=mode)
    generator = torch.Generator().manual_seed(9)
    grad = torch.randn(12, 4, generator=generator, dtype=torch.float64)
    d_grid, d_table = REFERENCE.composite_adjoint(
        grad, REFERENCE.composite(grid, steps, table, rules), grid, steps, table, rules
    )
    toward = torch.randn(grid.shape, generator=generator, dtype=torch.float64)
    h = 1e-6

    def value(grid: Tensor, table: Tensor | None) -> float:
        return float((REFERENCE.composite(grid, steps, table, rules) * grad).sum())

    slope = (value(grid + h * toward, table) - value(grid - h * toward, table)) / (2 * h)
    assert float((d_grid * toward).sum()) == pytest.approx(slope, rel=1e-5, abs=1e-7)
    if table is not None:
        toward = torch.randn(table.shape, generator=generator, dtype=torch.float64)
        slope = (value(grid, table + h * toward) - value(grid, table - h * toward)) / (2 * h)
        assert float((d_table * toward).sum()) == pytest.approx(slope, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("mode", EVERY)
@pytest.mark.parametrize("kind", ["table", "lit", "colour"])
@pytest.mark.parametrize(
    "name", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu), pytest.param("vulkan", marks=pytest.mark.vulkan)]
)
def test_kernels_agree_with_the_reference(
    name: str, kind: str, mode: str, open_volumes: Callable[[str], Backend]
) -> None:
    kernels = open_volumes(name)
    grid, steps, table, rules = scene(kind, 60, torch.float32)
    rules = replace(rules, compositing=mode)
    grad = torch.randn(60, 4, generator=torch.Generator().manual_seed(9))
    expected = REFERENCE.composite(grid, steps, table, rules)
    result = kernels.composite(grid, steps, table, rules)
    assert torch.allclose(result, expected, atol=2e-5)
    d_grid, d_table = REFERENCE.composite_adjoint(grad, expected, grid, steps, table, rules)
    other_grid, other_table = kernels.composite_adjoint(grad, result, grid, steps, table, rules)
    assert float((other_grid - d_grid).norm()) <= 1e-3 * float(d_grid.norm())
    if table is not None:
        assert float((other_table - d_table).norm()) <= 1e-4 * float(d_table.norm())


def test_the_number_of_threads_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    grid, steps, table, rules = scene("lit", 300, torch.float32)
    grad = torch.ones(300, 4)
    found = []
    for threads in (1, 3):
        monkeypatch.setattr("invrender.backends.cpu.threads.thread_count", lambda count=threads: count)
        result = CPU.composite(grid, steps, table, rules)
        found.append((result, *CPU.composite_adjoint(grad, result, grid, steps, table, rules)))
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("kind", ["table", "lit", "colour"])
def test_blocks_that_show_nothing_are_passed_over_without_a_trace(kind: str) -> None:
    _, _, table, rules = scene(kind, 60, torch.float32)
    generator = torch.Generator().manual_seed(3)
    grid = torch.zeros(17, 14, 19, 1 if kind == "table" else 4)
    grid[2:9, 5:11, 6:14] = torch.rand(7, 6, 8, grid.shape[-1], generator=generator)
    grid[14, 2, 3, 0] = 0.8  # alone, at the corner of a block of cells
    steps = sample_rays(rays(60), BOUNDS, (17, 14, 19), 0.02, torch.float32)
    if table is not None:
        table[:2, 3] = 0  # up to a fifth of the window
    for mode in EVERY[:-1]:
        wanted = REFERENCE.composite(grid, steps, table, replace(rules, compositing=mode))
        assert torch.allclose(CPU.composite(grid, steps, table, replace(rules, compositing=mode)), wanted, atol=2e-5)
    seen = cpu_composite._seen(cpu_composite._arguments(grid, steps, table, rules))
    assert seen.shape == (4, 4, 5) and 0 < seen.mean() < 0.6
    assert bool(seen[3, 0, 0]) and not bool(seen[3, 3, 4])
    if table is not None:
        table[-1, 3] = 0  # what lies above the window shows nothing then: a value among many that do
        table[1:-1, 3] = 1
        grid[:] = 2.0
        assert not cpu_composite._seen(cpu_composite._arguments(grid, steps, table, rules)).any()
        grid[3, 3, 3, 0] = 0.0
        assert cpu_composite._seen(cpu_composite._arguments(grid, steps, table, rules)).sum() == 1
        grid[3, 3, 3, 0] = math.nan
        assert cpu_composite._seen(cpu_composite._arguments(grid, steps, table, rules)).sum() == 1
