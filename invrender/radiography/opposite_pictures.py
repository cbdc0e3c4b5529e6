"""The tilt of a detector from pictures half a turn apart, which mirror each other about the axis of rotation.

Parallel rays read the same both ways, so a picture and the mirrored one from the other side are equal once both are
laid upon the plane through the axis; a turned detector turns one against the other by twice its tilt. Of a cone that
holds for what lies in that plane alone: what lies before it is larger in one picture and smaller in the other. How far
that misleads is seen by doing the same with pictures of a coarse grid that explains the views, whose tilt is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from invrender.kernels import Backend
from invrender.nouns import Cameras
from invrender.radiography.calibration_problem import Placed, fit, normal
from invrender.radiography.calibration_steps import SOLVE
from invrender.radiography.calibration_views import Recorded, coarse, coarser, smoothed
from invrender.radiography.misalignment import Misalignment, moved, sideways

Tensor = torch.Tensor

LONGEST = 128  # pixels of the pictures that are compared
NEAR, FINE = 0.1, math.radians(3.0)  # share of a step, or step, from which on the nearest view is half a turn away
FEWEST, MOST = 5, 48  # pairs
STEPS = torch.tensor([0.25, 0.1], dtype=torch.float64)  # columns, degrees: of central differences
ROUNDS = 8
SMOOTHER = 2  # times that pictures are smoothed: sharp edges do not survive interpolation
AGAIN = 4  # grids, each with the tilt that the one before has found
FARTHEST = (8.0, 10.0)  # columns, degrees that a step may be long


@dataclass(frozen=True)
class Mirrored:
    """Where the axis and the tilt make opposite pictures mirror each other, with the tilt's standard deviation."""

    axis: float
    tilt: float
    deviation: float


@dataclass(frozen=True)
class Pairs:
    """Pictures and those half a turn away.

    Attributes:
        camera: one of theirs, [1]; axis, centre: of rotation, in its world; pixel: world units of a column there.
        pictures, others: [K,H,W]; sure, sure_others: where they are known.
    """

    camera: Cameras
    axis: Tensor
    centre: Tensor
    pixel: float
    pictures: Tensor
    others: Tensor
    sure: Tensor
    sure_others: Tensor


def opposite_tilt(data: Recorded, by: Placed, backend: Backend, across: int) -> Mirrored | None:
    """The tilt by pictures half a turn apart; None where there are few of them, or they do not agree on one.

    Args:
        data: all views.
        by: the geometry, about.
        backend: what projects.
        across: coarse pixels across the object, of the grid that a cone takes.
    """
    ahead, behind = _pairs(data)
    if len(ahead) < FEWEST or min(data.cameras.size) < 4:
        return None
    both = data.of(torch.cat([ahead, behind]))
    if data.orbit.parallel:
        factor = max(1, math.ceil(max(data.cameras.size) / LONGEST))
        small, depth, weight = coarser(both.depth, both.weight, both.cameras, (factor, factor))
        known = (weight > 0).float()
        for _ in range(SMOOTHER):
            depth, _ = smoothed(depth, known)
        where = (small[:1], data.orbit.axis, data.orbit.centre, data.pixel)
        return _mirroring(_halves(where, depth, known), torch.tensor([by.axis - by.u, 0.0], dtype=torch.float64))
    problem = coarse(both, by.axis - by.u, across, backend)
    known = (problem.weight > 0).float()
    where = (problem.cameras[:1], problem.axis, torch.zeros(3, dtype=torch.float64), problem.pixel)
    start = torch.tensor([by.axis - by.u, by.tilt], dtype=torch.float64)
    seen = _mirroring(_halves(where, problem.depth, known), start)
    if seen is None:
        return None
    for _ in range(AGAIN):
        matrix, _ = normal(problem, by, problem.smoothness)
        explained = problem.depth - fit(problem, matrix, None, SOLVE).residual
        model = _mirroring(_halves(where, explained, known), start)
        if model is None:
            return None
        by = replace(by, tilt=by.tilt + seen.tilt - model.tilt)
    return replace(seen, tilt=by.tilt)


def _halves(where: tuple[Cameras, Tensor, Tensor, float], depth: Tensor, known: Tensor) -> Pairs:
    return Pairs(*where, *depth.chunk(2), *known.chunk(2))


