"""Transmittance estimators: right on average within their own standard error, reproducible, honest about majorants."""

from __future__ import annotations

import math

import pytest
import torch

from invrender.backends import select
from invrender.errors import UsageError
from invrender.nouns import Rays, Volume
from invrender.render.estimated import coarser, greatest_difference
from invrender.render.estimators import (
    box_ends,
    constant_control,
    delta_tracking,
    exact,
    grid_control,
    grid_field,
    ratio_tracking,
    ray_marching,
    residual_ratio_tracking,
)

CALLS = 4000


def volume() -> Volume:
    grid = 3 * torch.rand(5, 6, 7, generator=torch.Generator().manual_seed(0))
    return Volume.from_numpy(grid.numpy())


def rays() -> Rays:
    generator = torch.Generator().manual_seed(1)
    origin = torch.nn.functional.normalize(torch.randn(12, 3, generator=generator, dtype=torch.float64), dim=1) * 2
    aim = 0.2 * torch.randn(12, 3, generator=generator, dtype=torch.float64) - origin
    return Rays(origin, torch.nn.functional.normalize(aim, dim=1))


def residual(field, majorant, rays, ends, generator):
    """With a constant control; what it leaves is within the same majorant."""
    return residual_ratio_tracking(field, constant_control(majorant / 2), majorant / 2, rays, ends, generator)


def coarse_residual(field, majorant, rays, ends, generator):
    """With a coarse grid as control."""
    coarse = coarser(volume())
    control = grid_control(coarse, select("torch", needs=("volumes",)))
    bound = greatest_difference(volume(), coarse)
    return residual_ratio_tracking(field, control, bound, rays, ends, generator)


TRACKERS = [delta_tracking, ratio_tracking, residual, coarse_residual]


def often(one: Rays, count: int) -> Rays:
    return Rays(one.origin.repeat(count, 1), one.direction.repeat(count, 1))


@pytest.mark.parametrize("tracker", TRACKERS)
def test_trackers_are_right_on_average(tracker: object) -> None:
    assert callable(tracker)
    many = often(rays(), CALLS)
    found = tracker(grid_field(volume()), 3.0, many, box_ends(many, volume().bounds), torch.Generator().manual_seed(2))
    found = found.reshape(CALLS, 12)
    error = found.mean(0) - exact(volume(), rays(), select("torch", needs=("volumes",))).double()
    assert bool((error.abs() < 4 * found.std(0) / math.sqrt(CALLS) + 1e-9).all())


def test_ratio_tracking_is_the_less_noisy_one_and_delta_tracking_counts_photons() -> None:
    many = often(rays(), CALLS)
    ends = box_ends(many, volume().bounds)
    field = grid_field(volume())
    photons = delta_tracking(field, 3.0, many, ends, torch.Generator().manual_seed(3)).reshape(CALLS, 12)
    weights = ratio_tracking(field, 3.0, many, ends, torch.Generator().manual_seed(3)).reshape(CALLS, 12)
    assert set(photons.unique().tolist()) <= {0.0, 1.0}
    assert float(weights.var(0).sum()) < 0.8 * float(photons.var(0).sum())


def test_equal_seeds_give_equal_results_and_others_do_not() -> None:
    ends = box_ends(rays(), volume().bounds)
    runs = [
        ratio_tracking(grid_field(volume()), 4.0, rays(), ends, torch.Generator().manual_seed(seed))
        for seed in (5, 5, 6)
    ]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


def test_a_constant_medium_follows_beer_and_lambert() -> None:
    """A chord of length 1 through an extinction of 2: exp(-2)."""
    ray = Rays(torch.tensor([[-3.0, 0.1, 0.0]]).double(), torch.tensor([[1.0, 0, 0]]).double())
    box = torch.tensor([[-0.5, -0.5, -0.5], [0.5, 0.5, 0.5]]).double()
    ends = box_ends(ray, box)
    assert ends.tolist() == [[2.5, 3.5]]
    marched = ray_marching(lambda points: torch.full((len(points),), 2.0).double(), ray, ends, 3)
    assert float(marched) == pytest.approx(math.exp(-2))


def test_marching_converges_to_the_exact_value() -> None:
    truth = exact(volume(), rays(), select("torch", needs=("volumes",))).double()
    ends = box_ends(rays(), volume().bounds)
    errors = [
        float((ray_marching(grid_field(volume()), rays(), ends, steps) - truth).abs().max()) for steps in (8, 64, 512)
    ]
    assert errors[2] < 1e-4
    assert errors[0] > errors[1] > errors[2]
    jittered = ray_marching(grid_field(volume()), rays(), ends, 512, torch.Generator().manual_seed(7))
    assert float((jittered - truth).abs().max()) < 2e-3


def test_a_majorant_that_is_too_low_is_an_error() -> None:
    many = often(rays(), 50)
    ends = box_ends(many, volume().bounds)
    for majorant in (1.0, 0.0):
        with pytest.raises(UsageError, match="majorant"):
            delta_tracking(grid_field(volume()), majorant, many, ends, torch.Generator().manual_seed(8))


def test_rays_that_miss_keep_all_their_light() -> None:
    ray = Rays(torch.tensor([[-3.0, 5.0, 0.0]]).double(), torch.tensor([[1.0, 0, 0]]).double())
    ends = box_ends(ray, volume().bounds)
    assert float(ends[0, 0]) == float(ends[0, 1])
    assert float(ratio_tracking(grid_field(volume()), 3.0, ray, ends, torch.Generator())) == 1
    assert float(ray_marching(grid_field(volume()), ray, ends, 4)) == 1


