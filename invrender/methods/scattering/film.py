"""progress.gif of a medium: views beside what the estimate shows from there, then the result, which turns."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from invrender.cameras.occupied import filling_distance, occupied
from invrender.cameras.volume_rigs import FOV, volume_rig
from invrender.kernels import Backend
from invrender.methods.scattering.compared import exposure, views_of
from invrender.methods.scattering.estimate import Found, arrays, shown_by
from invrender.methods.scattering.renderer import Renderer
from invrender.methods.scattering.report import Result
from invrender.methods.scattering.settings import ScatteringSettings
from invrender.methods.scattering.task import Task
from invrender.nouns import Cameras, Volume
from invrender.parameters.medium_values import EXTINCTION
from invrender.render.images import to_bytes
from invrender.report.difference import enlarged
from invrender.run.film import Ending, Film, Moment, draws_aside
from invrender.run.input_views import at
from invrender.run.shots import Picture
from invrender.run.volume_film import nearest, staged, told
from invrender.run.volume_turn import ELEVATION, FRAMES, SPEED

Tensor = torch.Tensor

TURNING_SPP, TURNING = 48, 64  # rays a pixel, and pixels of the sides, of the turning result


def film(task: Task, settings: ScatteringSettings, backend: Backend) -> Film | None:
    """The film of a run: views, each for a few pictures, the estimate from the same camera while it forms; then the
    views that the result explains worst, and a full turn of it, slices through its extinction beside.

    Args:
        task: of the run.
        settings: how many pictures of which size.
        backend: what follows the light.
    """
    frames, side = settings.gif_frames, settings.gif_size
    if not frames:
        return None
    views = views_of(task, side, backend)
    seats = views.shown.in_turn(frames)

    def draw(estimate: Mapping[str, Tensor], now: Moment) -> Picture:
        quality = f"misfit {now.terms['misfit']:.3g}" if "misfit" in now.terms else ""
        return views.frame(arrays(estimate), at(seats, now), now.caption, quality, side)

    def ending(result: Result, number: int) -> Ending:
        del number
        found = arrays(result.values)
        volume = Volume(torch.from_numpy(found[EXTINCTION])[None], task.bounds)
        part = occupied(volume, volume.values[0])
        distance = filling_distance(part, "orbit", (TURNING, TURNING), FOV, ELEVATION)
        cameras = volume_rig(part, "orbit", FRAMES, (TURNING, TURNING), distance, elevation=ELEVATION)
        alone = [enlarged(each, side) for each in _turning(task, found, cameras, backend)]
        scores = views.scores(found)
        turn = staged(nearest(views, cameras), alone, volume, views, told(scores), side)
        return Ending([*views.worst(found, scores, side), *turn.progress], turn.turntable)

    return Film(frames, draw, ending, SPEED, video=settings.video is not None, aside=draws_aside(backend))


def _turning(task: Task, found: Found, cameras: Cameras, backend: Backend) -> list[Picture]:
    renderer = Renderer.of(task.scene, cameras, backend)
    return list(to_bytes(exposure(task.images) * renderer.pictures(shown_by(renderer, task, found), TURNING_SPP, 0)))
