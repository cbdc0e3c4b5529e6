"""Leaving views out: fair folds, a sensible choice, and the hull as the result to beat."""

from __future__ import annotations

import numpy as np
import pytest

from invrender.methods.silhouette.refine import Regulariser, Shape, Stage, iou_with
from invrender.methods.silhouette.schedule import target_in
from invrender.methods.silhouette.selection import FEWEST_VIEWS, Choice, Fold, choose_strength, held_out
from invrender.parameters.frame import frame_of


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
    folds = [Fold(target[train], target[test], Shape(*egg.numpy())) for train, test in held_out(8)]
    stages = [Stage(iterations=8, edge_length=0.2, rate=0.03, membrane=0.1)]
    return target, folds, stages


def finished(steps) -> tuple[list, Choice]:
    taken = []
    while True:
        try:
            taken.append(next(steps))
        except StopIteration as end:
            return taken, end.value


def test_a_membrane_that_eats_the_object_is_not_chosen(problem, backend):
    _, folds, stages = problem
    steps, choice = finished(choose_strength(folds, (0.5, 1.0, 3000.0), stages, backend, Regulariser()))
    assert choice.strength in (0.5, 1.0)
    assert set(choice.scores) == {0.5, 1.0, 3000.0}
    assert choice.scores[3000.0] < choice.scores[choice.strength] - 0.05
    assert len(steps) == 3 * 2 * 8
    assert all(step.phase != "refine" for step in steps)
    assert all(0 <= step.index < step.total for step in steps)


def test_the_hull_is_scored_too_and_wins_where_it_is_right(problem, backend):
    """The first shapes are the object itself, which no refinement under a strong membrane can beat."""
    target, folds, stages = problem
    _, choice = finished(choose_strength(folds, (3000.0,), stages, backend, Regulariser()))
    assert choice.hull_score == pytest.approx(iou_with(folds[0].shape, target, backend), abs=0.01)
    assert choice.hull_score > 0.97
    assert not choice.refinement_helps
    alone = choose_strength(folds, (3000.0,), stages, backend, Regulariser(), compare_hull=False)
    assert finished(alone)[1].refinement_helps
