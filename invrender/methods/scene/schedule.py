"""The phases of a run: a few steps from each of several starts, a pyramid of blurred pictures, and the way to the end.

All of them are one solver on one kind of objective. Light may be anywhere: the best of some starts goes on. A camera
that is off by more than a few pixels finds its way by pictures that are blurred first, and drawn small.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import torch

from invrender.errors import UsageError
from invrender.methods.scene.certainty import Certainty, certainty
from invrender.methods.scene.finished import END, after_trials, end_of, explained, least, looked, loss_of, rays_of
from invrender.methods.scene.levels import Levels
from invrender.methods.scene.misfit import ENOUGH, Misfit
from invrender.methods.scene.result import Result, own_noise, pictures
from invrender.methods.scene.sampling import Sampling
from invrender.methods.scene.settings import SceneSettings
from invrender.methods.scene.starts import candidates, levelled, looked_for, screened
from invrender.parameters.scene_values import SceneValues
from invrender.solve.adam import Adam
from invrender.solve.lbfgs import Lbfgs
from invrender.solve.levenberg_marquardt import LevenbergMarquardt
from invrender.solve.phase import Finished, Phase, Start, memoise_last
from invrender.solve.protocol import Params, Solver, Terms
from invrender.solve.rates import linear_decay

Tensor = torch.Tensor
SolverName = Literal["lm", "lbfgs", "adam"]

MOST_COLUMNS = 200  # free numbers for which standard errors are computed
FEW = 40  # free numbers up to which columns are cheaper than many steps
BLUR_STEPS, TRIAL_STEPS = 8, 8
SEVERAL = 3  # starts where the place or direction of a light is free
AGAIN, LOST = 6, 0.02  # further starts of a camera, and the loss of the most blurred pictures from which it is lost
LOOKED_AT = 16  # starts that are looked at for each that is set out from
TOLERANCE, ROUGH = 1e-6, 1e-4  # of the loss, which a step has to gain at the end, and before it
LONGEST, LONGEST_BLURRED = 3.0, 0.3  # of a step in a free number; by more, a camera looks elsewhere
ADVICE = "start from values nearer to the truth, or free fewer of them with --optimize"
MOST_RAYS, GAIN = 16, 0.8  # a pixel; share of the loss that four times as many have to leave at most
FAIR = 1e-5  # loss that no edge makes: half a percent of the targets
TOLD = 10.0  # half a difference of chi squared, from which on one picture explains the targets better than another


@dataclass(frozen=True)
class Plan:
    """The schedule of a run.

    Attributes:
        levels: what is compared, and of what.
    """

    levels: Levels

    @property
    def values(self) -> SceneValues:
        """What is free."""
        return self.levels.values

    @property
    def settings(self) -> SceneSettings:
        """Of the run."""
        return self.levels.settings

    def following(self, finished: tuple[Finished, ...]) -> Phase | None:
        """The next phase."""
        done = [each.name for each in finished]
        trials = [each for each in finished if each.name.startswith("start")]
        if self.starts > 1 and len(trials) == len(finished) < self.starts and not explained(trials):
            return self._trial(len(trials))
        for sigma in self.levels.pyramid:
            if f"blur {sigma:g}" not in done:
                return self._lost(finished) or self._blurred(sigma, finished)
        if self._next_end(finished) is not None:
            return self._end(finished)
        return self.sampling(finished).following(finished) if self.settings.posterior else None

    def result(self, finished: tuple[Finished, ...]) -> Result:
        """What the phases found."""
        end = end_of(finished)
        shown = pictures(self.values.decode(end.result), self.levels.targets, self.last(finished).renderer)
        solved = [each for each in finished if "loss" in each.measures]
        return Result(
            values=self.values,
            params=end.result,
            certainty=self.certain(finished),
            solver=self.solver,
            steps=sum(each.steps for each in solved),
            evaluations=round(sum(each.measures["evaluations"] for each in solved)),
            loss=end.measures["loss"],
            shown=shown,
            own_noise=own_noise(
                self.values.decode(end.result), self.levels.targets, self.last(finished).renderer, shown
            ),
            sampled=self.sampling(finished).result(finished) if self.settings.posterior else None,
        )

    def certain(self, finished: Sequence[Finished]) -> Certainty | None:
        """How certain the values are that the solver ended with."""
        if self.settings.mode == "path" or len(self.values.joined(self.values.encode())) > MOST_COLUMNS:
            return None
        return self._certain(end_of(finished))

    @cached_property
    def _certain(self) -> Callable[[Finished], Certainty]:
        return memoise_last(
            lambda end: certainty(self.levels.misfit(self.levels.whole, rays_of(end)), end.result, self.settings.noise)
        )

    def sampling(self, finished: Sequence[Finished]) -> Sampling:
        """The phases that draw from the posterior."""
        certain = self.certain(finished)
        if certain is None:
            raise UsageError(
                f"--posterior takes at most {MOST_COLUMNS} free numbers", "free fewer of them with --optimize"
            )
        return Sampling(
            self.levels.misfit(self.levels.whole, min(rays_of(end_of(finished)), ENOUGH)),
            end_of(finished).result,
            certain,
            self.settings,
        )

    # --- what the run needs -------------------------------------------------------------------------------------------

    @cached_property
    def solver(self) -> SolverName:
        """The solver's name."""
        asked = self.settings.solver
        if asked != "auto":
            return asked
        if self.settings.mode == "path":
            return "adam"
        return "lm" if len(self.values.joined(self.values.encode())) <= FEW else "lbfgs"

    @cached_property
    def starts(self) -> int:
        """From how many starts the solver sets out."""
        if self.settings.starts is not None:
            return self.settings.starts
        return SEVERAL if looked_for(self.values.places) else 1

    def last(self, finished: Sequence[Finished]) -> Misfit:
        """The objective of the end that was reached."""
        return self.levels.misfit(self.levels.whole, rays_of(end_of(finished)))

    def _next_end(self, finished: Sequence[Finished]) -> int | None:
        """Rays a pixel with which to go on to the end: more where they explain the targets better; None: it is there.

        Targets that are smooth at edges need several rays a pixel, those that are not one; it shows only in the end.
        """
        ends = [each for each in finished if each.name.startswith(END)]
        if not ends:
            return self.levels.renderer.shot.spp
        last, spp = ends[-1].measures, rays_of(ends[-1])
        if self.settings.spp is not None or self.settings.mode == "path" or spp >= MOST_RAYS:
            return None
        gained = last["loss"] - last["finer"]
        if self.settings.noise is None:
            worth = (1 - GAIN) * last["loss"]
        else:
            worth = TOLD * (self.settings.noise / self.levels.whole.unit) ** 2
        return 4 * spp if gained > worth and last["loss"] > FAIR else None

    # --- the phases ---------------------------------------------------------------------------------------------------

    def _trial(self, number: int) -> Phase:
        def start() -> Start:
            if number == 0:
                return Start(levelled(self.levels.small, self.values.encode())[0])
            return Start(screened(self.levels.small, self.starts, LOOKED_AT * self.starts, self.settings.seed)[number])

        solver = self._solver(TRIAL_STEPS, ROUGH, LONGEST)
        return self._phase(f"start {number}", (0, TRIAL_STEPS), self.levels.small, solver, start, recorded=number == 0)

    def _blurred(self, sigma: float, finished: Sequence[Finished]) -> Phase:
        solver = self._solver(BLUR_STEPS, ROUGH, LONGEST_BLURRED)
        name, misfit = f"blur {sigma:g}", self.levels.blurred(sigma)
        done = self._recorded(finished)
        return self._phase(name, (done, BLUR_STEPS), misfit, solver, lambda: Start(self._best(finished)))

    def _lost(self, finished: Sequence[Finished]) -> Phase | None:
        """The way from another start, where the most blurred pictures still differ: cameras turn away from the scene.

        These pictures are small, so that it costs little.
        """
        first = self.levels.pyramid[0]
        tried = looked(finished)
        if not tried or len(tried) < len(after_trials(finished)) or len(tried) > AGAIN:
            return None
        if min(each.measures["loss"] for each in tried) < LOST or not self.levels.moves_cameras:
            return None
        misfit = self.levels.blurred(first)

        def start() -> Start:
            other = candidates(self.values, AGAIN + 1, self.settings.seed)[len(tried)]
            return Start(levelled(misfit, other)[0])

        solver = self._solver(BLUR_STEPS, ROUGH, LONGEST_BLURRED)
        return self._phase(f"again {len(tried)}", (0, BLUR_STEPS), misfit, solver, start, recorded=False)

    def _end(self, finished: Sequence[Finished]) -> Phase:
        spp = self._next_end(finished)
        assert spp is not None
        steps = self.settings.iterations
        done = self._recorded(finished)
        solver = self._solver(steps, TOLERANCE, LONGEST)
        misfit = self.levels.misfit(self.levels.whole, spp)
        return self._phase(f"{END}{spp}", (done, steps), misfit, solver, lambda: Start(self._best(finished)))

    def _best(self, finished: Sequence[Finished]) -> Params:
        """Where the phase before ended; after several starts, where the best of them did."""
        trials = [each for each in finished if each.name.startswith("start")]
        if not finished:
            return levelled(self.levels.small, self.values.encode())[0]
        if len(trials) == len(finished):
            return least(trials).result
        if finished[-1].name.startswith("again"):
            return least(looked(finished)).result
        return finished[-1].result

    def _solver(self, steps: int, tolerance: float, longest: float) -> Solver[Any, Any]:
        if self.solver == "lm":
            return LevenbergMarquardt(longest=longest, tolerance=tolerance)
        if self.solver == "lbfgs":
            return Lbfgs(longest=longest, tolerance=tolerance * 1e-3)
        return Adam(linear_decay(self.settings.rate, 0.9, steps))

    def _phase(
        self,
        name: str,
        span: tuple[int, int],
        misfit: Misfit,
        solver: Solver[Any, Any],
        start: Callable[[], Start],
        recorded: bool = True,
    ) -> Phase:
        """A phase of some steps after others; what it finds is kept for the next one, or for the choice of a start."""
        done, steps = span

        def measures(params: Params, state: Any) -> Terms:
            found = {"loss": loss_of(misfit, params), "evaluations": float(getattr(state, "evaluations", 0))}
            if name.startswith(END):
                found["finer"] = loss_of(self.levels.misfit(misfit.level, 4 * misfit.renderer.shot.spp), params)
            return found

        return Phase(
            name=name,
            title=self._title(name),
            steps=steps,
            start=start,
            objective=misfit,
            solver=solver,
            decode=lambda params: params,
            result=lambda params, state: params,
            measures=measures,
            noted=self.noted,
            first=done,
            total=done + steps,
            keeps=max(self.starts, AGAIN) + 1,
            seed=self.settings.seed,
            recorded=recorded,
            labels={"phase": name},
            advice=ADVICE,
        )

    def _title(self, name: str) -> str:
        """What people see of a phase."""
        kind, _, which = name.partition(" ")
        if kind == "start":
            return f"start {int(which) + 1} of {self.starts}"
        if kind == "again":
            return f"camera is lost: start {int(which) + 1}"
        return f"blurred by {which} pixels" if kind == "blur" else "values"

    @staticmethod
    def _recorded(finished: Sequence[Finished]) -> int:
        """Steps that were recorded so far: those of the scene's own start, and of what followed the choice of one."""
        aside = ("start", "again")
        return sum(each.steps for each in finished if not each.name.startswith(aside) or each.name == "start 0")

    def noted(self, params: Params) -> Terms:
        """The readable values, by name."""
        shown = self.values.readable(params)
        every = [float(number) for place in self.values.places for number in shown[place.path]]
        return dict(zip(self.values.names(), every, strict=True))
