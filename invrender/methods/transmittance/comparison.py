"""`--compare`: the classical solvers on the same views, after the run's own, what it took and how near it came.

Without a reference, a few views are kept from all solvers and tell how well each predicts them.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch

from invrender.errors import InputError
from invrender.evaluate.volume import decibel, ssim
from invrender.kernels import Backend
from invrender.methods.transmittance.baselines import own_passes, setup
from invrender.methods.transmittance.measurement import Measurement
from invrender.methods.transmittance.problem import DENSITY, Problem, prepare
from invrender.methods.transmittance.schedule import Plan
from invrender.methods.transmittance.task import Result, Task
from invrender.nouns import Volume
from invrender.radiography.rows import upright_rows
from invrender.render.absorption import optical_depth
from invrender.solve.phase import Finished, Phase, Start
from invrender.solve.timed import SECONDS, timed

Tensor = torch.Tensor

PREFIX = "compare/"
SOLVERS = ("fdk", "sirt", "cgls", "os-sart", "asd-pocs")
EVERY, FEWEST = 12, 24  # one view of so many is kept from all solvers, where there are so many
SLICE = "slice"
LAST = f"compare {SOLVERS[-1]}"


@dataclass(frozen=True)
class Compared:
    """A solver in the comparison.

    Attributes:
        solver: its name.
        picture: [H,W] the slice that is shown, in the units of the input.
        psnr, ssim: against the reference; None without one.
        misfit: what the views that it saw differ by, as a share of their optical depths.
        held_out: the same for views that no solver saw, or None.
        seconds: of all cores together.
        passes: over the views.
    """

    solver: str
    picture: Tensor
    psnr: float | None
    ssim: float | None
    misfit: float
    held_out: float | None
    seconds: float
    passes: int


@dataclass(frozen=True)
class Comparison:
    """What is compared.

    Attributes:
        rows: the solvers, the run's own last.
        reference: [H,W] the same slice of the reference, or None.
        height: index of the slice.
        kept: the views that no solver saw.
        left_out: solvers that the views do not allow, and why.
    """

    rows: tuple[Compared, ...]
    reference: Tensor | None
    height: int
    kept: tuple[str, ...]
    left_out: dict[str, str]


def apart(task: Task) -> list[int]:
    """The views that are kept from all solvers."""
    count = len(task.measurement.cameras)
    return list(range(EVERY // 2, count, EVERY)) if task.reference is None and count >= FEWEST else []


def chosen(data: Measurement, views: list[int]) -> Measurement:
    """Some of the views."""
    names = tuple(data.names[i] for i in views) if data.names else tuple(data.name(i) for i in views)
    return dataclasses.replace(
        data, cameras=data.cameras[views], depth=data.depth[views], weight=data.weight[views], names=names
    )


@dataclass(frozen=True)
class Comparing:
    """A schedule: the run's own plan, then every other solver.

    Attributes:
        plan: of the run, on the views that are not kept apart.
        task: with all views.
        backend: what projects and draws, holding whole grids.
    """

    plan: Plan
    task: Task
    backend: Backend

    @cached_property
    def problem(self) -> Problem:
        """The views as the classical solvers take them: nothing is carved."""
        plan = self.plan
        return prepare(plan.measurement, plan.shape, plan.bounds, self.backend, None)

    @cached_property
    def left_out(self) -> dict[str, str]:
        """Solvers that the views do not allow, and why."""
        try:
            upright_rows(self.plan.measurement.cameras)
        except InputError as error:
            return {"fdk": error.cause}
        return {}

    def following(self, finished: tuple[Finished, ...]) -> Phase | None:
        """The phase after those that are finished, or None."""
        own = _own(finished)
        begun = time.process_time()
        phase = self.plan.following(own)
        if phase is not None:
            return timed(phase, time.process_time() - begun)
        done = {each.name for each in finished}
        for solver in SOLVERS:
            if PREFIX + solver not in done and solver not in self.left_out:
                return self._phase(solver, own[-1].result[DENSITY], len(finished) - len(own))
        vars(self).pop("problem", None)
        return None

    def _phase(self, solver: str, ours: Tensor, before: int) -> Phase:
        plan = self.plan
        total = own_passes(solver, plan.noisy) or plan.total
        nothing = {DENSITY: self.problem.nothing}
        _ = self.problem.whole  # which all of them need, and none pays for
        begun = time.process_time()
        objective, method = setup(self.problem, plan.settings, solver, total)
        height = shown_slice(ours)
        phase = Phase(
            name=PREFIX + solver,
            title=f"compare {solver}",
            steps=total,
            start=lambda: Start(nothing),
            objective=objective,
            solver=method,
            decode=lambda params: params[DENSITY],
            result=lambda params, state: {SLICE: params[DENSITY][height].clone()},
            measures=lambda params, state: self._measures(params[DENSITY]),
            keeps=before + 1,  # the slices, and the run's own density
            recorded=False,
        )
        return timed(phase, time.process_time() - begun)

    def result(self, finished: tuple[Finished, ...]) -> Result:
        """The run's own result, with the comparison."""
        own = _own(finished)
        found = self.plan.result(own)
        height = shown_slice(found.density)
        factor = 1 / self.task.extinction
        rows = [
            _row(each.name.removeprefix(PREFIX), each.result[SLICE] * factor, each.measures, each.steps)
            for each in finished
            if each.name.startswith(PREFIX)
        ]
        measures = {**self._measures(found.density), SECONDS: sum(each.measures[SECONDS] for each in own)}
        passes = sum(each.steps for each in own)
        rows.append(_row(self.plan.settings.solver, found.density[height] * factor, measures, passes))
        reference = None if self.task.reference is None else self.task.reference.values[0, height]
        kept = tuple(self.task.measurement.name(view) for view in apart(self.task))
        return dataclasses.replace(
            found, comparison=Comparison(tuple(rows), reference, height, kept, dict(self.left_out))
        )

    def _measures(self, density: Tensor) -> dict[str, float]:
        """How near a density comes."""
        found = {"misfit": misfit(density, self.plan.measurement, self.plan.bounds, self.backend)}
        if kept := apart(self.task):
            found["held_out"] = misfit(density, chosen(self.task.measurement, kept), self.plan.bounds, self.backend)
        if self.task.reference is not None:
            truth = self.task.reference.values[0].double().numpy()
            values = (density / self.task.extinction).cpu().double().numpy()
            peak = float(truth.max())
            found["psnr"] = min(decibel(peak, float(((values - truth) ** 2).mean())), 999.0)
            found["ssim"] = ssim(values, truth, peak)
        return found


