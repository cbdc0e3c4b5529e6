"""Reconstruction from silhouettes as a method of `invrender reconstruct`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from invrender.kernels import Backend
from invrender.methods.silhouette import report, task
from invrender.methods.silhouette.colours import painted
from invrender.methods.silhouette.compared import compared
from invrender.methods.silhouette.film import film
from invrender.methods.silhouette.schedule import Plan, Result
from invrender.methods.silhouette.settings import PRESETS, SilhouetteSettings
from invrender.methods.silhouette.start import first_shape
from invrender.methods.silhouette.target import Shape
from invrender.methods.silhouette.work import work
from invrender.run.method import Method, Problem
from invrender.solve.phase import Finished


def begin(given: task.Task, settings: SilhouetteSettings, backend: Backend) -> Problem:
    """The first shape, and the phases that refine it."""
    first = first_shape(given.views, settings, backend, given.initial)
    plan = Plan(given.views, settings, backend, first)

    def arrays(shape: Shape) -> Mapping[str, NDArray[Any]]:
        return {"vertices": first.frame.restore(shape.vertices), "faces": shape.faces}

    def result(finished: tuple[Finished, ...]) -> Result:
        return painted(plan.result(finished), given.pictures, first.frame, backend)

    return Problem(plan.following, result, film(given, first, settings, backend), arrays)


METHOD = Method(
    name="silhouette",
    inputs="a mesh or a dataset folder, such as: invrender reconstruct data/mug.glb",
    settings=SilhouetteSettings,
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
    files=lambda _: "mesh.glb, mesh.ply, turntable.gif",
    asset=lambda given, result: result.mesh,
    compared=compared,
    small_tensors=True,
    views=lambda given: given.views,
    work=work,
    last=lambda _: "refine",
)
