"""Leaving views out: fair folds, a sensible choice, and the hull as the result to beat."""

from __future__ import annotations

import numpy as np
import pytest

from invrender.methods.silhouette.refine import Regulariser, Stage, remeshed
from invrender.methods.silhouette.selection import FEWEST_VIEWS, Choice, Fold, Trials, held_out
from invrender.methods.silhouette.target import Shape, iou_with, target_in
from invrender.parameters.frame import frame_of
from invrender.solve.loop import Loop, Step


@pytest.mark.parametrize("views", range(FEWEST_VIEWS, 40))
def test_folds_leave_out_different_views_and_keep_most(views):
    folds = held_out(views)
    assert len(folds) == 2
    for train, test in folds:
        assert sorted(train + test) == list(range(views))
        assert 1 <= len(test) <= views / 2
    assert not set(folds[0][1]) & set(folds[1][1])


@pytest.mark.parametrize("views", [12, 24])
def test_views_left_out_are_spread_and_have_neighbours(views):
    for _, test in held_out(views):
        gaps = np.diff([*test, test[0] + views])
        assert gaps.min() >= 2
        assert gaps.max() - gaps.min() <= 2


@pytest.fixture(scope="module")
def problem(egg, views_of, backend):
    target = target_in(frame_of(egg.numpy()[0]), views_of(egg, 8, 40), backend)
    stages = [Stage(iterations=8, edge_length=0.2, rate=0.03, membrane=0.1)]
    shape = remeshed(Shape(*egg.numpy()), stages[0].edge_length)
    return target, [Fold(target[train], target[test], shape) for train, test in held_out(8)], stages


def finished(trials: Trials, hull_score: float | None) -> tuple[list[Step], Choice]:
    loop = Loop(trials.following)
    return list(loop), trials.choice(loop.state.finished, hull_score)


def test_a_membrane_that_eats_the_object_is_not_chosen(problem, backend):
    _, folds, stages = problem
    steps, choice = finished(Trials(folds, (0.5, 1.0, 3000.0), stages, backend, Regulariser()), None)
    assert choice.strength in (0.5, 1.0)
    assert set(choice.scores) == {0.5, 1.0, 3000.0}
    assert choice.scores[3000.0] < choice.scores[choice.strength] - 0.05
    assert len(steps) == 3 * 2 * 8
    assert all(step.phase.title != "refine" for step in steps)
    assert not any(step.phase.recorded for step in steps)
    assert [step.index for step in steps] == 3 * list(range(2 * 8))
    assert {step.total for step in steps} == {2 * 8}


def test_the_hull_wins_where_it_is_right(problem, backend):
    """The first shapes are the object itself, which no refinement under a strong membrane can beat."""
    target, folds, stages = problem
    hull_score = float(np.mean([iou_with(fold.shape, fold.test, backend) for fold in folds]))
    trials = Trials(folds, (3000.0,), stages, backend, Regulariser())
    _, choice = finished(trials, hull_score)
    assert choice.hull_score == pytest.approx(iou_with(folds[0].shape, target, backend), abs=0.01)
    assert choice.hull_score > 0.97
    assert not choice.refinement_helps
    assert finished(trials, None)[1].refinement_helps
