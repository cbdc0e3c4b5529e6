"""How sure values are: coverage of intervals over many noisy pictures, and posteriors with and without hard shadows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from scene_world import Found, last, recovered, seen, shot, world

from invrender.kernels import Backend
from invrender.methods.scene.posterior import Sampled
from invrender.nouns import DirectionalLight, Mesh

Row = tuple[str, str, str, str]

SIGMA = 0.02  # of the noise; the picture ends near 1
TOWARDS = (0.3, 0.8, -0.9)
SUN = DirectionalLight(TOWARDS, 3.0, "sun")
FREE = ["light.direction", "light.intensity"]
START = DirectionalLight((-0.1, 1.0, -0.6), 2.0, "sun")
NINETY = 1.6449


def _fit(meshes: Sequence[Mesh], backend: Backend, size: int, picture: int, shadows: bool, **settings: object) -> Found:
    how = shot(1, shadows)
    target = seen(world(meshes, size, SUN), backend, how, SIGMA, picture)
    return recovered(world(meshes, size, START), target, FREE, backend, how, noise=SIGMA, **settings)


def coverage(meshes: Sequence[Mesh], backend: Backend, sets: int = 200, size: int = 64) -> list[Row]:
    """Of the intervals that standard errors give, and of those of draws."""
    rows = []
    for posterior, count in ((False, sets), (True, sets // 5)):
        inside, spent = [], []
        for seed in range(count):
            more = {"posterior": True, "draws": 250} if posterior else {}
            found = _fit(meshes, backend, size, seed, False, starts=1, **more)
            spent.append(found.seconds)
            inside.append(_inside(found) if not posterior else _among(found))
        shares = np.mean(inside, 0)
        told = ", ".join(f"{share:.3f}" for share in shares) + f" of {count} sets (azimuth, elevation, intensity)"
        what = "draws" if posterior else "standard errors"
        rows.append((f"90 % intervals by {what}, {size}^2", told, ".85 to .95", f"{np.median(spent):.2f} each"))
    return rows


def _truth(found: Found) -> torch.Tensor:
    """The free numbers [n] of the truth."""
    values = found.plan.values
    return values.joined(values.encode(replace(values.scene, lights=(SUN,))))


def _inside(found: Found) -> list[bool]:
    values, end = found.plan.values, last(found.state)
    certain = found.plan.certain(found.state.finished)
    assert certain is not None
    off = (values.joined(end) - _truth(found)).abs()
    return [bool(inside) for inside in off <= NINETY * certain.laplace.standard_error]


def _among(found: Found) -> list[bool]:
    lower, upper = _intervals(found, 0.9)
    truth = _truth(found).numpy()
    return [bool(inside) for inside in (lower <= truth) & (truth <= upper)]


def _intervals(found: Found, share: float) -> tuple[np.ndarray, np.ndarray]:
    drawn = _sampled(found).numbers
    flat = drawn.reshape(-1, drawn.shape[2])
    lower, upper = np.quantile(flat, [(1 - share) / 2, (1 + share) / 2], axis=0)
    return lower, upper


def _sampled(found: Found) -> Sampled:
    drawn = found.plan.result(found.state.finished).sampled
    assert drawn is not None
    return drawn


def posterior(meshes: Sequence[Mesh], backend: Backend, size: int = 64) -> list[Row]:
    """Of the sun's direction and intensity: without shadows, and with hard ones for two seeds."""
    rows = []
    for shadows, seeds, bar in (
        (False, (0,), "ESS 500, 2 CPU-s"),
        (True, (0, 1), "covered in 99 %, seeds agree, 10 CPU-s"),
    ):
        runs = [_fit(meshes, backend, size, 7, shadows, posterior=True, draws=260, seed=seed) for seed in seeds]
        for run in runs:
            drawn = _sampled(run)
            d, (lower, upper) = drawn.diagnosis, _intervals(run, 0.99)
            truth = _truth(run).numpy()
            covered = "covered" if bool(((lower <= truth) & (truth <= upper)).all()) else "not covered"
            told = f"{drawn.method}: ESS {min(d.ess.min(), d.ess_square.min()):.0f}, R-hat {d.rhat.max():.3f}"
            told += f", truth {covered} in 99 %; {run.evaluations} evaluations"
            name = f"sun, {'hard' if shadows else 'no'} shadows, {size}^2"
            rows.append((name, told, bar, f"{run.seconds:.2f}"))
        if len(runs) == 2:
            a, b = (_sampled(run).diagnosis for run in runs)
            apart = np.abs(a.median - b.median) / np.sqrt((a.deviation**2 + b.deviation**2) / 2)
            rows.append(("two seeds", f"medians {apart.max():.2f} standard deviations apart at most", "agree", ""))
    return rows
