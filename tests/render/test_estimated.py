"""Pictures of transmittance by every estimator: those of exact integration, of grids, functions and neural fields."""

from __future__ import annotations

import math

import pytest
import torch

import invrender
from invrender.backends import select
from invrender.cameras.around import around
from invrender.errors import InputError, UsageError
from invrender.nouns import Volume
from invrender.parameters.neural_field import FieldSettings, LearnedField, NeuralField
from invrender.render.estimated import (
    RANDOM,
    Estimation,
    coarser,
    estimated_transmittance,
    greatest_difference,
    light_through,
)
from invrender.render.estimators import grid_field

KERNELS = select("cpu", needs=("volumes",))
BOX = torch.tensor([[-0.5, -0.5, -0.5], [0.5, 0.5, 0.5]], dtype=torch.float64)


def cloud() -> Volume:
    values = 6 * torch.rand(9, 8, 7, generator=torch.Generator().manual_seed(0))
    return Volume.from_numpy(values.numpy())


def learned() -> LearnedField:
    field = NeuralField((6, 6, 6), BOX, 20.0, None, FieldSettings(seed=1), ("positive", "share"))
    return LearnedField(field, {name: 2 * value for name, value in field.initial().items()})


@pytest.mark.parametrize("estimator", RANDOM)
@pytest.mark.parametrize("asset", [cloud(), learned()], ids=["grid", "field"])
def test_estimates_by_chance_are_right_within_their_errors(estimator: str, asset: Volume | LearnedField) -> None:
    """z-scores over all pixels have a mean square of 1; of a field against fine marching."""
    volume = asset if isinstance(asset, Volume) else asset.volume()
    cameras = around(volume, "orbit", 1, 12)
    with torch.no_grad():
        truth = light_through(asset, cameras, KERNELS, 1.5, Estimation("exact"))[0]
        if isinstance(asset, LearnedField):
            fine = asset.volume((61, 61, 61))
            truth = light_through(Volume(fine.values[:1], fine.bounds), cameras, KERNELS, 1.5)[0]
        light, error, factor = light_through(asset, cameras, KERNELS, 1.5, Estimation(estimator, 80, 3))  # type: ignore[arg-type]
    assert factor == 1.5
    inside = (error > 1e-6) & (truth > 0.02)
    assert int(inside.sum()) > 30
    scores = ((light - truth) / error)[inside]
    assert float(scores.square().mean()) == pytest.approx(1, abs=4 * math.sqrt(2 / len(scores)) + 0.1)
    assert abs(float(scores.mean())) < 4 / math.sqrt(len(scores))
    assert bool((light[truth == 1] == 1).all())


def test_marching_is_close_and_residuals_are_the_least_noisy() -> None:
    cameras = around(cloud(), "orbit", 1, 16)
    truth = light_through(cloud(), cameras, KERNELS, 1.0)[0]
    marched, none, _ = light_through(cloud(), cameras, KERNELS, 1.0, Estimation("march"))
    assert torch.allclose(marched, truth, atol=0.02)
    assert float(none.max()) == 0
    noise = [
        float(light_through(cloud(), cameras, KERNELS, 1.0, Estimation(name, 30))[1].square().mean()) for name in RANDOM
    ]
    assert noise[0] > noise[1] > noise[2]


