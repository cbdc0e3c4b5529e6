"""Former name of `select` for volumes, for callers not yet moved; to be deleted with the last of them."""

from __future__ import annotations

import torch

from invrender.backends.select import select
from invrender.kernels import Backend


def select_volume(name: str = "auto", device: str | torch.device | None = None) -> Backend:
    """`select` for volumes alone."""
    return select(name, device, ("volumes",))
