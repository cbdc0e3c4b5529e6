"""Calibration: the axis of rotation, the detector's offsets and its tilt, found from the views themselves.

First opposite views say where the axis is seen (`opposite_views`). Then a coarse grid is fitted to the views, and the
few numbers of the geometry follow the gradient of its misfit by Gauss-Newton steps (`calibration_problem`). What the
misfit does not depend on enough to tell is left as it is, and said.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Literal

import torch

from invrender.cameras.orbit import Orbit, circular_orbit
from invrender.errors import InputError
from invrender.kernels import Backend
from invrender.nouns import Cameras
from invrender.radiography.calibration_problem import Coarse, Placed
from invrender.radiography.calibration_steps import Estimate, bottom, fitted, linearised, refined, share, widened
from invrender.radiography.calibration_views import Recorded, coarse, recorded
from invrender.radiography.misalignment import Misalignment, moved
from invrender.radiography.opposite_pictures import Mirrored, opposite_tilt
from invrender.radiography.opposite_views import opposite_views

Tensor = torch.Tensor

What = Literal["axis", "offset", "tilt", "all"]

ACROSS, ROUGH = 28, 16  # coarse pixels across the object: for the fit, and to look around
OFF_CIRCLE = 1.0  # pixels by which cameras may be off their circle
ONE_SIDED = 10.0  # by which deviations are larger where no rays pass both ways, and nothing cancels
MIRRORED_ARC = 4.7  # radians of parallel beams, from which most views have one the other way round
TOLD = {"axis": 0.5, "u": 0.15, "v": 0.15, "tilt": 0.25}  # pixels, degrees: what is less certain is not corrected
# Places of the object that make up for most of what the number does to the views.
GAUGES = {"u": ("turn",), "v": ("lift",)}
LEAST_TILT = 0.01  # degrees that interpolated pictures err by
MISLED = 3.0  # by which a cone's opposite pictures err more than they differ from pair to pair: the grid is coarse
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
    orbit = _on_circle(cameras)
    data = recorded(cameras, orbit, depth, weight)
    parallel = data.orbit.parallel
    names, held = _asked(what, parallel, cameras.size[0])
    log: list[str] = []
    first, mirrored = _first(data, backend, log) if {"axis", "u"} & set(names) else (0.0, True)
    sideways = "axis" if "axis" in names else "u"
    problem = coarse(data, first, ACROSS, backend)
    before = share(problem, fitted(problem, Placed()))
    # The detector farther to the right sees the axis farther to the left.
    start = Placed(axis=first) if sideways == "axis" else Placed(u=-first)
    strong = tuple(name for name in names if name in (sideways, "tilt"))
    found = refined(problem, start, strong)
    for name in strong:
        if name == "tilt" or not mirrored:
            found = bottom(problem, found, name)
    weak = tuple(name for name in names if name not in strong)
    if weak:
        found = _with_weak(problem, found, weak, held)
    if not mirrored:
        found = replace(found, covariance=found.covariance * ONE_SIDED**2)
    elif parallel and data.orbit.arc < MIRRORED_ARC and "tilt" in found.names:
        found = widened(found, "tilt", ONE_SIDED * found.deviation("tilt"))
    if "tilt" in found.names:
        turned = opposite_tilt(Recorded(cameras, orbit, depth, weight, data.pixel), found.by, backend, ACROSS)
        found = found if turned is None else _with_tilt(found, turned, parallel)
    uncertainty, by = _certain(found, held)
    _check(data, by)
    after = share(problem, fitted(problem, Placed(**asdict(by))))
    log.append(f"refined on a grid of {' x '.join(map(str, problem.shape[::-1]))}: misfit {before:.2%} to {after:.2%}")
    corrected = moved(cameras, by, data.orbit.axis, data.pixel)
    return Calibration(by, uncertainty, held, corrected, data.pixel, after, before, tuple(log))


def _with_tilt(found: Estimate, turned: Mirrored, parallel: bool) -> Estimate:
    """The estimate with the tilt by which opposite pictures mirror each other, which tell it best."""
    i, covariance = found.names.index("tilt"), found.covariance.clone()
    covariance[i], covariance[:, i] = 0, 0
    covariance[i, i] = (turned.deviation * (1 if parallel else MISLED)) ** 2 + LEAST_TILT**2
    return replace(found, by=replace(found.by, tilt=turned.tilt), covariance=covariance)


def _with_weak(problem: Coarse, found: Estimate, weak: tuple[str, ...], held: dict[str, str]) -> Estimate:
    """The estimate with numbers that a narrow beam hardly tells from others: those that this one does tell."""
    for name in weak:
        gauges = GAUGES[name]
        names = (*found.names, name, *(gauge for gauge in gauges if gauge not in found.names))
        joint = linearised(problem, found.by, names, found.fit.grid)
        sure = joint.deviation(name)
        if sure > TOLD[name]:
            held[name] = _untold(sure, name)
        else:
            found = refined(problem, found.by, names, 2)
    return found


def _on_circle(cameras: Cameras) -> Orbit:
    orbit = circular_orbit(cameras, helix=True, tolerance=OFF_CIRCLE)
    if orbit is None:
        raise InputError(
            "the cameras do not turn about one axis, so there is no axis to find",
            "leave --calibrate out: it is for scans on a circle or a helix with one detector",
        )
    return orbit


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


def _first(data: Recorded, backend: Backend, log: list[str]) -> tuple[float, bool]:
    """Where the axis is seen, about, and whether rays pass both ways: opposite views, or what fits best."""
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
    return min(scores, key=scores.__getitem__), opposite is not None


def _rough(data: Recorded, axis: float, backend: Backend) -> float:
    """How badly a rough grid explains some rows, as a share of them, with the axis seen there."""
    problem = coarse(data, 0.0, ROUGH, backend, rows=5)
    return share(problem, fitted(problem, Placed(axis=axis)))


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
    here = linearised(problem, Placed(), ("axis",), None)
    at = here
    if opposite is not None and opposite.clear and abs(opposite.axis) > problem.factor[0] / 2:
        there = linearised(problem, Placed(axis=opposite.axis), ("axis",), None)
        at = min(here, there, key=lambda each: each.fit.misfit)
    if abs(float(at.next[0])) > MATTERS / 2:
        at = refined(problem, at.by, ("axis",), 3)
    gain = 1 - at.fit.misfit / max(here.fit.misfit, 1e-30)
    return Suspicion(at.by.axis, at.deviation("axis"), gain)


def _certain(found: Estimate, held: dict[str, str]) -> tuple[dict[str, float], Misalignment]:
    """The numbers that are certain enough; the others stay as they are."""
    uncertainty, by = {}, Misalignment(found.by.axis, found.by.u, found.by.v, found.by.tilt)
    for name in (name for name in found.names if name in asdict(by)):
        sure = found.deviation(name)
        if sure > TOLD[name]:
            held[name] = _untold(sure, name)
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


def _untold(sure: float, name: str) -> str:
    """Why a number is held."""
    return "the views do not tell it" if sure > 50 else f"the views tell it to {_number(sure, name)} only"


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