@pytest.mark.parametrize("estimator", ["march", *RANDOM])
def test_the_gradient_of_a_field_that_is_no_grid(estimator: str) -> None:
    """Extinction s in a cube of side 1, seen by a camera far away: d exp(-s c) / ds = -c exp(-s c) on chords c."""
    extinction = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    grid = Volume(torch.full((1, 2, 2, 2), 2.0), BOX)
    cameras = around(grid, "orbit", 1, 8)
    depth = -light_through(grid, cameras, KERNELS, 1.0)[0].double().log()
    chord = depth / 2

    def fog(points: torch.Tensor) -> torch.Tensor:
        return extinction.expand(len(points))

    slopes = []
    for seed in range(12 if estimator != "march" else 1):
        how = Estimation(estimator, 16, seed)  # type: ignore[arg-type]
        light, _ = estimated_transmittance(fog, cameras, how, KERNELS, grid)
        (slope,) = torch.autograd.grad(light.double().sum(), extinction)
        slopes.append(float(slope))
    truth = float((-chord * torch.exp(-depth)).sum())
    error = torch.tensor(slopes).std() / math.sqrt(len(slopes)) if len(slopes) > 1 else 1e-4 * abs(truth)
    assert abs(sum(slopes) / len(slopes) - truth) < 4 * float(error) + 1e-5 * abs(truth)
    assert float(error) < 0.05 * abs(truth)


def test_gradients_reach_weights_and_values_through_the_public_function() -> None:
    field = learned()
    leaves = {name: value.requires_grad_() for name, value in field.params.items()}
    how = Estimation("ratio", 2)
    seen = invrender.render(LearnedField(field.field, leaves), mode="transmittance", size=8, estimation=how)
    assert seen.shape == (1, 8, 8, 1)
    seen.sum().backward()
    assert all(float(leaf.grad.abs().max()) > 0 for leaf in leaves.values())  # type: ignore[union-attr]
    values = cloud().values.requires_grad_()
    volume = Volume(values, cloud().bounds)
    invrender.render(volume, mode="transmittance", size=8, estimation=how, backend=KERNELS).sum().backward()
    assert float(values.grad.abs().max()) > 0  # type: ignore[union-attr]


def test_a_control_is_bounded_between_its_samples() -> None:
    """At random places no difference exceeds what is found where planes meet; and the control is a coarse mean."""
    fine, coarse = cloud(), coarser(cloud())
    assert coarse.shape == (3, 2, 2)
    bound = greatest_difference(fine, coarse)
    points = torch.rand(20_000, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 0.5
    points = points * (fine.bounds[1] - fine.bounds[0])
    difference = (grid_field(fine)(points) - grid_field(coarse)(points)).abs().max()
    assert 0.7 * bound < float(difference) <= bound
    flat = Volume(torch.full((1, 9, 9, 9), 3.0), BOX)
    assert torch.allclose(coarser(flat).values, torch.tensor(3.0))


def test_a_majorant_that_is_too_low_is_raised_and_all_begins_anew() -> None:
    """A peak between the samples of the grid, which shows nothing of it."""
    grid = Volume(torch.full((1, 2, 2, 2), 0.1), BOX)
    cameras = around(grid, "orbit", 1, 6)

    def peak(points: torch.Tensor) -> torch.Tensor:
        return 0.1 + 4 * torch.exp(-20 * points.square().sum(1))

    light, error = estimated_transmittance(peak, cameras, Estimation("ratio", 60), KERNELS, grid)
    march, _ = estimated_transmittance(
        peak, cameras, Estimation("march"), KERNELS, Volume(torch.full((1, 60, 60, 60), 0.1), BOX)
    )
    assert bool(((light - march).abs() < 4.5 * error + 1e-3).all())
    assert float(march.min()) < 0.5


def test_what_makes_no_sense() -> None:
    with pytest.raises(UsageError, match="choose one of exact, march"):
        Estimation("photon")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="0 estimates"):
        Estimation("ratio", 0)
    cameras = around(cloud(), "orbit", 1, 4)
    with pytest.raises(UsageError, match="box"):
        estimated_transmittance(lambda p: p[:, 0], cameras, Estimation("ratio"), KERNELS)
    with pytest.raises(InputError, match="negative"):
        estimated_transmittance(Volume(-cloud().values, cloud().bounds), cameras, Estimation("ratio"), KERNELS)
    empty = Volume(torch.zeros(1, 3, 3, 3), BOX)
    for estimator in ("march", *RANDOM):
        assert bool((estimated_transmittance(empty, cameras, Estimation(estimator, 2), KERNELS)[0] == 1).all())  # type: ignore[arg-type]
