"""Refinement: it lowers the loss, keeps the mesh sound, and answers nonsense with halved steps and a clear error."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from invrender.errors import DivergedError
from invrender.geometry.connectivity import is_closed_manifold
from invrender.methods.silhouette.refine import DIFFUSED, FARTHEST, Regulariser, Stage, objective
from invrender.methods.silhouette.target import Shape, iou_with, target_in
from invrender.parameters.frame import frame_of
from invrender.solve.loop import MOST_HALVINGS

STAGE = Stage(iterations=40, edge_length=0.14, rate=0.06, membrane=0.05)


@pytest.fixture(scope="module")
def problem(egg, views_of, backend):
    """A ball to start from, and the target of an egg."""
    target = target_in(frame_of(egg.numpy()[0]), views_of(egg), backend)
    vertices, faces = egg.numpy()
    return Shape(0.75 * vertices / np.linalg.norm(vertices, axis=1, keepdims=True), faces), target


def test_the_loss_falls_and_the_silhouettes_fit(problem, backend, refined):
    shape, target = problem
    before = iou_with(shape, target, backend)
    steps = list(refined(shape, target, [STAGE, dataclasses.replace(STAGE, rate=0.02)]))
    assert [step.index for step in steps] == list(range(80))
    assert {step.total for step in steps} == {80}
    assert steps[-1].terms["misfit"] < 0.1 * steps[0].terms["misfit"]
    assert before < 0.85
    assert steps[-1].terms["iou"] > 0.96
    end = steps[-1].estimate
    assert iou_with(end, target, backend) == pytest.approx(steps[-1].terms["iou"], abs=0.01)
    assert is_closed_manifold(end.faces)


def test_a_strong_membrane_shrinks_what_the_masks_do_not_hold(problem, refined):
    shape, target = problem

    def area(membrane: float) -> float:
        stage = dataclasses.replace(STAGE, membrane=membrane, iterations=25)
        *_, last = refined(shape, target, [stage])
        a, b, c = (last.estimate.vertices[last.estimate.faces[:, k]] for k in range(3))
        return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)

    assert area(80.0) < 0.8 * area(0.05)


def test_the_gradient_of_the_objective_against_central_differences(problem, backend):
    """Along a descent direction of the whole loss, in Large Steps coordinates; the kernels are in single precision."""
    shape, target = problem
    loss = objective(shape, target, STAGE, backend, Regulariser())
    u = loss.map.encode(torch.from_numpy(shape.vertices))
    grad = loss.value_and_grad({DIFFUSED: u}, torch.Generator())[1][DIFFUSED]
    direction = grad / grad.abs().max()
    h = 0.01
    after, before = (
        loss.value_and_grad({DIFFUSED: u + step * direction}, torch.Generator())[0]["loss"] for step in (h, -h)
    )
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


def test_a_loss_that_stays_not_finite_ends_with_an_error_after_some_halvings(problem, backend, refined):
    shape, target = problem
    broken, calls = spoiled(backend, lambda call: call > 3)
    with pytest.raises(DivergedError, match=f"the loss was nan at step 3 although .* halved {MOST_HALVINGS}") as error:
        list(refined(shape, target, [STAGE], by=broken))
    assert error.value.exit_code == 8
    assert "rate" in error.value.remedy
    # One before the first step, three steps that end well, one that does not; then the step before, and that one again.
    assert len(calls) == 1 + 3 + 1 + 2 * MOST_HALVINGS


def test_a_passing_fault_is_survived_with_a_shorter_step(problem, backend, refined):
    shape, target = problem
    stage = dataclasses.replace(STAGE, iterations=8)
    broken, calls = spoiled(backend, lambda call: call == 3)
    steps = list(refined(shape, target, [stage], by=broken))
    assert len(steps) == 8
    assert len(calls) == 1 + 8 + 2
    assert all(math.isfinite(step.terms["loss"]) for step in steps)
    assert all(np.isfinite(step.estimate.vertices).all() for step in steps)
    zeroth, first = (step.params[DIFFUSED] for step in steps[:2])
    current = steps[2].state.current
    assert torch.allclose(current.before.params[DIFFUSED] - zeroth, (first - zeroth) / 2, rtol=1e-6, atol=1e-12)
    assert steps[-1].state.current.halvings == 1


def test_a_vertex_a_hundred_boxes_away_is_a_lost_one(problem, backend):
    shape, target = problem
    loss = objective(shape, target, STAGE, backend, Regulariser())

    def value(distance: float) -> float:
        vertices = torch.from_numpy(shape.vertices.copy())
        vertices[7, 1] = distance
        return loss.value_and_grad({DIFFUSED: loss.map.encode(vertices)}, torch.Generator())[0]["loss"]

    assert math.isfinite(value(0.99 * FARTHEST))
    assert value(1.01 * FARTHEST) == math.inf
