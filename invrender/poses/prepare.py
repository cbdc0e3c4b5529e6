"""Copies of photographs for the search: upright, 8 bits, no larger than needed, over grey where they are transparent.

Masks become the places where features may lie: the object with a rim, whose edge against the background says nothing
about the object from elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from invrender.colour import linear_to_srgb
from invrender.errors import InputError
from invrender.io.images import read_image, read_mask
from invrender.io.pixels import levels, read_picture, turned
from invrender.poses.photographs import Photograph
from invrender.poses.video import sharpness

LARGEST = 1600
"""Pixels of the longer side: features of larger pictures cost time and add nothing to the cameras."""

_GREY = 128.0
_RIM = 2  # pixels around the object in which features may lie


@dataclass(frozen=True)
class Prepared:
    """A photograph ready for the search.

    Attributes:
        photograph: the original.
        file: name of the copy in the folder of copies.
        scale: the copy's width divided by the original's.
        mask: [H,W] bool of the copy, where the object is, or None.
        sharpness: the variance of its Laplacian.
    """

    photograph: Photograph
    file: str
    scale: float
    mask: NDArray[np.bool_] | None
    sharpness: float


def prepare(photograph: Photograph, index: int, images: Path, masks: Path) -> Prepared:
    """Write the copy of a photograph, and its mask as COLMAP looks for it (NAME.png beside NAME).

    Raises:
        InputError: the picture or its mask is damaged, or they differ in shape.
    """
    from scipy.ndimage import maximum_filter

    colours, alpha = _upright(photograph)
    mask = _mask(photograph, alpha)
    factor = min(1.0, LARGEST / max(photograph.size))
    size = (max(1, round(photograph.size[1] * factor)), max(1, round(photograph.size[0] * factor)))
    picture = Image.fromarray(colours)
    if factor < 1:
        picture = picture.resize(size, Image.Resampling.BOX)
    file = f"{index:06d}.png"
    picture.save(images / file, compress_level=1)
    object_ = None
    if mask is not None:
        object_ = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.BOX)) > 127
        Image.fromarray(maximum_filter(object_, 2 * _RIM + 1).astype(np.uint8) * 255).save(masks / f"{file}.png")
    measured = sharpness(np.asarray(picture.convert("L")))
    return Prepared(photograph, file, size[0] / photograph.size[1], object_, measured)


def _upright(photograph: Photograph) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """Colours [H,W,3] over grey and alpha [H,W], as viewers show the picture; alpha None where it is opaque."""
    alpha: NDArray[np.uint8] | None
    if photograph.path.suffix.lower() == ".exr":
        linear, coverage = read_image(photograph.path)
        colours = np.rint(255 * np.clip(linear_to_srgb(np.asarray(linear, np.float64)), 0, 1))
        alpha = None if coverage is None else np.rint(255 * np.clip(coverage, 0, 1)).astype(np.uint8)
    else:
        picture = read_picture(photograph.path)
        colours = np.clip(picture.values.astype(np.float64) * (255 / levels(picture.values)), 0, 255)
        colours, alpha = np.repeat(colours, 3, axis=2) if colours.shape[2] == 1 else colours, picture.alpha
    if alpha is not None and alpha.min() == 255:
        alpha = None
    if alpha is not None:
        share = alpha[..., None] / 255
        colours = colours * share + _GREY * (1 - share)
    upright = turned(np.rint(colours).astype(np.uint8), photograph.orientation)
    return upright, None if alpha is None else turned(alpha, photograph.orientation)


def _mask(photograph: Photograph, alpha: NDArray[np.uint8] | None) -> NDArray[np.uint8] | None:
    """[H,W] uint8, 255 where the object is: from a file of its own, else from alpha."""
    if photograph.mask is None:
        return alpha
    return (255 * upright_mask(photograph)).astype(np.uint8)


def upright_mask(photograph: Photograph) -> NDArray[np.float32]:
    """The mask [H,W] in a file beside a picture, turned as the picture is and of its size.

    Raises:
        InputError: it is damaged, or of another shape.
    """
    assert photograph.mask is not None
    mask = read_mask(photograph.mask)
    height, width = photograph.size
    if photograph.orientation >= 5 and (mask.shape[0] > mask.shape[1]) != (height > width):
        mask = turned(mask, photograph.orientation)
    if mask.shape == photograph.size:
        return mask
    if abs(mask.shape[1] * height - mask.shape[0] * width) > max(photograph.size):
        raise InputError(
            f"the mask of {photograph.name} is {mask.shape[1]} x {mask.shape[0]}, its picture {width} x {height}",
            "make masks of the size of the pictures",
        )
    return np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.BILINEAR))
