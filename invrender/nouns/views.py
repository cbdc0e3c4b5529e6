"""Posed images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from invrender.nouns.cameras import Cameras

Tensor = torch.Tensor


@dataclass(frozen=True)
class Views:
    """Posed images.

    Attributes:
        cameras: N cameras.
        masks: [N,H,W] float32 coverage in [0, 1]; 1 is object. Or uint8 shares of 255, see `nouns.coverage`.
        images: [N,H,W,3] float32 linear RGB, or uint8 sRGB-encoded (see `nouns.colours`), or None where only
            silhouettes are known.
        names: one per view, as the files are called.
        confidence: [N,H,W] like the masks, in [0, 1], how far a pixel's mask is to be believed; 0: unknown, neither
            object nor background (no mask, beyond the border of an undistorted picture). None: all of it is known.
        held_out: the views that the dataset's own split sets aside, ascending indices.
        bounds: [2,3] float64, the box that the dataset says holds the object, in world units, or None.
    """

    cameras: Cameras
    masks: Tensor
    images: Tensor | None = None
    names: tuple[str, ...] = ()
    confidence: Tensor | None = None
    held_out: tuple[int, ...] = ()
    bounds: Tensor | None = None

    def __len__(self) -> int:
        return len(self.cameras)

    def __getitem__(self, index: Sequence[int]) -> Views:
        """Some of the views, in the order asked for; all of them share memory with these."""
        chosen = list(index)
        if chosen == list(range(len(self))):
            return self
        return replace(
            self,
            cameras=self.cameras[chosen],
            masks=self.masks[chosen],
            images=None if self.images is None else self.images[chosen],
            names=tuple(self.names[i] for i in chosen) if self.names else (),
            confidence=None if self.confidence is None else self.confidence[chosen],
            held_out=tuple(new for new, old in enumerate(chosen) if old in self.held_out),
        )
