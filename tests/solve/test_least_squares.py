"""CGLS, SIRT and FISTA on small least-squares problems whose answers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.optimize import nnls

from invrender.backends.torch.smooth_step import smooth_step
from invrender.solve.cgls import Cgls
from invrender.solve.fista import Fista
from invrender.solve.sirt import Sirt, inverse_sums, row_weights

NO_SMOOTHING = (0.0, 1.0)


def drawn(*size, seed=0, kind=torch.float64):
    return torch.rand(*size, generator=torch.Generator().manual_seed(seed), dtype=kind)


def weighted_answer(objective):
    """The unconstrained minimum, by numpy."""
    root = objective.weight.sqrt().numpy()
    return np.linalg.lstsq(root[:, None] * objective.matrix.numpy(), root * objective.target.numpy(), rcond=None)[0]


# --- CGLS -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unknowns", [1, 3, 6])
def test_cgls_solves_a_weighted_system_in_as_many_steps_as_it_has_unknowns(linear, run, unknowns):
    objective = linear(drawn(9, unknowns) - 0.5, drawn(9, seed=1), 0.1 + drawn(9, seed=2))
    found, told = run(Cgls(), objective, {"x": torch.zeros(unknowns).double()}, unknowns)
    assert np.allclose(found["x"].numpy(), weighted_answer(objective), atol=1e-9)
    misfits = [terms["misfit"] for terms in told]
    assert misfits == sorted(misfits, reverse=True)
    assert misfits[0] == pytest.approx(float((objective.weight * objective.target.square()).sum()) / 2)


def test_cgls_stays_where_it_has_arrived(linear, run):
    objective = linear(torch.eye(2).double(), torch.tensor([1.0, -2.0]).double())
    found, _ = run(Cgls(), objective, {"x": torch.zeros(2).double()}, 5)
    assert found["x"].tolist() == [1.0, -2.0]


def test_cgls_with_half_the_scale_takes_half_the_first_step(linear, run):
    objective = linear(drawn(5, 3), drawn(5, seed=1))
    whole, half = (run(Cgls(scale), objective, {"x": torch.zeros(3).double()}, 1)[0]["x"] for scale in (1.0, 0.5))
    assert torch.allclose(half, whole / 2, rtol=1e-12)


# --- SIRT -------------------------------------------------------------------------------------------------------------


def sirt_objective(linear, matrix, target):
    objective = linear(matrix, target)
    return linear(matrix, target, row_weights(objective, {"x": torch.zeros(matrix.shape[1]).double()}))


def test_sirt_finds_the_answer_of_a_consistent_system(linear, run):
    matrix, truth = drawn(8, 4), torch.tensor([0.5, 0.0, 2.0, 1.0]).double()
    objective = sirt_objective(linear, matrix, matrix @ truth)
    found, told = run(Sirt(), objective, {"x": torch.zeros(4).double()}, 2000)
    assert torch.allclose(found["x"], truth, atol=1e-6)
    assert told[-1]["misfit"] < 1e-12 * told[0]["misfit"]


def test_sirt_stays_above_zero_where_the_answer_lies_below(linear, run):
    objective = sirt_objective(linear, torch.eye(3).double() + 0.1, torch.tensor([1.0, -1.0, 0.5]).double())
    found, _ = run(Sirt(), objective, {"x": torch.ones(3).double()}, 500)
    root = objective.weight.sqrt().numpy()
    expected, _ = nnls(root[:, None] * objective.matrix.numpy(), root * objective.target.numpy())
    assert found["x"].numpy() == pytest.approx(expected, abs=1e-6)
    assert float(found["x"][1]) == 0


def test_sirt_with_half_the_scale_takes_half_the_step(linear, run):
    objective = sirt_objective(linear, drawn(5, 3), drawn(5, seed=1))
    whole, half = (run(Sirt(scale), objective, {"x": torch.zeros(3).double()}, 1)[0]["x"] for scale in (1.0, 0.5))
    assert float(whole.min()) > 0
    assert torch.allclose(half, whole / 2, rtol=1e-12)


def test_rows_and_columns_that_are_next_to_nothing_take_no_part():
    assert inverse_sums(torch.tensor([2.0, 1e-5, 0.0, 0.5])).tolist() == [0.5, 0.0, 0.0, 2.0]
    assert inverse_sums(torch.zeros(3)).tolist() == [0.0] * 3
    assert len(inverse_sums(torch.zeros(0))) == 0


# --- FISTA ------------------------------------------------------------------------------------------------------------


def majoriser(objective):
    """A' W A 1 for a matrix without negative entries."""
    ones = {"x": torch.ones(objective.shape, dtype=objective.matrix.dtype)}
    return objective.vjp(objective.weight * objective.jvp(ones))["x"]


