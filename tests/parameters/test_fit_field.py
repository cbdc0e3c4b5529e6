"""Fields trained on samples: grids, functions and measured points, found again at places that were not shown."""

from __future__ import annotations

import math

import pytest
import torch

import invrender
from invrender.errors import InputError, UsageError
from invrender.nouns import Volume
from invrender.parameters.fit_field import grid_sensor, point_sensor

BOX = [[-1.0, 0.0, 0.0], [1.0, 1.0, 3.0]]


def waves(points: torch.Tensor) -> torch.Tensor:
    """A smooth density and a signed value, [M,2]."""
    x, y, z = points.T
    return torch.stack([1 + torch.sin(2 * x) * y, torch.cos(z) - x], 1)


def decibels(found: torch.Tensor, truth: torch.Tensor) -> float:
    return 10 * math.log10(float(truth.abs().max()) ** 2 / float((found - truth).square().mean()))


def elsewhere() -> torch.Tensor:
    low, high = torch.tensor(BOX)
    return low + torch.rand(500, 3, generator=torch.Generator().manual_seed(9)) * (high - low)


@pytest.mark.parametrize("kind", ["latents", "network"])
@pytest.mark.parametrize("sensor", ["points", "grid"])
def test_a_function_is_found_between_the_samples(kind: str, sensor: str) -> None:
    field = invrender.fit_field(waves, BOX, kind=kind, sensor=sensor, shape=(9, 9, 9), iterations=150, samples=700)
    assert field.field.outputs == ("positive", "any")
    with torch.no_grad():
        assert decibels(field(elsewhere()), waves(elsewhere())) > 28
        assert bool((field(torch.tensor([[1.5, 0.5, 1.0]])) == 0).all())


def test_a_volume_is_found_on_its_own_grid() -> None:
    axis = torch.linspace(-1, 1, 12)
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    ball = Volume.from_numpy((1 - (x**2 + y**2 + z**2)).clamp(min=0).numpy())
    field = invrender.fit_field(ball, iterations=150, samples=1000)
    assert field.field.shape == (12, 12, 12)
    with torch.no_grad():
        found = field.volume()
    assert torch.equal(found.bounds, ball.bounds)
    assert decibels(found.values, ball.values) > 28
    assert float(found.values.min()) >= 0


def test_measured_points_bring_their_box() -> None:
    points = elsewhere()
    colours = torch.sigmoid(waves(points)[:, [0, 1, 1]])
    field = invrender.fit_field((points, colours), outputs=["share"] * 3, iterations=200, shape=(8, 8, 8))
    assert torch.allclose(field.field.bounds.float(), torch.stack([points.amin(0), points.amax(0)]))
    with torch.no_grad():
        assert decibels(field(points), colours) > 30


def test_equal_seeds_agree_and_others_differ() -> None:
    few = {"iterations": 3, "samples": 50, "shape": (4, 4, 4)}
    first, same, other = (invrender.fit_field(waves, BOX, seed=seed, **few) for seed in (3, 3, 4))
    assert torch.equal(first(elsewhere()), same(elsewhere()))
    assert not torch.equal(first(elsewhere()), other(elsewhere()))


def test_sensors_stay_in_the_box_and_move() -> None:
    box, random = torch.tensor(BOX), torch.Generator().manual_seed(0)
    grid = grid_sensor(box, (3, 4, 5))
    for place in (grid, point_sensor(box, 60)):
        first, second = place(random), place(random)
        assert first.shape == (60, 3)
        assert not torch.equal(first, second)
        assert bool(((first >= box[0]) & (first <= box[1])).all())
    cells = (box[1] - box[0]) / torch.tensor([4.0, 3.0, 2.0])
    vertex = box[0] + torch.tensor([1, 2, 1]) * cells  # x, y, z of number 1 * 20 + 2 * 5 + 1
    assert bool(((grid(random)[31] - vertex).abs() <= cells / 2).all())


def test_input_that_makes_no_sense() -> None:
    points = elsewhere()
    with pytest.raises(UsageError, match="bounds"):
        invrender.fit_field(waves)
    with pytest.raises(UsageError, match="no extent"):
        invrender.fit_field(waves, [[0, 0, 0], [1, 0, 1]])
    with pytest.raises(UsageError, match="one for each channel"):
        invrender.fit_field(waves, BOX, outputs=["positive"])
    with pytest.raises(UsageError, match="no sensor"):
        invrender.fit_field(waves, BOX, sensor="rays")
    with pytest.raises(UsageError, match="at least one step"):
        invrender.fit_field(waves, BOX, iterations=0)
    with pytest.raises(InputError, match="do not fit"):
        invrender.fit_field((points, torch.ones(3)))
    with pytest.raises(InputError, match="NaN"):
        invrender.fit_field((points, torch.full((500,), math.nan)))
