"""Reconstruction from photographs as a method of `invrender reconstruct`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from invrender.kernels import Backend
from invrender.methods.photometric import report, task
from invrender.methods.photometric.compared import compared
from invrender.methods.photometric.equalise import equalised
from invrender.methods.photometric.film import film
from invrender.methods.photometric.plan import Plan
from invrender.methods.photometric.settings import PRESETS, PhotometricSettings
from invrender.methods.photometric.work import work
from invrender.methods.silhouette.target import Shape
from invrender.run.method import Method, Problem
from invrender.run.progress import QUALITY


def begin(given: task.Task, settings: PhotometricSettings, backend: Backend) -> Problem:
    """The phases, and what the GIFs show."""
    plan = Plan(equalised(given, settings, backend), settings, backend)
    first = plan.parts[-1].opening

    def arrays(shape: Shape) -> Mapping[str, NDArray[Any]]:
        return {"vertices": first.frame.restore(shape.vertices), "faces": shape.faces}

    return Problem(plan.following, plan.result, film(given.views, first, settings, backend), arrays)


METHOD = Method(
    name="photometric",
    inputs="a dataset folder of photographs with cameras, a folder of photographs, a video, or a mesh",
    settings=PhotometricSettings,
    presets=PRESETS,
    needs=("meshes", "volumes"),
    load=task.load,
    describe=task.describe,
    check=task.check,
    doubt=report.doubt,
    begin=begin,
    measure=report.measure,
    write=report.write,
    rows=report.rows,
    files=lambda _: "mesh.glb, mesh.obj, mesh.ply, turntable.gif, pictures",
    asset=lambda given, result: result.mesh,
    compared=compared,
    small_tensors=True,
    views=lambda given: given.views,
    work=work,
    quality=("colours", *QUALITY),
)
