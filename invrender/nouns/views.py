"""Posed images."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.nouns.cameras import Cameras

Tensor = torch.Tensor


@dataclass(frozen=True)
class Views:
    """Posed images.

    Attributes:
        cameras: N cameras.
        masks: [N,H,W] float32 coverage in [0, 1]; 1 is object.
        images: [N,H,W,3] float32 linear RGB, or None where only silhouettes are known.
        names: one per view, as the files are called.
    """

    cameras: Cameras
    masks: Tensor
    images: Tensor | None = None
    names: tuple[str, ...] = ()
