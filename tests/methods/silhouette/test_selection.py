"""Leaving views out: fair folds, a sensible choice, and the hull as the result to beat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from invrender.methods.silhouette.refine import Regulariser, Stage, remeshed
from invrender.methods.silhouette.selection import (
    FEWEST_VIEWS,
    HELD_OUT,
    TRY,
    Choice,
    Fold,
    Trials,
    coarser,
    held_out,
)
from invrender.methods.silhouette.target import Shape, iou_with, target_in
from invrender.parameters.frame import frame_of
from invrender.solve.loop import Loop, Step
from invrender.solve.phase import Finished


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
    stages = [Stage(iterations=3, edge_length=0.2, rate=0.03, membrane=0.1)] * 2
    shape = remeshed(Shape(*egg.numpy()), stages[0].edge_length)
    return target, [Fold(target[train], target[test], shape) for train, test in held_out(8)], stages


def finished(trials: Trials) -> tuple[list[Step], Choice]:
    loop = Loop(trials.following)
    return list(loop), trials.choice(loop.state.finished)


def test_a_membrane_that_eats_the_object_is_not_chosen(problem, backend):
    _, folds, stages = problem
    steps, choice = finished(Trials(folds.__getitem__, (0.5, 3000.0, 6000.0), stages, backend, Regulariser()))
    assert choice.strength == 0.5
    assert set(choice.scores) == {0.5, 3000.0, 6000.0}
    assert choice.scores[3000.0] < choice.scores[0.5] - 0.02
    assert all(step.phase.title != "refine" for step in steps)
    assert not any(step.phase.recorded for step in steps)
    assert {step.total for step in steps} == {2 * 3}
    assert [step.index for step in steps] == len(steps) // 6 * list(range(6))


def test_one_fold_is_enough_where_the_default_is_not_beaten(problem, backend):
    _, folds, stages = problem
    asked = []
    trials = Trials(
        lambda number: asked.append(number) or folds[number], (0.5, 1.0, 3000.0), stages, backend, Regulariser()
    )
    steps, choice = finished(trials)
    assert choice.strength == 1.0
    assert choice.scores[3000.0] < choice.scores[1.0] - 0.02
    assert (asked, len(steps)) == ([0], 3 * 2 * 3)


def test_other_folds_and_stronger_candidates_are_tried_where_they_promise_more(problem, backend):
    """The default eats the object here, and weaker membranes are better still: the search goes on to the last."""
    _, folds, stages = problem
    ladder = (0.5, 20.0, 100.0, 500.0, 2500.0)
    steps, choice = finished(Trials(folds.__getitem__, ladder, stages, backend, Regulariser()))
    assert choice.strength == 0.5
    assert set(choice.scores) == set(ladder[:4])
    assert len(steps) > 3 * 2 * 2 * 3


def test_the_hull_wins_where_it_is_right(problem, backend):
    """The first shapes are the object itself, which no refinement under a strong membrane can beat."""
    target, folds, stages = problem
    scored = [replace(fold, hull_score=iou_with(fold.shape, fold.test, backend)) for fold in folds]
    _, choice = finished(Trials(scored.__getitem__, (3000.0,), stages, backend, Regulariser()))
    assert choice.hull_score == pytest.approx(iou_with(folds[0].shape, target, backend), abs=0.01)
    assert choice.hull_score > 0.97
    assert not choice.refinement_helps
    assert finished(Trials(folds.__getitem__, (3000.0,), stages, backend, Regulariser()))[1].refinement_helps


@pytest.mark.parametrize(("lead", "chosen"), [(0.004, 1.0), (0.006, 1.4)])
def test_another_strength_has_to_be_clearly_ahead_in_both_folds_together(problem, backend, lead, chosen):
    _, folds, stages = problem
    stages, scores = stages[:1], {0.7: 0.9, 1.0: 0.95, 1.4: 0.95 + lead}
    trials = Trials(folds.__getitem__, tuple(scores), stages, backend, Regulariser())
    done: list[Finished] = []
    while (phase := trials.following(done)) is not None:
        strength = float(phase.title.removeprefix("try smoothness "))
        done.append(Finished(TRY, phase.steps, {}, {HELD_OUT: scores[strength]}))
    assert trials.choice(done).strength == chosen
    assert len(done) == (6 if chosen == 1.4 else 3)


@pytest.mark.parametrize("believed", [False, True])
def test_coarser_views_average_what_is_believed(egg, views_of, believed):
    views = views_of(egg, 5, 42)
    views = replace(views, masks=views.masks[:, :, :41])
    if believed:
        confidence = (torch.rand(views.masks.shape, generator=torch.Generator().manual_seed(0)) > 0.3).float()
        views = replace(views, confidence=confidence, masks=torch.where(confidence > 0, views.masks, 0.5))
    small = coarser(views, 2)
    assert small.masks.shape == (5, 21, 21)
    assert small.cameras.size == (21, 21)
    inner = (small.masks - coarser(replace(views, confidence=None), 2).masks).abs()
    assert float(small.masks.max()) <= 1
    assert bool(inner.any()) is believed
    if not believed:
        expected = views.masks[:, :42:2, 0] / 2 + views.masks[:, 1:42:2, 0] / 2
        assert small.masks[:, :, 0] == pytest.approx(
            (expected + views.masks[:, ::2, 1] / 2 + views.masks[:, 1::2, 1] / 2) / 2
        )
