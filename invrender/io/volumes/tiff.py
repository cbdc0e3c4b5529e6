"""TIFF stacks through Pillow: one page a slice.

ImageJ writes the order of pages into the first page's description (channels fastest, then slices, then frames), and the
spacing there and into the resolution (fiji/ij: ij.io.FileSaver, TiffDecoder); OME writes XML (OME-TIFF specification).
Of other stacks, which bring no spacing, the cells are taken as cubes.
"""

from __future__ import annotations

import math
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from invrender.errors import InputError
from invrender.io.files.memory import check_room
from invrender.io.meshes.units import known_unit
from invrender.io.volumes.axes import arrange
from invrender.io.volumes.grid import Array, Grid, default_axes

_MODES = {"1": 1, "L": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I": 4, "F": 4, "RGB": 3, "RGBA": 4}  # bytes a pixel
GREY = ("1", "L", "I;16", "I;16B", "I;16L", "I", "F")
_DESCRIPTION, _BITS, _FORMAT = 270, 258, 339  # tags of TIFF 6.0: ImageDescription, BitsPerSample, SampleFormat
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0
_RESOLUTION = (282, 283)  # XResolution, YResolution: pixels per unit
_UNSIGNED, _SIGNED = 1, 2  # of SampleFormat


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
                tags = dict(_tags(image))  # of the first page: the others do not repeat the description
                description = str(tags.get(_DESCRIPTION, ""))
                pages = _pages(image, description, path)
    except (OSError, EOFError, ValueError, SyntaxError, KeyError, TypeError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read as a TIFF stack: {error}", _way(path)) from error
    frames, slices, channels = _order(description, len(pages), path)
    if frames > 1 == slices:
        raise InputError(
            f"{path}: its {frames} pages are moments of one slice each, a film and no volume",
            "if they are slices, tell Fiji so (Image > Properties) and save it again",
        )
    values = pages.reshape(frames, slices, channels, *pages.shape[1:])
    roles = "tzcyx"
    if values.ndim == 6:
        values, roles = values[:, :, 0], "tzyxc"
    values = arrange(values, roles, frame, path)
    steps = _steps(description, tags)
    if steps is not None:
        return Grid(values, np.diag(steps), _origin(description) * steps, units=_unit(description))
    return Grid(values, *default_axes(values.shape[1:]), spaced=False)


def open_slice(path: Path) -> tuple[Array, tuple[float, ...] | None, str | None]:
    """A file of one TIFF, PNG or BMP picture with one channel as [y,x], and spacing and unit where it tells them.

    Raises:
        InputError: it is damaged, holds several pages, or colours.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as above
            with Image.open(path, formats=("TIFF", "PNG", "BMP")) as image:
                if getattr(image, "n_frames", 1) > 1:
                    raise InputError(
                        f"{path} holds {getattr(image, 'n_frames', 1)} pages in a folder of slices",
                        "name that file alone, or leave one slice in each file",
                    )
                if image.mode not in GREY:
                    raise InputError(
                        f"{path} has colours (mode {image.mode}), and slices have one number a pixel",
                        "take it out of the folder, or save it as greyscale",
                    )
                if image.format != "TIFF":
                    return np.array(image), None, None
                tags = dict(_tags(image))
                description = str(tags.get(_DESCRIPTION, ""))
                return _array(image), _steps(description, tags), _unit(description)
    except (OSError, EOFError, ValueError, SyntaxError, KeyError, TypeError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read as a slice: {error}", "export it again") from error


def _origin(description: str) -> NDArray[np.float64]:
    """Where ImageJ has the first sample, in samples from the origin."""
    found = [re.search(rf"^{axis}origin=(\S+)", description, re.MULTILINE) for axis in "xyz"]
    ours = [-_number(match[1]) if match else 0.0 for match in found]
    return np.array([number if math.isfinite(number) else 0.0 for number in ours])


def _unit(description: str) -> str | None:
    """The unit of length that ImageJ or OME names."""
    found = re.search(r"^unit=(.*)$", description, re.MULTILINE) or re.search(
        r'PhysicalSizeXUnit="([^"]*)"', description
    )
    if found is None:
        return None
    text = found[1].strip().replace("\\u00B5", "u").replace("\u00b5", "u").replace("\u03bc", "u")
    return known_unit({"micron": "um", "pixel": ""}.get(text.removesuffix("s"), text))


def _steps(description: str, tags: dict[int, Any]) -> tuple[float, ...] | None:
    """Spacing along x, y, z in the file's own unit; None where it tells none, or one that is impossible."""
    if "<OME" in description:
        found = dict(re.findall(r'\sPhysicalSize([XYZ])="([^"]*)"', description))
        units = set(re.findall(r'\sPhysicalSize[XYZ]Unit="([^"]*)"', description))
        steps = tuple(_number(found.get(axis)) for axis in "XYZ") if len(units) <= 1 else (0.0,)
    elif description.startswith("ImageJ=") and re.search(r"^(spacing|unit)=", description, re.MULTILINE):
        depth = re.search(r"^spacing=(\S+)", description, re.MULTILINE)
        across = [_number(tags.get(tag, 1)) for tag in _RESOLUTION]
        steps = (*(1 / n if n else 0.0 for n in across), abs(_number(depth[1] if depth else 1)))
    else:
        return None
    return steps if all(math.isfinite(step) and step > 0 for step in steps) else None


def _number(value: Any) -> float:
    """A number, also of a rational tag or in text; 0 where it is none."""
    try:
        return float(value)
    except (ValueError, TypeError, ZeroDivisionError):
        return 0.0


def _pages(image: Image.Image, description: str, path: Path) -> Array:
    count, size, mode = getattr(image, "n_frames", 1), image.size, image.mode
    if mode not in _MODES:
        raise ValueError(f"its pages are of mode {mode}")
    told = re.search(r"^images=(\d{1,9})\s*$", description, re.MULTILINE)
    if count < 2 and told and int(told[1]) > 1:  # of stacks beyond 4 GB, ImageJ lists the first page alone
        raise ValueError(f"it holds {told[1]} pages as one block, which only the first is listed of")
    if count < 2:
        raise InputError(f"{path} holds one picture, not a stack", f"write all slices into one file, or: {_way(path)}")
    check_room(path, 2 * count * math.prod(size) * _MODES[mode])
    pages: list[Array] = []
    for page in range(count):
        image.seek(page)
        same = (image.size, image.mode) == (size, mode)
        pages.append(_array(image) if same else np.empty(0))
        if not same or pages[-1].dtype != pages[0].dtype:
            raise ValueError(f"page {page + 1} has another size or type than the first")
    return np.stack(pages)


def _tags(image: Image.Image) -> Any:
    return image.tag_v2  # type: ignore[attr-defined] # a TIFF's


def _array(image: Image.Image) -> Array:
    tags = _tags(image)
    values = np.array(image)
    kind = (image.mode, tags.get(_FORMAT, (_UNSIGNED,))[0], tags.get(_BITS, (1,))[0])
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO and image.mode in ("1", "L"):
        values = ~values  # Pillow inverts these for the eye, and no others: back to the numbers of the file
    if kind == ("L", _SIGNED, 8):
        return values.view(np.int8)
    return values.view(np.uint32) if kind == ("I", _UNSIGNED, 32) else values


def _order(description: str, pages: int, path: Path) -> tuple[int, int, int]:
    """Frames, slices and channels, as ImageJ's description tells them; without one, all pages are slices."""
    if "<OME" in description:
        found = re.findall(r'Size[CT]="(\d{1,9})"', description)
        if any(int(n) > 1 for n in found):
            raise InputError(f"{path} is an OME-TIFF of several channels or time points", _way(path))
    if not description.startswith("ImageJ="):
        return 1, pages, 1
    numbers = {name: int(n) for name, n in re.findall(r"^(\w+)=(\d{1,9})\s*$", description, re.MULTILINE)}
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
