"""progress.gif of a volume's colours: views beside the estimate from their cameras, then a turn of the result."""

from __future__ import annotations

from dataclasses import replace

from invrender.kernels import Backend
from invrender.methods.volume_colour.compared import views_of
from invrender.methods.volume_colour.estimate import Estimate, styled_volume
from invrender.methods.volume_colour.report import Result
from invrender.methods.volume_colour.settings import ColourSettings
from invrender.methods.volume_colour.task import StyledVolume, Task
from invrender.nouns import Volume
from invrender.render.emission import VolumeStyle
from invrender.run.film import Ending, Film, Moment, draws_aside
from invrender.run.input_views import at
from invrender.run.shots import Picture
from invrender.run.volume_film import told, turning
from invrender.run.volume_turn import SPEED, shrunk


def film(task: Task, settings: ColourSettings, backend: Backend) -> Film | None:
    """The film of a run: views, each for a few pictures, the estimate from the same camera while it forms; then the
    views that the result explains worst, and a full turn of it, slices through it beside.

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

    def draw(estimate: Estimate, now: Moment) -> Picture:
        quality = f"misfit {now.terms['misfit']:.3g}" if "misfit" in now.terms else ""
        return views.frame(styled_volume(estimate, task.known), at(seats, now), now.caption, quality, side)

    def ending(result: Result, number: int) -> Ending:
        del number
        target = None if task.target is None else _small(task.target)
        scores = views.scores(result.styled)
        turn = turning(_small(result.styled), target, views, told(scores), side, backend)
        return Ending([*views.worst(result.styled, scores, side), *turn.progress], turn.turntable)

    return Film(frames, draw, ending, SPEED, video=settings.video is not None, aside=draws_aside(backend))


def _small(styled: StyledVolume) -> tuple[Volume, VolumeStyle]:
    return shrunk(styled.volume), replace(styled.style, lighting=None)
