"""Reconstruction from transmittance as a method of `invrender reconstruct`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from invrender.cameras.volume_rigs import volume_rig
from invrender.kernels import Backend
from invrender.methods.inputs import unmasked
from invrender.methods.transmittance import calibrated, report, task
from invrender.methods.transmittance.budget import passes
from invrender.methods.transmittance.compared import compared
from invrender.methods.transmittance.comparison import Comparing, apart, chosen
from invrender.methods.transmittance.doubts import check
from invrender.methods.transmittance.film import film
from invrender.methods.transmittance.measurement import Measurement, Noise, measure
from invrender.methods.transmittance.neural import ITERATIONS, Training, field_of, field_schedule, learnt
from invrender.methods.transmittance.outputs import outputs
from invrender.methods.transmittance.problem import DENSITY, prepare
from invrender.methods.transmittance.rims import WIDE
from invrender.methods.transmittance.schedule import Plan
from invrender.methods.transmittance.settings import PRESETS, TransmittanceSettings
from invrender.methods.transmittance.work import work
from invrender.nouns import Volume
from invrender.render.absorption import optical_depth
from invrender.run.method import Method, Problem
from invrender.solve.loop import Loop
from invrender.solve.phase import Finished

LARGE = 512**3  # samples of grids that are cut into slabs


def load(settings: TransmittanceSettings, backend: Backend) -> task.Task:
    """The task, with what is to be written checked before anything is read."""
    wanted = outputs(settings)
    return replace(calibrated.load(settings, backend), outputs=wanted)


def begin(given: task.Task, settings: TransmittanceSettings, backend: Backend) -> Problem:
    """The phases to a density: of a grid that is solved for, or of a neural field that is trained."""
    warm_up(backend)
    moving = film(given, settings, backend)

    def arrays(estimate: torch.Tensor) -> Mapping[str, NDArray[Any]]:
        return {DENSITY: (estimate.cpu() / given.extinction).numpy()}

    if settings.field == "neural":
        problem = prepare(given.measurement, given.shape, given.bounds, backend, WIDE if settings.carve else None)
        training = Training(settings.iterations or ITERATIONS, seed=settings.seed)
        support, field = float(problem.support.double().mean()), field_of(problem, training)

        def trained(finished: tuple[Finished, ...]) -> task.Result:
            density, samples = finished[-1].result[DENSITY], training.rays * training.samples
            return task.Result(density, 0.0, {}, support, samples, False, learnt(field, finished, given.extinction))

        return Problem(field_schedule(problem, training), trained, moving, arrays)
    whole = backend
    if settings.solver != "fdk" and in_slabs(settings, given.shape) and backend.in_slabs is not None:
        backend = backend.in_slabs()
    seen, kept = given.measurement, apart(given) if settings.compare else []
    if kept:
        seen = chosen(seen, [view for view in range(len(seen.cameras)) if view not in kept])
    plan = planned(seen, given.shape, given.bounds, settings, backend)
    if settings.compare:
        comparing = Comparing(plan, given, whole)
        return Problem(comparing.following, comparing.result, moving, arrays)
    return Problem(plan.following, plan.result, moving, arrays)


def in_slabs(settings: TransmittanceSettings, shape: tuple[int, int, int]) -> bool:
    """Whether several processes would hold a slab of the grid each."""
    return settings.split == "slabs" or (settings.split == "auto" and math.prod(shape) >= LARGE)


def planned(
    measurement: Measurement,
    shape: tuple[int, int, int],
    bounds: torch.Tensor,
    settings: TransmittanceSettings,
    backend: Backend,
) -> Plan:
    """The schedule of the grid's solvers."""
    return Plan(measurement, shape, bounds, settings, backend, passes(settings, measurement))


def warm_up(backend: Backend) -> None:
    """Compile (or load) every kernel on a tiny job, so that the solver's time is the solver's."""
    volume = Volume.from_numpy(torch.rand(6, 6, 6, generator=torch.Generator().manual_seed(0)).numpy())
    cameras = volume_rig(volume, "sphere", 8, (8, 8))
    data = measure(cameras, torch.exp(-optical_depth(volume, cameras, backend)), Noise())
    settings = TransmittanceSettings(Path(), iterations=4)
    for _ in Loop(planned(data, volume.shape, volume.bounds, settings, backend).following):
        pass


METHOD = Method(
    name="transmittance",
    inputs="a volume, or a dataset folder of transmittance images",
    settings=TransmittanceSettings,
    presets=PRESETS,
    needs=("volumes",),
    load=load,
    describe=task.describe,
    notices=calibrated.notices,
    check=check,
    doubt=calibrated.doubt,
    facts=lambda given: {"extinction": given.extinction},
    begin=begin,
    measure=calibrated.measure_with_geometry,
    write=calibrated.write,
    rows=calibrated.rows,
    files=calibrated.files,
    asset=report.asset,
    compared=compared,
    views=lambda given: unmasked(given.measurement.cameras),
    work=work,
    shares=lambda settings: settings.field == "grid",
    last=lambda settings: (
        "train" if settings.field == "neural" else "compare asd-pocs" if settings.compare else "solve"
    ),
)
