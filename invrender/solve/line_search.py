"""A line search for the strong Wolfe conditions: enough descent, and a slope that is flat enough.

Nocedal and Wright 2006, algorithms 3.5 (bracketing) and 3.6 (zoom), with cubic interpolation (their equation 3.59).
Places where the loss or its slope is not a number count as too far.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

DESCENT, CURVATURE = 1e-4, 0.9
WIDER = 4.0


@dataclass(frozen=True)
class Probe:
    """The loss at a length along a line, and its slope there."""

    length: float
    loss: float
    slope: float

    @property
    def fine(self) -> bool:
        """Whether both are numbers."""
        return math.isfinite(self.loss) and math.isfinite(self.slope)


Line = Callable[[float], Probe]
"""From a length to what is there."""


def search(line: Line, start: Probe, length: float, farthest: float, most: int) -> tuple[Probe | None, int]:
    """A place that meets both conditions; else the lowest that descends enough, or None; and how often it looked.

    Args:
        line: evaluates.
        start: at length 0, where the slope is negative.
        length: to begin with.
        farthest: no greater length is tried.
        most: evaluations.
    """
    low, high, best = start, None, None
    for count in range(1, most + 1):
        found = line(min(length, farthest))
        descends = found.fine and found.loss <= start.loss + DESCENT * found.length * start.slope
        if descends and found.loss < (best or start).loss:
            best = found
        if not descends or (low is not start and found.loss >= low.loss):
            high = found
        elif abs(found.slope) <= CURVATURE * abs(start.slope):
            return found, count
        else:
            low, high = found, low if found.slope * (found.length - low.length) >= 0 else high
        if _is_spent(low, high, farthest):
            return best, count
        length = WIDER * low.length if high is None else _between(low, high)
    return best, most


def _is_spent(low: Probe, high: Probe | None, farthest: float) -> bool:
    """Whether there is no place left to look at."""
    if high is None:
        return low.length >= farthest
    return abs(high.length - low.length) <= 1e-14 * max(low.length, high.length)


def _between(low: Probe, high: Probe) -> float:
    """The bottom of the cubic through both, or the middle where that is not well inside."""
    width = high.length - low.length
    middle = low.length + (0.5 if high.fine else 0.1) * width
    if not high.fine:
        return middle
    d1 = low.slope + high.slope - 3 * (low.loss - high.loss) / (low.length - high.length)
    square = d1 * d1 - low.slope * high.slope
    if square < 0:
        return middle
    d2 = math.copysign(math.sqrt(square), width)
    steepness = high.slope - low.slope + 2 * d2
    bottom = high.length - width * (high.slope + d2 - d1) / steepness if steepness else middle
    inside = 0.1 * abs(width) <= abs(bottom - low.length) <= 0.9 * abs(width) and (bottom - low.length) * width > 0
    return bottom if inside else middle