def test_fista_solves_a_diagonal_system_at_once(linear, run):
    scale, target = drawn(8, seed=1) + 0.1, drawn(8, seed=2) - 0.5
    objective = linear(torch.diag(scale), target, 0.5 + drawn(8, seed=3), (2, 2, 2))
    solver = Fista(majoriser(objective), NO_SMOOTHING, smooth_step)
    found, _ = run(solver, objective, {"x": torch.ones(2, 2, 2).double()}, 1)
    assert torch.allclose(found["x"].reshape(-1), (target / scale).clamp(min=0), atol=1e-12)


def test_fista_finds_the_non_negative_answer(linear, run):
    objective = linear(drawn(12, 6), drawn(12, seed=1) * 2, 0.5 + drawn(12, seed=2), (1, 2, 3))
    solver = Fista(majoriser(objective), NO_SMOOTHING, smooth_step)
    found, told = run(solver, objective, {"x": torch.ones(1, 2, 3).double()}, 1500)
    root = objective.weight.sqrt().numpy()
    expected, _ = nnls(root[:, None] * objective.matrix.numpy(), root * objective.target.numpy())
    assert 0 < (expected == 0).sum() < 6  # or it would not be about the constraint
    assert found["x"].reshape(-1).numpy() == pytest.approx(expected, abs=1e-6)
    assert told[-1]["misfit"] <= told[100]["misfit"] <= told[10]["misfit"] <= told[0]["misfit"]


def test_momentum_is_faster(linear, run):
    """Two unknowns that are hard to tell apart."""
    matrix = torch.tensor([[1.0, 1.0], [1.0, 0.9]]).double()
    truth = torch.tensor([2.0, 1.0]).double()
    objective = linear(matrix, matrix @ truth, shape=(1, 1, 2))

    def off(most_momentum: float) -> float:
        solver = Fista(majoriser(objective), NO_SMOOTHING, smooth_step, most_momentum)
        found, _ = run(solver, objective, {"x": torch.zeros(1, 1, 2).double()}, 400)
        return float((found["x"].reshape(-1) - truth).norm())

    assert off(1.0) < 0.2 * off(0.0)


def test_total_variation_moves_two_neighbours_together_by_its_weight(linear, run):
    """1/2 (x - 1)^2 + 1/2 (y - 2)^2 + 0.2 |x - y| is least at 1.2 and 1.8."""
    objective = linear(torch.eye(2).double(), torch.tensor([1.0, 2.0]).double(), shape=(1, 1, 2))
    solver = Fista(majoriser(objective), (0.2, 1e-2), smooth_step)
    found, _ = run(solver, objective, {"x": torch.zeros(1, 1, 2).double()}, 300)
    assert found["x"].reshape(-1).tolist() == pytest.approx([1.2, 1.8], abs=1e-4)


def test_infinite_curvature_holds_a_voxel(linear, run):
    objective = linear(torch.eye(2).double(), torch.tensor([1.0, 2.0]).double(), shape=(1, 1, 2))
    solver = Fista(torch.tensor([[[1.0, math.inf]]]).double(), NO_SMOOTHING, smooth_step)
    found, _ = run(solver, objective, {"x": torch.tensor([[[0.3, 0.3]]]).double()}, 5)
    assert found["x"].reshape(-1).tolist() == pytest.approx([1.0, 0.3])


def test_fista_with_half_the_scale_takes_half_the_step(linear, run):
    objective = linear(drawn(5, 3), drawn(5, seed=1), shape=(1, 1, 3))
    start = {"x": torch.ones(1, 1, 3).double()}
    whole, half = (
        run(Fista(majoriser(objective), NO_SMOOTHING, smooth_step, scale=scale), objective, start, 1)[0]["x"] - 1
        for scale in (1.0, 0.5)
    )
    assert float(whole.min()) > -1
    assert torch.allclose(half, whole / 2, rtol=1e-12)
