"""Colours that are multiplied by their alpha already, where straight ones are the rule (PNG specification, 12.4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FEWEST = 32  # pixels of a contour that say anything
_MOST = 0.2  # of the object's pixels: more are a volume's, whose thin parts may be dark by themselves
_DARK = 20  # of 255: nearly black objects look the same either way


def looks_premultiplied(colours: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> bool:
    """Whether the pixels of a contour get darker with their alpha, as an object's own colours do not.

    Args:
        colours: [H,W,3] as stored.
        alpha: [H,W].
    """
    edge = (alpha > 12) & (alpha < 243)
    count = np.count_nonzero(edge)
    if count < _FEWEST or count > _MOST * np.count_nonzero(alpha):
        return False
    bright = colours.max(axis=2)
    if bool((bright > alpha.astype(np.int16) + 2).any()):  # no straight colour knows this bound
        return False
    thin, thick = bright[edge & (alpha < 100)], bright[edge & (alpha > 155)]
    return bool(thin.size and thick.size and thick.mean() > _DARK and thin.mean() < 0.6 * thick.mean())


def straightened(colours: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colours [H,W,3] divided by their alpha [H,W]; 0 where that is 0."""
    divisor = np.maximum(alpha, 1).astype(np.float32)[..., None]
    return np.clip(np.rint(colours * (np.float32(255) / divisor)), 0, 255).astype(np.uint8)
