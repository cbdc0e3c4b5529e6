"""Where a target and an estimate differ, drawn so that people see it: outlines of silhouettes, and signs of colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from invrender.colour import srgb_to_linear

Floats = NDArray[np.floating]
Picture = NDArray[np.uint8]

MISSING, EXCESS = (0, 105, 215), (240, 110, 0)  # sRGB of the target alone and of the estimate alone: blue, orange
OUTLINE = (200, 0, 60)
TINT = 0.75  # how far they cover what is below
FADED = 0.8  # how far what is below turns white
FULL = 64.0  # sRGB steps of difference that have the full colour
DARKER, BRIGHTER = np.array([30.0, 80.0, 200.0]), np.array([215.0, 40.0, 30.0])
NEUTRAL = 248.0  # grey of no difference
COARSE = 3.0  # times larger: then pixels are shown as they are
MISSES, COLOURS = "blue missing, orange excess", "red bright, blue dark"


def outlines(below: Picture, target: Floats, estimate: Floats, known: NDArray[np.bool_] | None = None) -> Picture:
    """Silhouettes over each other: the target's outline, and in colours what only one of them covers.

    Args:
        below: [H,W,3] uint8 picture to draw on, such as the estimate's.
        target, estimate: [H,W] coverage in [0, 1].
        known: [H,W] pixels of which the target knows something; None: all of them.

    Returns:
        [H,W,3] uint8: blue where the estimate misses something, orange where it has too much, a red outline.
    """
    from scipy.ndimage import binary_dilation

    counts = np.ones(target.shape, bool) if known is None else known
    shown = below * (1 - FADED) + 255 * FADED
    for share, colour in ((target - estimate, MISSING), (estimate - target, EXCESS)):
        tint = (np.clip(share, 0, 1) * counts * TINT)[..., None]
        shown = (1 - tint) * shown + tint * np.array(colour)
    inside = (target >= 0.5) & counts
    border = binary_dilation(inside) & ~inside & counts if inside.any() else inside
    shown[border] = OUTLINE
    return np.asarray(shown.clip(0, 255).round(), np.uint8)


def signed(target: Picture, estimate: Picture, counts: Floats | None = None) -> Picture:
    """The difference of two pictures [H,W,3] uint8: red where the estimate is too bright, blue where too dark.

    The strength is the greatest difference of a channel; a quarter of all steps has the full colour.

    Args:
        target, estimate: the pictures.
        counts: [H,W] in [0, 1], how far pixels count; None: fully.
    """
    off = estimate.astype(np.float64) - target
    strength = np.clip(np.abs(off).max(-1) / FULL, 0, 1)
    strength = strength if counts is None else strength * counts
    colour = np.where((off.sum(-1) >= 0)[..., None], BRIGHTER, DARKER)
    shown = NEUTRAL + strength[..., None] * (colour - NEUTRAL)
    return np.asarray(shown.round(), np.uint8)


def iou(target: Floats, estimate: Floats, known: NDArray[np.bool_] | None = None) -> float:
    """Intersection over union of coverages [H,W]: of the smaller over that of the greater; 1 where there is neither."""
    counts = np.ones(target.shape, bool) if known is None else known
    union = float(np.maximum(target, estimate)[counts].sum())
    return float(np.minimum(target, estimate)[counts].sum()) / union if union > 0 else 1.0


def psnr(target: Picture, estimate: Picture) -> float:
    """Peak signal-to-noise ratio of uint8 pictures of any shape, in dB of 255 steps; at most 99, of equal ones."""
    return _decibels((target.astype(np.float64) - estimate) / 255)


def psnr_of_light(target: Picture, estimate: Picture) -> float:
    """The same of the linear light that sRGB pictures stand for, which counts dark parts less than the eye does."""
    return _decibels(srgb_to_linear(target / 255) - srgb_to_linear(estimate / 255))


def _decibels(error: NDArray[np.float64]) -> float:
    return min(99.0, -10 * float(np.log10(max(float(np.mean(error**2)), 1e-12))))


def enlarged(picture: Picture, side: int) -> Picture:
    """A picture [H,W,3] uint8 whose longer side is `side`: means where it was larger, its pixels where much smaller."""
    height, width = picture.shape[:2]
    factor = side / max(height, width)
    if factor == 1:
        return picture
    size = max(1, round(width * factor)), max(1, round(height * factor))
    smooth = Image.Resampling.BILINEAR if factor < COARSE else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX if factor < 1 else smooth))
