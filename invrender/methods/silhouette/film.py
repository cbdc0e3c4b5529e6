"""progress.gif of a run from silhouettes: masks beside the shape from their cameras, or an asset and it, turning."""

from __future__ import annotations

import torch

from invrender.kernels import Backend
from invrender.methods.silhouette.compared import views_of
from invrender.methods.silhouette.schedule import Result
from invrender.methods.silhouette.settings import SilhouetteSettings
from invrender.methods.silhouette.start import FirstShape
from invrender.methods.silhouette.target import Shape
from invrender.methods.silhouette.task import Task
from invrender.nouns import Mesh
from invrender.run.film import Ending, Film, Moment
from invrender.run.mesh_film import MeshFilm
from invrender.run.mesh_turn import SPEED, Turn
from invrender.run.shots import Picture


def film(task: Task, first: FirstShape, settings: SilhouetteSettings, backend: Backend) -> Film | None:
    """The film of a run: the estimate while it forms, and a full turn of the result.

    Of a dataset, each view is shown for a few pictures, the estimate beside it from its own camera, and the views that
    the result explains worst come before the turn. An asset and the estimate turn side by side.

    Args:
        task: of the run.
        first: the shape before the first step.
        settings: how many pictures of which size.
        backend: what draws.
    """
    frames, side = settings.gif_frames, settings.gif_size
    if not frames:
        return None
    turn = Turn.around(first.frame, side, task.views.cameras, _seen(task, first), backend)
    asset = None if task.reference is None else turn.placed(task.reference)
    made = MeshFilm(views_of(task, side, backend), turn, frames, side, asset)

    def draw(shape: Shape, now: Moment) -> Picture:
        return made.forming(mesh_of(shape), now, f"IoU {now.terms['iou']:.4f} over all views" if now.terms else "")

    def ending(result: Result, number: int) -> Ending:
        quality = f"IoU {result.iou:.4f} over all views"
        turning = made.turning(result.mesh, number, quality, merged=True)
        return Ending([*made.worst(result.mesh, result.ious), *turning.progress], turning.turntable)

    return Film(frames, draw, ending, SPEED, opening=first.shape, video=settings.video is not None, aside=True)


def mesh_of(shape: Shape) -> Mesh:
    """A shape as a mesh of the normalised frame."""
    return Mesh(torch.from_numpy(shape.vertices), torch.from_numpy(shape.faces))


def _seen(task: Task, first: FirstShape) -> torch.Tensor:
    """Points [P,3] float64 that the pictures are to hold, in the normalised frame."""
    points = torch.from_numpy(first.shape.vertices)
    if task.reference is None:
        return points
    return torch.cat([points, torch.from_numpy(first.frame.normalise(task.reference.numpy()[0]))])
