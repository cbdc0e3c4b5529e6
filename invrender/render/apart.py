"""Pictures of many cameras without gradients: where a run has several ranks, each draws those of some cameras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from invrender.nouns import Cameras
from invrender.ranks.calls import pieces, spread

Tensor = torch.Tensor


def apart(draw: Callable[..., Tensor], common: tuple[Any, ...], cameras: Cameras) -> Tensor:
    """`draw(*common, cameras)`, [N,...] on the CPU or wherever the pictures of N cameras are.

    `draw` is a function of a module, so that it has a name on every rank.
    """
    parts = spread(draw, common, [cameras[piece] for piece in pieces(len(cameras))])
    return parts[0] if len(parts) == 1 else torch.cat([part.to(parts[0].device) for part in parts])
