"""Images in and out: linear floats in memory, sRGB on disk; masks are straight coverage on both sides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from invrender.colour import linear_to_srgb, srgb_to_linear
from invrender.errors import InputError
from invrender.io.coverage import coverage, of_levels
from invrender.io.exr import read_exr
from invrender.io.files.atomic import atomic_path
from invrender.io.files.paths import shown
from invrender.io.pixels import levels, read_header, read_picture
from invrender.io.premultiplied import looks_premultiplied, straightened

Array = NDArray[np.float32]


def read_image(path: str | Path) -> tuple[Array, Array | None]:
    """Read an image as linear colour and coverage, as it is stored (Exif's orientation is not applied).

    Files of 8 and 16 bits are taken for sRGB, floats for linear. A grey image becomes three equal channels. The colours
    of .exr are multiplied by alpha in the file ("Technical Introduction to OpenEXR"), and straight here.

    Returns:
        rgb [H,W,3] float32 linear, and alpha [H,W] float32 in [0, 1], or None where the file has none.

    Raises:
        InputError: the file is missing, of an unknown kind, damaged, too large, or holds NaN.
    """
    rgb, alpha, _ = read_image_as(path)
    return rgb, alpha


def read_image_as(path: str | Path, enough: tuple[int, int] | None = None) -> tuple[Array, Array | None, bool]:
    """An image as `read_image` gives it, and whether its colours looked multiplied by alpha; then they are divided.

    Args:
        path: of the image.
        enough: (H, W) that are enough: a JPEG that is at least twice as large is unpacked to a half, quarter or eighth.
    """
    source = Path(path)
    if _checked_extension(source) == ".exr":
        return *_read_exr(source), False
    picture = read_picture(source, enough)
    values, stored = picture.values, picture.alpha
    if stored is None:
        return _linear(values, source), None, False
    multiplied = values.dtype == np.uint8 and looks_premultiplied(values, stored)
    if multiplied:
        values = straightened(values, stored)
    return _linear(values, source), stored.astype(np.float32) / np.float32(255), multiplied


def _read_exr(path: Path) -> tuple[Array, Array | None]:
    values = read_exr(path)
    _check_finite(values, path)
    if values.shape[2] == 3:
        return values, None
    rgb, alpha = values[..., :3], values[..., 3]
    return (rgb / np.where(alpha > 0, alpha, 1)[..., None]).astype(np.float32), alpha


def read_mask(path: str | Path) -> Array:
    """Read coverage [H,W] float32 in [0, 1] from a grey or colour image (not decoded from sRGB).

    Masks of two values or two colours are taken for what they mean, see `invrender.io.coverage`. An alpha channel that
    is not opaque everywhere counts as the mask where the colours carry none (all black or all white).

    Raises:
        InputError: the file is missing, of an unknown kind, damaged, too large, or no mask.
    """
    return read_mask_as(path)[0]


def read_mask_as(path: str | Path) -> tuple[Array, str]:
    """A mask as `read_mask` gives it, and which two values were taken for background and object, or ''."""
    source = Path(path)
    if _checked_extension(source) == ".exr":
        values = read_exr(source)
        opaque = values.shape[2] == 3 or float(values[..., 3].min()) >= 1
        return of_levels(values[..., 3] if not opaque and np.ptp(values[..., :3]) == 0 else values[..., 0], source)
    return coverage(read_picture(source), source)


def _checked_extension(path: Path) -> str:
    """The extension of a picture whose header has been read and checked."""
    read_header(path)
    return path.suffix.lower()


def _linear(values: NDArray[Any], path: Path) -> Array:
    """[H,W,3] float32 linear of stored sRGB or floats: through a table of all values where there are few."""
    _check_finite(values, path)
    if values.dtype == np.uint8:
        table = srgb_to_linear(np.arange(256, dtype=np.float32) / np.float32(255))
        linear = np.empty(values.shape, np.float32)
        for row, stored in zip(linear, values, strict=True):  # row by row: an index takes eight bytes a number
            row[:] = table[stored]
    else:
        stored = values.astype(np.float32) / np.float32(levels(values))
        linear = stored if values.dtype.kind == "f" else srgb_to_linear(stored)
    return np.repeat(linear, 3, axis=2) if values.shape[2] == 1 else linear


def _check_finite(values: NDArray[Any], path: Path) -> None:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        row, column = (int(i) for i in np.argwhere(~np.isfinite(values))[0][:2])
        raise InputError(
            f"{shown(path)} holds NaN or infinity, first at row {row}, column {column}", "fill such pixels with numbers"
        )
    if values.dtype.kind == "i" and values.size and not 0 <= values.min() <= values.max() <= levels(values):
        raise InputError(
            f"{shown(path)} holds integers from {values.min()} to {values.max()}", "save it with 8 or 16 bits"
        )


def write_png(path: str | Path, image: torch.Tensor | NDArray[np.floating]) -> None:
    """Write an 8-bit PNG.

    Args:
        path: where to; the file appears in one piece.
        image: [H,W,3] linear colour or [H,W,4] with straight alpha: the colours are sRGB-encoded, alpha is not.
            [H,W]: coverage or depth in [0, 1], written as it is.

    Raises:
        UsageError: the place cannot be written to.
        ValueError: the array is of another shape.
    """
    values = np.asarray(image.detach().cpu() if isinstance(image, torch.Tensor) else image, np.float64)
    if values.ndim == 3 and values.shape[2] in (3, 4):
        values = np.concatenate([linear_to_srgb(values[..., :3]), values[..., 3:]], axis=2)
    elif values.ndim != 2:
        raise ValueError(f"write_png takes [H,W], [H,W,3] or [H,W,4], not {values.shape}")
    with atomic_path(path) as temporary:
        Image.fromarray(np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)).save(temporary, format="PNG")
