"""A density grid from transmittance images: carve the background, then minimise a weighted least-squares misfit.

    minimise  1/2 sum w (A x - b)^2 + lambda TV(x)   over x >= 0 on the support

with b = -ln T and Joseph's projector A. Under noise the first passes take a few views at a time (ordered subsets,
Hudson and Larkin 1994); then FISTA takes all of them. Exact views do not contradict each other: there each step of
FISTA takes a quarter of them in turn, and gets as far as one with all of them would. lambda moves along a ladder while
an eighth of the views is held out; the last part runs on all views with the weight that predicted those best, and on
the support that the trials ask for (see rims.py). No reference is anywhere in here.

Phases by name: those of the coarse grid, which begin with `coarse/`; start (ordered subsets); choose (one phase with
the first weight, then pairs: one with the same weight and one with a neighbour on the ladder); solve.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from invrender.kernels import Backend
from invrender.methods.transmittance import steps
from invrender.methods.transmittance.baselines import setup
from invrender.methods.transmittance.budget import coarse_passes, first_passes, is_large, trial_passes, turns
from invrender.methods.transmittance.continuing import COARSE, continued, kept_measures, own
from invrender.methods.transmittance.held_out import HeldOut
from invrender.methods.transmittance.ladder import FEWEST_VIEWS, HELD_OUT_MISFIT, LADDER, Ladder, split, weight_search
from invrender.methods.transmittance.measurement import Measurement, binned
from invrender.methods.transmittance.problem import DENSITY, Parts, Problem, Shape
from invrender.methods.transmittance.rims import Supports
from invrender.methods.transmittance.settings import TransmittanceSettings
from invrender.methods.transmittance.sharpness import believed
from invrender.methods.transmittance.task import Result
from invrender.ranks.slabs import enlarged
from invrender.solve.ordered_subsets import OrderedSubsets
from invrender.solve.phase import Finished, Phase, Start
from invrender.solve.protocol import Params

Tensor = torch.Tensor

LESS = 3.3  # by which smoothing is less than what trials choose, where a grid explains the data
SUBSETS, SUBSET_PASSES = (8, 4), 2  # of the start under noise: as many as leave two views in each
SUBSET_MOMENTUM = 0.9
JUDGING = 3  # trials before data are doubted: one, and the pair that decides about the rim
WITHOUT_VIEWS = 1e-4  # smoothing weight where there are too few views to hold any out


@dataclass(frozen=True)
class Plan:
    """The schedule; `Plan(...).following` is what the loop takes.

    Attributes:
        measurement: the views.
        shape: (D, H, W) of the grid to find.
        bounds: [2,3] positions of its first and last vertex.
        settings: how to reconstruct; `field` has no meaning here.
        backend: what projects.
        total: steps of the solver, all phases together: passes over the views, or over a part of them.
    """

    measurement: Measurement
    shape: Shape
    bounds: Tensor
    settings: TransmittanceSettings
    backend: Backend
    total: int

    @cached_property
    def supports(self) -> Supports:
        """The problem, carved and set up."""
        tries = self.settings.solver == "fista" and self.chooses
        return Supports(self.measurement, self.shape, self.bounds, self.backend, self.settings.carve, tries, self.turns)

    @cached_property
    def doubted(self) -> Supports:
        """The same with less weight beside sharp edges: see `sharpness`."""
        return dataclasses.replace(self.supports, measurement=believed(self.measurement))

    def is_doubted(self, tried: Sequence[Finished]) -> bool:
        """Whether no grid explains exact data, as far as some trials have shown: the first three take all as it is.

        Data that a grid explains, sharp as their edges are, need every pixel there.
        """
        return len(tried) >= JUDGING and self.supports.judges and not self.supports.empties(tried)

    def searched(self, tried: Sequence[Finished]) -> Sequence[Finished]:
        """The trials that the smoothing weight goes by: where data are doubted, those that doubted them."""
        return tried[JUDGING:] if self.is_doubted(tried) else tried

    def settled(self, tried: Sequence[Finished]) -> Problem:
        """What the last passes run on."""
        return (self.doubted if self.is_doubted(tried) else self.supports).settled(tried)

    @property
    def problem(self) -> Problem:
        """What the phases before the last run on."""
        return self.supports.trial

    @cached_property
    def coarse(self) -> Plan | None:
        """A start for large grids: a part of the passes at half the resolution, an eighth of the work each."""
        passes = coarse_passes(self.settings, self.shape, self.total)
        if not passes:
            return None
        if min(self.measurement.cameras.size) < 2:  # one row of pixels, which cannot be halved
            return None
        depth, height, width = (max(2, (n + 1) // 2) for n in self.shape)
        return dataclasses.replace(
            self, measurement=binned(self.measurement), shape=(depth, height, width), total=passes
        )

    @cached_property
    def turns(self) -> int:
        """In how many parts the views are taken."""
        return turns(self.settings, self.measurement, self.shape)

    @property
    def learns(self) -> bool:
        """Whether the smoothing weight and what comes before it are left to the coarse grid."""
        return self.coarse is not None and is_large(self.shape)

    @property
    def noisy(self) -> bool:
        """Whether the pixels err."""
        return bool(self.measurement.noise.deviation)

    @property
    def chooses(self) -> bool:
        """Whether the smoothing weight is chosen by views left out, on this grid."""
        return self.settings.smoothing is None and len(self.measurement.cameras) >= FEWEST_VIEWS and not self.learns

    @cached_property
    def trials(self) -> tuple[Parts, HeldOut]:
        """The systems of the views that trials learn from, and those that they are scored on."""
        return self._trials_on(self.problem)

    @cached_property
    def doubted_trials(self) -> tuple[Parts, HeldOut]:
        """The same with less weight beside sharp edges."""
        return self._trials_on(self.doubted.trial)

    def _trials_on(self, problem: Problem) -> tuple[Parts, HeldOut]:
        kept, held = split(len(self.measurement.cameras))
        return problem.parts(kept, self.turns), HeldOut(problem, held)

    def following(self, finished: tuple[Finished, ...]) -> Phase | None:
        """The phase after those that are finished, or None."""
        done = sum(each.steps for each in finished)
        coarse = [each for each in finished if each.name.startswith(COARSE)]
        if self.coarse is not None:
            phase = self.coarse.following(own(coarse))
            if phase is not None:
                return dataclasses.replace(
                    phase, name=COARSE + phase.name, first=done, total=self.total, labels={"phase": "coarse"}
                )
            self.coarse._forget("supports", "doubted")
        if finished and finished[-1].name == "solve":
            return None
        fine = finished[len(coarse) :]
        if self.settings.solver != "fista":
            return self._plain()
        return self._subsets(fine, coarse, done) or self._choose(fine, coarse, done) or self._solve(fine, coarse, done)

    def result(self, finished: tuple[Finished, ...]) -> Result:
        """What the finished phases have led to."""
        fine = [each for each in finished if not each.name.startswith(COARSE)]
        tried = [each for each in fine if each.name == steps.CHOOSE]
        scores = weight_search(self.searched(tried), self.ladder(tried), self.trial, self.total).scores
        problem, tight = self.settled(tried), self.supports.empties(tried)
        support, samples = float(problem.support.sum()) / problem.support.numel(), problem.turned.samples
        self._forget("supports", "doubted")
        return Result(finished[-1].result[DENSITY], self.weight(finished), scores, support, samples, tight)

    def _subsets(self, fine: Sequence[Finished], coarse: Sequence[Finished], done: int) -> Phase | None:
        """Passes with ordered subsets, where data are noisy; None where they are done or make no sense."""
        views = range(len(self.measurement.cameras))
        taken = split(len(views))[0] if self.chooses else list(views)
        count = next((count for count in SUBSETS if 2 * count <= len(taken)), 0)
        if fine or self.learns or not self.noisy or not count or self.total - done < 2 * SUBSET_PASSES:
            return None
        weight = self.ladder().first if self.chooses else self.fixed
        parts = self.problem.parts(taken, count).systems
        whole = self.trials[0] if self.chooses else self.problem.turned
        # On average a part is curved like all of them, whose weights are as much less as they are more.
        inner = tuple(steps.fista(self.problem, whole, weight, SUBSET_MOMENTUM) for _ in parts)
        span = (SUBSET_PASSES, done, self.total)
        stepping = (parts, OrderedSubsets(inner))
        return steps.phase("start", span, self.shape, weight, stepping, lambda: self._first(coarse))

    def _choose(self, fine: Sequence[Finished], coarse: Sequence[Finished], done: int) -> Phase | None:
        """The next phase of the ladder; None where there is no choice, or it is made.

        From the same state a few passes are run with the current weight and with the next lower one; the run that
        predicts the held-out views better is continued. So no passes are lost, and both weights have had equally many.
        """
        tried = [each for each in fine if each.name == steps.CHOOSE]
        asked = self.searched(tried)
        left = self.total - done + sum(each.steps for each in asked)
        search = weight_search(asked, self.ladder(tried), self.trial, left)
        if not self.chooses or search.done:
            return None
        kept, held = self.doubted_trials if self.is_doubted(tried) else self.trials

        def start() -> Start:
            if asked:
                return continued(asked[search.source], self.problem.support, self.turns > 1)
            return Start(self._first(fine or coarse).params)

        count = self.trial if tried else first_passes(self.total)
        span = (min(count, self.total - done), done, self.total)
        stepping = steps.in_turn(self.problem, kept, search.weight)
        phase = steps.phase(steps.CHOOSE, span, self.shape, search.weight, stepping, start)

        def measures(params: Params, state: Any) -> dict[str, float]:
            found = params[DENSITY]
            rim = self.supports.rim(found, held.misfit)
            return {**kept_measures(state), HELD_OUT_MISFIT: held.misfit(found), **rim}

        # The second of the next pair may start from where the first of this one ended.
        return dataclasses.replace(phase, measures=measures, keeps=2)

    def _solve(self, fine: Sequence[Finished], coarse: Sequence[Finished], done: int) -> Phase:
        """All that is left of the passes, on all views."""
        tried = [each for each in fine if each.name == steps.CHOOSE]
        asked = self.searched(tried)
        search = weight_search(asked, self.ladder(tried), self.trial, self.total)
        problem = self.settled(tried)

        def start() -> Start:
            if asked:
                return continued(asked[search.source], problem.support, self.turns > 1)
            return Start(self._first(fine or coarse).params)

        self._forget("trials", "doubted_trials")
        weight = self.weight((*coarse, *fine))
        span = (self.total - done, done, self.total)
        stepping = steps.in_turn(self.problem, problem.turned, weight)
        return steps.phase("solve", span, self.shape, weight, stepping, start)

    def _plain(self) -> Phase:
        """The classical solvers."""
        stepping = setup(self.problem, self.settings, self.settings.solver, self.total)
        nothing = {DENSITY: self.problem.nothing}
        return steps.phase("solve", (self.total, 0, self.total), self.shape, 0.0, stepping, lambda: Start(nothing))

    def _forget(self, *names: str) -> None:
        """Give back the memory of what was computed when it was asked for, and would be again."""
        for name in names:
            vars(self).pop(name, None)

    def _first(self, before: Sequence[Finished]) -> Start:
        """From the density of the phase before: of this grid or the coarse one; from nothing without any."""
        if not before:
            return Start({DENSITY: self.problem.nothing})
        found = before[-1].result[DENSITY].to(self.backend.device)
        if tuple(found.shape) != self.shape:
            found = enlarged(found, self.shape)
        return Start({DENSITY: torch.where(self.problem.support, found, 0.0)})

    def ladder(self, tried: Sequence[Finished] = ()) -> Ladder:
        """The smoothing weights to try, after some trials."""
        ladder = LADDER[self.measurement.noise.kind]
        return ladder.explained if self.supports.empties(tried) else ladder

    @property
    def trial(self) -> int:
        """Passes of each trial."""
        return trial_passes(self.total)

    @property
    def fixed(self) -> float:
        """The smoothing weight where it is not chosen."""
        return WITHOUT_VIEWS if self.settings.smoothing is None else self.settings.smoothing

    def weight(self, finished: Sequence[Finished]) -> float:
        """The smoothing weight to solve with."""
        if self.settings.solver != "fista":
            return 0.0
        if self.coarse is not None and self.learns and self.settings.smoothing is None:
            return self.coarse.weight(own(finished))
        if not self.chooses:
            return self.fixed
        tried = [each for each in finished if each.name == steps.CHOOSE]
        found = weight_search(self.searched(tried), self.ladder(tried), self.trial, self.total).weight
        # A held-out view lies in a gap twice as wide as any later: what wins there is too strong for data that a grid
        # explains exactly. Others need that much, for the sharp edges between the samples.
        return found / LESS if self.supports.empties(tried) else found
