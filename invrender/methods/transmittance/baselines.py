"""The classical solvers of tomography, to compare with: what each is given of the views, and how many passes it takes.

None of them regularises but ASD-POCS: with the others only the number of passes keeps them from fitting the noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from invrender.methods.transmittance.problem import DENSITY, Problem, System
from invrender.methods.transmittance.settings import TransmittanceSettings
from invrender.radiography.filtered import filtered_back_projection
from invrender.solve.adam import Adam
from invrender.solve.asd_pocs import AsdPocs
from invrender.solve.cgls import Cgls
from invrender.solve.direct import Direct
from invrender.solve.ordered_subsets import scattered
from invrender.solve.os_sart import OsSart
from invrender.solve.protocol import Params, Solver
from invrender.solve.rates import linear_decay
from invrender.solve.sirt import Sirt, inverse_sums, row_weights

Tensor = torch.Tensor

PASSES = {"fdk": 1, "sirt": 200, "cgls": 100, "os-sart": 60, "asd-pocs": 50}
NOISY_PASSES = {"sirt": 100, "cgls": 20, "os-sart": 12}  # before they fit the noise
SUBSETS, SUBSET_VIEWS = (16, 8, 4, 2), 4  # of the views, each with so many at least
LARGE, FEW_SUBSETS = 256**3, 4  # samples of a grid from which on subsets' sums take too much memory
UNMET = 0.005  # of the optical depths: what a grid's samples cannot show

ADAM_RATE = 0.1  # of the density's level, at the first step
ADAM_BETAS, ADAM_EPSILON = (0.9, 0.99), 1e-12


def own_passes(solver: str, noisy: bool) -> int | None:
    """How many passes a solver takes by itself; None: as many as the default solver."""
    return NOISY_PASSES.get(solver, PASSES.get(solver)) if noisy else PASSES.get(solver)


def setup(problem: Problem, settings: TransmittanceSettings, solver: str, total: int) -> tuple[Any, Solver[Any, Any]]:
    """The objective and the solver of a name; for so many passes."""
    nothing = {DENSITY: problem.nothing}
    if solver == "fdk":
        return problem.whole, Direct(lambda: {DENSITY: filtered(problem, settings)})
    if solver == "sirt":
        system = problem.whole
        return system.reweighted(row_weights(system, nothing)), Sirt()
    if solver == "adam":
        rate = linear_decay(ADAM_RATE * problem.level, 1.0, total)
        return problem.whole, Adam(rate, ADAM_BETAS, ADAM_EPSILON, lowest=0.0)
    if solver in ("os-sart", "asd-pocs"):
        parts, columns = subsets(problem)
        if solver == "os-sart":
            return parts, OsSart(columns)
        return parts, AsdPocs(columns, tolerance(problem))
    return problem.whole, Cgls()


def filtered(problem: Problem, settings: TransmittanceSettings) -> Tensor:
    """[D,H,W] by filtered back-projection of all views."""
    data = problem.measurement
    return filtered_back_projection(
        data.depth, data.weight > 0, data.cameras, problem.shape, problem.bounds, problem.backend, settings.filter
    )


def subsets(problem: Problem) -> tuple[Sequence[System], Sequence[Params]]:
    """The views in ordered subsets, weighed by their inverse row sums, and the inverse column sums of each."""
    views = len(problem.measurement.cameras)
    most = FEW_SUBSETS if math.prod(problem.shape) >= LARGE else SUBSETS[0]
    count = next((count for count in SUBSETS if count <= most and SUBSET_VIEWS * count <= views), 1)
    nothing = {DENSITY: problem.nothing}
    parts: list[System] = []
    columns: list[Params] = []
    for first in scattered(count):
        part = problem.system(range(first, views, count))
        part = part.reweighted(row_weights(part, nothing))
        sums = part.vjp(torch.ones_like(part.weight))[DENSITY]
        parts.append(part)
        columns.append({DENSITY: inverse_sums(sums)})
    return tuple(parts), tuple(columns)


def tolerance(problem: Problem) -> float:
    """The length of the residual that noise, and samples for a density, explain."""
    data = problem.measurement
    weight = data.weight[problem.active_pixels].double()
    noise = float((data.noise.deviation**2 / weight.clamp(min=1e-6)).sum())
    model = UNMET**2 * float(data.depth[problem.active_pixels].double().square().sum())
    return math.sqrt(noise + model)
