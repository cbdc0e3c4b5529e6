"""Lengths of a scan file: numbers in the scan's unit, or texts that bring a unit, pixels of the detector among them."""

from __future__ import annotations

import math
import re

from invrender.errors import InputError
from invrender.io.files.paths import shown
from invrender.io.scenes.table import Table

METRES = {"nm": 1e-9, "um": 1e-6, "µm": 1e-6, "mm": 1e-3, "cm": 1e-2, "m": 1.0, "in": 0.0254}
PIXELS = ("px", "pixel", "pixels")
_TEXT = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S+)\s*")


def length(table: Table, key: str, unit: str, pixel: float | None, default: float | None = None) -> float:
    """The length under a key, in the scan's unit.

    Args:
        table: that holds it: a number, or a text such as "12.5 cm" or "3.3px".
        key: of it.
        unit: of the scan.
        pixel: what one pixel is, in that unit; None: pixels mean nothing here.
        default: where the key is missing.

    Raises:
        InputError: it is missing without a default, no length, or in a unit that cannot be turned into the scan's.
    """
    value = table.values.get(key)
    if not isinstance(value, str):
        return table.number(key, default)
    return in_unit(table, key, value, unit, pixel)


def lengths(table: Table, key: str, unit: str, pixels: tuple[float, float]) -> tuple[float, float]:
    """Two lengths, across and down the detector; none: zeros."""
    values = table.values.get(key, [0.0, 0.0])
    if not isinstance(values, list) or len(values) != 2:
        raise table.wrong(f"has {key} = {shown(repr(values), 60)}", "write two lengths: [across, down]")
    found = [in_unit(table, key, value, unit, pixel) for value, pixel in zip(values, pixels, strict=True)]
    return found[0], found[1]


def in_unit(table: Table, key: str, value: object, unit: str, pixel: float | None) -> float:
    """One value, a number or a text, as a length in the scan's unit."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    match = _TEXT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise table.wrong(f"has {key} = {shown(repr(value), 60)}", f'write a number in {unit}, or a text like "3.3px"')
    number, name = float(match[1]), match[2]
    if name in PIXELS and pixel is not None:
        return number * pixel
    if name == unit:
        return number
    if name in METRES and unit in METRES:
        return number * METRES[name] / METRES[unit]
    raise _unknown(table, key, value, name, unit, pixel)


def _unknown(table: Table, key: str, value: object, name: str, unit: str, pixel: float | None) -> InputError:
    what = f"has {key} = {shown(repr(value), 60)}"
    if name in PIXELS:
        return table.wrong(what, f"pixels mean nothing here: give it in {unit}")
    if name in METRES:
        return table.wrong(what, f"the scan's unit is '{shown(unit)}', which no {name} can be turned into")
    own = [*METRES, *(["px"] if pixel is not None else [])]
    return table.wrong(what, f"known units are {', '.join(own)}, and the scan's own ('{shown(unit)}')")
