"""What is compared: all pixels that tell something, some of them, or small and blurred pictures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch

from invrender.methods.scene.misfit import ENOUGH, Compared, Misfit, compared
from invrender.methods.scene.renderer import Renderer
from invrender.methods.scene.settings import SceneSettings
from invrender.methods.scene.targets import Target
from invrender.parameters.scene_values import SceneValues

Tensor = torch.Tensor

PYRAMID = (8.0, 4.0, 2.0, 1.0)
SMALL, SOME = 64, 1500  # pixels of the longer side of the pictures by which starts are judged; of each picture
BLURRED = 256  # pixels of the longer side of blurred pictures, at most
HOLD = 0.01  # weight of the prior while pictures are so blurred that some turns of a camera hardly change them


@dataclass(frozen=True)
class Levels:
    """The objectives of a run.

    Attributes:
        values: what is free.
        targets: what is to be explained.
        renderer: what draws.
        settings: of the run.
    """

    values: SceneValues
    targets: tuple[Target, ...]
    renderer: Renderer
    settings: SceneSettings

    @cached_property
    def moves_cameras(self) -> bool:
        """Whether a camera is free."""
        return moves_cameras(self.values)

    @cached_property
    def pyramid(self) -> tuple[float, ...]:
        """Blurs before the end, in pixels of the targets."""
        if self.settings.blur is not None:
            return self.settings.blur
        return PYRAMID if self.moves_cameras else ()

    @cached_property
    def pixels(self) -> tuple[Tensor | None, ...]:
        """Of each target those that are compared in the end; None: all of them."""
        return tuple(self._fewer(self._telling(target), target) for target in self.targets)

    def _telling(self, target: Target) -> Tensor | None:
        """Pixels that can show anything but the background, where that is known; else None."""
        if self.moves_cameras or _shows_everywhere(self.values):
            return None
        return self.renderer.filled(self.values.scene.cameras[target.camera], target.size)

    def _fewer(self, pixels: Tensor | None, target: Target) -> Tensor | None:
        """Not more pixels than the settings allow."""
        every = target.weight.numel() if pixels is None else len(pixels)
        if every <= self.settings.pixels:
            return pixels
        generator = torch.Generator().manual_seed(self.settings.seed)
        chosen = torch.randperm(every, generator=generator)[: self.settings.pixels].sort().values
        return chosen if pixels is None else pixels[chosen]

    def misfit(self, level: Compared, spp: int | None = None) -> Misfit:
        """The objective at a level, with the usual rays a pixel or so many."""
        hold = HOLD if level.sigma > 0 and self.moves_cameras else 0.0
        renderer = self.renderer.finer(spp or self.renderer.shot.spp)
        return Misfit(self.values, level, renderer, self.settings.mode == "path", hold)

    @cached_property
    def whole(self) -> Compared:
        """All that is compared in the end."""
        return compared(self.targets, 0.0, self.pixels)

    def blurred(self, sigma: float) -> Misfit:
        """The objective of one level of the pyramid; a blur makes few rays a pixel enough."""
        few = self.renderer.shot.spp if self.settings.mode == "path" else min(self.renderer.shot.spp, ENOUGH)
        return self.misfit(compared(self.targets, sigma, most=BLURRED), few)

    @cached_property
    def small(self) -> Misfit:
        """The objective by which starts are judged: some of the pixels, or small and blurred pictures."""
        if self.moves_cameras or self.settings.blur:
            return self.misfit(compared(self.targets, max(self.pyramid, default=0.0), most=SMALL))
        return self.misfit(compared(self.targets, 0.0, [self._some(k) for k in range(len(self.targets))]))

    def _some(self, number: int) -> Tensor:
        """Some of a target's pixels, evenly spread over those that count."""
        every = self.pixels[number]
        if every is None:
            every = torch.arange(self.targets[number].weight.numel())
        return every[:: max(1, len(every) // SOME)]


def moves_cameras(values: SceneValues) -> bool:
    """Whether a camera is free, so that other pixels may show something than at the start."""
    return any(place.kind.startswith("camera.") for place in values.places)


def _shows_everywhere(values: SceneValues) -> bool:
    """Whether something is free that shows where nothing is met."""
    return any(place.kind.startswith(("environment.", "background")) for place in values.places)
