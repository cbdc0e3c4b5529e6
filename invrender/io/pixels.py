"""Pictures as the numbers that their files hold: opened, checked from the header, then unpacked.

Only pictures are opened, whatever a file is called, and none whose header promises more than `LARGEST` pixels: a few
kilobytes can unpack to gigabytes.
"""

from __future__ import annotations

import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from invrender.errors import InputError
from invrender.io.exr import exr_size
from invrender.io.files.paths import check_extension, existing_file, shown

IMAGE_EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".exr")
UNREAD_EXTENSIONS = (
    ".heic", ".heif", ".avif", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2",
)  # fmt: skip
"""Pictures of cameras and phones that no wheel among ours reads."""
LARGEST = 100_000_000
"""Pixels of one picture at most: 1.2 GB as float colours."""

_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
_WITH_ALPHA = ("LA", "La", "RGBA", "RGBa", "PA")
_ORIENTATION = 0x0112  # Exif 2.3, section 4.6.4
# what Pillow raises on damaged files: its parsers index, unpack and convert whatever they find
DAMAGED = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError,
    NotImplementedError, struct.error, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Header:
    """What the first bytes of a picture say.

    Attributes:
        size: (H, W) as stored.
        orientation: Exif's number, 1 to 8, of how viewers turn the stored pixels; 1 where nothing is said.
        alpha: whether there may be an alpha channel.
        deep: whether its numbers may have more than 8 bits.
    """

    size: tuple[int, int]
    orientation: int = 1
    alpha: bool = True
    deep: bool = True


@dataclass(frozen=True)
class Picture:
    """The numbers of a picture.

    Attributes:
        values: [H,W,1] grey or [H,W,3] colours: uint8, uint16, int32 or float32 as stored.
        alpha: [H,W] uint8 or None.
        labels: [H,W] uint8 numbers of the palette's entries, or None where there is no palette.
    """

    values: NDArray[Any]
    alpha: NDArray[np.uint8] | None = None
    labels: NDArray[np.uint8] | None = None


def levels(values: NDArray[Any]) -> float:
    """The stored number that stands for 1: 255 or 65535 of integers, 1 of floats."""
    return {"f": 1.0}.get(values.dtype.kind, 255.0 if values.dtype == np.uint8 else 65535.0)


def check_pixels(path: Path, size: tuple[int, int]) -> None:
    """Refuse a picture of `size` (H, W) that is empty or beyond the limit (InputError)."""
    height, width = size
    if min(size) < 1:
        raise InputError(f"{shown(path)} is damaged: it says that it is {width} x {height} pixels", "export it again")
    if height * width > LARGEST:
        _refuse_large(path, f"{width} x {height} pixels ({height * width / 1e6:.0f} megapixels)")


def _refuse_large(path: Path, what: str) -> None:
    raise InputError(
        f"{shown(path)} says that it unpacks to {what}; the limit is {LARGEST / 1e6:.0f} megapixels",
        "scale it down, or cut the object out of it",
    )


def read_header(path: Path) -> Header:
    """The size and orientation of a picture, which is not unpacked.

    Raises:
        InputError: the file is missing, no picture, damaged, or beyond the limit.
    """
    if path.suffix.lower() in UNREAD_EXTENSIONS:
        raise unread(path)
    extension = check_extension(path, IMAGE_EXTENSIONS, "image")
    existing_file(path, "image")
    if extension == ".exr":
        size = exr_size(path)
        check_pixels(path, size)
        return Header(size)
    with open_picture(path) as image:
        return Header((image.height, image.width), _orientation(image), _has_alpha(image), _is_deep(image))


def unread(path: Path) -> InputError:
    """The refusal of a picture of a format that is known and not read."""
    return InputError(
        f"{shown(path)} is a picture of a format that is not read ({path.suffix.lower()})",
        f"convert it to JPEG or PNG, and all of a folder with ImageMagick: `magick mogrify -format jpg *{path.suffix}`",
    )


