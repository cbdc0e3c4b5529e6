"""progress.gif of a density: views beside the transmittance of the estimate, then a turn and slices of the result."""

from __future__ import annotations

import torch

from invrender.kernels import Backend
from invrender.methods.transmittance.budget import is_large
from invrender.methods.transmittance.compared import views_of
from invrender.methods.transmittance.report import asset
from invrender.methods.transmittance.settings import TransmittanceSettings
from invrender.methods.transmittance.task import Result, Task
from invrender.nouns import Volume
from invrender.render.emission import VolumeStyle
from invrender.render.looks import look_of
from invrender.run.film import Ending, Film, Moment, draws_aside
from invrender.run.input_views import at
from invrender.run.shots import Picture
from invrender.run.volume_film import told, turning
from invrender.run.volume_turn import SPEED, shrunk

Tensor = torch.Tensor


def film(task: Task, settings: TransmittanceSettings, backend: Backend) -> Film | None:
    """The film of a run: views, each for a few pictures, the estimate's transmittance from the same camera while it
    forms; then the views that the result explains worst, and a full turn of it, slices through it beside.

    Args:
        task: of the run.
        settings: how many pictures of which size.
        backend: what draws.
    """
    frames, side = settings.gif_frames, settings.gif_size
    if not frames:
        return None
    views = views_of(task, side, backend)
    seats = views.shown.in_turn(frames)

    def draw(estimate: Tensor, now: Moment) -> Picture:
        volume = Volume(estimate.cpu()[None], task.bounds)
        if is_large(task.shape):
            volume = shrunk(volume)
        volume = Volume(volume.values / task.extinction, task.bounds)
        quality = f"misfit {now.terms['misfit']:.3g}" if "misfit" in now.terms else ""
        return views.frame(volume, at(seats, now), now.caption, quality, side)

    def ending(result: Result, number: int) -> Ending:
        del number
        found = asset(task, result)
        small = shrunk(Volume(found.values.clamp(min=0), found.bounds))
        reference = None if task.reference is None else shrunk(task.reference)
        look = look_of(small if reference is None else reference)
        style = VolumeStyle(look.transfer, look.lighting)
        styled = None if reference is None else (reference, style)
        scores = views.scores(found)
        turn = turning((small, style), styled, views, told(scores), side, backend)
        return Ending([*views.worst(found, scores, side), *turn.progress], turn.turntable)

    return Film(frames, draw, ending, SPEED, video=settings.video is not None, aside=draws_aside(backend))
