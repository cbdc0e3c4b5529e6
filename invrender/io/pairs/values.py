"""From the numbers that people store voxels and pictures in to ours: which rule their values follow, and by it.

A rule is chosen by the first few samples; a later one that breaks it raises `Broken`, and the next rule is tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.pairs.meta import Encoding, Kind

Array = NDArray[Any]

_SLOP = 1e-4  # above 1 or below 0, which rounding makes
_LARGEST = float(np.finfo(np.float16).max)


class Broken(Exception):
    """A sample does not follow the rule."""


@dataclass(frozen=True)
class Rule:
    """How stored numbers are read.

    Attributes:
        kind: what they become.
        unit: the number that stands for 1.
        whole: whether times `levels` they are whole numbers: what they were before they were divided.
        levels: the number of 8 bits that stands for 1; pictures of old tools have been divided by 256.
        words: for people.
    """

    kind: Kind
    unit: float = 1.0
    whole: bool = False
    levels: float = 255.0
    words: str = ""

    @property
    def encoding(self) -> Encoding:
        """Of pictures: numbers of 8 and 16 bits are for screens."""
        return "srgb" if self.whole or self.unit > 1 else "linear"


def voxel_rules(dtype: np.dtype[Any], asked: str) -> tuple[Rule, ...]:
    """What voxels of a type may be, the first that fits.

    Args:
        dtype: as stored.
        asked: uint8, float16 or auto.
    """
    rules = [
        Rule("uint8", words="0 to 1, to 8 bits"),
        *([Rule("uint8", _top(dtype), words=f"0 to {_top(dtype):g}, to 8 bits")] if dtype.kind == "u" else []),
        Rule("float16", words="as they are, to 16 bits"),
    ]
    return tuple(rule for rule in rules if asked in ("auto", rule.kind))


def picture_rules(dtype: np.dtype[Any]) -> tuple[Rule, ...]:
    """What pictures of a type may be, the first that fits."""
    if dtype == np.uint8:
        return (Rule("uint8", whole=True, levels=1, words="8 bits"),)
    if dtype.kind == "u":
        return (Rule("float16", _top(dtype), words=f"{8 * dtype.itemsize} bits, to 16 bits as floats"),)
    return (
        Rule("uint8", whole=True, levels=256, words="8 bits that had been divided by 256"),
        Rule("uint8", whole=True, levels=255, words="8 bits that had been divided by 255"),
        Rule("uint8", whole=True, levels=1, words="8 bits"),
        Rule("float16", words="as they are, to 16 bits"),
    )


def _top(dtype: np.dtype[Any]) -> float:
    return float(np.iinfo(dtype).max)


def converted(values: Array, rule: Rule) -> Array:
    """Numbers as a shard holds them.

    Raises:
        Broken: they do not follow the rule.
    """
    if rule.whole:
        return _whole(values, rule)
    numbers = values.astype(np.float32)
    if rule.unit != 1:
        numbers /= np.float32(rule.unit)
    low, high = float(numbers.min(initial=0)), float(numbers.max(initial=0))
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InputError("values that are NaN or infinite", "")
    if rule.kind == "uint8":
        if low < -_SLOP or high > 1 + _SLOP:
            raise Broken(f"values from {low:.5g} to {high:.5g}")
        numbers *= 255
        numbers += 0.5
        return numbers.clip(0, 255).astype(np.uint8)
    if max(-low, high) > _LARGEST:
        raise InputError(f"values up to {max(-low, high):.5g}, and float16 ends at 65504", "")
    return numbers.astype(np.float16)


def _whole(values: Array, rule: Rule) -> Array:
    if values.dtype == np.uint8:
        return values
    numbers = values.astype(np.float64) * rule.levels
    if not np.isfinite(numbers).all():
        raise InputError("values that are NaN or infinite", "")
    nearest = np.round(numbers)
    slop = 0.07 if values.dtype == np.float16 else 1e-3  # half a step of float16 near 1, times 255
    if nearest.min(initial=0) < 0 or nearest.max(initial=0) > 255 or np.abs(numbers - nearest).max(initial=0) > slop:
        raise Broken("values that are no whole numbers of 8 bits")
    return nearest.astype(np.uint8)


def next_fit(rules: Sequence[Rule], at: int, values: Array) -> int:
    """The first rule from number `at` on that a sample follows.

    Raises:
        Broken: none.
        InputError: NaN, or numbers beyond float16.
    """
    for number in range(at, len(rules)):
        try:
            converted(values, rules[number])
        except Broken:
            if number == len(rules) - 1:
                raise
            continue
        return number
    raise AssertionError(f"rule {at} of {len(rules)}")
