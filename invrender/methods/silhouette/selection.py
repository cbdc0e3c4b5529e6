"""How strong the membrane should be for this object, by leaving views out.

Each candidate weight reconstructs the object from most of the views and is scored by the silhouettes of the others; the
visual hull of the same views is scored too, as the result to beat. Only the input's own views take part. A trial is
coarse: smaller images, larger triangles and few steps order the candidates as full reconstructions do, at a fiftieth
of their cost. One fold is enough where no candidate is clearly ahead of the default; else the others are asked as well,
and the search goes on towards the best.

A view left out sits in a gap twice as wide as any in the full set, where the hull has more to take off. So the weight
that wins there is too strong for all views together; half of it is the one to use. (Kettle, tree, avocado and teapot
from 12 views: the winner among the held-out scores was 1 to 2 times, the truth 0.5 to 1 times the weights of `refine`.)

Refinement starts from the hull of all views, not from the winner: its surface has not seen the views left out, and the
first steps, on coarse triangles, are cheap. (The hull moved onto the winner's surface, first steps halved: .17 of 2.9
CPU seconds saved and the kettle's Chamfer distance .71 instead of .55 %; with all steps three of five models worse.)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import torch

from invrender.kernels import Backend
from invrender.methods.silhouette.refine import Regulariser, Stage, shape_of, stage_phase, steps_before
from invrender.methods.silhouette.target import Shape, Target, iou_with
from invrender.nouns import Views
from invrender.nouns.coverage import coverage
from invrender.ranks.calls import Aside, count
from invrender.run import stop
from invrender.solve.adam_uniform import UniformAdam
from invrender.solve.loop import Loop
from invrender.solve.phase import Finished, Phase, Start

Tensor = torch.Tensor

FEWEST_VIEWS = 5  # below this, leaving views out changes the problem too much to learn from it
FOLDS = 2
TRY, HELD_OUT = "try", "held_out_iou"  # the name of a trial's phases, and of the measure that its last one leaves
# Of a held-out IoU, how far another strength has to be ahead of the default. Another triangulation changes .0005, and a
# gap twice as wide and triangles too large for thin parts more: of eight leads of .001 to .005 in `benchmarks/choosing`
# one was borne out by full reconstructions.
CLEAR = 0.005
GAP = 2.0  # how much wider than usual the gap is in which a held-out view lies


@dataclass(frozen=True)
class Choice:
    """What leaving views out has shown.

    Attributes:
        strength: the factor on the membrane weights to use with all views.
        scores: held-out IoU per candidate strength, averaged over the folds.
        hull_score: held-out IoU of the visual hull, in the triangles of the trials; None where it was not compared.
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
    """Views to learn from, views to test on, and the first shape (built from the former alone).

    Attributes:
        train, test: views.
        shape: with the trials' triangles.
        hull_score: held-out IoU of the shape; None where it was not made of a hull.
    """

    train: Target
    test: Target
    shape: Shape
    hull_score: float | None = None


Job: TypeAlias = tuple[float, int]
"""A trial: the strength, and the number of the fold."""


