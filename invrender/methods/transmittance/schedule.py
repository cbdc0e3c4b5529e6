"""A density grid from transmittance images: carve the background, then minimise a weighted least-squares misfit.

    minimise  1/2 sum w (A x - b)^2 + lambda TV(x)   over x >= 0 on the support

with b = -ln T and Joseph's projector A. Under noise the first passes take a few views at a time (ordered subsets,
Hudson and Larkin 1994); then FISTA takes all of them. lambda descends a ladder while an eighth of the views is held
out: the rung that predicts those best is kept, and the last part runs on all views with it. The reference grid of an
asset is nowhere in here.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from invrender.errors import InputError
from invrender.kernels import RayBundle, VolumeKernels
from invrender.methods.transmittance.carving import carve
from invrender.methods.transmittance.measurement import Measurement, binned
from invrender.solve import adam, cgls, fista, sirt

Tensor = torch.Tensor
Shape = tuple[int, int, int]

PASSES, PASSES_VIEWS = 90, 48  # so many passes for so many views or more
NOISY = 0.8  # of them for noisy data, which hold less to be found
FEWEST_VIEWS = 8  # below this none is held out
HELD_OUT = 8  # every so many views one is
RUNG = 3.0  # factor between the smoothing weights that are tried
RUNG_PASSES = 0.07  # of all passes, for each trial
LADDER = {"float": (1e-3, 1e-4), "8bit": (1e-3, 1e-5), "poisson": (3e-3, 1e-4)}  # first and last weight
SUBSETS, SUBSET_PASSES = (8, 4), 2  # of the start under noise: as many as leave two views in each
SUBSET_MOMENTUM = 0.9
FLATTEST = 0.02  # of the largest curvature; less is raised to it, so that voxels few rays cross stay calm
ROUNDING = 0.01  # of the density's level: below it, differences are smoothed quadratically
COARSE_FROM = 192  # grids this long start from half the resolution
ADAM_RATE = 0.1  # of the density's level, at the first step
WITHOUT_VIEWS = 1e-4  # smoothing weight where there are too few views to hold any out


@dataclass(frozen=True)
class Settings:
    """How to reconstruct.

    Attributes:
        iterations: passes over the views, all phases together; None: 90, more for few views, fewer for noisy ones.
        smoothing: weight of the total variation relative to the data's curvature and the density's level; None: chosen.
        carve: hold what empty rays cross at zero.
        solver: fista; or, without smoothing, sirt, cgls (may turn negative) or adam.
    """

    iterations: int | None = None
    smoothing: float | None = None
    carve: bool = True
    solver: str = "fista"


@dataclass(frozen=True)
class Step:
    """What the loop yields after a pass over the views.

    Attributes:
        phase: coarse, start, choose or solve.
        index, total: of the passes, all phases together.
        estimate: [D,H,W] density, of the phase's own resolution.
        terms: for losses.csv: misfit, and smoothing.
    """

    phase: str
    index: int
    total: int
    estimate: Tensor
    terms: dict[str, float]


@dataclass(frozen=True)
class Result:
    """Density [D,H,W], the smoothing weight that was used, its held-out scores, and what was carved and sampled."""

    density: Tensor
    smoothing: float
    scores: dict[float, float]
    support: float
    samples: int


def reconstruct(
    measurement: Measurement, shape: Shape, bounds: Tensor, settings: Settings, kernels: VolumeKernels
) -> Generator[Step, None, Result]:
    """Yield the passes and return the Result: `result = yield from reconstruct(...)`.

    Args:
        measurement: the views.
        shape: (D, H, W) of the grid to find.
        bounds: [2,3] positions of its first and last vertex.
    """
    counter = _Counter(passes(settings, measurement))
    if settings.solver != "fista":
        return (yield from _plain(prepare(measurement, shape, bounds, kernels, settings.carve), settings, counter))
    estimate = torch.zeros(shape, device=kernels.device)
    if max(shape) >= COARSE_FROM and counter.total >= 10:
        estimate = yield from _coarse(measurement, shape, bounds, settings, kernels, counter)
    problem = prepare(measurement, shape, bounds, kernels, settings.carve)
    estimate = torch.where(problem.support, estimate, 0.0)
    state = fista.init(estimate)
    views = len(measurement.cameras)
    scores: dict[float, float] = {}
    weight = settings.smoothing
    if weight is None and views >= FEWEST_VIEWS:
        weight, state, scores = yield from _choose(problem, estimate, counter)
        if not measurement.noise.deviation:
            weight /= RUNG  # a held-out view lies in a gap twice as wide as any later: what wins there is too strong
    elif measurement.noise.deviation:
        weight = WITHOUT_VIEWS if weight is None else weight
        state = fista.init((yield from _subsets(problem, range(views), estimate, weight, counter)))
    weight = WITHOUT_VIEWS if weight is None else weight
    system = problem.system(range(views))
    while counter.left:
        state, loss = system.step(state, weight)
        yield counter.step("solve", state.estimate, loss, weight)
    return Result(state.estimate, weight, scores, float(problem.support.double().mean()), system.rays.samples)


def passes(settings: Settings, measurement: Measurement) -> int:
    """How many passes there will be: with few views each costs less, and more are needed."""
    if settings.iterations is not None:
        return settings.iterations
    share = NOISY if measurement.noise.deviation else 1.0
    return round(PASSES * share * min(max(math.sqrt(PASSES_VIEWS / len(measurement.cameras)), 1.0), 1.7))


@dataclass(frozen=True)
class Problem:
    """Everything that does not change while solving.

    Attributes:
        support: [D,H,W] bool; wanted: [N,H,W] bool pixels worth following.
        level: typical density, from the data alone.
    """

    measurement: Measurement
    shape: Shape
    bounds: Tensor
    kernels: VolumeKernels
    support: Tensor
    wanted: Tensor
    level: float

    def system(self, views: range | list[int], share: float = 1.0) -> System:
        """The least-squares system of some views; `share` is what part of all views they stand for, under subsets."""
        index = torch.tensor(list(views))
        data = self.measurement
        rays = self.kernels.joseph_rays(
            self.shape, self.bounds, data.cameras[index], self.wanted[index], self.support.cpu()
        )
        at = rays.pixels.cpu()
        target, weight = (image[index].reshape(-1)[at].contiguous() for image in (data.depth, data.weight))
        target, weight = target.to(self.kernels.device), (weight / share).to(self.kernels.device)
        bend = rays.adjoint(weight * rays.forward(self.support.float()))
        return System(self, rays, target, weight, bend)


@dataclass(frozen=True)
class System:
    """Rays with their data, and the diagonal that bounds the misfit's curvature (a separable quadratic surrogate)."""

    problem: Problem
    rays: RayBundle
    target: Tensor
    weight: Tensor
    bend: Tensor

    @cached_property
    def scale(self) -> float:
        """The largest curvature inside the support."""
        return float(torch.where(self.problem.support, self.bend, 0.0).max())

    def step(
        self, state: fista.FistaState, smoothing: float, curvature: Tensor | None = None, cap: float = 1.0
    ) -> tuple[fista.FistaState, float]:
        """One step of FISTA and the misfit before it."""
        gradient, loss = self.rays.normal(state.ahead, self.target, self.weight)
        level, bend = self.problem.level, self.curvature if curvature is None else curvature
        pull = (smoothing * self.scale * level, ROUNDING * level)
        return fista.step(gradient, bend, state, pull, self.problem.kernels.smooth_step, cap), loss

    @cached_property
    def curvature(self) -> Tensor:
        """[D,H,W]: the diagonal with its smallest values raised; inf outside the support."""
        return torch.where(self.problem.support, self.bend.clamp(min=FLATTEST * self.scale), math.inf)

    def misfit(self, estimate: Tensor) -> float:
        """Mean weighted squared difference."""
        difference = self.rays.forward(estimate) - self.target
        return float((self.weight * difference.square()).double().sum() / self.weight.double().sum())


