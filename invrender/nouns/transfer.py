"""Transfer functions: from the values of a volume to colour and opacity."""

from __future__ import annotations

from dataclasses import dataclass

import torch

Tensor = torch.Tensor


REFERENCE = 1 / 32
"""Opacities hold for a path of this many longest axes."""


_MOST = 0.995  # opacity 1 would take infinite extinction


@dataclass(frozen=True)
class TransferFunction:
    """Colour and opacity over the values from `low` to `high`; constant beyond.

    Attributes:
        colours: [K,3] linear RGB, evenly spaced from low to high.
        opacity: [K] in [0, 1], of a path as long as `REFERENCE` of the volume's longest axis.
        low, high: the window of values.
    """

    colours: Tensor
    opacity: Tensor
    low: float
    high: float

    def table(self, longest: float) -> Tensor:
        """[K,4]: linear RGB and extinction per world unit, for a volume whose longest axis has that length."""
        absorbed = -torch.log1p(-self.opacity.clamp(0, _MOST))
        return torch.cat([self.colours, (absorbed / (REFERENCE * longest))[:, None]], 1)
