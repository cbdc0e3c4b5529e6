"""What a mask's numbers mean: coverage from 0 to 1, for every way in which programs store masks.

White is object. Label maps of two values or two colours are masks as well, whatever the values are: 0 and 1, entries of
a palette, the number of an instance. What stays open is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.paths import shown
from invrender.io.pixels import Picture, levels

Array = NDArray[np.float32]

_REMEDY = "write masks with 0 for the background and 255 for the object"
_BACKGROUND = 0.6  # of white, at most, in a mask of two values: trimaps hold 128 and 255
_LUMA = np.array([0.2126, 0.7152, 0.0722])  # Rec. ITU-R BT.709, section 3.2


def coverage(picture: Picture, path: Path) -> tuple[Array, str]:
    """The mask that a picture holds.

    An alpha channel that is not opaque everywhere counts as the mask where the colours carry none, or are a picture.

    Args:
        picture: of a mask file.
        path: of the file, for the message.

    Returns:
        coverage [H,W] float32 in [0, 1], and which two values were taken for background and object ('0 and 1'), or ''
        where nothing has to be said.

    Raises:
        InputError: it is not clear what is the object, or values are NaN or out of range.
    """
    values, alpha = picture.values, picture.alpha
    if picture.labels is not None and not _is_grey(values):
        return _of_palette(picture.labels, values, alpha, path)
    if alpha is not None and alpha.min() < 255 and values.min() == values.max():
        return of_levels(alpha, path)
    if alpha is not None and alpha.min() < alpha.max() and not _is_grey(values):
        return of_levels(alpha, path)  # a picture that was cut out
    if _is_grey(values):
        return of_levels(values[..., 0], path)
    return _of_colours(values, path)


def of_levels(grey: NDArray[Any], path: Path) -> tuple[Array, str]:
    """Coverage, and what was taken for what, of stored grey levels or of an alpha channel [H,W]; see `coverage`."""
    low, high, white = _range(grey, path)
    if low < high and low <= _BACKGROUND * white and bool(((grey == low) | (grey == high)).all()):
        usual = (low, high) == (0, white)
        return (grey == high).astype(np.float32), "" if usual else f"{low:g} and {high:g}"
    if 0 < high < white / 2:
        raise InputError(f"{shown(path)}: the largest value of this mask is {high:g} of {white:g}", _REMEDY)
    return np.clip(grey.astype(np.float32) / np.float32(white), 0, 1), ""


def _range(grey: NDArray[Any], path: Path) -> tuple[float, float, float]:
    """The least and greatest value, and the one that is white; NaN and what is beyond white are refused."""
    if grey.dtype.kind == "f" and not np.isfinite(grey).all():
        row, column = (int(i) for i in np.argwhere(~np.isfinite(grey))[0])
        raise InputError(f"{shown(path)}: the mask holds {grey[row, column]} at row {row}, column {column}", _REMEDY)
    low, high, white = float(grey.min()), float(grey.max()), levels(grey)
    beyond = low < -0.02 * white or high > 1.02 * white  # filters overshoot a little
    if beyond and not bool(((grey == low) | (grey == high)).all()):
        remedy = "save it with 8 bits, or as floats from 0 to 1" if grey.dtype.kind == "f" else _REMEDY
        raise InputError(f"{shown(path)}: the mask's values run from {low:g} to {high:g}, beyond {white:g}", remedy)
    return low, high, white


def _is_grey(values: NDArray[Any]) -> bool:
    """Whether all channels agree, but for what a JPEG's colour planes lose."""
    if values.shape[2] == 1:
        return True
    first = values[..., 0].astype(np.float32)
    return all(bool((np.abs(values[..., c] - first) <= 0.03 * levels(values)).all()) for c in (1, 2))


def _of_palette(
    labels: NDArray[np.uint8], colours: NDArray[Any], alpha: NDArray[np.uint8] | None, path: Path
) -> tuple[Array, str]:
    """Label maps: of two entries, the background is the one that is transparent, black, or first."""
    used = np.unique(labels)
    if len(used) != 2:
        _refuse_labels(path, f"the palette's entries {', '.join(map(str, used[:6]))}{'...' if len(used) > 6 else ''}")
    back, other = (np.argmax(labels == label) for label in used)
    clear = (0, 0) if alpha is None else (alpha.flat[back], alpha.flat[other])
    black = [int(colours.reshape(-1, 3)[i].max()) == 0 for i in (back, other)]
    swapped = clear[1] < clear[0] or (clear[0] == clear[1] and black[1] and not black[0])
    first, second = (used[1], used[0]) if swapped else (used[0], used[1])
    return (labels == second).astype(np.float32), f"the palette's entries {first} and {second}"


def _of_colours(values: NDArray[Any], path: Path) -> tuple[Array, str]:
    """Of two colours the object is the brighter; of more, the channel that varies most is the mask."""
    flat = values.reshape(-1, 3)
    one = flat[0]
    same = (values == one).all(axis=2)
    two = flat[int(np.argmin(same))]
    if not bool((same | (values == two).all(axis=2)).all()):
        spread = [float(values[..., c].max()) - float(values[..., c].min()) for c in range(3)]
        return of_levels(values[..., int(np.argmax(spread))], path)
    bright = [float(colour @ _LUMA) for colour in (one, two)]
    if min(bright) > 0 and abs(bright[0] - bright[1]) < 0.04 * levels(values):
        _refuse_labels(path, f"the colours {_rgb(one)} and {_rgb(two)}, which are equally bright")
    darker, brighter = (one, two) if bright[0] < bright[1] else (two, one)
    return (same == (brighter is one)).astype(np.float32), f"{_rgb(darker)} and {_rgb(brighter)}"


def _rgb(colour: NDArray[Any]) -> str:
    return f"({', '.join(f'{c:g}' for c in colour)})"


def _refuse_labels(path: Path, what: str) -> NoReturn:
    raise InputError(f"{shown(path)} holds {what}: which is the object is not clear", _REMEDY)
