"""progress.gif of a volume: a slice, a projection and a picture of the estimate below those of the target, turning."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from invrender.cameras.projection import look_at, perspective
from invrender.cameras.volume_rigs import FOV, standing_back, volume_frame
from invrender.kernels import Backend
from invrender.methods.transmittance.task import Result, Task
from invrender.nouns import Cameras, Volume
from invrender.nouns.transfer import TransferFunction
from invrender.render.absorption import optical_depth
from invrender.render.emission import QUALITY, VolumeStyle, render_volume
from invrender.render.images import to_bytes
from invrender.render.transfer import transfer_function
from invrender.run.film import Film, Picture, Shot

Tensor = torch.Tensor

SIDE = 144  # pixels of each of the pictures
LINE = 2
TILT = 20.0  # degrees
PAPER = 0.01  # linear grey behind the rendered picture
SPEED = 8.0
LARGEST = 80  # samples along the longest axis that pictures are drawn from


@dataclass(frozen=True)
class Screen:
    """What every frame is drawn with: the task and its asset, shrunk; the values that colours stand for; a backend."""

    task: Task
    reference: Volume | None
    transfer: TransferFunction
    backend: Backend


def film(task: Task, frames: int, backend: Backend) -> Film | None:
    """The film of a run; without a reference the target's row shows the given view nearest to the camera.

    Args:
        task: of the run.
        frames: how many, the result among them; 0 for no film.
        backend: what draws.
    """

    def shoot(estimate: Tensor) -> Shot:
        volume = Volume((estimate / task.extinction).clamp(min=0).cpu()[None], task.bounds)
        return {"values": shrunk(volume).values.numpy()}

    def cut(shots: Sequence[Shot], result: Result) -> Mapping[str, Sequence[Picture]]:
        volumes = [_volume(shot, task) for shot in (*shots, shoot(result.density))]
        return {"progress.gif": _frames(volumes, task, backend)}

    return Film(frames - 1, shoot, cut, SPEED) if frames else None


def _volume(shot: Shot, task: Task) -> Volume:
    return Volume(torch.from_numpy(shot["values"]), task.bounds)


def _frames(volumes: Sequence[Volume], task: Task, backend: Backend) -> list[Picture]:
    """All frames, with the window of values of the target, or else of the result."""
    reference = None if task.reference is None else shrunk(task.reference)
    model = reference or volumes[-1]
    if not float(model.values.max()) > 0:
        model = Volume(torch.ones_like(model.values), model.bounds)
    screen = Screen(task, reference, transfer_function(model), backend)
    distance = standing_back(model, "orbit", (SIDE, SIDE), elevation=TILT)
    cameras_around = [_camera(model, distance, 2 * math.pi * i / len(volumes)) for i in range(len(volumes))]
    return [_frame(volume, camera, screen) for volume, camera in zip(volumes, cameras_around, strict=True)]


def _frame(volume: Volume, cameras: Cameras, screen: Screen) -> Picture:
    above, below = _target(cameras, screen), _row(volume, cameras, screen)
    line = torch.full((LINE, above.shape[1], 3), 0.2)
    return to_bytes(torch.cat([above, line, below]))


def _row(volume: Volume, cameras: Cameras, screen: Screen) -> Tensor:
    """Slice, projection and picture of a volume side by side, [SIDE, 3 SIDE + 2 LINE, 3] linear."""
    values, transfer, backend = volume.values[0], screen.transfer, screen.backend
    cut = (values[values.shape[0] // 2].flip(0) / transfer.high).clamp(0, 1)
    depth = optical_depth(volume, cameras, backend)[0] * screen.task.extinction
    drawn = render_volume(volume, cameras, VolumeStyle(transfer, quality=QUALITY["draft"]), backend)[0].cpu().float()
    colour = drawn[..., :3] + (1 - drawn[..., 3:]) * PAPER
    return _beside([_grey(_fit(cut, volume)), _grey(torch.exp(-depth)), colour])


def _target(cameras: Cameras, screen: Screen) -> Tensor:
    if screen.reference is not None:
        return _row(screen.reference, cameras, screen)
    data = screen.task.measurement
    towards = torch.linalg.inv(data.cameras.world_to_camera)[:, :3, 2]
    nearest = int((towards @ torch.linalg.inv(cameras.world_to_camera)[0, :3, 2]).argmax())
    image = torch.exp(-data.depth[nearest]) * (data.weight[nearest] > 0)
    small = torch.nn.functional.interpolate(image[None, None], (SIDE, SIDE), mode="bilinear", antialias=True)[0, 0]
    blank = torch.full((SIDE, SIDE, 3), PAPER)
    return _beside([blank, _grey(small), blank])


def _camera(volume: Volume, distance: float, azimuth: float) -> Cameras:
    centre, longest = volume_frame(volume)
    side, height = math.cos(math.radians(TILT)), math.sin(math.radians(TILT))
    direction = torch.tensor([side * math.sin(azimuth), height, side * math.cos(azimuth)], dtype=torch.float64)
    eye = (centre + distance * longest * direction)[None]
    projection = perspective(FOV, (SIDE, SIDE), 0.02 * longest, 4 * longest)[None]
    return Cameras(look_at(eye, centre), projection, (SIDE, SIDE))


def shrunk(volume: Volume) -> Volume:
    """The volume with no more samples than pictures of this size can show."""
    share = LARGEST / max(volume.shape)
    if share >= 1:
        return volume
    size = [max(2, round(n * share)) for n in volume.shape]
    values = torch.nn.functional.interpolate(volume.values[None].cpu(), size, mode="trilinear", align_corners=True)[0]
    return Volume(values, volume.bounds, volume.name)


def _fit(cut: Tensor, volume: Volume) -> Tensor:
    """A slice [H,W] across z, in the middle of a square in the proportions of the box."""
    width, height = (volume.bounds[1] - volume.bounds[0])[:2].tolist()
    longest = max(width, height)
    size = (max(1, round(SIDE * height / longest)), max(1, round(SIDE * width / longest)))
    scaled = torch.nn.functional.interpolate(cut[None, None], size, mode="bilinear", align_corners=True)[0, 0]
    square = torch.zeros(SIDE, SIDE)
    top, left = (SIDE - size[0]) // 2, (SIDE - size[1]) // 2
    square[top : top + size[0], left : left + size[1]] = scaled
    return square


def _grey(image: Tensor) -> Tensor:
    """Shares [H,W] that should look evenly stepped, as linear RGB."""
    return (image.float() ** 2.2)[..., None].expand(-1, -1, 3)


def _beside(pictures: list[Tensor]) -> Tensor:
    line = torch.full((SIDE, LINE, 3), 0.2)
    return torch.cat([pictures[0], line, pictures[1], line, pictures[2]], 1)
