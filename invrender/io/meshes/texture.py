"""Pictures as textures: linear colour, of a size that fits."""

from __future__ import annotations

import functools
import logging
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from invrender.colour import srgb_to_linear
from invrender.errors import InputError
from invrender.io.files.paths import shown
from invrender.io.pixels import LARGEST

log = logging.getLogger(__name__)

Found = TypeVar("Found")

_KEPT_PIXELS = 2**25  # 400 MB as float32; larger ones are halved until they fit
_TOGETHER = 2  # times as many may all pictures of a mesh have, which an atlas then scales to its own size
_LEAST_PIXELS = 2**12  # what each may have, however many there are
# those of Pillow's readers that run no other program (EPS starts Ghostscript)
_FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "BMP", "GIF", "TIFF", "TGA", "DDS", "PPM", "PCX", "SGI", "JPEG2000")
_TABLE: NDArray[np.float32] = srgb_to_linear(np.arange(256, dtype=np.float32) / np.float32(255))


TextureReader = Callable[[Path], torch.Tensor | None]


def texture_reader(paths: Iterable[Path]) -> TextureReader:
    """What reads these pictures as `read_texture` does, each once, and all so small that together they fit.

    Scans of buildings have dozens of large ones, which would take the memory of the machine.
    """
    sizes = [_read(path, lambda image: image.width * image.height) or 0 for path in dict.fromkeys(paths)]
    limit = _KEPT_PIXELS
    while limit > _LEAST_PIXELS and sum(min(size, limit) for size in sizes) > _TOGETHER * _KEPT_PIXELS:
        limit //= 2
    return functools.cache(lambda path: read_texture(path, limit))


def read_texture(path: Path, limit: int = _KEPT_PIXELS) -> torch.Tensor | None:
    """A picture as [h,w,3] linear float32, row 0 at the top; None where it is damaged or of an unknown kind.

    Args:
        path: the file.
        limit: pixels; a larger picture is halved until it has no more.

    Raises:
        InputError: it has more pixels than fit, which its header tells.
    """
    return _read(path, lambda image: linear_texture(image, shown(path.name), limit))


def _read(path: Path, use: Callable[[Image.Image], Found]) -> Found | None:
    """What becomes of an open picture; None where it is damaged or of an unknown kind."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's about sizes, which are looked at below, and about odd profiles
            with path.open("rb") as file:
                known = readable(_FORMATS, file.read(8))
            with Image.open(path, formats=known) as image:
                _check_size(path, image)
                return use(image)
    except Image.DecompressionBombError as error:
        raise _too_large(path, shown(str(error))) from error
    except (OSError, SyntaxError, ValueError, EOFError, ArithmeticError, LookupError, TypeError):  # Pillow's on damage
        return None


def readable(formats: Sequence[str], first: bytes) -> tuple[str, ...]:
    """Those of some formats that this Pillow reads; `first`: what a file begins with.

    To know of all formats, Pillow imports forty modules, and most pictures are PNG or JPEG.
    """
    if first.startswith((b"\x89PNG\r\n", b"\xff\xd8\xff")):
        return "PNG", "JPEG"
    Image.init()
    return tuple(name for name in formats if name in Image.OPEN)


def _check_size(path: Path, image: Image.Image) -> None:
    if image.width * image.height > LARGEST:
        raise _too_large(path, f"{image.width} x {image.height} pixels")


def _too_large(path: Path, size: str) -> InputError:
    limit = f"it may have {LARGEST:,} pixels"
    return InputError(f"the texture {shown(str(path), 200)} is too large: {size}", f"scale it down ({limit})")


def linear_texture(image: Image.Image, name: str, limit: int = _KEPT_PIXELS) -> torch.Tensor:
    """The colours of an open picture, [h,w,3] linear float32; halved, with a warning, until they fit.

    Args:
        image: its alpha is left out.
        name: what a warning calls it.
        limit: pixels that fit.
    """
    if image.mode.startswith(("I", "F")):  # 16 bits of grey
        grey = np.clip(np.asarray(image, np.float32) / np.float32(1 if image.mode == "F" else 65535), 0, 1)
        return torch.from_numpy(np.repeat(srgb_to_linear(grey)[:, :, None], 3, axis=2))
    picture = image.convert("RGB")
    while picture.width * picture.height > limit:
        log.warning("%s: a picture of %d x %d pixels is taken at half its size", name, *picture.size)
        picture = picture.reduce(2)
    return torch.from_numpy(_TABLE[np.asarray(picture)])
