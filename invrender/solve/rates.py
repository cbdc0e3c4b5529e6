"""Step lengths as functions of the number of steps taken."""

from __future__ import annotations

import math
from collections.abc import Callable

Rate = Callable[[int], float]
"""From the number of steps taken before to the length of the next one."""


def linear_decay(first: float, share: float, steps: int) -> Rate:
    """From `first` linearly to (1 - share) of it after `steps`."""
    return lambda count: first * (1 - share * count / steps)


def exponential_decay(first: float, share: float, steps: int) -> Rate:
    """From `first` exponentially to `share` of it after `steps`."""
    return lambda count: first * share ** (count / steps)


def compounded_decay(first: float, share: float, steps: int) -> Rate:
    """`exponential_decay` by repeated multiplication with one factor: its rounding differs in the last bits."""
    factor = share ** (1 / steps)
    return lambda count: math.prod([factor] * count, start=first)


def warm_cosine(highest: float, warm: float, last: float, steps: int) -> Rate:
    """Up to `highest` over the share `warm` of the steps, then along half a cosine to the share `last` of it."""

    def rate(count: int) -> float:
        share = (count + 1) / steps
        if share < warm:
            return highest * share / warm
        fallen = 0.5 * (1 + math.cos(math.pi * (share - warm) / (1 - warm)))
        return highest * (last + (1 - last) * fallen)

    return rate