def held_out(views: int, folds: int = FOLDS) -> list[tuple[list[int], list[int]]]:
    """(train, test) view numbers per fold; about a quarter of the views are left out, evenly spread, never the same."""
    every = max(3, min(4, views // 2))
    tests = [list(range(1 + 2 * fold, views, every)) for fold in range(folds)]
    return [([view for view in range(views) if view not in test], test) for test in tests if test]


def coarser(views: Views, factor: int) -> Views:
    """Views of 1 / factor of the size on each side; pixels are averaged, those that are believed more count for more.

    Args:
        views: [N,H,W] masks.
        factor: at least 1; sides that it does not divide are cut into as equal parts as there are.
    """
    height, width = (-(-side // factor) for side in views.masks.shape[1:])

    def shrunk(image: Tensor) -> Tensor:
        return torch.nn.functional.interpolate(image[None, None], (height, width), mode="area")[0, 0]

    cameras = dataclasses.replace(views.cameras, size=(height, width))
    seen = torch.empty(len(views), height, width)
    if views.confidence is None:
        for view, mask in enumerate(views.masks):
            seen[view] = shrunk(coverage(mask))
        return Views(cameras, seen, bounds=views.bounds)
    believed = torch.empty_like(seen)
    for view, (mask, confidence) in enumerate(zip(views.masks, views.confidence, strict=True)):
        seen[view], believed[view] = shrunk(coverage(mask) * coverage(confidence)), shrunk(coverage(confidence))
    return Views(cameras, seen / believed.clamp(min=1e-6), confidence=believed, bounds=views.bounds)


@dataclass
class Others:
    """Trials that other ranks do: which; and what they have found."""

    jobs: list[Job] = field(default_factory=list)
    scores: dict[Job, float] = field(default_factory=dict)
    work: Aside | None = None

    def send_out(self, jobs: list[Job], common: tuple[Any, ...], items: Sequence[tuple[Fold, float]]) -> None:
        """Have jobs done; each is to be asked for later."""
        self.jobs, self.work = jobs, Aside(_score_of, common, items)

    def score(self, job: Job) -> float:
        """Of a job: held-out IoU."""
        if self.work is not None:
            self.scores.update(zip(self.jobs, self.work.collected(), strict=True))
            self.work = None
        return self.scores[job]


@dataclass(frozen=True)
class Trials:
    """Reconstructions of folds, with one strength after the other.

    Attributes:
        fold: makes a fold; it is called once for each that is needed.
        ladder: strengths to try, in ascending order; the middle one is the default.
        stages: of each trial, at strength 1.
        backend, regulariser: see `refine`.
        folds: how many there are.
    """

    fold: Callable[[int], Fold]
    ladder: Sequence[float]
    stages: Sequence[Stage]
    backend: Backend
    regulariser: Regulariser
    folds: int = FOLDS
    others: Others = field(default_factory=Others)
    _made: dict[int, Fold] = field(default_factory=dict)

    def following(self, finished: Sequence[Finished]) -> Phase | None:
        """The next phase of the trials; None where the choice can be made."""
        _, left, taken = self._tried(finished)
        if not left:
            return None
        self._send_out(left, len(taken))
        return self._phase(left[0], taken)

    def choice(self, finished: Sequence[Finished]) -> Choice:
        """The best strength; another than the default has to beat it by CLEAR."""
        scores = self._tried(finished)[0]
        found, default = means(scores), self.ladder[len(self.ladder) // 2]
        best = max(found, key=lambda strength: found[strength])
        return Choice(default if found[best] < found[default] + CLEAR else best, found, self._hull_score(scores))

    def _hull_score(self, scores: Mapping[Job, float]) -> float | None:
        """Of the folds that were used."""
        hulls = [self._fold(number).hull_score for number in sorted({number for _, number in scores})]
        return None if None in hulls or not hulls else float(np.mean([hull for hull in hulls if hull is not None]))

    def _fold(self, number: int) -> Fold:
        if number not in self._made:
            self._made[number] = self.fold(number)
        return self._made[number]

    def _tried(self, finished: Sequence[Finished]) -> tuple[dict[Job, float], Sequence[Job], Sequence[Finished]]:
        """Held-out IoU by trial; those that are certain to follow, and what the first of them has finished."""
        scores: dict[Job, float] = {}
        done = 0
        for jobs in self._rounds(scores):
            for at, job in enumerate(jobs):
                taken = finished[done : done + len(self.stages)]
                if len(taken) < len(self.stages):
                    return scores, jobs[at:], taken
                scores[job] = self._score(job, taken)
                done += len(self.stages)
        return scores, (), ()

    def _rounds(self, scores: Mapping[Job, float]) -> Iterator[list[Job]]:
        """Trials that can be done at once, as far as the scores of the ones before ask for more."""
        middle = len(self.ladder) // 2
        first, default = self.ladder[max(middle - 1, 0) : middle + 2], self.ladder[middle]
        yield [(strength, 0) for strength in first]
        found = means(scores)
        hull = self._hull_score(scores)
        if max(found.values()) < found[default] + CLEAR and (hull is None or max(found.values()) > hull):
            return
        if self.folds > 1:
            yield [(strength, number) for number in range(1, self.folds) for strength in first]
        while True:
            found = means(scores)
            best = max(self.ladder, key=lambda strength: found.get(strength, -1.0))
            if found[best] < found[default] + CLEAR:
                return
            at = self.ladder.index(best)
            beside = [self.ladder[k] for k in (at - 1, at + 1) if 0 <= k < len(self.ladder)]
            new = [strength for strength in beside if strength not in found]
            if not new:
                return
            yield [(new[0], number) for number in range(self.folds)]

    def _send_out(self, left: Sequence[Job], taken: int) -> None:
        """Have other ranks of the run, where there are any, do their part of the trials that are certain to come."""
        if count() == 1 or not self.stages or any(job in self.others.jobs for job in left):
            return
        begun = left[1:] if taken else left
        own = -(-len(begun) // count()) if not taken else 0  # the first ones: what others find is there when asked for
        if len(begun) > own:
            self.others.send_out(
                list(begun[own:]), (self.stages, self.backend, self.regulariser),
                [(self._fold(number), strength) for strength, number in begun[own:]],
            )  # fmt: skip

    def _score(self, job: Job, taken: Sequence[Finished]) -> float:
        if not self.stages:
            fold = self._fold(job[1])
            return iou_with(fold.shape, fold.test, self.backend)
        return taken[-1].measures[HELD_OUT]

    def _phase(self, job: Job, taken: Sequence[Finished]) -> Phase:
        """The phase after those taken; its membrane is GAP times as strong as asked for (see above)."""
        at, (strength, number) = len(taken), job
        last = at == len(self.stages) - 1
        if job in self.others.jobs:
            return _elsewhere(lambda: {HELD_OUT: self.others.score(job)} if last else {})
        fold, stage = self._fold(number), self.stages[at]
        scaled = dataclasses.replace(stage, membrane=stage.membrane * strength * GAP)

        def measures(shape: Shape) -> dict[str, float]:
            return {HELD_OUT: iou_with(shape, fold.test, self.backend)} if last else {}

        return dataclasses.replace(
            stage_phase(
                shape_of(taken[-1].result) if at else fold.shape, fold.train, scaled, self.backend, self.regulariser,
                measures,
            ),
            name=TRY,
            title=f"try smoothness {strength:g}",
            first=steps_before(self.stages, at),
            total=steps_before(self.stages, len(self.stages)),
            recorded=False,
        )  # fmt: skip


def means(scores: Mapping[Job, float]) -> dict[float, float]:
    """Held-out IoU by strength, over its folds."""
    strengths = dict.fromkeys(strength for strength, _ in scores)
    return {each: float(np.mean([iou for (s, _), iou in scores.items() if s == each])) for each in strengths}


def _score_of(stages: Sequence[Stage], backend: Backend, regulariser: Regulariser, trial: tuple[Fold, float]) -> float:
    """Held-out IoU of a trial of one fold at one strength."""
    fold, strength = trial
    loop = Loop(Trials(lambda _: fold, [strength], stages, backend, regulariser, folds=1).following)
    for _ in loop:
        stop.check()
    return loop.state.finished[-1].measures[HELD_OUT]


def _elsewhere(measures: Callable[[], dict[str, float]]) -> Phase:
    """A phase that another rank has taken the steps of."""
    return Phase(
        name=TRY, title=TRY, steps=0, start=lambda: Start({}, ()), objective=None, solver=UniformAdam(lambda _: 0.0),
        decode=lambda params: None, measures=lambda params, state: measures(), recorded=False,
    )  # fmt: skip
