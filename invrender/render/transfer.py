"""Transfer functions: from the values of a volume to colour and opacity."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence

import numpy as np
import torch

from invrender.colour import srgb_to_linear
from invrender.errors import UsageError
from invrender.nouns import Volume
from invrender.nouns.transfer import TransferFunction
from invrender.render.opacity_curves import curve, spelled

Tensor = torch.Tensor
Point = tuple[float, float]

ROWS = 256


def transfer_function(
    volume: Volume,
    colormap: str = "inferno",
    opacity: str = "linear",
    strength: float = 0.6,
    window: Point | None = None,
) -> TransferFunction:
    """A transfer function by name.

    Args:
        volume: tells the window where none is given: from 0 (or the least value, if negative) to the value that all
            but a thousandth of the samples above it stay below.
        colormap: a matplotlib name, or points 'PLACE:COLOUR,...' with positions in [0, 1] and '#rrggbb' colours.
        opacity: a curve of `render.opacity_curves`, or points 'PLACE:OPACITY,...', all numbers in [0, 1].
        strength: the greatest opacity of the named kinds, and the factor on points' opacities over 1.
        window: the values at position 0 and 1.

    Raises:
        UsageError: a name, colour or number makes no sense.
    """
    low, high = _window(volume) if window is None else window
    if not high > low:
        raise UsageError(f"the window from {low:g} to {high:g} is empty", "give the lower value first")
    if not 0 < strength <= 1:
        raise UsageError(f"an opacity of {strength:g} is impossible", "use 0 < opacity <= 1")
    return TransferFunction(colours_of(colormap), opacity_of(opacity, strength), low, high)


def _window(volume: Volume) -> Point:
    values = volume.values[0].detach().flatten()
    low = min(0.0, float(values.min()))
    high = float(values.max())
    if high <= low:
        return low, low + 1
    above = values[values > low + 0.02 * (high - low)]
    ordered = torch.sort(above).values
    return low, float(ordered[int(0.999 * (len(ordered) - 1))])


def colours_of(text: str) -> Tensor:
    """Linear RGB [ROWS,3] float32 over the window, of a colormap of matplotlib's or of points.

    Raises:
        UsageError: the text is neither.
    """
    if ":" in text:
        points = [(position, _colour(value)) for position, value in _points(text, "--colormap")]
        positions = [position for position, _ in points]
        channels = np.array([colour for _, colour in points])
        even = np.linspace(0, 1, ROWS)
        encoded = np.stack([np.interp(even, positions, channels[:, k]) for k in range(3)], 1)
    else:
        encoded = _matplotlib(text)
    return torch.from_numpy(srgb_to_linear(encoded)).float()


def _matplotlib(name: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    import matplotlib as mpl

    if name not in mpl.colormaps:
        near = difflib.get_close_matches(name, list(mpl.colormaps), 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise UsageError(
            f"there is no colormap {name!r}",
            f"{hint}use a matplotlib name such as inferno or viridis, or points such as '0:#000000,1:#ffffff'",
        )
    return np.asarray(mpl.colormaps[name](np.linspace(0, 1, ROWS)), np.float64)[:, :3]


def opacity_of(text: str, strength: float) -> Tensor:
    """Opacities [ROWS] float32 over the window, of a curve that reaches `strength`, or of points that say their own.

    Raises:
        UsageError: the text is neither.
    """
    even = np.linspace(0, 1, ROWS)
    shares = curve(text, even)
    if shares is not None:
        values = strength * shares
    elif ":" in text:
        points = [(position, _number(value, "--opacity")) for position, value in _points(text, "--opacity")]
        values = np.interp(even, [position for position, _ in points], [value for _, value in points])
    else:
        raise UsageError(
            f"--opacity is {text!r}", f"use {spelled()}, or points such as '0:0,0.3:0,0.5:0.4,1:0.9'"
        )
    return torch.from_numpy(values).float()


def _points(text: str, option: str) -> Sequence[tuple[float, str]]:
    """(position in the window, what) pairs of 'PLACE:WHAT,...', sorted by position."""
    points = []
    for part in text.split(","):
        position, colon, what = part.strip().partition(":")
        if not colon:
            raise UsageError(
                f"{option} has the point {part.strip()!r}", "write points as PLACE:VALUE, with commas between"
            )
        points.append((_number(position, option), what.strip()))
    return sorted(points, key=lambda point: point[0])


def _number(text: str, option: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise UsageError(f"{option} has {text!r} where a number from 0 to 1 belongs", "correct that point")
    return value


def _colour(text: str) -> tuple[float, float, float]:
    digits = text.removeprefix("#")
    if len(digits) != 6 or any(c not in "0123456789abcdefABCDEF" for c in digits):
        raise UsageError(f"--colormap has the colour {text!r}", "write colours as '#rrggbb'")
    red, green, blue = (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return red, green, blue
