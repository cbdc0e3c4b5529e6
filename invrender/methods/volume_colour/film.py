"""progress.gif of a volume's colours: the target beside the estimate, both rotating."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from invrender.cameras.volume_rigs import volume_rig
from invrender.kernels import Backend
from invrender.methods.volume_colour.task import StyledVolume, Task
from invrender.nouns import Cameras, TransferFunction, Views, Volume
from invrender.render.emission import VolumeStyle, render_volume
from invrender.render.images import to_bytes
from invrender.run.film import Film, Picture, Shot

Tensor = torch.Tensor

SIDE, LINE = 192, 2
PAPER, RULE = 1.0, 0.6  # linear greys of the background and of the line between the pictures
ELEVATION = 15.0
SPEED = 8.0
Estimate = Volume | TransferFunction


def styled_volume(estimate: Estimate, known: Volume | None) -> StyledVolume:
    """How an estimate is shown: a volume of four channels as it is, a transfer function on the known volume."""
    if isinstance(estimate, Volume):
        return StyledVolume(estimate, VolumeStyle(None, None))
    assert known is not None
    return StyledVolume(known, VolumeStyle(estimate, None))


def film(task: Task, frames: int, backend: Backend) -> Film | None:
    """The film of a run; without a target's asset, the left side shows the given view nearest to the camera.

    Args:
        task: of the run.
        frames: how many; 0 for no film.
        backend: what draws.
    """

    def cut(shots: Sequence[Shot], result: StyledVolume) -> Mapping[str, Sequence[Picture]]:
        styled = [styled_volume(estimate_of(shot, task), task.known) for shot in shots]
        if not styled:
            return {}
        cameras_around = volume_rig(styled[-1].volume, "orbit", len(styled), (SIDE, SIDE), elevation=ELEVATION)
        return {"progress.gif": [_frame(each, task, cameras_around[[i]], backend) for i, each in enumerate(styled)]}

    return Film(frames, arrays, cut, SPEED) if frames else None


def arrays(estimate: Estimate) -> Shot:
    """An estimate as named arrays: density and colour [4,D,H,W], or the table of the transfer function."""
    if isinstance(estimate, Volume):
        return {"values": estimate.values.cpu().numpy()}
    return {"colours": estimate.colours.cpu().numpy(), "opacity": estimate.opacity.cpu().numpy()}


def estimate_of(found: Shot, task: Task) -> Estimate:
    """The estimate that `arrays` was made of."""
    if "values" in found:
        return Volume(torch.from_numpy(found["values"]), task.bounds)
    return TransferFunction(torch.from_numpy(found["colours"]), torch.from_numpy(found["opacity"]), *task.window)


def _frame(estimate: StyledVolume, task: Task, camera: Cameras, backend: Backend) -> Picture:
    right = _draw(estimate, camera, backend)
    left = _given(task.views, estimate.volume, camera) if task.target is None else _draw(task.target, camera, backend)
    line = torch.full((SIDE, LINE, 3), RULE)
    return to_bytes(torch.cat([left, line, right], 1))


def _draw(shown: StyledVolume, camera: Cameras, backend: Backend) -> Tensor:
    layers = render_volume(shown.volume, camera, shown.style, backend)[0].cpu()
    return layers[..., :3] + (1 - layers[..., 3:]) * PAPER


def _given(views: Views, volume: Volume, camera: Cameras) -> Tensor:
    """The view whose direction is nearest, over the same paper, scaled to the frame."""
    centre = volume.bounds.double().mean(0)
    given = torch.nn.functional.normalize(views.cameras.position - centre, dim=1)
    nearest = int((given @ torch.nn.functional.normalize(camera.position[0] - centre, dim=0)).argmax())
    assert views.images is not None
    alpha = views.masks[nearest, :, :, None]
    picture = views.images[nearest] * alpha + (1 - alpha) * PAPER
    scaled = torch.nn.functional.interpolate(picture.permute(2, 0, 1)[None], (SIDE, SIDE), mode="area")
    return scaled[0].permute(1, 2, 0)
