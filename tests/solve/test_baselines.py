"""OS-SART, ASD-POCS, direct and timed solvers on problems whose answers are known."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from invrender.solve.asd_pocs import AsdPocs, total_variation_gradient
from invrender.solve.cgls import Cgls
from invrender.solve.direct import Direct
from invrender.solve.loop import Loop
from invrender.solve.os_sart import OsSart
from invrender.solve.phase import Phase, Start
from invrender.solve.sirt import inverse_sums, row_weights
from invrender.solve.timed import SECONDS, timed

SHAPE = (4, 4, 4)


def drawn(*size, seed=0):
    return torch.rand(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def in_parts(linear, matrix, target, count, shape):
    """Every so-manieth row as a part, weighed by its inverse row sums, and the inverse column sums."""
    parts, columns = [], []
    zeros = {"x": torch.zeros(shape).double()}
    for first in range(count):
        part = linear(matrix[first::count], target[first::count], shape=shape)
        part = dataclasses.replace(part, weight=row_weights(part, zeros))
        parts.append(part)
        columns.append({"x": inverse_sums(part.vjp(torch.ones_like(part.target))["x"])})
    return tuple(parts), tuple(columns)


@pytest.mark.parametrize("count", [1, 3])
def test_os_sart_finds_what_explains_all_subsets(linear, run, count):
    matrix, truth = drawn(30, 6), drawn(6, seed=1)
    parts, columns = in_parts(linear, matrix, matrix @ truth, count, (6,))
    found, told = run(OsSart(columns, reduction=1.0), parts, {"x": torch.zeros(6).double()}, 1500)
    assert torch.allclose(found["x"], truth, atol=1e-3)
    assert told[-1]["misfit"] < 1e-6 * told[0]["misfit"]


def test_more_subsets_come_further_in_one_pass(linear, run):
    matrix, truth = drawn(32, 6), drawn(6, seed=1)
    off = []
    for count in (1, 8):
        parts, columns = in_parts(linear, matrix, matrix @ truth, count, (6,))
        off.append(float((run(OsSart(columns), parts, {"x": torch.zeros(6).double()}, 20)[0]["x"] - truth).norm()))
    assert off[1] < off[0] / 2


def test_os_sart_stays_above_zero_and_relaxes_more_and_more(linear, run):
    matrix, target = drawn(12, 4), -drawn(12, seed=2)
    parts, columns = in_parts(linear, matrix, target, 2, (4,))
    solver = OsSart(columns, relaxation=0.8, reduction=0.5)
    assert run(solver, parts, {"x": torch.ones(4).double()}, 40)[0]["x"].min() >= 0
    state = solver.init(parts, {})
    assert state.relaxation == 0.8
    _, state, _ = solver.step(parts, {"x": torch.ones(4).double()}, state, torch.Generator())
    assert state.relaxation == 0.4


def test_the_gradient_of_the_total_variation_is_its_derivative():
    grid = drawn(3, 4, 5).requires_grad_()
    steps = [torch.zeros(3, 4, 5).double() for _ in range(3)]
    for axis in range(3):
        steps[axis].narrow(axis, 0, grid.shape[axis] - 1).copy_(grid.diff(dim=axis))
    # At the last corner all differences are 0, and the root has no derivative.
    squares = sum(step.square() for step in steps).flatten()[:-1]
    (expected,) = torch.autograd.grad(squares.sqrt().sum(), grid)
    assert torch.allclose(total_variation_gradient(grid.detach()), expected)
    assert not bool(total_variation_gradient(torch.full((3, 4, 5), 2.0)).any())


def test_asd_pocs_takes_noise_off_a_block(linear, run):
    """Every value is measured by itself, with an error: OS-SART gives it back, ASD-POCS what is flat to within it."""
    shape = (6, 6, 6)
    truth = torch.zeros(shape).double()
    truth[1:5, 1:5, 1:5] = 1
    noise = 0.1 * (drawn(216, seed=3) - 0.5)
    parts, columns = in_parts(linear, torch.eye(216).double(), truth.flatten() + noise, 4, shape)
    zeros = {"x": torch.zeros(shape).double()}
    plain = run(OsSart(columns), parts, zeros, 60)[0]["x"]
    found = run(AsdPocs(columns, float(noise.norm())), parts, zeros, 60)[0]["x"]
    rough = [sum(float(grid.diff(dim=axis).abs().sum()) for axis in range(3)) for grid in (plain, found)]
    assert rough[1] < 0.95 * rough[0]
    assert float((found - truth - noise.reshape(shape)).norm()) < 1.5 * float(noise.norm())
    assert float(found.min()) >= 0


def test_asd_pocs_stops_when_descent_and_data_pull_against_each_other(linear):
    matrix, truth = drawn(90, 64), torch.ones(SHAPE).double()
    parts, columns = in_parts(linear, matrix, matrix @ truth.flatten(), 2, SHAPE)
    solver = AsdPocs(columns, 1e3, relaxation=0.006)
    params = {"x": 0.5 * truth}
    state = solver.init(parts, params)
    steps = 0
    while not state.converged:
        params, state, _ = solver.step(parts, params, state, torch.Generator())
        steps += 1
    assert 1 < steps < 30


def test_a_direct_solver_gives_its_answer_whatever_it_starts_from(linear, run):
    objective = linear(torch.eye(2).double(), torch.tensor([1.0, -2.0]).double())
    answer = {"x": torch.tensor([1.0, 0.0]).double()}
    found, told = run(Direct(lambda: answer), objective, {"x": torch.zeros(2).double()}, 1)
    assert found is answer
    assert told == [{"misfit": 2.0}]


def test_a_timed_phase_does_the_same_and_counts_the_time(linear):
    objective = linear(drawn(40, 9), drawn(40, seed=1))
    phase = Phase(
        "x", "x", 5, lambda: Start({"x": torch.zeros(9).double()}), objective, Cgls(), lambda params: params["x"],
        result=lambda params, state: dict(params), measures=lambda params, state: {"length": state.length},
    )  # fmt: skip
    ended = []
    for each in (phase, timed(phase, 7.0)):
        loop = Loop(lambda finished, each=each: None if finished else each)
        for _ in loop:
            pass
        ended.append(loop.state.finished[0])
    assert torch.equal(ended[0].result["x"], ended[1].result["x"])
    assert ended[0].measures["length"] == ended[1].measures["length"]
    assert 7.0 < ended[1].measures[SECONDS] < 8.0
