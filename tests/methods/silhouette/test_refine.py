"""Refinement: it lowers the loss, keeps the mesh sound, and answers nonsense with halved steps and a clear error."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from invrender.errors import DivergedError
from invrender.geometry.connectivity import is_closed_manifold
from invrender.methods.silhouette.refine import MOST_HALVINGS, Regulariser, Shape, Stage, iou_with, objective, refine
from invrender.methods.silhouette.schedule import target_in
from invrender.parameters.frame import frame_of

STAGE = Stage(iterations=40, edge_length=0.14, rate=0.06, membrane=0.05)


@pytest.fixture(scope="module")
def problem(egg, views_of, backend):
    """A ball to start from, and the target of an egg."""
    target = target_in(frame_of(egg.numpy()[0]), views_of(egg), backend)
    vertices, faces = egg.numpy()
    return Shape(0.75 * vertices / np.linalg.norm(vertices, axis=1, keepdims=True), faces), target


def test_the_loss_falls_and_the_silhouettes_fit(problem, backend):
    shape, target = problem
    before = iou_with(shape, target, backend)
    steps = list(refine(shape, target, [STAGE, dataclasses.replace(STAGE, rate=0.02)], backend, Regulariser()))
    assert [step.index for step in steps] == list(range(80))
    assert {step.total for step in steps} == {80}
    assert steps[-1].terms["misfit"] < 0.1 * steps[0].terms["misfit"]
    assert before < 0.85
    assert steps[-1].terms["iou"] > 0.96
    assert iou_with(steps[-1].shape, target, backend) == pytest.approx(steps[-1].terms["iou"], abs=0.01)
    assert is_closed_manifold(steps[-1].shape.faces)


def test_a_strong_membrane_shrinks_what_the_masks_do_not_hold(problem, backend):
    shape, target = problem

    def area(membrane: float) -> float:
        stage = dataclasses.replace(STAGE, membrane=membrane, iterations=25)
        *_, last = refine(shape, target, [stage], backend, Regulariser())
        a, b, c = (last.shape.vertices[last.shape.faces[:, k]] for k in range(3))
        return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)

    assert area(80.0) < 0.8 * area(0.05)


def test_the_gradient_of_the_objective_against_central_differences(problem, backend):
    """Along a descent direction of the whole loss, in Large Steps coordinates; the kernels are in single precision."""
    shape, target = problem
    loss = objective(shape, target, STAGE, backend, Regulariser())
    u = loss.map.encode(torch.from_numpy(shape.vertices))
    _, grad, _ = loss(u)
    direction = grad / grad.abs().max()
    h = 0.01
    after, before = (loss(u + step * direction)[2]["loss"] for step in (h, -h))
    assert float((grad * direction).sum()) == pytest.approx((after - before) / (2 * h), rel=0.03)


def spoiled(backend, bad_calls):
    """The backend with a misfit that is not finite in the given calls; and the list of calls."""
    calls: list[int] = []

    def prepare(*given):
        compare = backend.silhouette_misfit(*given)

        def broken(vertices, matrices):
            calls.append(len(calls))
            misfit, gradient, iou = compare(vertices, matrices)
            return (misfit * math.nan if bad_calls(calls[-1]) else misfit), gradient, iou

        return broken

    return dataclasses.replace(backend, silhouette_misfit=prepare), calls


def test_a_loss_that_stays_not_finite_ends_with_an_error_after_some_halvings(problem, backend):
    shape, target = problem
    broken, calls = spoiled(backend, lambda call: call > 3)
    steps = refine(shape, target, [STAGE], broken, Regulariser())
    with pytest.raises(DivergedError, match="not finite at step 3") as error:
        list(steps)
    assert error.value.exit_code == 8
    assert "rate" in error.value.remedy
    assert len(calls) == 1 + 3 + MOST_HALVINGS + 1


def test_a_passing_fault_is_survived_with_a_shorter_step(problem, backend):
    shape, target = problem
    stage = dataclasses.replace(STAGE, iterations=8)
    broken, calls = spoiled(backend, lambda call: call in (3, 4))
    steps = list(refine(shape, target, [stage], broken, Regulariser()))
    assert len(steps) == 8
    assert len(calls) == 1 + 8 + 2
    assert all(math.isfinite(step.terms["loss"]) for step in steps)
    assert all(np.isfinite(step.shape.vertices).all() for step in steps)
    whole = list(refine(shape, target, [stage], backend, Regulariser()))
    moves = [np.abs(run[2].shape.vertices - run[1].shape.vertices).max() for run in (steps, whole)]
    assert moves[0] == pytest.approx(moves[1] / 4, rel=1e-6)
