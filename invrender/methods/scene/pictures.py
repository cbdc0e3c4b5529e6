"""Target, estimate and what lies between them, as people look at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from invrender.methods.scene.targets import Target

Tensor = torch.Tensor

WHITE_AT = 0.995  # share of the targets' values that are shown below white, where they are no picture as it is
FAINT, BRIGHT = 0.25, 1.0  # between these the brightest values of targets are a picture as it is
RED, BLUE = (0.75, 0.06, 0.05), (0.05, 0.2, 0.75)  # linear RGB of what is too bright, and too dark
STRONGEST = 0.995  # share of the differences that are shown less than full


def exposure(targets: Sequence[Target]) -> float:
    """The factor by which values become a picture: 1 for targets that are one as they are, as files of 8 bits are."""
    brightest = max(float(target.image.clamp(min=0).quantile(WHITE_AT)) for target in map(_sampled, targets))
    eight = all(target.step > 0 for target in targets)
    return 1.0 if eight or FAINT <= brightest <= BRIGHT or brightest <= 0 else 1 / brightest


def _sampled(target: Target) -> Target:
    """Few enough values for a quantile, which torch takes of 16 million at most."""
    step = max(1, max(target.size) // 1024)
    return replace(target, image=target.image[::step, ::step])


def difference(shown: Tensor, target: Target) -> tuple[Tensor, float]:
    """What a picture [H,W,3] has more (red) and less (blue) than a target, on white; and what the full colour means."""
    off = ((shown - target.image) * target.weight[..., None]).mean(-1)
    strongest = float(off.abs().flatten()[:: max(1, off.numel() // 2**20)].quantile(STRONGEST))
    strongest = max(strongest, 1e-6, float(off.abs().max()) / 50)
    share = (off / strongest).clamp(-1, 1)[..., None]
    tint = torch.where(share > 0, torch.tensor(RED), torch.tensor(BLUE)).double()
    return 1 + share.abs() * (tint - 1), strongest
