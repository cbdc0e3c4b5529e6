"""Reconstruction of a scattering medium as a method of `invrender reconstruct`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from invrender.kernels import Backend
from invrender.methods.inputs import unmasked
from invrender.methods.scattering import report, task
from invrender.methods.scattering.beginning import LEVEL
from invrender.methods.scattering.compared import compared
from invrender.methods.scattering.estimate import arrays
from invrender.methods.scattering.film import film
from invrender.methods.scattering.schedule import Plan
from invrender.methods.scattering.settings import PRESETS, ScatteringSettings
from invrender.methods.scattering.work import work
from invrender.parameters.neural_field import LearnedField
from invrender.run.method import Method, Problem
from invrender.solve.phase import Finished


def begin(given: task.Task, settings: ScatteringSettings, backend: Backend) -> Problem:
    """The phases to the medium, and what the GIFs show."""
    plan = Plan(given, settings, backend)

    def result(finished: tuple[Finished, ...]) -> report.Result:
        last = finished[-1]
        values = plan.values(plan.shapes[-1][0]).readable(last.result)
        learned = None
        if settings.field == "neural":
            field = plan.learned(finished[1].measures[LEVEL])
            learned = LearnedField(field, {name: last.result[name].cpu() for name in field.sizes})
        return report.Result(values, last.terms["misfit"], report.found_scene(given, values), learned)

    def shots(estimate: Any) -> Mapping[str, NDArray[Any]]:
        return arrays(estimate)

    return Problem(plan.following, result, film(given, settings, backend), shots)


METHOD = Method(
    name="scattering",
    inputs="a scene.toml with a medium, a volume, or a dataset folder of pictures whose light is known",
    settings=ScatteringSettings,
    presets=PRESETS,
    needs=("scenes", "volumes"),
    load=task.load,
    describe=task.describe,
    notices=task.notices,
    check=task.check,
    begin=begin,
    measure=report.measure,
    write=report.write,
    rows=report.rows,
    files=report.files,
    asset=lambda given, result: result.scene,
    compared=compared,
    small_tensors=True,
    views=lambda given: unmasked(given.cameras),
    work=work,
    last=lambda settings: "train" if settings.field == "neural" else "descend",
)
