"""progress.gif of a run from photographs: each beside the shape from its own camera, then the coloured result."""

from __future__ import annotations

import torch

from invrender.evaluate.posed_views import view_names
from invrender.kernels import Backend
from invrender.methods.photometric.compared import Pictures
from invrender.methods.photometric.result import Result
from invrender.methods.photometric.settings import PhotometricSettings
from invrender.methods.silhouette.film import mesh_of
from invrender.methods.silhouette.start import FirstShape
from invrender.methods.silhouette.target import Shape
from invrender.nouns import Views
from invrender.report.difference import COLOURS
from invrender.run.film import Ending, Film, Moment
from invrender.run.input_views import EACH, WORST, told_worst, worst_first
from invrender.run.mesh_film import MeshFilm
from invrender.run.mesh_turn import SPEED, Turn
from invrender.run.mesh_views import mesh_views, three
from invrender.run.shots import Picture


def film(views: Views, first: FirstShape, settings: PhotometricSettings, backend: Backend) -> Film | None:
    """The film of a run: photographs, each for a few pictures, beside the shape in clay from the same camera while it
    forms; then those that the coloured result explains worst, and a full turn of it.

    Args:
        views: photographs.
        first: the shape before the first step.
        settings: how many pictures of which size.
        backend: what draws.
    """
    frames, side = settings.gif_frames, settings.gif_size
    if not frames:
        return None
    turn = Turn.around(first.frame, side, views.cameras, torch.from_numpy(first.shape.vertices), backend)
    shown = mesh_views(views, view_names(views), side, backend)
    made = MeshFilm(shown, turn, frames, side, modes=("color", "shaded"))

    def draw(shape: Shape, now: Moment) -> Picture:
        quality = f"IoU {now.terms['iou']:.4f} over all views" if "iou" in now.terms else ""
        return made.forming(mesh_of(shape), now, quality)

    def ending(result: Result, number: int) -> Ending:
        mean = result.seen.mean
        turning = made.turning(result.mesh, number, f"IoU {mean.iou:.4f}, PSNR {mean.psnr_whole:.2f} dB over all views")
        return Ending([*_worst(result), *turning.progress], turning.turntable)

    def _worst(result: Result) -> list[Picture]:
        found = Pictures(views, result.refined or views, result.seen, result.surface, backend)
        scores, pictures = found.scores, []
        for place, number in enumerate(worst_first(scores, WORST)):
            seat = shown.shown.seat(number)
            labels = (seat.label, "the result, from its camera", f"difference: {COLOURS}")
            quality = f"PSNR {scores[number]:.2f} dB, this view"
            pictures += [three(found.beside(seat), labels, told_worst(place, len(scores)), quality, side)] * EACH
        return pictures

    video = settings.video is not None
    return Film(frames, draw, ending, SPEED, first.shape, most=frames, video=video, aside=True)
