"""Radiance fields: analytic media, every backend against the reference, and the gradient against differences."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from invrender.backends import select
from invrender.kernels import Backend
from invrender.kernels.field import FAINT, GREY, MOST, Field, FieldRays

Tensor = torch.Tensor
SHAPE = (7, 8, 9)
REFERENCE = select("torch", needs=("volumes",))


def field(dtype: torch.dtype = torch.float64, functions: int = 4) -> Field:
    """Random numbers on two thirds of the inner vertices, some of them too faint to count."""
    random = torch.Generator().manual_seed(3)
    inside = torch.zeros(SHAPE, dtype=torch.bool)
    inside[1:-1, 1:-1, 1:-1] = torch.rand(5, 6, 7, generator=random) < 0.67
    count = int(inside.sum())
    index = torch.full(SHAPE, -1, dtype=torch.int32)
    index[inside] = torch.arange(count, dtype=torch.int32)
    density = torch.randn(count, generator=random, dtype=torch.float64) * 2 - 1
    density[::9] = FAINT - 3
    colours = torch.randn(count, 3 * functions, generator=random, dtype=torch.float64) * 0.3
    return Field(density.to(dtype), colours.to(dtype), index)


def rays(count: int, dtype: torch.dtype = torch.float64, functions: int = 4) -> FieldRays:
    """Rays between random points in the grid; the first has no samples."""
    random = torch.Generator().manual_seed(4)
    size = torch.tensor(SHAPE[::-1], dtype=torch.float64) - 1
    start, end = (torch.rand(count, 3, generator=random, dtype=torch.float64) * size for _ in range(2))
    number = torch.full((count,), 25, dtype=torch.int32)
    number[0] = 0
    step = (end - start) / 25
    basis = torch.randn(count, functions, generator=random, dtype=torch.float64)
    return FieldRays(start.to(dtype), step.to(dtype), step.norm(dim=1).to(dtype), number, basis.to(dtype))


def test_a_full_slab_is_beer_lambert_and_shows_its_colour_for_the_direction() -> None:
    """Between vertices of equal numbers the medium is homogeneous: u = 0 is half of what a cell can take."""
    index = torch.full((3, 3, 12), -1, dtype=torch.int32)
    index[1, 1, 1:-1] = torch.arange(10, dtype=torch.int32)
    density, colours = torch.zeros(10).double(), torch.zeros(10, 12).double()
    colours[:, 3] = 0.4  # red grows with the second function
    start = torch.tensor([[3.05, 1.0, 1.0]]).double()
    basis = torch.tensor([[1.0, 0.5, 0, 0]]).double()
    ray = FieldRays(
        start,
        torch.tensor([[0.1, 0, 0]]).double(),
        torch.tensor([0.1]).double(),
        torch.tensor([20], dtype=torch.int32),
        basis,
    )
    shown = REFERENCE.field(Field(density, colours, index), ray)[0]
    left = math.exp(-MOST / 2 * 2.0)
    assert float(shown[3]) == pytest.approx(left)
    assert shown[:3].tolist() == pytest.approx([(GREY + 0.2) * (1 - left), GREY * (1 - left), GREY * (1 - left)])


def test_the_gradient_of_the_misfit_against_central_differences() -> None:
    known, along = field(), rays(20)
    target = torch.rand(20, 4, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    value, density, colours = REFERENCE.field_misfit(known, along, target)
    assert value == pytest.approx(float((REFERENCE.field(known, along) - target).square().sum()))
    random = torch.Generator().manual_seed(6)
    toward = [torch.randn(g.shape, generator=random, dtype=torch.float64) for g in (density, colours)]
    h = 1e-6

    def moved(by: float) -> float:
        there = Field(known.density + by * toward[0], known.colours + by * toward[1], known.index)
        return REFERENCE.field_misfit(there, along, target)[0]

    slope = (moved(h) - moved(-h)) / (2 * h)
    assert float((density * toward[0]).sum() + (colours * toward[1]).sum()) == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize("functions", [1, 9])
@pytest.mark.parametrize(
    "name", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu), pytest.param("vulkan", marks=pytest.mark.vulkan)]
)
def test_kernels_agree_with_the_reference(name: str, functions: int, open_volumes: Callable[[str], Backend]) -> None:
    kernels = open_volumes(name)
    known, along = field(torch.float32, functions), rays(200, torch.float32, functions)
    target = torch.rand(200, 4, generator=torch.Generator().manual_seed(5))
    close = {"atol": 2e-3, "rtol": 1e-3}  # colours of samples that hardly show may be left out
    assert torch.allclose(kernels.field(known, along), REFERENCE.field(known, along), **close)
    assert torch.allclose(kernels.field_light(known, along), REFERENCE.field_light(known, along), atol=1e-3)
    one, other = kernels.field_misfit(known, along, target), REFERENCE.field_misfit(known, along, target)
    assert one[0] == pytest.approx(other[0], rel=1e-3)
    for mine, theirs in zip(one[1:], other[1:], strict=True):
        assert float((mine - theirs).norm() / theirs.norm()) < 2e-3
