"""progress.gif of a medium: the given views beside what the estimate shows from there; turntable.gif of the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from invrender.cameras.volume_rigs import volume_rig
from invrender.kernels import Backend
from invrender.kernels.radiance import SceneArrays
from invrender.methods.scattering.renderer import Renderer
from invrender.methods.scattering.task import Task
from invrender.nouns import Volume
from invrender.parameters.medium_values import EXTINCTION, MediumValues, encodings
from invrender.render.images import to_bytes
from invrender.run.film import Film, Picture, Shot

Tensor = torch.Tensor

SIDE, LINE = 192, 2
GREY = 0.6  # linear, of the line between the pictures
SPEED = 8.0
SPP, TURNING_SPP, TURNING = 32, 96, 64  # rays a pixel; pixels of the turntable's sides
ELEVATION = 15.0


def film(task: Task, frames: int, backend: Backend) -> Film | None:
    """The film of a run: each frame is another of the views, so that the medium turns.

    Args:
        task: of the run.
        frames: how many; 0 for no film.
        backend: what follows the light.
    """
    if not frames:
        return None
    bright = exposure(task.images)

    def cut(shots: Sequence[Shot], result: object) -> Mapping[str, Sequence[Picture]]:
        del result
        if not shots:
            return {}
        order = around(task)
        pairs = [_pair(task, order[i % len(order)], shot, bright, backend) for i, shot in enumerate(shots)]
        return {"progress.gif": pairs, "turntable.gif": _turning(task, shots[-1], frames, bright, backend)}

    return Film(frames, arrays, cut, SPEED)


def exposure(images: Tensor) -> float:
    """The factor that brings all but the brightest pixels below white."""
    high = float(np.quantile(images.numpy(), 0.99))
    return min(1.0, 0.9 / high) if high > 0 else 1.0


def arrays(found: Mapping[str, Tensor]) -> Shot:
    """An estimate as named arrays."""
    return {name.replace(".", "_"): value.float().numpy() for name, value in found.items()}


def around(task: Task) -> list[int]:
    """The views in the order of their directions around the vertical axis."""
    off = task.cameras.position - task.bounds.mean(0)
    order: list[int] = torch.atan2(off[:, 0], off[:, 2]).argsort().tolist()
    return order


def _pair(task: Task, number: int, shot: Shot, bright: float, backend: Backend) -> Picture:
    renderer = Renderer.of(task.scene, task.cameras[[number]], backend)
    found = renderer.pictures(shown_by(renderer, task, shot), SPP, number)[0]
    sides = [_sized(bright * picture) for picture in (task.images[number], found)]
    return to_bytes(torch.cat([sides[0], torch.full((sides[0].shape[0], LINE, 3), GREY), sides[1]], 1))


def _turning(task: Task, shot: Shot, frames: int, bright: float, backend: Backend) -> Sequence[Picture]:
    volume = Volume(torch.from_numpy(shot[EXTINCTION])[None], task.bounds)
    cameras = volume_rig(volume, "orbit", frames, (TURNING, TURNING), elevation=ELEVATION)
    renderer = Renderer.of(task.scene, cameras, backend)
    drawn = renderer.pictures(shown_by(renderer, task, shot), TURNING_SPP, 0)
    return [to_bytes(_sized(bright * each)) for each in drawn]


def shown_by(renderer: Renderer, task: Task, shot: Shot) -> SceneArrays:
    """The scene for kernels with an estimate in it."""
    grid = torch.from_numpy(shot[EXTINCTION]).to(renderer.base.vertices)
    encoded = encodings(renderer.base, task.free)
    values = MediumValues(renderer.base, torch.ones_like(grid), encoded)
    given = {name: torch.from_numpy(shot[name.replace(".", "_")]).double() for name in encoded}
    return values.arrays(values.initial(grid, given))


def _sized(picture: Tensor) -> Tensor:
    """Scaled to the film's side, with its proportions."""
    factor = SIDE / max(picture.shape[:2])
    size = [max(1, round(n * factor)) for n in picture.shape[:2]]
    mode = "nearest" if factor > 1 else "area"
    return torch.nn.functional.interpolate(picture.permute(2, 0, 1)[None].float(), size, mode=mode)[0].permute(1, 2, 0)
