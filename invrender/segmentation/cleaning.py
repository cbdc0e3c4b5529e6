"""From how far pixels are from the backdrop to a mask: threshold, parts, holes, soft edges and confidence.

Generous rather than tight: a hull that loses a pixel loses it for good, and one too many is taken off by other views.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Bools: TypeAlias = NDArray[np.bool_]

LEAST = 0.02  # of sRGB: a smaller difference from the backdrop says nothing
NOISES = 1.5  # how far beyond the backdrop's noise the threshold lies
REFERENCE = 640 * 480  # pixels of the picture for which areas are given here
HOLE, CLEAR_HOLE = 300, 30  # smaller holes are filled: of shades that look like the backdrop, and of a clear one
SPECK, PART = 60, 0.02  # smaller parts are dropped: in pixels, and as a share of the largest one
DOUBTFUL = 0.5  # share of the threshold within which it decides less and less
FAINT = 0.4  # confidence of what differs from a dark backdrop by less than half of Otsu's threshold: shadow or cloth?
FILLED = 0.3  # confidence of what was background by the threshold and object by what is around it
SLIT = 0.025  # half-width of a hole, in square roots of the mask's area, below which it may be a groove in shadow
MEDIANS = 3  # of the backdrop's differences, beyond which hardly any lie,
SOFT = 1.5  # pixels by which pictures are smoothed to tell deep shadow from a dark backdrop,
SHINE = 1  # pixels beyond a mask that lenses and compression brighten,
NEAR = 0.05  # the least share of the neighbours that are averaged,
DIM = 0.004  # and the least difference that does, of sRGB
WHOLE = 0.75  # of the next pixel's light, from which on a pixel at an outline is wholly the object's: limbs are darker
CROSS = np.array([[False, True, False], [True, True, True], [False, True, False]])


def threshold_of(distance: Floats, noise: float) -> float:
    """The difference from the backdrop from which a pixel is the object's, from those [P] where it can be.

    Beyond the noise of the backdrop, but no more than half of Otsu's threshold: that cuts through an object's shades.
    """
    from skimage.filters import threshold_otsu

    half = float(threshold_otsu(distance)) / 2 if len(distance) and np.ptp(distance) > 0 else LEAST
    return max(LEAST, min(NOISES * noise, half))


def plain_from(distance: Floats) -> float:
    """The difference from the backdrop from which on a pixel is plainly the object's, from those [P] where it can be.

    Half of Otsu's threshold, taken in the middle of the two classes: where the shades between them are missing, any of
    these is Otsu's.
    """
    from skimage.filters import threshold_otsu

    if not len(distance) or np.ptp(distance) == 0:
        return LEAST
    above = distance > threshold_otsu(distance)
    return float(distance[above].mean() + distance[~above].mean()) / 4


def cleaned(distance: Floats, threshold: float, inside: Bools, clear: bool) -> Bools:
    """The object's pixels [H,W]: gaps of the threshold closed, specks dropped, small holes filled, large ones kept.

    Args:
        distance: [H,W] from the backdrop.
        threshold: from which a pixel is the object's.
        inside: [H,W] where the object can be.
        clear: whether no shade of the object looks like the backdrop, so that holes are what they seem.
    """
    from scipy import ndimage

    scale = distance.size / REFERENCE
    found = (distance > threshold) & inside
    rounds = max(1, round(2 * min(1.0, scale**0.5)))
    padded = np.pad(found, rounds + 1, mode="edge")  # else closing eats into what touches the border
    own = slice(rounds + 1, -rounds - 1)
    closed: Bools = ndimage.binary_closing(padded, CROSS, iterations=rounds)[own, own]
    if clear:
        closed &= (distance > threshold / 2) | found
    parts, count = ndimage.label(closed, np.ones((3, 3)))
    if not count:
        return closed
    area = ndimage.sum_labels(closed, parts, np.arange(count + 1))
    mask: Bools = (area >= max(SPECK * scale, PART * area.max()))[parts] & closed
    return _filled(mask, (CLEAR_HOLE if clear else HOLE) * scale)


def _filled(mask: Bools, largest: float) -> Bools:
    """Holes of fewer pixels filled."""
    from scipy import ndimage

    holes, count = ndimage.label(~mask)
    area = ndimage.sum_labels(~mask, holes, np.arange(count + 1))
    border = np.unique(np.concatenate([holes[0], holes[-1], holes[:, 0], holes[:, -1]]))
    small = area < largest
    small[0] = False
    small[border] = False
    filled: Bools = mask | small[holes]
    return filled


def confidence_of(distance: Floats, threshold: float, mask: Bools, inside: Bools) -> Floats:
    """How far each pixel of a mask is to be believed, [H,W] in [0, 1]: less near the threshold.

    Every outline passes through the threshold; only where more than a line is near it is there doubt.
    """
    from scipy import ndimage

    certain = np.abs(distance - threshold) / np.float32(DOUBTFUL * threshold)
    certain = np.where(inside, certain, 1)
    certain = ndimage.grey_closing(np.minimum(certain, 1), size=(5, 5), mode="nearest")
    against = ndimage.binary_opening(mask != ((distance > threshold) & inside))
    believed: Floats = np.where(against, np.minimum(certain, FILLED), certain).astype(np.float32)
    return believed


def faint(distance: Floats, plain: float, mask: Bools) -> Bools:
    """The pixels [H,W] of a mask that are object or a faintly lit part of what it stands on, wider than an outline.

    Args:
        distance: [H,W] from a dark backdrop.
        plain: difference from which on a pixel is plainly no backdrop.
        mask: [H,W].
    """
    from scipy import ndimage

    found: Bools = ndimage.binary_opening(mask & (distance <= plain), iterations=2)
    return found


def smoothed(picture: Floats, mask: Bools) -> Floats:
    """A picture [H,W,3] in which neighbours outside a mask [H,W] are averaged: what is bright would shine as far.

    Where a mask is all around, pixels stay as they are.
    """
    from scipy import ndimage

    counts = (~ndimage.binary_dilation(mask, iterations=SHINE)).astype(np.float32)
    share = ndimage.gaussian_filter(counts, SOFT, mode="nearest")[..., None]
    total = ndimage.gaussian_filter(picture * counts[..., None], (SOFT, SOFT, 0), mode="nearest")
    averaged: Floats = np.where(share > NEAR, total / np.maximum(share, NEAR), picture)
    return averaged


def dim(distance: Floats, mask: Bools, inside: Bools, covered: Bools) -> Bools:
    """The pixels [H,W] outside a mask that are, on average over their neighbours, no backdrop: perhaps deep shadow.

    Args:
        distance: [H,W] from a dark backdrop, of the smoothed picture.
        mask: [H,W].
        inside, covered: [H,W], where the object can be, and where there is a picture.
    """
    from scipy import ndimage

    away = ndimage.binary_dilation(mask, iterations=math.ceil(3 * SOFT))  # what is bright shines as far when smoothed
    outside = covered & ~inside & ~away
    outside = outside if outside.any() else covered & ~away
    if not outside.any():
        return np.zeros_like(mask)
    found = (distance > max(DIM, MEDIANS * float(np.median(distance[outside])))) & inside & ~mask
    kept: Bools = ndimage.binary_opening(found, iterations=2)
    return kept


def slits(mask: Bools) -> Bools:
    """The pixels [H,W] of holes so narrow that they may as well be grooves as dark as the backdrop: none can tell.

    A hole that one can look through is seen wider from elsewhere, or its background by other views.
    """
    from scipy import ndimage

    holes, count = ndimage.label(~mask)
    if count < 2:
        return np.zeros_like(mask)
    width = ndimage.maximum(ndimage.distance_transform_edt(~mask), holes, np.arange(count + 1))
    border = np.unique(np.concatenate([holes[0], holes[-1], holes[:, 0], holes[:, -1]]))
    narrow = np.asarray(width) <= SLIT * np.sqrt(mask.sum())
    narrow[0] = False
    narrow[border] = False
    found: Bools = narrow[holes]
    return found


def softened(mask: Bools, away: Floats, shaded: bool) -> Floats:
    """Coverage [H,W]: in the pixels along the outline, how far their colour has left the backdrop for the object.

    Args:
        mask: [H,W].
        away: [H,W], how far the pixels are from the backdrop in linear light, in which colours mix.
        shaded: whether the object may get as dark as the backdrop towards its outline: pixels are then compared with
            the next one inside, not with the plainest of those around.
    """
    from scipy import ndimage

    inner = ndimage.binary_erosion(mask, border_value=1)
    if not inner.any():
        return mask.astype(np.float32)
    if shaded:
        nearest = ndimage.distance_transform_edt(~inner, return_distances=False, return_indices=True)
        around = away[tuple(nearest)]
    else:
        around = ndimage.maximum_filter(np.where(inner, away, 0), size=5)
    band = ndimage.binary_dilation(mask) & ~inner
    share = np.clip(away / np.maximum(around * (WHOLE if shaded else 1), 1e-6), 0, 1)
    coverage: Floats = np.where(band & (around > 0), share, mask).astype(np.float32)
    return coverage
