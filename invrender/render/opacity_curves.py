"""Opacity curves by name: how opacity grows with a value's place in the window, from 0 (low) to 1 (high)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import UsageError

Array = NDArray[Any]  # float64

STEEPNESS = 4.0  # of the exponential one
FOOT = 0.5  # a peak's half width, as a share of the distance between two peaks


@dataclass(frozen=True)
class Curve:
    """A named curve: what it makes of places and numbers, the numbers it takes unless given, and how they are called.

    Attributes:
        of: (places [K] in [0, 1], numbers) -> shares of the greatest opacity [K].
        numbers: the defaults.
        names: of the numbers, for people.
        several: whether it takes any count of numbers above 0.
    """

    of: Callable[[Array, Sequence[float]], Array]
    numbers: tuple[float, ...] = ()
    names: str = ""
    several: bool = False


def _exponential(x: Array, _: Sequence[float]) -> Array:
    return np.asarray(np.expm1(STEEPNESS * x) / math.expm1(STEEPNESS))


def _ramp(x: Array, ends: Sequence[float]) -> Array:
    return np.asarray(np.clip((x - ends[0]) / max(ends[1] - ends[0], 1e-6), 0, 1))


def _bell(x: Array, numbers: Sequence[float]) -> Array:
    centre, width = numbers
    return np.asarray(np.exp(-0.5 * ((x - centre) / max(width, 1e-3)) ** 2))


def _peaks(x: Array, centres: Sequence[float]) -> Array:
    """Triangles, so that each makes a translucent shell; later ones are more opaque, as they lie behind the others."""
    places = sorted(centres)
    apart = min([b - a for a, b in zip(places, places[1:], strict=False)] + [0.16])
    half = max(FOOT * apart, 2 / 255)
    heights = np.linspace(0.4, 1, len(places)) if len(places) > 1 else np.ones(1)
    triangles = [h * np.clip(1 - np.abs(x - c) / half, 0, 1) for c, h in zip(places, heights, strict=True)]
    return np.asarray(np.max(triangles, axis=0))


CURVES: dict[str, Curve] = {
    "linear": Curve(lambda x, _: x),
    "exponential": Curve(_exponential),
    "one-step": Curve(lambda x, at: np.asarray((x >= at[0]).astype(np.float64)), (0.5,), "PLACE"),
    "ramp": Curve(_ramp, (0.2, 0.8), "FROM,TO"),
    "bell": Curve(_bell, (0.5, 0.1), "CENTRE,WIDTH"),
    "peaks": Curve(_peaks, (0.2, 0.5, 0.8), "PLACE,...", several=True),
}
"""Those of volume viewers, such as PyVR's."""


def curve(text: str, places: Array) -> Array | None:
    """Shares of the greatest opacity [K] at places [K] in [0, 1] for 'bell', 'bell:0.5,0.1' and so on.

    None where the text starts with no curve's name.

    Raises:
        UsageError: the numbers after the name are too many, too few, or not in [0, 1].
    """
    name, colon, rest = text.partition(":")
    if name not in CURVES:
        return None
    found = CURVES[name]
    numbers = [_number(part, text) for part in rest.split(",")] if colon else list(found.numbers)
    if not found.several and len(numbers) != len(found.numbers):
        example = "" if not found.numbers else ":" + ",".join(f"{number:g}" for number in found.numbers)
        raise UsageError(f"--opacity is {text!r}", f"write {name}{example}")
    return found.of(places, numbers)


def spelled() -> str:
    """The names with what may follow them, for messages: 'linear, exponential, one-step:PLACE, ...'."""
    return ", ".join(name + (f"[:{each.names}]" if each.names else "") for name, each in CURVES.items())


def _number(text: str, whole: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise UsageError(
            f"--opacity {whole!r} has {text!r} where a number from 0 to 1 belongs",
            "give places in the window, such as peaks:0.2,0.5,0.8",
        )
    return value
