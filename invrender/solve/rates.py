"""Step lengths as functions of the number of steps taken."""

from __future__ import annotations

import math
from collections.abc import Callable

Rate = Callable[[int], float]
"""From the number of steps taken before to the length of the next one."""


def falling(first: float, share: float, steps: int) -> Rate:
    """Falls in equal parts from `first` towards (1 - share) of it, which it would reach after `steps`."""
    return lambda count: first * (1 - share * count / steps)


def decaying(first: float, share: float, steps: int) -> Rate:
    """Falls by equal factors from `first` to `share` of it after `steps`."""
    return lambda count: first * share ** (count / steps)


def compounding(first: float, share: float, steps: int) -> Rate:
    """`decaying`, one factor after the other, so that equal factors are rounded equally."""
    factor = share ** (1 / steps)
    return lambda count: math.prod([factor] * count, start=first)
