"""Grey images as numbers for measurements: files of one page, TIFF stacks and numpy arrays of one page a view.

Values are never decoded from sRGB. Integers of 8 and 16 bits are fractions of their whole range; what larger integers
stand for, and integers of optical depth, a file cannot say: that takes a scale.
"""

from __future__ import annotations

import struct
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.exr import read_exr
from invrender.io.files.paths import check_extension, shown
from invrender.io.pixels import (
    IMAGE_EXTENSIONS,
    Picture,
    check_pixels,
    levels,
    open_picture,
    page_count,
    read_header,
    unpack,
)

Array = NDArray[np.float32]
GREY_EXTENSIONS = (".npy", *IMAGE_EXTENSIONS)


@dataclass(frozen=True)
class Stack:
    """The images of all views.

    Attributes:
        images: [H,W] float32 each.
        quantum: the largest step between two neighbouring values; 0 where all were floats.
        eight_bit: whether no image holds more than 256 levels.
    """

    images: list[Array]
    quantum: float
    eight_bit: bool


def read_stack(files: list[Path], scale: float | None, whole: bool) -> Stack:
    """Read one page for each view: a file that k views name must hold k pages, taken in their order.

    Args:
        files: one per view.
        scale: what a stored number is multiplied by, or None.
        whole: whether 1 is the natural range of the values, so that integers need no scale.

    Raises:
        InputError: a file is damaged, too large, no grey image, of another number of pages, or needs a scale.
    """
    places: dict[Path, list[int]] = {}
    for place, path in enumerate(files):
        places.setdefault(path, []).append(place)
    images: dict[int, Array] = {}
    steps, small = [], []
    for path, views in places.items():
        for stored, view in zip(_pages(path, len(views)), views, strict=True):
            factor = _factor(stored, path, scale, whole)
            images[view] = _scaled(stored, factor)
            steps.append(0.0 if stored.dtype.kind == "f" else factor)
            small.append(stored.dtype == np.uint8)
    return Stack([images[view] for view in range(len(files))], max(steps), all(small))


def _scaled(stored: NDArray[Any], factor: float) -> Array:
    if factor in (1 / 255, 1 / 65535):  # divide, which rounds once
        return stored.astype(np.float32) / np.float32(round(1 / factor))
    return stored.astype(np.float32) if factor == 1 else (stored * np.float64(factor)).astype(np.float32)


def _factor(stored: NDArray[Any], path: Path, scale: float | None, whole: bool) -> float:
    if scale is not None:
        return scale
    if stored.dtype.kind == "f":
        return 1.0
    if not whole:
        raise InputError(
            f"{shown(path)} holds integers (up to {stored.max()}), and line integrals have no greatest value",
            'write "scale" into the pose file, the optical depth of one grey level, or save floats',
        )
    if stored.dtype not in (np.uint8, np.uint16):
        raise InputError(
            f"{shown(path)} holds {stored.dtype} from {stored.min()} to {stored.max()}: nothing says what stands for 1",
            'divide by the reading without an object and save floats, or write "scale" into the pose file:'
            " 1 divided by that reading",
        )
    return 1 / levels(stored)


def _pages(path: Path, count: int) -> Iterator[NDArray[Any]]:
    """The pages [H,W] of a file that `count` views name."""
    extension = check_extension(path, GREY_EXTENSIONS, "image")
    if extension == ".npy":
        yield from _array_pages(path, count)
    elif extension == ".exr":
        _check_count(path, 1, count)
        read_header(path)
        yield _grey(Picture(read_exr(path)[..., :3]), path)
    else:
        with open_picture(path) as image:
            _check_count(path, page_count(image), count)
            for index in range(count):
                image.seek(index)
                check_pixels(path, (image.height, image.width))
                picture = unpack(image)
                yield _grey(picture, path)


def _check_count(path: Path, pages: int, views: int) -> None:
    if pages == views:
        return
    held = "1 image" if pages == 1 else f"{pages} images"
    raise InputError(
        f"{shown(path)} holds {held}, and {views} {'view names' if views == 1 else 'views name'} it",
        "let as many views name a stack as it holds images (they are taken in that order), or save one file a view",
    )


def _grey(picture: Picture, path: Path) -> NDArray[Any]:
    """[H,W] of grey values, or of colours that are equal (but for what a JPEG loses)."""
    values = picture.values
    if picture.alpha is not None and picture.alpha.min() < 255:
        raise InputError(f"{shown(path)} is transparent in places, which means nothing here", "save it without alpha")
    if values.shape[2] == 1:
        return values[..., 0]
    spread = (values.max(axis=2).astype(np.float64) - values.min(axis=2)).max()
    if spread == 0:
        return values[..., 0]
    if path.suffix.lower() in (".jpg", ".jpeg", ".webp") and spread <= 8:
        mean: NDArray[Any] = np.rint(values.mean(axis=2)).astype(values.dtype)
        return mean
    raise InputError(f"{shown(path)} is no grey image: its colours differ", "write one number per pixel")


def _array_pages(path: Path, count: int) -> Iterator[NDArray[Any]]:
    """Pages of an .npy file, which is mapped and not read, so that nothing of its size is reserved."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, OverflowError, RecursionError, SyntaxError, TypeError, LookupError,
            struct.error, tokenize.TokenError) as error:  # fmt: skip
        raise InputError(f"{shown(path)} cannot be read as an image: {shown(str(error))}", "export it again") from error
    shape = getattr(array, "shape", None)
    if shape is None or array.dtype.kind not in "uif":
        kind = "an archive" if shape is None else f"{array.dtype} numbers"
        raise InputError(f"{shown(path)} is no grey image: it holds {kind}", "write floats, one number per pixel")
    if len(shape) == 3 and shape[2] == 1 and shape[0] != count:
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and count == 1 and shape[0] != 1):
        raise InputError(
            f"{shown(path)} is no grey image (its array is {shape})",
            "write one number per pixel; of a stack [views, rows, columns] every view must name the file",
        )
    stack = array[None] if array.ndim == 2 else array
    _check_count(path, len(stack), count)
    check_pixels(path, stack.shape[1:])
    for page in stack:
        values = np.array(page)
        yield values.astype(values.dtype.newbyteorder("="))
