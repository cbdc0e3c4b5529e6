"""Pictures of a medium beside those of what was found: those that it was made from, and those that were left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from invrender.kernels import Backend
from invrender.methods.scattering.estimate import Found, arrays, shown_by
from invrender.methods.scattering.renderer import Renderer
from invrender.methods.scattering.report import Result
from invrender.methods.scattering.task import Task
from invrender.nouns import Cameras
from invrender.render.images import to_bytes
from invrender.report.compared import Compared
from invrender.run.colour_views import ColourViews, all_compared
from invrender.run.input_views import SIDE, InputViews, Seat
from invrender.run.shots import Picture

Tensor = torch.Tensor

SPP = 32  # rays a pixel
SMALL = 24  # pixels of the longer side of pictures by which views are ranked


def compared(task: Task, result: Result, backend: Backend, most: int) -> Sequence[Compared]:
    """The views that the result explains worst, worst first, at most so many; the noise of its rays counts."""
    unseen = None
    if task.unseen is not None and task.unseen_images is not None:
        unseen = _shown(task, task.unseen, task.unseen_images, SIDE, backend, unseen=True)
    return all_compared([views_of(task, SIDE, backend), unseen], arrays(result.values), most)


def views_of(task: Task, side: int, backend: Backend) -> ColourViews:
    """The views of a run as they are shown, and how estimates are drawn beside them."""
    return _shown(task, task.cameras, task.images, side, backend)


def _shown(
    task: Task, cameras: Cameras, images: Tensor, side: int, backend: Backend, unseen: bool = False
) -> ColourViews:
    bright = exposure(task.images)
    names = [f"view {number}" for number in range(len(cameras))]
    shown = InputViews.of(cameras, names, torch.ones(images.shape[:3], dtype=torch.bool), side)

    def target(seat: Seat) -> Picture:
        return to_bytes(bright * seat.small(images[seat.number]))

    def draw(found: Found, seat: Seat) -> Picture:
        renderer = Renderer.of(task.scene, seat.camera, backend)
        return to_bytes(bright * renderer.pictures(shown_by(renderer, task, found), SPP, seat.number)[0])

    return ColourViews(shown, target, draw, small=SMALL, unseen=unseen, light=True)


def exposure(images: Tensor) -> float:
    """The factor that brings all but the brightest pixels below white."""
    high = float(np.quantile(images.numpy(), 0.99))
    return min(1.0, 0.9 / high) if high > 0 else 1.0
