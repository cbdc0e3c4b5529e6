"""A picture and its mask brought to their region of the canvas: undistorted and scaled, as light times coverage.

Only sums of light may be averaged. So colours are multiplied by alpha, masks by what is known of them, and both are
divided again by the averages of these: what is transparent lends no colour to its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.datasets.layout import Place
from invrender.io.datasets.resample import resized, scaled
from invrender.io.datasets.undistort import warp
from invrender.io.files.paths import shown
from invrender.io.pixels import turned

Array = NDArray[np.float32]
_DETAIL = 2  # a picture is undistorted at so many times the sides that are wanted


@dataclass(frozen=True)
class Layers:
    """A picture on its region of the canvas.

    Attributes:
        colours: [h,w,3] linear, straight, or None.
        mask: [h,w] coverage, or None.
        known: [h,w] from 0, beyond the picture, to 1; None where all of it is known.
    """

    colours: Array | None
    mask: Array | None
    known: Array | None


def fitted_mask(mask: Array, place: Place, root: Path) -> Array:
    """A mask turned as its picture is, unless it stands upright already.

    Raises:
        InputError: it is no scaled copy of the picture.
    """
    lying = (mask.shape[0] > mask.shape[1]) != (place.full[0] > place.full[1])
    if place.turn != 1 and lying:
        mask = turned(mask, place.turn)
    height, width = mask.shape
    if abs(width * place.full[0] - height * place.full[1]) > max(place.full):
        raise InputError(
            f"{root}: the mask of {shown(place.view.name)} is {width} x {height}, its image {place.full[1]} x"
            f" {place.full[0]}",
            "make masks of the size of the images",
        )
    return mask


def develop(rgb: Array | None, alpha: Array | None, mask: Array | None, place: Place, where: str) -> Layers:
    """The layers of a picture.

    Args:
        rgb: [H,W,3] linear, straight, or None.
        alpha: [H,W], or None where the picture is opaque.
        mask: [H,W], of any resolution, or None.
        place: where the picture goes.
        where: the dataset, for messages.
    """
    if place.straight is None and all(part is None or part.shape[:2] == place.size for part in (rgb, mask)):
        return Layers(rgb, mask, None)
    light = [] if rgb is None else [rgb[..., c] if alpha is None else rgb[..., c] * alpha for c in range(3)]
    weight = [alpha] if rgb is not None and alpha is not None else []
    planes = [*light, *weight, *([] if mask is None else [mask])]
    known = None
    if place.straight is None:
        planes = [resized(plane, place.size) for plane in planes]
    else:
        *planes, known = _straightened(planes, place, where)
    cover = planes[-1] if mask is not None else None
    colours = None
    if light:
        colours = _divided(np.stack(planes[:3], axis=2), planes[3] if weight else known)
    return Layers(colours, None if cover is None else np.clip(_divided(cover, known), 0, 1), known)


def _straightened(planes: Sequence[Array], place: Place, where: str) -> list[Array]:
    """Planes as the pinhole sees them, and one of how much of each pixel the picture covers.

    Large pictures are scaled down first, and the rest of the way afterwards.
    """
    assert place.straight is not None
    factor = min(1.0, _DETAIL * max(place.size) / max(place.pinhole_size))
    before, after = scaled(place.full, factor), scaled(place.pinhole_size, factor)
    small = [*(resized(plane, before) for plane in planes), np.ones(before, np.float32)]
    return [resized(plane, place.size) for plane in warp(small, place.straight, after, where)]


def _divided(values: Array, weight: Array | None) -> Array:
    """Sums [h,w] or [h,w,3] by their weights [h,w]; 0 where nothing was seen."""
    if weight is None:
        return values
    share = np.where(weight > 1e-6, weight, np.inf).astype(np.float32)
    quotient: Array = values / (share[..., None] if values.ndim == 3 else share)
    return quotient
