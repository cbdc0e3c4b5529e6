"""progress.gif of a volume: a slice, a projection and a picture of the estimate below those of the target, turning."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.cameras.projection import look_at, perspective
from invrender.cameras.volume_rigs import DISTANCE, FOV, volume_frame
from invrender.kernels import VolumeKernels
from invrender.methods.transmittance.measurement import Measurement
from invrender.methods.transmittance.schedule import Step
from invrender.nouns import Cameras, Volume
from invrender.nouns.transfer import TransferFunction
from invrender.render.absorption import optical_depth
from invrender.render.emission import QUALITY, Look, render_volume
from invrender.render.images import to_bytes
from invrender.render.transfer import transfer_function

Tensor = torch.Tensor
Picture = NDArray[np.uint8]

SIDE = 144  # pixels of each of the pictures
LINE = 2
TILT = math.radians(20.0)
PAPER = 0.01  # linear grey behind the rendered picture
LARGEST = 80  # samples along the longest axis that pictures are drawn from


class Film:
    """Collects the frames; without a reference the target's row shows the given view nearest to the camera.

    Args:
        reference: the asset, or None.
        measurement, bounds, extinction: of the task.
        wanted: how many frames; 0 for none.
        kernels: what draws.
    """

    def __init__(
        self,
        reference: Volume | None,
        measurement: Measurement,
        bounds: Tensor,
        extinction: float,
        wanted: int,
        kernels: VolumeKernels,
    ) -> None:
        self._reference = None if reference is None else _shrunk(reference)
        self._measurement, self._bounds, self._extinction = measurement, bounds, extinction
        self._wanted, self._kernels = wanted, kernels
        self._grids: list[Tensor] = []

    def step(self, step: Step) -> None:
        """Keep the estimate if a frame is due after this pass."""
        due = (step.index + 1) * (self._wanted - 1) // step.total
        if self._wanted > 1 and due > step.index * (self._wanted - 1) // step.total:
            self._keep(step.estimate)

    def finish(self, density: Tensor) -> None:
        """Keep the result."""
        if self._wanted:
            self._keep(density)

    def _keep(self, grid: Tensor) -> None:
        volume = Volume((grid / self._extinction).clamp(min=0).cpu()[None], self._bounds)
        self._grids.append(_shrunk(volume).values)

    def frames(self) -> list[Picture]:
        """All frames, drawn now: with the window of values of the target, or else of the result."""
        model = self._reference or Volume(self._grids[-1], self._bounds)
        if not float(model.values.max()) > 0:
            model = Volume(torch.ones_like(model.values), model.bounds)
        transfer = transfer_function(model)
        total = len(self._grids)
        pictures = []
        for i, values in enumerate(self._grids):
            cameras = _camera(model, 2 * math.pi * i / total)
            below = self._row(Volume(values, self._bounds), cameras, transfer)
            above = self._target(cameras, transfer)
            line = torch.full((LINE, above.shape[1], 3), 0.2)
            pictures.append(to_bytes(torch.cat([above, line, below])))
        return pictures

    def _row(self, volume: Volume, cameras: Cameras, transfer: TransferFunction) -> Tensor:
        """Slice, projection and picture of a volume side by side, [SIDE, 3 SIDE + 2 LINE, 3] linear."""
        values = volume.values[0]
        cut = (values[values.shape[0] // 2].flip(0) / transfer.high).clamp(0, 1)
        depth = optical_depth(volume, cameras, self._kernels)[0] * self._extinction
        drawn = render_volume(volume, cameras, Look(transfer, quality=QUALITY["draft"]), self._kernels)[0].cpu().float()
        colour = drawn[..., :3] + (1 - drawn[..., 3:]) * PAPER
        return _beside([_grey(_fit(cut, volume)), _grey(torch.exp(-depth)), colour])

    def _target(self, cameras: Cameras, transfer: TransferFunction) -> Tensor:
        if self._reference is not None:
            return self._row(self._reference, cameras, transfer)
        data = self._measurement
        towards = torch.linalg.inv(data.cameras.world_to_camera)[:, :3, 2]
        nearest = int((towards @ torch.linalg.inv(cameras.world_to_camera)[0, :3, 2]).argmax())
        image = torch.exp(-data.depth[nearest]) * (data.weight[nearest] > 0)
        small = torch.nn.functional.interpolate(image[None, None], (SIDE, SIDE), mode="bilinear", antialias=True)[0, 0]
        blank = torch.full((SIDE, SIDE, 3), PAPER)
        return _beside([blank, _grey(small), blank])


def _camera(volume: Volume, azimuth: float) -> Cameras:
    centre, longest = volume_frame(volume)
    side = math.cos(TILT)
    direction = torch.tensor([side * math.sin(azimuth), math.sin(TILT), side * math.cos(azimuth)], dtype=torch.float64)
    eye = (centre + DISTANCE * longest * direction)[None]
    projection = perspective(FOV, (SIDE, SIDE), 0.02 * longest, 4 * longest)[None]
    return Cameras(look_at(eye, centre), projection, (SIDE, SIDE))


def _shrunk(volume: Volume) -> Volume:
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
