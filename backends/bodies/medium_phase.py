"""Bodies of the phase function of Henyey and Greenstein (1941): its density, directions picked by it, its slopes."""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import math

import numpy as np

from .target import contracted
from .vectors import ONE, PI, TWO, turned, unit

F = np.float32
FOUR, THREE, STRAIGHT = F(4), F(3), F(1e-3)


@contracted
def phase(cosine, g):
    """Per solid angle."""
    k = ONE + g * g - TWO * g * cosine
    return (ONE - g * g) / (FOUR * PI * k * math.sqrt(k))


@contracted
def scattered(d, g, first, second):
    """A direction picked by the law, and the cosine of its angle to a unit vector."""
    cosine = ONE - TWO * first
    if abs(g) >= STRAIGHT:
        k = (ONE - g * g) / (ONE - g + TWO * g * first)
        cosine = min(max((ONE + g * g - k * k) / (TWO * g), -ONE), ONE)
    return unit(turned(d, cosine, second)), cosine


@contracted
def by_asymmetry(cosine, g):
    """Slope of the logarithm of `phase` with g."""
    return THREE * (cosine - g) / (ONE + g * g - TWO * g * cosine) - TWO * g / (ONE - g * g)


@contracted
def by_cosine(cosine, g):
    """Slope of the logarithm of `phase` with the cosine."""
    return THREE * g / (ONE + g * g - TWO * g * cosine)
