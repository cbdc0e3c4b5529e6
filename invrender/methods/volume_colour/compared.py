"""The colour views of a run beside pictures of its result: those that it learnt from, and those that were left out."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from invrender.evaluate.posed_views import view_names
from invrender.kernels import Backend
from invrender.methods.volume_colour.report import Result
from invrender.methods.volume_colour.task import StyledVolume, Task
from invrender.nouns import Views
from invrender.render.emission import QUALITY, VolumeStyle, render_volume
from invrender.render.images import to_bytes
from invrender.report.compared import Compared
from invrender.run.colour_views import ColourViews, all_compared
from invrender.run.input_views import SIDE, InputViews, Seat
from invrender.run.shots import Picture
from invrender.run.volume_turn import GROUND

SEEN = 0.02  # opacity from which on a pixel shows something


def compared(task: Task, result: Result, backend: Backend, most: int) -> Sequence[Compared]:
    """The views that the result explains worst, worst first, at most so many."""
    unseen = None if task.unseen is None else _shown(task.unseen, SIDE, backend, unseen=True)
    return all_compared([views_of(task, SIDE, backend), unseen], result.styled, most)


def views_of(task: Task, side: int, backend: Backend) -> ColourViews:
    """The views of a run as they are shown, and how styled volumes are drawn beside them: before a dark ground."""
    return _shown(task.views, side, backend)


def _shown(views: Views, side: int, backend: Backend, unseen: bool = False) -> ColourViews:
    shown = InputViews.of(views.cameras, view_names(views), (views.masks > SEEN).cpu(), side)

    def target(seat: Seat) -> Picture:
        assert views.images is not None
        alpha = views.masks[seat.number].cpu()[..., None]
        return to_bytes(seat.small(views.images[seat.number].cpu() * alpha + (1 - alpha) * GROUND))

    def draw(styled: StyledVolume, seat: Seat) -> Picture:
        style = VolumeStyle(styled.style.transfer, None, quality=QUALITY["standard"])
        layers = render_volume(styled.volume, seat.camera, style, backend)[0].cpu().float()
        return to_bytes(layers[..., :3] + (1 - layers[..., 3:]).clamp(0, 1) * torch.tensor(GROUND))

    return ColourViews(shown, target, draw, unseen=unseen, light=True)
