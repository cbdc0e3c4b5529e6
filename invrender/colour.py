"""The sRGB transfer function and its inverse (IEC 61966-2-1), and colours as people write them."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Real = TypeVar("Real", np.float32, np.float64)


def srgb_to_linear(values: NDArray[Real]) -> NDArray[Real]:
    """sRGB-encoded values in [0, 1] to linear ones, of the same type (IEC 61966-2-1)."""
    v = np.asarray(values)
    return np.where(v <= 0.04045, v / 12.92, ((np.maximum(v, 0) + 0.055) / 1.055) ** 2.4).astype(v.dtype, copy=False)


def linear_to_srgb(values: NDArray[Real]) -> NDArray[Real]:
    """Linear values to sRGB-encoded ones in [0, 1], clipped, of the same type (IEC 61966-2-1)."""
    v = np.clip(np.asarray(values), 0, 1)
    return np.where(v <= 0.0031308, 12.92 * v, 1.055 * v ** (1 / 2.4) - 0.055).astype(v.dtype, copy=False)


def parse_colour(text: str) -> tuple[float, float, float] | None:
    """Linear RGB of "#RRGGBB" in sRGB; None for any other text."""
    digits = text.removeprefix("#")
    if not text.startswith("#") or len(digits) != 6 or not all(c in "0123456789abcdefABCDEF" for c in digits):
        return None
    encoded = np.array([int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)])
    red, green, blue = (float(value) for value in srgb_to_linear(encoded))
    return red, green, blue
