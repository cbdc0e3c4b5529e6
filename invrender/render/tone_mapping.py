"""From radiance, which has no upper end, to what a screen shows: exposure and curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

Tensor = torch.Tensor

CURVES = ("clip", "filmic")
Curve = Literal["clip", "filmic"]


@dataclass(frozen=True)
class Tone:
    """How bright a picture is shown.

    Attributes:
        stops: of exposure; each doubles all values.
        curve: "clip": values above 1 become white, all others stay as they are; "filmic": bright ones are compressed,
            which leaves shapes in what is brighter than white, and changes all colours a little.
    """

    stops: float = 0.0
    curve: Curve = "clip"

    @property
    def exposure(self) -> float:
        """The factor."""
        return float(2.0**self.stops)

    def shown(self, colour: Tensor) -> Tensor:
        """Linear RGB [...] in [0, 1] of linear RGB [...] from 0 on."""
        exposed = self.exposure * colour
        return (filmic(exposed) if self.curve == "filmic" else exposed).clamp(0, 1)


def filmic(x: Tensor) -> Tensor:
    """Narkowicz 2015, "ACES filmic tone mapping curve": a fit of the Academy's reference rendering transform."""
    x = x.clamp(min=0)
    return (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14)


def overexposed(colour: Tensor, tone: Tone) -> float:
    """The share of the pixels [...,3] that are clipped to white in some channel."""
    if tone.curve != "clip" or not colour.numel():
        return 0.0
    return float((tone.exposure * colour[..., :3] > 1 + 1e-3).any(-1).double().mean())