def _mirroring(pairs: Pairs, start: Tensor) -> Mirrored | None:
    """The axis and the tilt, from a start [2], by which pictures mirror those opposite best."""

    def difference(by: Tensor) -> Tensor:
        """[K,H,W]: what pictures differ by from those opposite, mirrored; 0 where one of both is not known."""
        there, back = _places(pairs, by)
        known = (_at(pairs.sure, there) > 0.999) & (_at(pairs.sure_others, back) > 0.999)
        return (_at(pairs.pictures, there) - _at(pairs.others, back)) * known

    at = start
    for _ in range(ROUNDS):
        step, _ = _step(difference, at)
        if not bool(step.isfinite().all()) or float(step[0].abs()) > FARTHEST[0] or float(step[1].abs()) > FARTHEST[1]:
            return None
        at = at + step
        if bool((step.abs() < 0.01 * STEPS).all()):
            break
    _, covariance = _step(difference, at)
    return Mirrored(float(at[0]), float(at[1]), math.sqrt(max(float(covariance[1, 1]), 0.0)))


def _pairs(data: Recorded) -> tuple[Tensor, Tensor]:
    """Views and those half a turn away, [K] each, every pair once."""
    angles = data.orbit.angles
    step = data.orbit.arc / max(len(angles), 1)
    off = ((angles[None] - angles[:, None]) % (2 * math.pi) - math.pi).abs()
    off = torch.where(data.orbit.heights[None].sub(data.orbit.heights[:, None]).abs() < data.pixel, off, math.inf)
    nearest, other = off.min(1)
    allowed = max(NEAR * step, step / 2 if step < FINE else 0.0)
    first = ((nearest <= allowed) & (torch.arange(len(angles)) < other)).nonzero()[:, 0]
    if len(first) > MOST:
        first = first[torch.linspace(0, len(first) - 1, MOST).round().long()]
    return first, other[first]


def _places(pairs: Pairs, by: Tensor) -> tuple[Tensor, Tensor]:
    """[H,W,2] twice: where a picture shows points of the plane through the axis, and where the opposite one does.

    Both are interpolated, so that neither is more blurred than the other; by: see `Mirrored`.
    """
    height, width = pairs.camera.size
    row, column = torch.meshgrid(
        1 - (torch.arange(height, dtype=torch.float64) + 0.5) * 2 / height,
        (torch.arange(width, dtype=torch.float64) + 0.5) * 2 / width - 1,
        indexing="ij",
    )
    plane = torch.stack([column, row, torch.ones_like(row)], -1) @ torch.linalg.inv(_picture(pairs, pairs.camera)).T
    turned = moved(pairs.camera, Misalignment(axis=float(by[0]), tilt=float(by[1])), pairs.axis, pairs.pixel)
    mirrored = plane * torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)
    seen, opposite = (at @ _picture(pairs, turned).T for at in (plane, mirrored))
    return seen[..., :2] / seen[..., 2:], opposite[..., :2] / opposite[..., 2:]


def _picture(pairs: Pairs, camera: Cameras) -> Tensor:
    """[3,3]: from (right, up, 1) in the plane through the axis to a picture's homogeneous coordinates."""
    at = torch.cat([pairs.centre, torch.ones(1, dtype=torch.float64)])
    across = _direction(sideways(camera, pairs.axis)[0])
    return (camera.clip_from_world[0] @ torch.stack([across, _direction(pairs.axis), at], 1))[[0, 1, 3]]


def _direction(vector: Tensor) -> Tensor:
    return torch.cat([vector, torch.zeros(1, dtype=torch.float64)])


def _at(pictures: Tensor, places: Tensor) -> Tensor:
    """Pictures [K,H,W] at places [H,W,2] in normalised device coordinates, 0 beyond their borders."""
    grid = torch.stack([places[..., 0], -places[..., 1]], -1)[None].expand(len(pictures), -1, -1, -1)
    found: Tensor = torch.nn.functional.grid_sample(pictures[:, None].double(), grid, align_corners=False)
    return found[:, 0]


def _step(difference: Callable[[Tensor], Tensor], at: Tensor) -> tuple[Tensor, Tensor]:
    """The Gauss-Newton step of both numbers, and their covariance: pairs, not pixels, are independent (White 1980)."""
    residual = difference(at)
    slopes = []
    for i, length in enumerate(STEPS):
        move = torch.zeros_like(at)
        move[i] = length
        slopes.append((difference(at + move) - difference(at - move)) / (2 * length))
    jacobian = torch.stack(slopes)
    curvature = torch.einsum("akhw,bkhw->ab", jacobian, jacobian)
    each = torch.einsum("akhw,khw->ka", jacobian, residual)
    inverse = torch.linalg.pinv(curvature, hermitian=True, rtol=1e-12)
    return -inverse @ each.sum(0), inverse @ (each.T @ each) @ inverse