@contextmanager
def open_picture(path: Path) -> Iterator[Image.Image]:
    """A picture whose size has been checked and whose pixels are still packed; what goes wrong becomes an InputError.

    Pillow's warnings are silenced: they are about metadata, or about sizes that have been checked here.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_FORMATS) as image:
                check_pixels(path, (image.height, image.width))
                yield image
    except UnidentifiedImageError as error:
        raise InputError(
            f"{shown(path)} cannot be read as an image: it is none of {', '.join(_FORMATS)}, or holds a kind of pixels"
            " that is not supported",
            "save it as PNG, or as TIFF of 8 or 16 bits",
        ) from error
    except Image.DecompressionBombError as error:
        count = re.search(r"\((\d+) pixels\)", str(error))
        _refuse_large(path, f"{int(count[1]) / 1e6:.0f} megapixels" if count else "gigabytes")
    except PermissionError as error:
        raise InputError(f"{shown(path)} cannot be read: {error.strerror}", "check its permissions") from error
    except DAMAGED as error:
        raise InputError(
            f"{shown(path)} cannot be read as an image: {_reason(error)}", "the file is damaged: export it again"
        ) from error


def _reason(error: BaseException) -> str:
    text = shown(str(error))
    # libtiff tells numbers alone
    return text if any(c.isalpha() for c in text) else f"{type(error).__name__} {text} while it was unpacked"


def _orientation(image: Image.Image) -> int:
    """Exif's orientation of a JPEG or WebP (Pillow turns TIFFs by itself); damaged Exif says nothing."""
    if image.format not in ("JPEG", "MPO", "WEBP"):
        return 1
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except DAMAGED:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in _WITH_ALPHA or "transparency" in image.info


def _is_deep(image: Image.Image) -> bool:
    """Whether it is unpacked to 16 or 32 bits, or floats; of colours of 16 bits Pillow keeps 8."""
    return image.mode[0] in "IF"


def turned(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Stored pixels [H,W,...] as viewers show them, by Exif's orientation (Exif 2.3, section 4.6.4).

    From 5 on, the stored rows are the columns of what is shown.
    """
    if orientation >= 5:
        pixels = np.swapaxes(pixels, 0, 1)
    rows = -1 if orientation in (3, 4, 7, 8) else 1
    columns = -1 if orientation in (2, 3, 6, 7) else 1
    return np.ascontiguousarray(pixels[::rows, ::columns])


def read_picture(path: Path, enough: tuple[int, int] | None = None) -> Picture:
    """The numbers of a picture other than .exr.

    Args:
        path: of the picture.
        enough: (H, W) that are enough: a JPEG that is at least twice as large is unpacked to a half, quarter or eighth
            of its sides, which is faster; None unpacks all of it.

    Raises:
        InputError: the file is missing, no picture, damaged, beyond the limit, or holds several pictures.
    """
    with open_picture(path) as image:
        _check_single(path, image)
        if enough is not None and image.format == "JPEG":
            _draft(image, enough)
        return unpack(image)


def _draft(image: Image.Image, enough: tuple[int, int]) -> None:
    """Let a JPEG be unpacked to a fraction of its sides that leaves `enough` (H, W) and whole pixels."""
    width, height = image.size
    for part in (8, 4, 2):
        whole = width % part == 0 and height % part == 0
        if whole and width // part >= enough[1] and height // part >= enough[0]:
            image.draft(image.mode, (width // part, height // part))
            return


def _check_single(path: Path, image: Image.Image) -> None:
    """Refuse stacks and animations; a picture of another size behind the first is its thumbnail."""
    count, size = page_count(image), image.size
    if count == 1:
        return
    image.seek(1)
    if image.size == size:
        raise InputError(
            f"{shown(path)} holds {count} pages, and a view is one picture", "save each page to a file of its own"
        )
    image.seek(0)


def page_count(image: Image.Image) -> int:
    """How many pictures a file holds."""
    return int(getattr(image, "n_frames", 1)) if image.format in ("TIFF", "PNG", "WEBP") else 1


def unpack(image: Image.Image) -> Picture:
    """The numbers of an opened picture, of its current page."""
    if _is_deep(image):  # no conversion keeps all of it
        values = np.array(image)
        values = values.astype(values.dtype.newbyteorder("="))
        clear = image.info.get("transparency")
        alpha = np.where(values == clear, 0, 255).astype(np.uint8) if isinstance(clear, int) else None
        return Picture(values[:, :, None], alpha)
    labels = np.array(image) if image.mode == "P" else None
    if _has_alpha(image):
        values = np.array(image.convert("RGBA"))
        return Picture(values[..., :3], values[..., 3], labels)
    if image.mode in ("1", "L"):
        return Picture(np.array(image.convert("L"))[:, :, None])
    return Picture(np.array(image.convert("RGB")), None, labels)
