"""The phases of a run: a few steps from each of several starts, a pyramid of blurred pictures, and the way to the end.

All of them are one solver on one kind of objective. Light may be anywhere: the best of some starts goes on. A camera
that is off by more than a few pixels finds its way by pictures that are blurred first, and drawn small.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import torch

from invrender.errors import UsageError
from invrender.methods.scene.certainty import Certainty, certainty
from invrender.methods.scene.misfit import ENOUGH, Compared, Misfit, compared
from invrender.methods.scene.renderer import Renderer
from invrender.methods.scene.result import Result
from invrender.methods.scene.sampling import Sampling
from invrender.methods.scene.settings import SceneSettings
from invrender.methods.scene.starts import levelled, looked_for, screened
from invrender.methods.scene.targets import Target
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
PYRAMID = (8.0, 4.0, 2.0, 1.0)
BLUR_STEPS, TRIAL_STEPS = 8, 8
SEVERAL = 3  # starts where the place or direction of a light is free
LOOKED_AT = 16  # starts that are looked at for each that is set out from
SMALL, SOME = 64, 1500  # pixels of the longer side of the pictures by which starts are judged; of each picture
BLURRED = 256  # pixels of the longer side of blurred pictures, at most
EXPLAINED = 1e-7  # loss from which on no other start can be better
TOLERANCE, ROUGH = 1e-6, 1e-4  # of the loss, which a step has to gain at the end, and before it
HOLD = 0.01  # weight of the prior while pictures are so blurred that some turns of a camera hardly change them
LONGEST, LONGEST_BLURRED = 3.0, 0.3  # of a step in a free number; by more, a camera looks elsewhere
ADVICE = "start from values nearer to the truth, or free fewer of them with --optimize"
END = "end, spp "  # names of the last phases, before their rays a pixel
MOST_RAYS, GAIN = 16, 0.8  # a pixel; share of the loss that four times as many have to leave at most
FAIR = 1e-5  # loss that no edge makes: half a percent of the targets
TOLD = 10.0  # half a difference of chi squared, from which on one picture explains the targets better than another


@dataclass(frozen=True)
class Plan:
    """The schedule of a run.

    Attributes:
        values: what is free.
        targets: what is to be explained.
        renderer: what draws.
        settings: of the run.
    """

    values: SceneValues
    targets: tuple[Target, ...]
    renderer: Renderer
    settings: SceneSettings

    def following(self, finished: tuple[Finished, ...]) -> Phase | None:
        """The next phase."""
        done = [each.name for each in finished]
        trials = [each for each in finished if each.name.startswith("start")]
        if self.starts > 1 and len(trials) == len(finished) < self.starts and not _explained(trials):
            return self._trial(len(trials), finished)
        for sigma in self.pyramid:
            if f"blur {sigma:g}" not in done:
                return self._blurred(sigma, finished)
        if self._next_end(finished) is not None:
            return self._end(finished)
        return self.sampling(finished).following(finished) if self.settings.posterior else None

    def result(self, finished: tuple[Finished, ...]) -> Result:
        """What the phases found."""
        end = _end_of(finished)
        shown = tuple(self._shown(end.result, self.last(finished).renderer))
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
            own_noise=self._own_noise(end.result, self.last(finished).renderer, shown),
            sampled=self.sampling(finished).result(finished) if self.settings.posterior else None,
        )

    def _own_noise(self, params: Params, renderer: Renderer, shown: Sequence[Tensor]) -> float:
        """What pictures differ by that are drawn again with other random numbers; see `Result`."""
        scene, other = self.values.decode(params), renderer.shot.seed + 1
        squares = 0.0
        with torch.no_grad():
            for target, drawn in zip(self.targets, shown, strict=True):
                again = renderer.picture(scene, target.camera, target.size, seed=other)
                squares += float(((again - drawn).clamp(-1, 1) * target.weight[..., None]).square().sum()) / 2
        level = compared(self.targets)
        return math.sqrt(squares) / level.unit

    def _shown(self, params: Params, renderer: Renderer) -> Iterator[Tensor]:
        scene = self.values.decode(params)
        with torch.no_grad():
            for target in self.targets:
                yield renderer.picture(scene, target.camera, target.size)

    def certain(self, finished: Sequence[Finished]) -> Certainty | None:
        """How certain the values are that the solver ended with."""
        if self.settings.mode == "path" or len(self.values.joined(self.values.encode())) > MOST_COLUMNS:
            return None
        return self._certain(_end_of(finished))

    @cached_property
    def _certain(self) -> Callable[[Finished], Certainty]:
        return memoise_last(
            lambda end: certainty(self.misfit(self.whole, _rays_of(end)), end.result, self.settings.noise)
        )

    def sampling(self, finished: Sequence[Finished]) -> Sampling:
        """The phases that draw from the posterior."""
        certain = self.certain(finished)
        if certain is None:
            raise UsageError(
                f"--posterior takes at most {MOST_COLUMNS} free numbers", "free fewer of them with --optimize"
            )
        return Sampling(
            self.misfit(self.whole, min(_rays_of(_end_of(finished)), ENOUGH)),
            _end_of(finished).result,
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
    def moves_cameras(self) -> bool:
        """Whether a camera is free."""
        return moves_cameras(self.values)

    @cached_property
    def pyramid(self) -> tuple[float, ...]:
        """Blurs before the end, in pixels of the targets."""
        if self.settings.blur is not None:
            return self.settings.blur
        return PYRAMID if self.moves_cameras else ()

    @cached_property
    def starts(self) -> int:
        """From how many starts the solver sets out."""
        if self.settings.starts is not None:
            return self.settings.starts
        return SEVERAL if looked_for(self.values.places) else 1

    @cached_property
    def pixels(self) -> tuple[Tensor | None, ...]:
        """Of each target those that are compared in the end; None: all of them."""
        return tuple(self._fewer(self._telling(target), target) for target in self.targets)

    def _telling(self, target: Target) -> Tensor | None:
        """Pixels that can show anything but the background, where that is known; else None."""
        if self.moves_cameras or _shows_everywhere(self.values):
            return None
        return self.renderer.filled(self.values.scene.cameras[target.camera], target.size)

    def _fewer(self, pixels: Tensor | None, target: Target) -> Tensor | None:
        """Not more pixels than the settings allow."""
        every = target.weight.numel() if pixels is None else len(pixels)
        if every <= self.settings.pixels:
            return pixels
        generator = torch.Generator().manual_seed(self.settings.seed)
        chosen = torch.randperm(every, generator=generator)[: self.settings.pixels].sort().values
        return chosen if pixels is None else pixels[chosen]

    def misfit(self, level: Compared, spp: int | None = None) -> Misfit:
        """The objective at a level, with the usual rays a pixel or so many."""
        hold = HOLD if level.sigma > 0 and self.moves_cameras else 0.0
        renderer = self.renderer.finer(spp or self.renderer.shot.spp)
        return Misfit(self.values, level, renderer, self.settings.mode == "path", hold)

    @cached_property
    def whole(self) -> Compared:
        """All that is compared in the end."""
        return compared(self.targets, 0.0, self.pixels)

    def last(self, finished: Sequence[Finished]) -> Misfit:
        """The objective of the end that was reached."""
        return self.misfit(self.whole, _rays_of(_end_of(finished)))

    def _next_end(self, finished: Sequence[Finished]) -> int | None:
        """Rays a pixel with which to go on to the end: more where they explain the targets better; None: it is there.

        Targets that are smooth at edges need several rays a pixel, those that are not one; it shows only in the end.
        """
        ends = [each for each in finished if each.name.startswith(END)]
        if not ends:
            return self.renderer.shot.spp
        last, spp = ends[-1].measures, _rays_of(ends[-1])
        if self.settings.spp is not None or self.settings.mode == "path" or spp >= MOST_RAYS:
            return None
        gained = last["loss"] - last["finer"]
        if self.settings.noise is None:
            worth = (1 - GAIN) * last["loss"]
        else:
            worth = TOLD * (self.settings.noise / self.whole.unit) ** 2
        return 4 * spp if gained > worth and last["loss"] > FAIR else None

    @cached_property
    def small(self) -> Misfit:
        """The objective by which starts are judged: some of the pixels, or small and blurred pictures."""
        if self.moves_cameras or self.settings.blur:
            return self.misfit(compared(self.targets, max(self.pyramid, default=0.0), most=SMALL))
        return self.misfit(compared(self.targets, 0.0, [self._some(k) for k in range(len(self.targets))]))

    def _some(self, number: int) -> Tensor:
        """Some of a target's pixels, evenly spread over those that count."""
        every = self.pixels[number]
        if every is None:
            every = torch.arange(self.targets[number].weight.numel())
        return every[:: max(1, len(every) // SOME)]

    # --- the phases ---------------------------------------------------------------------------------------------------

    def _trial(self, number: int, finished: Sequence[Finished]) -> Phase:
        def start() -> Start:
            if number == 0:
                return Start(levelled(self.small, self.values.encode())[0])
            return Start(screened(self.small, self.starts, LOOKED_AT * self.starts, self.settings.seed)[number])

        solver = self._solver(TRIAL_STEPS, ROUGH, LONGEST)
        return self._phase(f"start {number}", (0, TRIAL_STEPS), self.small, solver, start, recorded=number == 0)

    def _blurred(self, sigma: float, finished: Sequence[Finished]) -> Phase:
        solver = self._solver(BLUR_STEPS, ROUGH, LONGEST_BLURRED)
        name, misfit = f"blur {sigma:g}", self.misfit(compared(self.targets, sigma, most=BLURRED))
        done = self._recorded(finished)
        return self._phase(name, (done, BLUR_STEPS), misfit, solver, lambda: Start(self._best(finished)))

    def _end(self, finished: Sequence[Finished]) -> Phase:
        spp = self._next_end(finished)
        assert spp is not None
        steps = self.settings.iterations
        done = self._recorded(finished)
        solver = self._solver(steps, TOLERANCE, LONGEST)
        misfit = self.misfit(self.whole, spp)
        return self._phase(f"{END}{spp}", (done, steps), misfit, solver, lambda: Start(self._best(finished)))

    def _best(self, finished: Sequence[Finished]) -> Params:
        """Where the phase before ended; after several starts, where the best of them did."""
        trials = [each for each in finished if each.name.startswith("start")]
        if not finished:
            return levelled(self.small, self.values.encode())[0]
        if len(trials) == len(finished):
            return min(trials, key=lambda each: each.measures["loss"]).result
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
            found = {"loss": _loss(misfit, params), "evaluations": float(getattr(state, "evaluations", 0))}
            if name.startswith(END):
                found["finer"] = _loss(self.misfit(misfit.level, 4 * misfit.renderer.shot.spp), params)
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
            keeps=self.starts + 1,
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
        return f"blurred by {which} pixels" if kind == "blur" else "values"

    @staticmethod
    def _recorded(finished: Sequence[Finished]) -> int:
        """Steps that were recorded so far: those of the scene's own start, and of what followed the choice of one."""
        return sum(each.steps for each in finished if not each.name.startswith("start") or each.name == "start 0")

    def noted(self, params: Params) -> Terms:
        """The readable values, by name."""
        shown = self.values.readable(params)
        every = [float(number) for place in self.values.places for number in shown[place.path]]
        return dict(zip(self.values.names(), every, strict=True))


def moves_cameras(values: SceneValues) -> bool:
    """Whether a camera is free, so that other pixels may show something than at the start."""
    return any(place.kind.startswith("camera.") for place in values.places)


def _shows_everywhere(values: SceneValues) -> bool:
    """Whether something is free that shows where nothing is met."""
    return any(place.kind.startswith(("environment.", "background")) for place in values.places)


def _end_of(finished: Sequence[Finished]) -> Finished:
    """The last phase of the solver."""
    return [each for each in finished if each.name.startswith(END)][-1]


def _rays_of(end: Finished) -> int:
    """Rays a pixel of the last phase."""
    return int(end.name.removeprefix(END))


def _loss(misfit: Misfit, params: Params) -> float:
    return float(misfit.residual(params).square().sum()) / 2


def _explained(trials: Sequence[Finished]) -> bool:
    return any(each.measures["loss"] < EXPLAINED for each in trials)
