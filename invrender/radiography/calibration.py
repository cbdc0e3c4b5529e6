"""Calibration: the axis of rotation, the detector's offsets and its tilt, found from the views themselves.

First opposite views say where the axis is seen (`opposite_views`). Then a coarse grid is fitted to the views, and the
few numbers of the geometry follow the gradient of its misfit by Gauss-Newton steps (`calibration_problem`). What the
misfit does not depend on enough to tell is left as it is, and said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

import torch

from invrender.cameras.orbit import circular_orbit
from invrender.errors import InputError
from invrender.kernels import Backend
from invrender.nouns import Cameras
from invrender.radiography.calibration_problem import Coarse, Fit, Placed, derivatives, fit, normal
from invrender.radiography.calibration_views import Recorded, coarse, recorded
from invrender.radiography.misalignment import Misalignment, moved
from invrender.radiography.opposite_views import opposite_views

Tensor = torch.Tensor

What = Literal["axis", "offset", "tilt", "all"]

ACROSS, ROUGH = 24, 16  # coarse pixels across the object: for the fit, and to look around
SOLVE, EXPLAIN = 30, 10  # steps of conjugate gradients: for the grid, and for what it makes up for
MOST_STEPS = 6
CLOSE = 0.01  # coarse pixels, of a step so small that it is the last
FARTHEST = 2.5  # coarse pixels that a step may go
OFF_CIRCLE = 1.0  # pixels by which cameras may be off their circle
# Coarse pixels by which so coarse a grid errs where nothing else does: across the axis two sides cancel each other.
MODEL = {"axis": 0.003, "u": 0.003, "v": 0.01, "tilt": 0.01, "lift": 0.01, "turn": 0.01}
TOLD = {"axis": 0.5, "u": 0.5, "v": 0.5, "tilt": 0.25}  # pixels, degrees: what is less certain is not corrected
# Places of the object that make up for most of what the number does to the views.
GAUGES = {"u": ("turn",), "v": ("lift",)}
FEWEST = 8  # views, of which anything is suspected
SURE, MATTERS, GAIN = 5.0, 0.4, 0.1  # deviations, pixels, and share of the misfit that make a suspicion serious
AROUND = 0.35  # of the columns: how far from its place the axis is looked for without opposite views


@dataclass(frozen=True)
class Calibration:
    """What was found.

    Attributes:
        by: the correction, in pixels of the detector and degrees.
        uncertainty: standard deviations of the numbers that were found.
        held: those that were asked for and left as they are, with the reason.
        cameras: all of them, corrected.
        pixel: world units of a column at the axis: what turns `axis` into them.
        misfit, before: root mean square misfits of the coarse grid's views, as shares of their optical depths.
        log: a line for each thing that was done.
    """

    by: Misalignment
    uncertainty: dict[str, float]
    held: dict[str, str]
    cameras: Cameras
    pixel: float
    misfit: float
    before: float
    log: tuple[str, ...]


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


def calibrate(cameras: Cameras, depth: Tensor, weight: Tensor, what: What, backend: Backend) -> Calibration:
    """Find what a scanner's geometry is off by.

    Args:
        cameras: N of them, on a circle or a helix about one axis.
        depth, weight: [N,H,W] float32 optical depths and inverse variances; a weight of 0: not known.
        what: axis: where the axis of rotation is seen; offset: the detector's along columns and rows; tilt: in its
            plane; all: these.
        backend: what projects.

    Raises:
        InputError: the cameras turn about no axis, or the axis would lie beyond the detector.
    """
    data = _on_circle(cameras, depth, weight)
    parallel = data.orbit.parallel
    names, held = _asked(what, parallel, cameras.size[0])
    log: list[str] = []
    first = _first(data, backend, log) if {"axis", "u"} & set(names) else 0.0
    sideways = "axis" if "axis" in names else "u"
    problem = coarse(data, first, ACROSS, backend)
    before = _share(problem, _fitted(problem, Placed()))
    # The detector farther to the right sees the axis farther to the left.
    start = Placed(axis=first) if sideways == "axis" else Placed(u=-first)
    strong = tuple(name for name in names if name in (sideways, "tilt"))
    found = _refined(problem, start, strong)
    weak = tuple(name for name in names if name not in strong)
    if weak:
        found = _with_weak(problem, found, weak, held)
    uncertainty, by = _certain(found, held)
    _check(data, by)
    after = _share(problem, _fitted(problem, Placed(**asdict(by))))
    log.append(f"refined on a grid of {' x '.join(map(str, problem.shape[::-1]))}: misfit {before:.2%} to {after:.2%}")
    corrected = moved(cameras, by, data.orbit.axis, data.pixel)
    return Calibration(by, uncertainty, held, corrected, data.pixel, after, before, tuple(log))


def _with_weak(problem: Coarse, found: Estimate, weak: tuple[str, ...], held: dict[str, str]) -> Estimate:
    """The estimate with numbers that a narrow beam hardly tells from others: those that this one does tell."""
    for name in weak:
        gauges = GAUGES[name]
        names = (*found.names, name, *(gauge for gauge in gauges if gauge not in found.names))
        joint = _linearised(problem, found.by, names, found.fit.grid)
        sure = joint.deviation(name)
        if sure > TOLD[name]:
            held[name] = f"the views tell it to {_number(sure, name)} only"
        else:
            found = _refined(problem, found.by, names)
    return found


def _on_circle(cameras: Cameras, depth: Tensor, weight: Tensor) -> Recorded:
    orbit = circular_orbit(cameras, helix=True, tolerance=OFF_CIRCLE)
    if orbit is None:
        raise InputError(
            "the cameras do not turn about one axis, so there is no axis to find",
            "leave --calibrate out: it is for scans on a circle or a helix with one detector",
        )
    return recorded(cameras, orbit, depth, weight)


def _asked(what: What, parallel: bool, height: int) -> tuple[tuple[str, ...], dict[str, str]]:
    """The numbers to find, and those that cannot be, with the reason."""
    names = {"axis": ("axis",), "offset": ("u", "v"), "tilt": ("tilt",), "all": ("axis", "tilt", "u", "v")}[what]
    held = {}
    if parallel:
        held["v"] = "a parallel beam looks the same from any height"
        if what == "all":
            held["u"] = "in a parallel beam it is the same as the axis"
    if height == 1:
        held |= {"v": "there is one row", "tilt": "there is one row"}
    return tuple(name for name in names if name not in held), {n: held[n] for n in names if n in held}


def _first(data: Recorded, backend: Backend, log: list[str]) -> float:
    """Where the axis is seen, about: by opposite views, and by what a rough grid explains best."""
    opposite = opposite_views(data)
    candidates = [0.0]
    if opposite is not None:
        candidates.append(opposite.axis)
        log.append(f"opposite views see the axis {opposite.axis:+.2f} px from where it is said to be")
    if opposite is None or not opposite.clear:
        log.append("no opposite views tell where the axis is: looking all around")
        width = data.cameras.size[1]
        candidates += torch.linspace(-AROUND * width, AROUND * width, 29).tolist()
    scores = {each: _rough(data, each, backend) for each in candidates}
    return min(scores, key=scores.__getitem__)


def _rough(data: Recorded, axis: float, backend: Backend) -> float:
    """How badly a rough grid explains some rows, as a share of them, with the axis seen there."""
    problem = coarse(data, 0.0, ROUGH, backend, rows=5)
    return _share(problem, _fitted(problem, Placed(axis=axis)))


def _fitted(problem: Coarse, by: Placed) -> Fit:
    matrix, _ = normal(problem, by, problem.smoothness)
    return fit(problem, matrix, None, SOLVE)


@dataclass(frozen=True)
class Suspicion:
    """Where the axis of rotation seems to be instead: columns to the right, with the standard deviation.

    Attributes:
        axis, uncertainty: in pixels of the detector.
        gain: share of a coarse grid's misfit that goes away with it.
    """

    axis: float
    uncertainty: float
    gain: float

    @property
    def serious(self) -> bool:
        """Whether it is no accident, and matters."""
        return abs(self.axis) > max(SURE * self.uncertainty, MATTERS) and self.gain > GAIN


def suspicion(cameras: Cameras, depth: Tensor, weight: Tensor, backend: Backend) -> Suspicion | None:
    """Whether views want the axis of rotation elsewhere; None where cameras turn about none.

    Arguments are those of `calibrate`; it takes a second or two.
    """
    orbit = circular_orbit(cameras, helix=True, tolerance=OFF_CIRCLE)
    if orbit is None or len(cameras) < FEWEST:
        return None
    data = recorded(cameras, orbit, depth, weight)
    opposite = opposite_views(data)
    problem = coarse(data, 0.0, ROUGH, backend)
    here = _linearised(problem, Placed(), ("axis",), None)
    at = here
    if opposite is not None and opposite.clear and abs(opposite.axis) > problem.factor[0] / 2:
        there = _linearised(problem, Placed(axis=opposite.axis), ("axis",), None)
        at = min(here, there, key=lambda each: each.fit.misfit)
    if abs(float(at.next[0])) > MATTERS / 2:
        at = _refined(problem, at.by, ("axis",), 3)
    gain = 1 - at.fit.misfit / max(here.fit.misfit, 1e-30)
    return Suspicion(at.by.axis, at.deviation("axis"), gain)


def _share(problem: Coarse, found: Fit) -> float:
    """The misfit as a share of the views."""
    power = 0.5 * float((problem.weight * problem.depth.square()).double().sum())
    return math.sqrt(found.misfit / max(power, 1e-30))


def _refined(problem: Coarse, start: Placed, names: Sequence[str], most: int = MOST_STEPS) -> Estimate:
    """Gauss-Newton steps, each halved until it improves."""
    at = _linearised(problem, start, names, None)
    for _ in range(most):
        step = _shortened(problem, at.next, names)
        if bool((step.abs() < CLOSE * _units(problem, names)).all()):
            break
        for _ in range(4):
            trial = _linearised(problem, _plus(at.by, names, step), names, at.fit.grid)
            if trial.fit.misfit < at.fit.misfit:
                break
            step = step / 2
        else:
            break
        at = trial
    return at


def _linearised(problem: Coarse, by: Placed, names: Sequence[str], grid: Tensor | None) -> Estimate:
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


def _certain(found: Estimate, held: dict[str, str]) -> tuple[dict[str, float], Misalignment]:
    """The numbers that are certain enough; the others stay as they are."""
    uncertainty, by = {}, Misalignment(found.by.axis, found.by.u, found.by.v, found.by.tilt)
    for name in (name for name in found.names if name in asdict(by)):
        sure = found.deviation(name)
        if sure > TOLD[name]:
            held[name] = f"the views tell it to {_number(sure, name)} only"
            by = replace(by, **{name: 0.0})
        else:
            uncertainty[name] = sure
            held.pop(name, None)
    return uncertainty, by


def _check(data: Recorded, by: Misalignment) -> None:
    width = data.cameras.size[1]
    if abs(by.axis + by.u) > 0.5 * width:
        raise InputError(
            f"the axis of rotation would lie beyond the detector, {by.axis + by.u:+.1f} px from its middle",
            "check the angles and their direction; an axis must be seen",
        )


def _number(value: float, name: str) -> str:
    return f"{value:.2g} {'degrees' if name == 'tilt' else 'px'}"


def told(found: Calibration) -> str:
    """In one line, such as `axis 3.28 +- 0.02 px, tilt 0.50 +- 0.01 degrees; v held: ...`."""
    values = asdict(found.by)
    parts = [
        f"{name} {values[name]:+.3f} +- {deviation:.3f} {'degrees' if name == 'tilt' else 'px'}"
        for name, deviation in found.uncertainty.items()
    ]
    return "; ".join([", ".join(parts)] * bool(parts) + [f"{name} held: {why}" for name, why in found.held.items()])


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a.double() * b.double()).sum()
