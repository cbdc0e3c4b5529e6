"""TIFF stacks through Pillow: one page a slice. They bring no position: cells are taken as cubes.

ImageJ writes the order of pages into its description (channels fastest, then slices, then frames), OME into XML.
"""

from __future__ import annotations

import logging
import math
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from invrender.errors import InputError
from invrender.io.files.memory import check_room
from invrender.io.volumes.axes import arrange
from invrender.io.volumes.grid import Array, Grid, default_axes

log = logging.getLogger(__name__)

_MODES = {"1": 1, "L": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I": 4, "F": 4, "RGB": 3, "RGBA": 4}  # bytes a pixel
_DESCRIPTION, _BITS, _FORMAT = 270, 258, 339  # tags of TIFF 6.0: ImageDescription, BitsPerSample, SampleFormat


def read_tiff(path: Path, frame: int | None = None) -> Grid:
    """The pages as [z,y,x], the first one at the bottom; one `frame` where there are several.

    Raises:
        InputError: it is no stack, its pages differ, or Pillow cannot read it.
        MemoryLimitError: it does not fit.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's tell of damaged tags and large pages: both are looked at below
            with Image.open(path, formats=("TIFF",)) as image:
                pages, description = _pages(image, path), str(_tags(image).get(_DESCRIPTION, ""))
    except (OSError, EOFError, ValueError, SyntaxError, KeyError, TypeError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read as a TIFF stack: {error}", _way(path)) from error
    frames, slices, channels = _order(description, len(pages), path)
    values = pages.reshape(frames, slices, channels, *pages.shape[1:])
    roles = "tzcyx"
    if values.ndim == 6:
        values, roles = values[:, :, 0], "tzyxc"
    log.warning("%s: the spacing of a TIFF stack is not read; its cells are taken as cubes", path.name)
    values = arrange(values, roles, frame, path)
    return Grid(values, *default_axes(values.shape[1:]))


def _pages(image: Image.Image, path: Path) -> Array:
    count, size, mode = getattr(image, "n_frames", 1), image.size, image.mode
    if mode not in _MODES:
        raise ValueError(f"its pages are of mode {mode}")
    if count < 2:
        raise InputError(f"{path} holds one picture, not a stack", f"write all slices into one file, or: {_way(path)}")
    check_room(path, 2 * count * math.prod(size) * _MODES[mode])
    pages = []
    for page in range(count):
        image.seek(page)
        if (image.size, image.mode) != (size, mode):
            raise ValueError(f"page {page + 1} has another size or type than the first")
        pages.append(_array(image))
    return np.stack(pages)


def _tags(image: Image.Image) -> Any:
    return image.tag_v2  # type: ignore[attr-defined] # a TIFF's


def _array(image: Image.Image) -> Array:
    tags = _tags(image)
    values = np.array(image)
    unsigned = tags.get(_FORMAT, (1,))[0] == 1 and tags.get(_BITS, (1,))[0] == 32
    return values.view(np.uint32) if image.mode == "I" and unsigned else values


def _order(description: str, pages: int, path: Path) -> tuple[int, int, int]:
    """Frames, slices and channels, as ImageJ's description tells them; without one, all pages are slices."""
    if "<OME" in description:
        found = re.findall(r'Size[CT]="(\d+)"', description)
        if any(int(n) > 1 for n in found):
            raise InputError(f"{path} is an OME-TIFF of several channels or time points", _way(path))
    if not description.startswith("ImageJ="):
        return 1, pages, 1
    numbers = {name: int(n) for name, n in re.findall(r"^(\w+)=(\d+)\s*$", description, re.MULTILINE)}
    frames, channels = numbers.get("frames", 1), numbers.get("channels", 1)
    slices = numbers.get("slices", max(1, pages // max(1, frames * channels)))
    if frames * channels * slices != pages:
        raise InputError(
            f"{path} says that it holds {frames} x {slices} x {channels} pages, and there are {pages}", _way(path)
        )
    return frames, slices, channels


def _way(path: Path) -> str:
    return (
        f"with the package tifffile: python -c \"import numpy, tifffile; numpy.save('{path.stem}.npy', "
        f"tifffile.imread('{path.name}'))\" (axes: z, y, x)"
    )
