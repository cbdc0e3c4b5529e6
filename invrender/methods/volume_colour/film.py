"""progress.gif of a volume's colours: the target beside the estimate, while both turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.cameras.volume_rigs import volume_rig
from invrender.kernels import VolumeKernels
from invrender.nouns import Cameras, Views, Volume
from invrender.render.emission import Look, render_volume
from invrender.render.images import to_bytes

Tensor = torch.Tensor
Picture = NDArray[np.uint8]

SIDE, LINE = 192, 2
PAPER, RULE = 1.0, 0.6  # linear greys of the background and of the line between the pictures
ELEVATION = 15.0


@dataclass(frozen=True)
class Painting:
    """A volume and the look that shows it."""

    volume: Volume
    look: Look


class Film:
    """Collects estimates; without a target's asset, the left side shows the given view nearest to the camera.

    Args:
        target: what the asset looks like, or None.
        views: the input's.
        wanted: how many frames; 0 for none.
        kernels: what draws.
    """

    def __init__(self, target: Painting | None, views: Views, wanted: int, kernels: VolumeKernels) -> None:
        self._target, self._views, self._wanted, self._kernels = target, views, wanted, kernels
        self._estimates: list[Painting] = []

    def is_due(self, index: int, total: int) -> bool:
        """Whether a frame is due after step `index` of `total`."""
        return (index + 1) * self._wanted // total > index * self._wanted // total

    def add(self, estimate: Painting) -> None:
        """Keep an estimate for a frame."""
        self._estimates.append(estimate)

    def frames(self) -> list[Picture]:
        """All frames, drawn now, from cameras on one full turn."""
        if not self._estimates:
            return []
        model = self._estimates[-1].volume
        turn = volume_rig(model, "orbit", len(self._estimates), (SIDE, SIDE), elevation=ELEVATION)
        return [self._frame(estimate, turn[[i]]) for i, estimate in enumerate(self._estimates)]

    def _frame(self, estimate: Painting, camera: Cameras) -> Picture:
        right = self._draw(estimate, camera)
        left = self._given(camera) if self._target is None else self._draw(self._target, camera)
        line = torch.full((SIDE, LINE, 3), RULE)
        return to_bytes(torch.cat([left, line, right], 1))

    def _draw(self, painting: Painting, camera: Cameras) -> Tensor:
        layers = render_volume(painting.volume, camera, painting.look, self._kernels)[0].cpu()
        return layers[..., :3] + (1 - layers[..., 3:]) * PAPER

    def _given(self, camera: Cameras) -> Tensor:
        """The view whose direction is nearest, over the same paper, scaled to the frame."""
        centre = self._estimates[-1].volume.bounds.double().mean(0)
        given = torch.nn.functional.normalize(self._views.cameras.position - centre, dim=1)
        nearest = int((given @ torch.nn.functional.normalize(camera.position[0] - centre, dim=0)).argmax())
        assert self._views.images is not None
        alpha = self._views.masks[nearest, :, :, None]
        picture = self._views.images[nearest] * alpha + (1 - alpha) * PAPER
        scaled = torch.nn.functional.interpolate(picture.permute(2, 0, 1)[None], (SIDE, SIDE), mode="area")
        return scaled[0].permute(1, 2, 0)