# --- gradients ----------------------------------------------------------------------------------------------------


def test_exact_transmittance_is_differentiable_in_grid_and_rays() -> None:
    grid = volume().values.double()
    few = rays()
    weight = torch.linspace(1, 2, 12, dtype=torch.float64)

    def value(grid: torch.Tensor, origin: torch.Tensor) -> torch.Tensor:
        through = exact(Volume(grid, volume().bounds), Rays(origin, few.direction), select("torch", needs=("volumes",)))
        return (through * weight).sum()

    given, origin = grid.clone().requires_grad_(), few.origin.clone().requires_grad_()
    value(given, origin).backward()
    generator = torch.Generator().manual_seed(9)
    to_grid = torch.randn(grid.shape, generator=generator, dtype=torch.float64)
    to_origin = torch.randn(origin.shape, generator=generator, dtype=torch.float64)
    h = 1e-6
    along = value(grid + h * to_grid, few.origin) - value(grid - h * to_grid, few.origin)
    assert float((given.grad * to_grid).sum()) == pytest.approx(float(along) / (2 * h), rel=1e-6)
    along = value(grid, few.origin + h * to_origin) - value(grid, few.origin - h * to_origin)
    assert float((origin.grad * to_origin).sum()) == pytest.approx(float(along) / (2 * h), rel=1e-6)


def test_exact_transmittance_has_the_same_gradient_on_cpu() -> None:
    found = []
    for name in ("torch", "cpu"):
        grid = volume().values.requires_grad_()
        exact(Volume(grid, volume().bounds), rays(), select(name, needs=("volumes",))).sum().backward()
        found.append(grid.grad)
    assert torch.allclose(*found, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("tracker", TRACKERS)
@pytest.mark.parametrize("moved", ["grid", "origin"])
def test_gradients_of_trackers_are_right_on_average(tracker: object, moved: str) -> None:
    """The mean over many seeds of the slope along the steepest direction, within four of its standard errors."""
    assert callable(tracker)
    bounds, few = volume().bounds, rays()
    grid, origin = volume().values.double().requires_grad_(), few.origin.clone().requires_grad_()
    asked = grid if moved == "grid" else origin
    (truth,) = torch.autograd.grad(
        exact(Volume(grid, bounds), Rays(origin, few.direction), select("torch", needs=("volumes",))).sum(), asked
    )
    steepest = truth / truth.norm()
    found = []
    for seed in range(40):
        many = Rays(origin.repeat(100, 1), few.direction.repeat(100, 1))
        generator = torch.Generator().manual_seed(seed)
        field = grid_field(Volume(grid, bounds))
        through = tracker(field, 3.0, many, box_ends(many, bounds), generator).sum() / 100
        (gradient,) = torch.autograd.grad(through, asked)
        found.append(float((gradient * steepest).sum()))
    mean, error = sum(found) / 40, torch.tensor(found).std() / math.sqrt(40)
    assert abs(mean - float(truth.norm())) < 4 * float(error)
    assert float(error) < 0.2 * float(truth.norm())


@pytest.mark.parametrize("tracker", TRACKERS[:3])
def test_gradients_stay_right_where_the_density_reaches_the_majorant(tracker: object) -> None:
    """A chord of length 1 through an extinction of 2, majorant 2: d exp(-s) / d s = -exp(-2)."""
    assert callable(tracker)
    count = 20_000
    many = often(Rays(torch.tensor([[-3.0, 0.1, 0.0]]).double(), torch.tensor([[1.0, 0, 0]]).double()), count)
    ends = box_ends(many, torch.tensor([[-0.5, -0.5, -0.5], [0.5, 0.5, 0.5]]).double())
    extinction = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    generator = torch.Generator().manual_seed(1)
    tracker(lambda points: extinction.expand(len(points)), 2.0, many, ends, generator).mean().backward()
    assert float(extinction.grad) == pytest.approx(-math.exp(-2), abs=4 * math.sqrt(math.exp(-2) / count))


def test_a_gradient_changes_no_value() -> None:
    ends = box_ends(rays(), volume().bounds)
    for tracker in (delta_tracking, ratio_tracking):
        without = tracker(grid_field(volume()), 4.0, rays(), ends, torch.Generator().manual_seed(5))
        tracked = Volume(volume().values.requires_grad_(), volume().bounds)
        found = tracker(grid_field(tracked), 4.0, rays(), ends, torch.Generator().manual_seed(5))
        assert torch.equal(without, found.detach())


def test_rays_in_float32_are_as_good_as_their_digits() -> None:
    single = Rays(rays().origin.float(), rays().direction.float())
    generators = (torch.Generator().manual_seed(4), torch.Generator().manual_seed(4))
    points = torch.rand(50, 3, generator=generators[0]) - 0.5
    assert grid_field(volume())(points).dtype == torch.float32
    assert torch.allclose(grid_field(volume())(points), grid_field(volume())(points.double()).float(), atol=1e-4)
    through = ratio_tracking(grid_field(volume()), 3.0, single, box_ends(single, volume().bounds), generators[1])
    assert through.dtype == torch.float32
    assert bool(((through >= 0) & (through <= 1)).all())
