"""Neural fields: each channel keeps its range, zero outside, the same on a grid and at points, gradients to all."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from invrender.nouns.medium import on_grid
from invrender.parameters.neural_field import FieldSettings, NeuralField, encoded

SHAPE = (5, 6, 8)
BOUNDS = torch.tensor([[-1.0, 0.0, 2.0], [1.0, 3.0, 4.0]])
KINDS = ("latents", "network")


def field(seed: int = 0) -> NeuralField:
    support = torch.ones(SHAPE, dtype=torch.bool)
    support[0, 0] = False
    return NeuralField(SHAPE, BOUNDS, 2.5, support, FieldSettings(seed=seed))


def somewhere(count: int = 200) -> torch.Tensor:
    return BOUNDS[0] + torch.rand(count, 3, generator=torch.Generator().manual_seed(0)) * (BOUNDS[1] - BOUNDS[0])


def test_densities_are_positive_on_the_support_and_zero_off_it() -> None:
    density = field().decode(field().initial())
    assert density.shape == SHAPE
    assert bool((density[field().support] > 0).all())
    assert bool((density[0, 0] == 0).all())


def test_densities_follow_the_level() -> None:
    one = field()
    double = replace(one, level=2 * one.level)
    assert torch.equal(double.decode(double.initial()), 2 * one.decode(one.initial()))


def test_points_outside_the_box_or_the_support_are_empty() -> None:
    points = torch.tensor([[0.0, 1.0, 3.0], [1.01, 1.0, 3.0], [0.0, -0.1, 3.0], [0.0, 1.0, 4.5], [0.0, 0.0, 2.0]])
    assert (field().density(field().initial())(points) > 0).tolist() == [True, False, False, False, False]


@pytest.mark.parametrize("shape", [None, (3, 4, 9)])
def test_a_grid_holds_what_the_field_says_at_its_vertices(shape: tuple[int, int, int] | None) -> None:
    params = field().initial()
    grid = field().volume(params, shape)
    assert tuple(grid.values.shape) == (1, *(shape or SHAPE))
    for index in ((1, 0, 0), (2, 3, 5), (2, 3, 7)):
        at = torch.tensor(index[::-1]) / (torch.tensor(grid.shape[::-1]) - 1)
        point = BOUNDS[0] + at * (BOUNDS[1] - BOUNDS[0])
        assert torch.allclose(field().density(params)(point[None])[0], grid.values[0][index], rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_every_channel_keeps_its_range(kind: str) -> None:
    outputs = ("positive", "share", "cosine", "radiance", "any")
    wide = NeuralField(SHAPE, BOUNDS, 2.0, settings=FieldSettings.of_kind(kind), outputs=outputs)  # type: ignore[arg-type]
    params = {name: 30 * value for name, value in wide.initial().items()}
    values = wide.function(params)(somewhere())
    assert values.shape == (200, 5)
    low, high = values.amin(0), values.amax(0)
    assert low[0] >= 0 and low[3] >= 0 and high[0] > 2 and high[3] > 2
    assert 0 <= low[1] < high[1] <= 1
    assert -1 <= low[2] < -0.2 < 0.2 < high[2] <= 1
    assert low[4] < -2


def test_the_encoding_of_a_place() -> None:
    """x, then sin(2^k pi x), then cos(2^k pi x)."""
    found = encoded(torch.tensor([[0.25, 0.0, 1.0]]), 2)[0]
    half = 0.5**0.5
    expected = [0.25, 0, 1, half, 0, 0, 1, 0, 0, half, 1, -1, 0, 1, 1]
    assert torch.allclose(found, torch.tensor(expected), atol=1e-6)


def test_points_come_in_any_dtype_and_number() -> None:
    values = field().function(field().initial())
    assert torch.allclose(values(somewhere().double()), values(somewhere()).double(), atol=1e-5)
    assert values(somewhere()[:0]).shape == (0, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_seeds(kind: str) -> None:
    made = [NeuralField(SHAPE, BOUNDS, 1.0, settings=FieldSettings.of_kind(kind, seed)) for seed in (0, 0, 1)]  # type: ignore[arg-type]
    one, same, other = (each.initial() for each in made)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["weight_0"], other["weight_0"])


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_every_parameter_also_through_a_grid(kind: str) -> None:
    """A slope along the gradient on a grid, against a difference."""
    made = NeuralField(SHAPE, BOUNDS, 1.0, settings=FieldSettings.of_kind(kind), outputs=("positive", "share"))  # type: ignore[arg-type]
    leaves = {name: value.double().requires_grad_(True) for name, value in made.initial().items()}

    def loss(params: dict[str, torch.Tensor]) -> torch.Tensor:
        grid = on_grid(lambda points: made.function(params)(points.double()), BOUNDS, (4, 5, 6))
        return grid.values.square().sum()

    gradients = dict(zip(leaves, torch.autograd.grad(loss(leaves), list(leaves.values())), strict=True))
    assert all(float(gradient.abs().max()) > 0 for gradient in gradients.values())
    length = sum(float(gradient.square().sum()) for gradient in gradients.values()) ** 0.5
    h = 1e-5
    ahead, behind = (
        float(loss({name: (value + sign * h / length * gradients[name]).detach() for name, value in leaves.items()}))
        for sign in (1, -1)
    )
    assert (ahead - behind) / (2 * h) == pytest.approx(length, rel=1e-5)