def prepare(
    measurement: Measurement, shape: Shape, bounds: Tensor, kernels: VolumeKernels, carving: bool = True
) -> Problem:
    """Carve and set up.

    Raises:
        InputError: no ray meets the box, or nothing absorbs.
    """
    bounds = bounds.to(kernels.device)
    support, wanted = torch.ones(shape, dtype=torch.bool), measurement.weight > 0
    if carving:
        support, wanted = carve(measurement, shape, bounds, kernels.joseph_rays)
    seen = measurement.depth[wanted]
    seen = seen[seen > 0.04 * seen.max()] if len(seen) else seen
    if not len(seen) or not float(seen.max()) > 0:
        raise InputError("the images show nothing that absorbs light", "check that they are transmittances: 1 is clear")
    chord = 0.5 * float((bounds[1] - bounds[0]).max())
    level = float(np.percentile(seen.numpy()[:: max(1, len(seen) // 100000)], 90)) / chord
    problem = Problem(measurement, shape, bounds, kernels, support.to(kernels.device), wanted, level)
    if not len(kernels.joseph_rays(shape, bounds, measurement.cameras[[0]], wanted[:1], support).pixels):
        _check_aim(problem)
    return problem


def _check_aim(problem: Problem) -> None:
    data = problem.measurement
    rays = problem.kernels.joseph_rays(problem.shape, problem.bounds, data.cameras, problem.wanted, None)
    if not len(rays.pixels):
        raise InputError("no ray of any view meets the grid's box", "give the box with --bounds, in the cameras' frame")


@dataclass
class _Counter:
    """Counts the passes of all phases."""

    total: int
    done: int = 0

    @property
    def left(self) -> int:
        return self.total - self.done

    def step(self, phase: str, estimate: Tensor, loss: float, smoothing: float) -> Step:
        self.done += 1
        return Step(phase, self.done - 1, self.total, estimate, {"misfit": loss, "smoothing": smoothing})


def _plain(problem: Problem, settings: Settings, counter: _Counter) -> Generator[Step, None, Result]:
    """The solvers without regularisation: the number of passes is all that holds them back from fitting the noise."""
    system = problem.system(range(len(problem.measurement.cameras)))
    rays, support = system.rays, problem.support
    estimate = torch.zeros(problem.shape, device=problem.kernels.device)
    least = cgls.init(rays, system.target, system.weight, support) if settings.solver == "cgls" else None
    simultaneous = sirt.init(rays, estimate) if settings.solver == "sirt" else None
    moments = adam.init(estimate)
    while counter.left:
        if least is not None:
            least, loss = cgls.step(rays, system.weight, support, least)
            estimate = least.estimate
        elif simultaneous is not None:
            simultaneous, loss = sirt.step(rays, system.target, support, simultaneous)
            estimate = simultaneous.estimate
        else:
            gradient, loss = rays.normal(moments.estimate, system.target, system.weight)
            rate = ADAM_RATE * problem.level * (1 - counter.done / counter.total)
            moments = adam.step(torch.where(support, gradient, 0.0), moments, rate)
            estimate = moments.estimate
        yield counter.step("solve", estimate, loss, 0.0)
    return Result(estimate, 0.0, {}, float(support.double().mean()), rays.samples)


def _coarse(
    measurement: Measurement,
    shape: Shape,
    bounds: Tensor,
    settings: Settings,
    kernels: VolumeKernels,
    counter: _Counter,
) -> Generator[Step, None, Tensor]:
    """A start for large grids: a third of the passes at half the resolution, an eighth of the work each."""
    small = (max(2, (shape[0] + 1) // 2), max(2, (shape[1] + 1) // 2), max(2, (shape[2] + 1) // 2))
    fewer = dataclasses.replace(settings, iterations=counter.total // 3)
    steps = reconstruct(binned(measurement), small, bounds, fewer, kernels)
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            density: Tensor = end.value.density
            break
        yield counter.step("coarse", step.estimate, step.terms["misfit"], step.terms["smoothing"])
    grown = torch.nn.functional.interpolate(density[None, None], shape, mode="trilinear", align_corners=True)
    return grown[0, 0].contiguous()


def _subsets(
    problem: Problem, views: range | list[int], estimate: Tensor, smoothing: float, counter: _Counter
) -> Generator[Step, None, Tensor]:
    """Passes with ordered subsets of the views: far at first, and then nowhere (Hudson and Larkin 1994)."""
    numbers = list(views)
    count = next((count for count in SUBSETS if 2 * count <= len(numbers)), 0)
    if not count or counter.left < 2 * SUBSET_PASSES:
        return estimate
    systems = [problem.system(numbers[k::count], 1 / count) for k in _scattered(count)]
    curvature = torch.stack([system.bend for system in systems]).mean(0)
    scale = float(torch.where(problem.support, curvature, 0.0).max())
    curvature = torch.where(problem.support, curvature.clamp(min=FLATTEST * scale), math.inf)
    state = fista.init(estimate)
    for _ in range(SUBSET_PASSES):
        total = 0.0
        for system in systems:
            state, loss = system.step(state, smoothing, curvature, SUBSET_MOMENTUM)
            total += loss / count
        yield counter.step("start", state.estimate, total, smoothing)
    return state.estimate


def _scattered(count: int) -> list[int]:
    """0 .. count - 1, a power of two, in bit-reversed order: neighbours in time look from far apart."""
    bits = count.bit_length() - 1
    return sorted(range(count), key=lambda k: int(f"{k:0{bits}b}"[::-1], 2) if bits else 0)


def _choose(
    problem: Problem, estimate: Tensor, counter: _Counter
) -> Generator[Step, None, tuple[float, fista.FistaState, dict[float, float]]]:
    """Descend the ladder of smoothing weights while an eighth of the views is held out.

    From the same state a few passes are run with the weight at hand and with the next one down; the one that predicts
    the held-out views better goes on. So the passes are not lost, and neither has a longer run behind it.
    """
    views = len(problem.measurement.cameras)
    held = list(range(HELD_OUT // 2, views, HELD_OUT))
    kept = [view for view in range(views) if view not in held]
    first, last = LADDER[problem.measurement.noise.kind]
    if problem.measurement.noise.deviation:
        estimate = yield from _subsets(problem, kept, estimate, first, counter)
    system, test = problem.system(kept), problem.system(held)
    trial = max(1, round(counter.total * RUNG_PASSES))
    scores: dict[float, float] = {}
    weight, state = first, fista.init(estimate)
    state = yield from _run(system, state, first, trial, counter)
    while weight / RUNG > last * 0.999 and counter.left > 2 * trial:
        same = yield from _run(system, state, weight, trial, counter)
        less = yield from _run(system, state, weight / RUNG, trial, counter)
        scores[weight], scores[weight / RUNG] = test.misfit(same.estimate), test.misfit(less.estimate)
        if scores[weight] <= scores[weight / RUNG]:
            return weight, same, scores
        weight, state = weight / RUNG, less
    return weight, state, scores


def _run(
    system: System, state: fista.FistaState, smoothing: float, passes: int, counter: _Counter
) -> Generator[Step, None, fista.FistaState]:
    """So many passes with one smoothing weight, as far as the budget goes."""
    for _ in range(min(passes, counter.left)):
        state, loss = system.step(state, smoothing)
        yield counter.step("choose", state.estimate, loss, smoothing)
    return state
