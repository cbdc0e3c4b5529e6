"""Coverage of pixels as it is kept: as floats, or in a byte each where there are many.

A mask of bytes holds shares of 255, as the files do that masks come from. Whoever reads numbers out of kept masks asks
`coverage` or `covers`; views are picked, stacked and sent in either form.
"""

from __future__ import annotations

import math

import torch

Tensor = torch.Tensor

FULL = 255  # a byte that stands for coverage 1


def coverage(kept: Tensor) -> Tensor:
    """Coverage in [0, 1], float32 of bytes; floats are returned as they are."""
    return kept if kept.is_floating_point() else kept.to(torch.float32) / FULL


def in_bytes(floats: Tensor) -> Tensor:
    """Coverage in [0, 1], a byte each, rounded."""
    return (floats.clamp(0, 1) * FULL).round_().to(torch.uint8)


def covers(kept: Tensor, share: float = 0.5) -> Tensor:
    """Where coverage is a share at least, bool."""
    return kept >= (share if kept.is_floating_point() else math.ceil(share * FULL))


def whole(kept: Tensor) -> Tensor:
    """What stands for coverage 1 beside kept masks, a scalar of their type."""
    return torch.tensor(1 if kept.is_floating_point() else FULL, dtype=kept.dtype, device=kept.device)
