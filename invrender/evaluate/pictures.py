"""How near pictures of a result are to photographs of the object: PSNR, SSIM and IoU, by view.

Colours are compared as people see them, sRGB-encoded, over black. "Masked" PSNR counts the photograph's object pixels,
where a miss is black and a shape that is too large costs nothing; "shared" PSNR counts pixels that are object in both,
where a shape that is too small costs nothing; so both are told, with IoU, which sees either.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.colour import linear_to_srgb

Tensor = torch.Tensor
Floats = NDArray[np.float64]

COVERED, SHARED = 0.5, 0.99  # coverage from which on a pixel is the object's, and wholly the object's


@dataclass(frozen=True)
class PictureScores:
    """One view, or the mean of several. NaN where there is nothing to compare.

    Attributes:
        iou: sum of the smaller over sum of the greater coverage.
        psnr_shared: over pixels that both cover wholly, dB.
        psnr_masked: over pixels that the photograph's mask covers, dB.
        psnr_whole: over all known pixels, both pictures over black, dB.
        ssim: structural similarity over the mask's pixels (Wang et al. 2004, windows of 7 pixels, mean of channels).
    """

    iou: float
    psnr_shared: float
    psnr_masked: float
    psnr_whole: float
    ssim: float


@dataclass(frozen=True)
class Comparison:
    """Pictures beside photographs.

    Attributes:
        estimate, target: [N,H,W,3] float64 sRGB over black.
        each: scores by view.
    """

    estimate: Floats
    target: Floats
    each: tuple[PictureScores, ...]

    @property
    def mean(self) -> PictureScores:
        """Of the views."""
        return mean_scores(self.each)


def compared(drawn: Tensor, images: Tensor, masks: Tensor, confidence: Tensor | None = None) -> Comparison:
    """Compare pictures of a result with photographs.

    Args:
        drawn: [N,H,W,4] premultiplied linear RGB and coverage.
        images: [N,H,W,3] linear photographs; masks: [N,H,W] their coverage.
        confidence: [N,H,W]; pixels of 0 are left out.
    """
    estimate = linear_to_srgb(drawn[..., :3].detach().cpu().double().numpy())
    target = linear_to_srgb((images.cpu().double() * masks.cpu()[..., None]).numpy())
    cover, mask = drawn[..., 3].detach().cpu().double().clamp(0, 1).numpy(), masks.cpu().double().numpy()
    known = np.ones(mask.shape, bool) if confidence is None else confidence.cpu().numpy() > 0
    each = (scores(*view) for view in zip(estimate, cover, target, mask, known, strict=True))
    return Comparison(estimate, target, tuple(each))


def scores(
    estimate: Floats, cover: Floats, target: Floats, mask: Floats, known: NDArray[np.bool_] | None = None
) -> PictureScores:
    """Scores of one view: pictures [H,W,3] sRGB over black, coverages [H,W], and which pixels [H,W] count."""
    from skimage.metrics import structural_similarity

    counts = np.ones(mask.shape, bool) if known is None else known
    error = ((estimate - target) ** 2).mean(-1)
    similar = structural_similarity(target, estimate, channel_axis=-1, data_range=1.0, full=True)[1].mean(-1)
    object_ = (mask > COVERED) & counts
    shared = (mask > SHARED) & (cover > SHARED) & counts
    union = float(np.maximum(mask, cover)[counts].sum())
    return PictureScores(
        iou=float(np.minimum(mask, cover)[counts].sum()) / union if union else math.nan,
        psnr_shared=_psnr(error[shared]),
        psnr_masked=_psnr(error[object_]),
        psnr_whole=_psnr(error[counts]),
        ssim=float(similar[object_].mean()) if object_.any() else math.nan,
    )


def mean_scores(each: Sequence[PictureScores]) -> PictureScores:
    """The mean of each score over the views where it could be told."""
    rows = [asdict(one) for one in each]

    def mean(name: str) -> float:
        values = [row[name] for row in rows if math.isfinite(row[name])]
        return float(np.mean(values)) if values else math.nan

    return PictureScores(*(mean(field.name) for field in fields(PictureScores)))


def _psnr(error: Floats) -> float:
    return -10 * math.log10(max(float(error.mean()), 1e-12)) if error.size else math.nan
