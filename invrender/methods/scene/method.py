"""Recovering a scene's values from pictures as a method of `invrender reconstruct`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from invrender.kernels import Backend
from invrender.methods.scene import report, task
from invrender.methods.scene.compared import compared
from invrender.methods.scene.film import film
from invrender.methods.scene.levels import Levels
from invrender.methods.scene.renderer import Renderer
from invrender.methods.scene.schedule import Plan
from invrender.methods.scene.settings import PRESETS, SceneSettings
from invrender.methods.scene.work import work
from invrender.run.method import Method, Problem
from invrender.solve.protocol import Params


def begin(given: task.Task, settings: SceneSettings, backend: Backend) -> Problem:
    """The phases to the values, and what the GIF shows."""
    values = given.values
    draw = Renderer(given.scene.meshes, backend, task.shot_of(settings, values))
    plan = Plan(Levels(values, given.targets, draw, settings))

    def arrays(params: Params) -> Mapping[str, NDArray[Any]]:
        return {path.replace(".", "_"): shown.numpy() for path, shown in values.readable(params).items()}

    return Problem(plan.following, plan.result, film(given, draw, settings), arrays)


METHOD = Method(
    name="scene",
    inputs="a scene.toml, or a mesh file with cameras, and its pictures as --target",
    settings=SceneSettings,
    presets=PRESETS,
    needs=("meshes",),
    load=task.load,
    describe=task.describe,
    notices=task.notices,
    check=task.check,
    doubt=report.doubt,
    begin=begin,
    measure=report.measure,
    write=report.write,
    rows=report.rows,
    files=report.files,
    asset=lambda given, result: report.settled(result.scene),
    compared=compared,
    small_tensors=True,
    work=work,
    shares=lambda settings: False,
    last=lambda settings: "" if settings.posterior else "values",
)
