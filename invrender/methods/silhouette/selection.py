"""How strong the membrane should be for this object, by leaving views out.

Each candidate weight reconstructs the object from most of the views and is scored by the silhouettes of the others; the
visual hull of the same views is scored too, as the result to beat. Only the input's own views take part.

A view left out sits in a gap twice as wide as any in the full set, where the hull has more to take off. So the weight
that wins there is too strong for all views together; half of it is the one to use. (Kettle, tree, avocado and teapot
from 12 views: the winner among the held-out scores was 1 to 2 times, the truth 0.5 to 1 times the weights of `refine`.)
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from invrender.kernels import Backend
from invrender.methods.silhouette.refine import Regulariser, Stage, remeshed, shape_of, stage_phase, steps_before
from invrender.methods.silhouette.target import Shape, Target, iou_with
from invrender.ranks.calls import Aside, count
from invrender.run import stop
from invrender.solve.adam_uniform import UniformAdam
from invrender.solve.loop import Loop
from invrender.solve.phase import Finished, Phase, Start

FEWEST_VIEWS = 5  # below this, leaving views out changes the problem too much to learn from it
FOLDS = 2
FIRST = 3  # strengths that are tried in any case
TRY, HELD_OUT = "try", "held_out_iou"  # the name of a trial's phases, and of the measure that its last one leaves
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


@dataclass
class Others:
    """Trials that other ranks do: which, by strength and number of the fold; and what they have found."""

    jobs: list[tuple[float, int]] = field(default_factory=list)
    scores: dict[tuple[float, int], float] = field(default_factory=dict)
    work: Aside | None = None

    def send_out(
        self, jobs: list[tuple[float, int]], common: tuple[Any, ...], items: Sequence[tuple[Fold, float]]
    ) -> None:
        """Have jobs done; each is to be asked for later."""
        self.jobs, self.work = jobs, Aside(_score_of, common, items)

    def score(self, strength: float, number: int) -> float:
        """Of a job: held-out IoU."""
        if self.work is not None:
            self.scores.update(zip(self.jobs, self.work.collected(), strict=True))
            self.work = None
        return self.scores[strength, number]


@dataclass(frozen=True)
class Trials:
    """Reconstructions of every fold, with one strength after the other.

    Attributes:
        folds: their shapes have the first stage's triangles.
        ladder: strengths to try, in ascending order; the middle one is the default.
        stages: of each trial, at strength 1.
        backend, regulariser: see `refine`.
    """

    folds: Sequence[Fold]
    ladder: Sequence[float]
    stages: Sequence[Stage]
    backend: Backend
    regulariser: Regulariser
    others: Others = field(default_factory=Others)

    def following(self, finished: Sequence[Finished]) -> Phase | None:
        """The next phase of the trials; None where the choice can be made."""
        scores, strength, taken = self._tried(finished)
        if strength is None:
            return None
        self._send_out(strength, len(scores), len(taken))
        return self._phase(strength, taken)

    def _send_out(self, strength: float, before: int, taken: int) -> None:
        """Have other ranks of the run, where there are any, do their part of the trials that are certain to come."""
        if count() == 1 or not self.stages:
            return
        certain = list(itertools.islice(hill_climb(self.ladder, {}), FIRST))[before:] or [strength]
        jobs = [(strength, number) for strength in certain for number in range(len(self.folds))]
        left = jobs[taken // len(self.stages) :]
        own = -(-len(left) // count())  # the first ones: what others find is there when it is asked for
        if len(left) > own:
            self.others.send_out(
                left[own:], (self.stages, self.backend, self.regulariser),
                [(self.folds[number], strength) for strength, number in left[own:]],
            )  # fmt: skip

    def _tried(self, finished: Sequence[Finished]) -> tuple[dict[float, float], float | None, Sequence[Finished]]:
        """Held-out IoU by strength; the strength that is being tried, if any, and its finished phases."""
        scores: dict[float, float] = {}
        size = len(self.folds) * len(self.stages)
        for number, strength in enumerate(hill_climb(self.ladder, scores)):
            taken = finished[number * size : (number + 1) * size]
            if len(taken) < size:
                return scores, strength, taken
            scores[strength] = self._score(taken)
        return scores, None, ()

    def choice(self, finished: Sequence[Finished], hull_score: float | None) -> Choice:
        """The best strength; another than the default has to beat it by more than NOISE."""
        scores = self._tried(finished)[0]
        best, default = max(scores, key=lambda strength: scores[strength]), self.ladder[len(self.ladder) // 2]
        return Choice(default if scores[best] < scores[default] + NOISE else best, scores, hull_score)

    def _score(self, taken: Sequence[Finished]) -> float:
        if not self.stages:
            return float(np.mean([iou_with(fold.shape, fold.test, self.backend) for fold in self.folds]))
        return float(np.mean([each.measures[HELD_OUT] for each in taken if HELD_OUT in each.measures]))

    def _phase(self, strength: float, taken: Sequence[Finished]) -> Phase:
        """The phase after those taken; its membrane is GAP times as strong as asked for (see above)."""
        number, at = divmod(len(taken), len(self.stages))
        last = at == len(self.stages) - 1
        if (strength, number) in self.others.jobs:
            return _elsewhere(lambda: {HELD_OUT: self.others.score(strength, number)} if last else {})
        fold, stage, total = self.folds[number], self.stages[at], steps_before(self.stages, len(self.stages))
        scaled = dataclasses.replace(stage, membrane=stage.membrane * strength * GAP)
        begin = remeshed(shape_of(taken[-1].result), stage.edge_length) if at else fold.shape

        def measures(shape: Shape) -> dict[str, float]:
            return {HELD_OUT: iou_with(shape, fold.test, self.backend)} if last else {}

        return dataclasses.replace(
            stage_phase(begin, fold.train, scaled, self.backend, self.regulariser, measures),
            name=TRY,
            title=f"try smoothness {strength:g}",
            first=number * total + steps_before(self.stages, at),
            total=len(self.folds) * total,
            recorded=False,
        )


def _score_of(stages: Sequence[Stage], backend: Backend, regulariser: Regulariser, trial: tuple[Fold, float]) -> float:
    """Held-out IoU of a trial of one fold at one strength."""
    fold, strength = trial
    loop = Loop(Trials([fold], [strength], stages, backend, regulariser).following)
    for _ in loop:
        stop.check()
    return loop.state.finished[-1].measures[HELD_OUT]


def _elsewhere(measures: Callable[[], dict[str, float]]) -> Phase:
    """A phase that another rank has taken the steps of."""
    return Phase(
        name=TRY, title=TRY, steps=0, start=lambda: Start({}, ()), objective=None, solver=UniformAdam(lambda _: 0.0),
        decode=lambda params: None, measures=lambda params, state: measures(), recorded=False,
    )  # fmt: skip


def hill_climb(ladder: Sequence[float], scores: Mapping[float, float]) -> Iterator[float]:
    """The strengths to try: the middle one and its neighbours, then on towards the best while scores rise."""
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
