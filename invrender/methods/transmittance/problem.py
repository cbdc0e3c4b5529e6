"""The least-squares problem behind transmittance images: 1/2 sum w (A x - b)^2 with b = -ln T, on a carved support."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from invrender.errors import InputError
from invrender.kernels import Backend, RayBundle
from invrender.methods.transmittance.carving import carve
from invrender.methods.transmittance.measurement import Measurement
from invrender.solve.ordered_subsets import scattered
from invrender.solve.protocol import Params, Terms

Tensor = torch.Tensor
Shape = tuple[int, int, int]

DENSITY = "density"  # the name of the one parameter: [D,H,W]
FLATTEST = 0.02  # lower bound of the curvature, of the largest: steps of voxels that few rays cross stay small


@dataclass(frozen=True)
class Problem:
    """Everything that does not change while solving.

    Attributes:
        measurement, shape, bounds, backend: see `prepare`.
        support: [D,H,W] bool; active_pixels: [N,H,W] bool, whose rays are used.
        level: typical density, from the data alone.
        turns: in how many parts FISTA takes the views, one after the other.
    """

    measurement: Measurement
    shape: Shape
    bounds: Tensor
    backend: Backend
    support: Tensor
    active_pixels: Tensor
    level: float
    turns: int = 1

    @property
    def nothing(self) -> Tensor:
        """[D,H,W] zeros."""
        return torch.zeros_like(self.support, dtype=torch.float32)

    @cached_property
    def whole(self) -> System:
        """The system of all views."""
        return self.system(range(len(self.measurement.cameras)))

    def system(self, views: Sequence[int], share: float = 1.0) -> System:
        """The least-squares system of some views; `share` is what part of all views they stand for, under subsets."""
        data, device = self.measurement, self.backend.device
        cameras, active_pixels, depth, weights = data.cameras, self.active_pixels, data.depth, data.weight
        if list(views) != list(range(len(cameras))):  # choosing copies
            index = torch.tensor(list(views))
            cameras = cameras[index]
            active_pixels, depth, weights = (each[index] for each in (active_pixels, depth, weights))
        rays = self.backend.joseph_rays(self.shape, self.bounds, cameras, active_pixels, self.support.cpu())
        at = rays.pixels.cpu()
        target, weight = (image.reshape(-1)[at].to(device) for image in (depth, weights))
        del at
        weight = weight if share == 1 else weight / share
        return System(self, rays, target, weight)

    @cached_property
    def turned(self) -> Parts:
        """The systems of all views, in parts."""
        return self.parts(range(len(self.measurement.cameras)), self.turns)

    def parts(self, views: Sequence[int], count: int) -> Parts:
        """The systems of so many parts of some views, each from far apart."""
        taken = [list(views)[k::count] for k in scattered(count)]
        return Parts(self, tuple(self.system(part, 1 / count).free for part in taken))

    def curvature(self, majoriser: Tensor) -> Tensor:
        """[D,H,W]: a majoriser with its smallest values raised; inf outside the support."""
        greatest = float(torch.where(self.support, majoriser, 0.0).max())
        return torch.where(self.support, majoriser.clamp(min=FLATTEST * greatest), math.inf)


@dataclass(frozen=True)
class System:
    """Rays with their data: a `LeastSquares` objective.

    Attributes:
        problem: what it belongs to.
        rays: A.
        target, weight: [R] b and w.
        held: whether gradients vanish outside the support; FISTA holds those voxels by their curvature.
    """

    problem: Problem
    rays: RayBundle
    target: Tensor
    weight: Tensor
    held: bool = True

    @cached_property
    def curvature(self) -> Tensor:
        """[D,H,W]: a diagonal that bounds the misfit's curvature (a separable quadratic surrogate); inf outside."""
        lengths = self.rays.forward(self.problem.support.float())
        return self.problem.curvature(self.rays.adjoint(self.weight * lengths))

    @cached_property
    def scale(self) -> float:
        """The largest curvature inside the support."""
        return float(torch.where(self.problem.support, self.curvature, 0.0).max())

    @property
    def free(self) -> System:
        """The same for a solver that holds what lies outside the support by itself."""
        found = dataclasses.replace(self, held=False)
        vars(found).update({name: value for name, value in vars(self).items() if name in ("curvature", "scale")})
        return found

    def value_and_grad(self, params: Params, random: torch.Generator) -> tuple[Terms, Params]:
        """Misfit and gradient, in one go."""
        del random
        gradient, misfit = self.rays.normal(params[DENSITY], self.target, self.weight)
        return {"misfit": misfit}, self._inside(gradient) if self.held else {DENSITY: gradient}

    def residual(self, params: Params) -> Tensor:
        """A x - b."""
        return self.rays.forward(params[DENSITY]) - self.target

    def jvp(self, tangent: Params) -> Tensor:
        """A t."""
        return self.rays.forward(tangent[DENSITY])

    def vjp(self, cotangent: Tensor) -> Params:
        """A' y."""
        return self._inside(self.rays.adjoint(cotangent))

    def _inside(self, grid: Tensor) -> Params:
        return {DENSITY: torch.where(self.problem.support, grid, 0.0)}

    def reweighted(self, weight: Tensor) -> System:
        """The same with other weights [R]."""
        return dataclasses.replace(self, weight=weight)

    def misfit(self, estimate: Tensor) -> float:
        """Mean weighted squared difference."""
        difference = self.rays.forward(estimate) - self.target
        return float((self.weight * difference.square()).double().sum() / self.weight.double().sum())


