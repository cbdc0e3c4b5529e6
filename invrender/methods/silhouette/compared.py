"""The masks of a run beside the silhouettes of its result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from invrender.kernels import Backend
from invrender.methods.silhouette.schedule import Result
from invrender.methods.silhouette.task import Task
from invrender.report.compared import Compared

if TYPE_CHECKING:
    from invrender.run.mesh_views import MeshViews


def compared(task: Task, result: Result, backend: Backend, most: int) -> Sequence[Compared]:
    """The views whose masks the result explains worst, worst first, at most so many."""
    from invrender.run.input_views import SIDE, worst_first

    views = views_of(task, SIDE, backend)
    return [views.compared(result.mesh, number) for number in worst_first(result.ious, most)]


def views_of(task: Task, side: int, backend: Backend) -> MeshViews:
    """The masks of a run as they are shown."""
    from invrender.evaluate.posed_views import view_names
    from invrender.run.mesh_views import mesh_views

    return mesh_views(task.views, view_names(task.views), side, backend)
