"""Gauss-Newton on a scanner's few numbers, and how certain they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from invrender.radiography.calibration_problem import Coarse, Fit, Placed, derivatives, fit, normal

Tensor = torch.Tensor

SOLVE, EXPLAIN = 30, 10  # steps of conjugate gradients: for the grid, and for what it makes up for
MOST_STEPS = 6
CLOSE = 0.003  # coarse pixels, of a step so small that it is the last
AGAIN = 0.2  # deviations, of a step that is not worth taking
BOTTOM = 0.1  # coarse pixels, between misfits that a parabola is laid through
FARTHEST = 2.5  # coarse pixels that a step may go
# Coarse pixels by which so coarse a grid errs where nothing else does: across the axis two sides cancel each other.
MODEL = {"axis": 0.003, "u": 0.003, "v": 0.01, "tilt": 0.01, "lift": 0.01, "turn": 0.01}


@dataclass(frozen=True)
class Estimate:
    """Numbers after Gauss-Newton: where, how certain, and how well a grid explains the views there.

    Attributes:
        by: where.
        names: of the numbers; covariance: theirs, [P,P].
        next: the step that would follow.
        fit: the grid.
    """

    by: Placed
    names: tuple[str, ...]
    covariance: Tensor
    next: Tensor
    fit: Fit

    def deviation(self, name: str) -> float:
        """Standard deviation of a number."""
        i = self.names.index(name)
        return math.sqrt(max(float(self.covariance[i, i]), 0.0))


def fitted(problem: Coarse, by: Placed) -> Fit:
    """The best grid there."""
    matrix, _ = normal(problem, by, problem.smoothness)
    return fit(problem, matrix, None, SOLVE)


def share(problem: Coarse, found: Fit) -> float:
    """The misfit as a share of the views."""
    power = 0.5 * float((problem.weight * problem.depth.square()).double().sum())
    return math.sqrt(found.misfit / max(power, 1e-30))


def refined(problem: Coarse, start: Placed, names: Sequence[str], most: int = MOST_STEPS) -> Estimate:
    """Gauss-Newton steps, each halved until it improves."""
    at = linearised(problem, start, names, None)
    for _ in range(most):
        step = _shortened(problem, at.next, names)
        sure = at.covariance.diagonal().clamp(min=0).sqrt()
        if bool((step.abs() < torch.maximum(CLOSE * _units(problem, names), AGAIN * sure)).all()):
            break
        for _ in range(3):
            trial = linearised(problem, _plus(at.by, names, step), names, at.fit.grid)
            if trial.fit.misfit < at.fit.misfit:
                break
            step = step / 2
        else:
            break
        at = trial
    return at


def bottom(problem: Coarse, found: Estimate, name: str) -> Estimate:
    """The estimate with a number at the bottom of the parabola through misfits around it.

    Where no opposite rays cancel errors of the grid, the misfit has dents; over half a coarse pixel they average out.
    """
    step = BOTTOM * float(_units(problem, (name,))[0])
    moves = torch.arange(-3, 4, dtype=torch.float64)
    misfits = []
    for move in moves:
        by = _plus(found.by, (name,), move[None] * step)
        matrix, _ = normal(problem, by, problem.smoothness)
        misfits.append(fit(problem, matrix, found.fit.grid, SOLVE).misfit)
    system = torch.stack([moves.square(), moves, torch.ones_like(moves)], 1)
    values = torch.tensor(misfits, dtype=torch.float64)
    solved = torch.linalg.pinv(system) @ values
    bend, slope, _ = solved.tolist()
    off = math.sqrt(float((values - system @ solved).square().sum()) / 4)
    if bend <= 0.25 * off:  # dents as deep as the bowl
        return widened(found, name, math.inf)
    move = torch.tensor([-slope / (2 * bend)], dtype=torch.float64).clamp(-4, 4)
    at_bottom = replace(found, by=_plus(found.by, (name,), move * step))
    return widened(at_bottom, name, off / (2 * bend) / math.sqrt(float(moves.square().sum())) * step)


def widened(found: Estimate, name: str, least: float) -> Estimate:
    """The estimate with a number's deviation at least so large."""
    scale = torch.ones(len(found.names), dtype=torch.float64)
    scale[found.names.index(name)] = max(1.0, min(least, 1e6) / max(found.deviation(name), 1e-30))
    return replace(found, covariance=found.covariance * scale * scale[:, None])


def linearised(problem: Coarse, by: Placed, names: Sequence[str], grid: Tensor | None) -> Estimate:
    """The best grid there, and the Gauss-Newton step from there with its uncertainty."""
    matrix, _ = normal(problem, by, problem.smoothness)
    found = fit(problem, matrix, grid, SOLVE)
    weight = problem.weight
    slopes = derivatives(problem, by, found.grid, names)
    left = []
    for slope in slopes:
        nothing = torch.zeros(problem.shape)
        explained = matrix.solve(matrix.projection.adjoint(weight * slope), nothing, EXPLAIN, 3e-3)
        left.append(slope - matrix.projection.forward(explained))
    curvature = torch.stack([torch.stack([_dot(weight * a, b) for b in left]) for a in slopes])
    curvature = (curvature + curvature.T) / 2
    gradient = torch.stack([_dot(weight * slope, found.residual) for slope in slopes])
    inverse = torch.linalg.pinv(curvature, hermitian=True, rtol=1e-12)
    known = float((weight > 0).sum())
    variance = _dot(weight * found.residual, found.residual) / known
    # Neighbouring pixels err alike, so that views, not pixels, are what is independent (White 1980: the sandwich).
    each = torch.stack([(weight * slope * found.residual).double().sum((1, 2)) for slope in left], 1)
    clustered = inverse @ (each.T @ each) @ inverse
    plain = inverse * variance
    scale = (clustered.diagonal() / plain.diagonal().clamp(min=1e-300)).clamp(min=1).sqrt()
    # Errors of the model grow as those of the data do where numbers are hardly told from each other.
    alone = (variance / curvature.diagonal().clamp(min=1e-300)).sqrt()
    model = torch.tensor([MODEL[name] for name in names]) * _units(problem, names)
    scale = torch.hypot(scale, model / alone.clamp(min=1e-300))
    return Estimate(by, tuple(names), plain * scale * scale[:, None], inverse @ gradient, found)


def _plus(by: Placed, names: Sequence[str], step: Tensor) -> Placed:
    return replace(by, **{name: getattr(by, name) + float(more) for name, more in zip(names, step, strict=True)})


def _units(problem: Coarse, names: Sequence[str]) -> Tensor:
    """[P]: what a coarse pixel is of each number."""
    return torch.tensor([2 * getattr(problem.step, name) for name in names], dtype=torch.float64)


def _shortened(problem: Coarse, step: Tensor, names: Sequence[str]) -> Tensor:
    longest = float((step.abs() / _units(problem, names)).max())
    return step * min(1.0, FARTHEST / max(longest, 1e-30))


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a.double() * b.double()).sum()
