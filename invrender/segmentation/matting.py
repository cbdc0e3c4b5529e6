"""Straight colours: what the object alone shows in pixels that it shares with the backdrop."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]

LEAST = 0.1  # coverage below which the object's colour is taken to be what the difference says at this coverage


def unmixed(picture: Floats, cover: Floats) -> Floats:
    """The straight colours [H,W,3] of a picture: c where it shows c cover + b (1 - cover).

    The backdrop's colour b is that of the nearest pixel without any object. Pixels that are wholly the object's or
    wholly the backdrop's stay as they are.

    Args:
        picture: [H,W,3] linear.
        cover: [H,W] in [0, 1].
    """
    from scipy import ndimage

    outside = cover <= 0
    shared = ~outside & (cover < 1)
    if not shared.any() or not outside.any():
        return picture
    rows, columns = ndimage.distance_transform_edt(~outside, return_distances=False, return_indices=True)[:, shared]
    behind = picture[rows, columns]
    straight = picture.copy()
    straight[shared] = (behind + (picture[shared] - behind) / cover[shared, None].clip(LEAST)).clip(0)
    return straight
