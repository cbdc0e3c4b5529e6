"""The transmittance images of a run beside those of its density."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from invrender.kernels import Backend
from invrender.methods.transmittance.measurement import Measurement
from invrender.methods.transmittance.report import asset
from invrender.methods.transmittance.task import Result, Task
from invrender.nouns import Cameras, Volume
from invrender.render.absorption import optical_depth
from invrender.report.compared import Compared
from invrender.run.colour_views import ColourViews, all_compared
from invrender.run.input_views import SIDE, InputViews, Seat
from invrender.run.shots import Picture

Tensor = torch.Tensor

SHADOW = 0.02  # optical depth from which on there is something


def compared(task: Task, result: Result, backend: Backend, most: int) -> Sequence[Compared]:
    """The views that the density explains worst, worst first, at most so many."""
    return all_compared([views_of(task, SIDE, backend)], asset(task, result), most)


def views_of(task: Task, side: int, backend: Backend) -> ColourViews:
    """The views of a run as they are shown, and how densities (in the input's units) are drawn beside them."""
    data = task.measurement
    names = [data.name(view) for view in range(len(data.cameras))]
    shown = InputViews.of(data.cameras, names, ((data.depth > SHADOW) & (data.weight > 0)).cpu(), side)

    def target(seat: Seat) -> Picture:
        return _grey(seat.small(_light(data, seat.number)))

    def several(volume: Volume, seats: Sequence[Seat]) -> list[Picture]:
        positive = Volume(volume.values.clamp(min=0), volume.bounds)
        cameras = Cameras(
            torch.cat([seat.camera.world_to_camera for seat in seats]),
            torch.cat([seat.camera.projection for seat in seats]),
            seats[0].camera.size,
        )
        views = optical_depth(positive, cameras, backend).cpu()
        return [_grey(torch.exp(-task.extinction * view)) for view in views]

    def draw(volume: Volume, seat: Seat) -> Picture:
        return several(volume, [seat])[0]

    def counts(seat: Seat) -> np.ndarray:
        found: np.ndarray = seat.small((data.weight[seat.number] > 0).float()).numpy()
        return found

    return ColourViews(shown, target, draw, counts, several=several)


def _light(data: Measurement, view: int) -> Tensor:
    """What comes through, [H,W]; nothing where nothing was measured."""
    return torch.exp(-data.depth[view]) * (data.weight[view] > 0)


def _grey(light: Tensor) -> Picture:
    """Shares [H,W] of the light as greys [H,W,3] uint8, by even steps."""
    stored = np.asarray((light.clamp(0, 1).numpy() * 255).round(), np.uint8)
    return np.repeat(stored[..., None], 3, -1)
