"""How strong the membrane should be for this object, by leaving views out.

Each candidate weight reconstructs the object from most of the views and is scored by the silhouettes of the others; the
visual hull of the same views is scored too, as the result to beat. Only the input's own views take part.

A view left out sits in a gap twice as wide as any in the full set, where the hull has more to take off. So the weight
that wins there is too strong for all views together; half of it is the one to use. (Kettle, tree, avocado and teapot
from 12 views: the winner among the held-out scores was 1 to 2 times, the truth 0.5 to 1 times the weights of `refine`.)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from invrender.kernels import Backend
from invrender.methods.silhouette.refine import Regulariser, Shape, Stage, Step, Target, iou_with, refine, remeshed

FEWEST_VIEWS = 5  # below this, leaving views out changes the problem too much to learn from it
FOLDS = 2
NOISE = 0.001  # of a held-out IoU: what another triangulation of the same surface changes, and a little more
GAP = 2.0  # how much wider than usual the gap is in which a held-out view lies


@dataclass(frozen=True)
class Choice:
    """What leaving views out has shown.

    Attributes:
        strength: the factor on the membrane weights to use with all views.
        scores: held-out IoU per candidate strength, averaged over the folds.
        hull_score: held-out IoU of the visual hull; None where it was not compared.
    """

    strength: float
    scores: dict[float, float]
    hull_score: float | None

    @property
    def refinement_helps(self) -> bool:
        """Whether refinement predicts unseen silhouettes better than the hull does."""
        return self.hull_score is None or max(self.scores.values(), default=1.0) > self.hull_score


@dataclass(frozen=True)
class Fold:
    """Views to learn from, views to test on, and the first shape (built from the former alone)."""

    train: Target
    test: Target
    shape: Shape


def held_out(views: int, folds: int = FOLDS) -> list[tuple[list[int], list[int]]]:
    """(train, test) view numbers per fold; about a quarter of the views are left out, evenly spread, never the same."""
    every = max(3, min(4, views // 2))
    tests = [list(range(1 + 2 * fold, views, every)) for fold in range(folds)]
    return [([view for view in range(views) if view not in test], test) for test in tests if test]


def choose_strength(
    folds: Sequence[Fold],
    ladder: Sequence[float],
    stages: Sequence[Stage],
    backend: Backend,
    regulariser: Regulariser,
    compare_hull: bool = True,
) -> Generator[Step, None, Choice]:
    """Climb a ladder of strengths from its middle, in the direction in which held-out views are predicted better.

    The middle is the default; another strength has to beat it by more than NOISE.

    Yields the steps taken and returns a Choice: `choice = yield from choose_strength(...)`.
    """
    hull = [iou_with(fold.shape, fold.test, backend) for fold in folds] if compare_hull else None
    begin = [remeshed(fold.shape, stages[0]) for fold in folds] if stages else [fold.shape for fold in folds]
    folds = [dataclasses.replace(fold, shape=shape) for fold, shape in zip(folds, begin, strict=True)]
    scores: dict[float, float] = {}
    for at in _climb(ladder, scores):
        scores[at] = yield from _try(at, folds, stages, backend, regulariser)
    best, default = max(scores, key=lambda strength: scores[strength]), ladder[len(ladder) // 2]
    if scores[best] < scores[default] + NOISE:
        best = default
    return Choice(best, scores, None if hull is None else float(np.mean(hull)))


def _climb(ladder: Sequence[float], scores: Mapping[float, float]) -> Iterator[float]:
    """The strengths to try: the middle and its neighbours, then on from the best while that is at the rim."""
    middle = len(ladder) // 2
    yield from ladder[max(middle - 1, 0) : middle + 2]
    while True:
        best = ladder.index(max(scores, key=lambda strength: scores[strength]))
        if scores[ladder[best]] < scores[ladder[middle]] + NOISE:
            return
        beside = [ladder[k] for k in (best - 1, best + 1) if 0 <= k < len(ladder) and ladder[k] not in scores]
        if not beside:
            return
        yield beside[0]


def _try(
    strength: float, folds: Sequence[Fold], stages: Sequence[Stage], backend: Backend, regulariser: Regulariser
) -> Generator[Step, None, float]:
    """Reconstruct every fold GAP times as strongly held together (see above); return the mean held-out IoU.

    The folds' shapes have the first stage's triangles.
    """
    scaled = [dataclasses.replace(stage, membrane=stage.membrane * strength * GAP) for stage in stages]
    results = []
    for turn, fold in enumerate(folds):
        shape = fold.shape
        for step in refine(shape, fold.train, scaled, backend, regulariser, f"try smoothness {strength:g}", True):
            shape = step.shape
            yield dataclasses.replace(step, index=turn * step.total + step.index, total=len(folds) * step.total)
        results.append(iou_with(shape, fold.test, backend))
    return float(np.mean(results))