def shown_slice(density: Tensor) -> int:
    """The slice [H,W] of a density that shows most: the one whose values differ most, of the middle half."""
    depth = len(density)
    middle = density[depth // 4 : max(depth - depth // 4, depth // 4 + 1)]
    return depth // 4 + int(middle.float().std((1, 2), correction=0).argmax())


def misfit(density: Tensor, data: Measurement, bounds: Tensor, backend: Backend) -> float:
    """What views differ by from those of a density, as a share of their optical depths, both weighed."""
    volume = Volume(density.cpu().clamp(min=0)[None], bounds.cpu())
    square = whole = 0.0
    for view in range(len(data.cameras)):
        depth = optical_depth(volume, data.cameras[[view]], backend)[0].cpu().double()
        weight = data.weight[view].double()
        square += float((weight * (depth - data.depth[view]).square()).sum())
        whole += float((weight * data.depth[view].double().square()).sum())
    return math.sqrt(square / max(whole, 1e-300))


def _own(finished: tuple[Finished, ...]) -> tuple[Finished, ...]:
    return tuple(each for each in finished if not each.name.startswith(PREFIX))


def _row(solver: str, picture: Tensor, measures: Mapping[str, float], passes: int) -> Compared:
    some: Callable[[str], float | None] = measures.get
    return Compared(
        solver, picture.cpu(), some("psnr"), some("ssim"), measures["misfit"], some("held_out"), measures[SECONDS],
        passes,
    )  # fmt: skip
