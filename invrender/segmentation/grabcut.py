"""GrabCut (Rother, Kolmogorov and Blake 2004) from OpenCV: outlines moved to where colours change."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from invrender.errors import BackendError

REACH = 0.012  # how far an outline may move, as a share of the smaller side
ROUNDS = 3


def check_grabcut() -> None:
    """Refuse where OpenCV is missing (BackendError)."""
    if find_spec("cv2") is None:
        raise BackendError("GrabCut needs OpenCV, which is not installed", 'pip install "invrender[photos]"')


def grabcut(picture: NDArray[np.float32], mask: NDArray[np.bool_], doubt: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask [H,W] whose outline follows the colours of a picture [H,W,3], sRGB-encoded in [0, 1].

    Only pixels near the outline and pixels in `doubt` [H,W] may change sides. A mask in which too few pixels are
    certain to learn colours from stays as it is.
    """
    import cv2
    from scipy import ndimage

    reach = max(2, round(REACH * min(mask.shape)))
    inner = ndimage.binary_erosion(mask, iterations=reach, border_value=1) & ~doubt
    outer = ~ndimage.binary_dilation(mask, iterations=reach) & ~doubt
    if min(inner.sum(), outer.sum()) < 50:
        return mask
    labels = np.where(mask, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[inner], labels[outer] = cv2.GC_FGD, cv2.GC_BGD
    stored = np.ascontiguousarray((picture[..., ::-1] * 255).round().clip(0, 255).astype(np.uint8))
    cv2.setRNGSeed(0)
    cv2.grabCut(stored, labels, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), ROUNDS, cv2.GC_INIT_WITH_MASK)
    found: NDArray[np.bool_] = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    return found