@dataclass(frozen=True)
class Parts:
    """Views in parts, of which each stands for all.

    Attributes:
        problem: what they belong to.
        systems: one each.
    """

    problem: Problem
    systems: tuple[System, ...]

    @cached_property
    def curvature(self) -> Tensor:
        """[D,H,W]: see `System`; of all views, which on average is that of a part."""
        support = self.problem.support.float()
        found = [each.rays.adjoint(each.weight * each.rays.forward(support)) for each in self.systems]
        return self.problem.curvature(sum(found[1:], found[0]) / len(found))

    @cached_property
    def scale(self) -> float:
        """The largest curvature inside the support."""
        return float(torch.where(self.problem.support, self.curvature, 0.0).max())

    @property
    def samples(self) -> int:
        """How many samples of the grid all rays take."""
        return sum(each.rays.samples for each in self.systems)


def prepare(
    measurement: Measurement,
    shape: Shape,
    bounds: Tensor,
    backend: Backend,
    margin: float | None = 2.0,
    turns: int = 1,
) -> Problem:
    """Carve and set up.

    Args:
        measurement: the views.
        shape: (D, H, W) of the grid to find.
        bounds: [2,3] positions of its first and last vertex.
        backend: what projects.
        margin: cells around empty rays that may hold something, where the rest of what they cross is held at zero;
            None: nothing is held.
        turns: in how many parts FISTA takes the views.

    Raises:
        InputError: no ray meets the box, or nothing absorbs.
    """
    bounds = bounds.to(backend.device)
    support, active_pixels = torch.ones(shape, dtype=torch.bool), measurement.weight > 0
    if margin is not None:
        support, active_pixels = carve(measurement, shape, bounds, backend.joseph_rays, margin)
    level = _level(measurement.depth[active_pixels], bounds)
    problem = Problem(measurement, shape, bounds, backend, support.to(backend.device), active_pixels, level, turns)
    if not len(backend.joseph_rays(shape, bounds, measurement.cameras[[0]], active_pixels[:1], support).pixels):
        _check_aim(problem)
    return problem


def _level(depth: Tensor, bounds: Tensor) -> float:
    seen = depth[depth > 0.04 * depth.max()] if len(depth) else depth
    if not len(seen) or not float(seen.max()) > 0:
        raise InputError("the images show nothing that absorbs light", "check that they are transmittances: 1 is clear")
    chord = 0.5 * float((bounds[1] - bounds[0]).max())
    return float(np.percentile(seen.numpy()[:: max(1, len(seen) // 100000)], 90)) / chord


def _check_aim(problem: Problem) -> None:
    data = problem.measurement
    rays = problem.backend.joseph_rays(problem.shape, problem.bounds, data.cameras, problem.active_pixels, None)
    if not len(rays.pixels):
        raise InputError("no ray of any view meets the grid's box", "give the box with --bounds, in the cameras' frame")
