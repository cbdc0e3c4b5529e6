"""The neural field: a density that is not negative, zero outside, the same on the grid and along rays."""

from __future__ import annotations

import torch

from invrender.parameters.neural_field import FieldSettings, NeuralField

SHAPE = (5, 6, 8)
BOUNDS = torch.tensor([[-1.0, 0.0, 2.0], [1.0, 3.0, 4.0]])


def field(seed: int = 0) -> NeuralField:
    support = torch.ones(SHAPE, dtype=torch.bool)
    support[0, 0] = False
    return NeuralField(SHAPE, BOUNDS, 2.5, support, FieldSettings(seed=seed))


def test_densities_are_positive_on_the_support_and_zero_off_it() -> None:
    density = field().decode(field().initial())
    assert density.shape == SHAPE
    assert bool((density[field().support] > 0).all())
    assert bool((density[0, 0] == 0).all())


def test_densities_follow_the_level() -> None:
    one = field()
    double = NeuralField(one.shape, one.bounds, 2 * one.level, one.support, one.settings)
    assert torch.equal(double.decode(double.initial()), 2 * one.decode(one.initial()))


def test_points_outside_the_box_are_empty() -> None:
    points = torch.tensor([[0.0, 1.0, 3.0], [1.01, 1.0, 3.0], [0.0, -0.1, 3.0], [0.0, 1.0, 4.5]])
    assert (field().density(field().initial())(points) > 0).tolist() == [True, False, False, False]


def test_the_grid_holds_what_the_field_says_at_its_vertices() -> None:
    params = field().initial()
    grid = field().decode(params)
    for index in ((1, 0, 0), (2, 3, 5), (4, 5, 7)):
        at = torch.tensor(index[::-1]) / (torch.tensor(SHAPE[::-1]) - 1)
        point = BOUNDS[0] + at * (BOUNDS[1] - BOUNDS[0])
        assert torch.allclose(field().density(params)(point[None])[0], grid[index], rtol=1e-5)


def test_seeds() -> None:
    one, same, other = (field(seed).initial() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["latents"], other["latents"])


def test_gradients_reach_every_parameter() -> None:
    leaves = {name: value.requires_grad_(True) for name, value in field().initial().items()}
    points = BOUNDS[0] + torch.rand(200, 3, generator=torch.Generator().manual_seed(0)) * (BOUNDS[1] - BOUNDS[0])
    field().density(leaves)(points).sum().backward()
    assert all(value.grad is not None and float(value.grad.abs().max()) > 0 for value in leaves.values())
