"""Which way the axes of somebody's arrays go, such as `+x+y+z`: x to the right, y upwards, z towards the camera.

Ours are `-z-y+x`: slices away from the camera, rows downwards, columns to the right.
"""

from __future__ import annotations

import re
from itertools import permutations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import UsageError

Array = NDArray[Any]

OURS = "-z-y+x"
ORIGINAL = "+x+y+z"
"""Of dense arrays that OpenVDB's Python module copies a grid to, whose camera looks along -z."""

EVERY = tuple(
    "".join(sign + letter for sign, letter in zip(signs, letters, strict=True))
    for letters in permutations("xyz")
    for signs in product("+-", repeat=3)
)
"""All 48 of them."""


def checked_axes(text: str) -> str:
    """Axes as the user spells them, in the spelling of `EVERY`: `x y -z` is `+x+y-z`.

    Raises:
        UsageError: they are none.
    """
    bare = re.sub(r"[\s,]", "", text.lower())
    spelled = "".join((sign or "+") + letter for sign, letter in re.findall(r"([+-]?)([xyz])", bare))
    if spelled not in EVERY or not re.fullmatch(r"([+-]?[xyz]){3}", bare):
        raise UsageError(
            f"--axes is {text!r}",
            "say for each axis of the arrays which way it goes, such as +x+y+z (x to the right, y up, z towards the "
            "camera), or auto",
        )
    return spelled


def to_ours(values: Array, axes: str) -> Array:
    """Arrays [..., a, b, c] of such axes as [..., D, H, W]; a view of them."""
    order, flips = _way(axes)
    lead = values.ndim - 3
    turned = values.transpose(*range(lead), *(lead + axis for axis in order))
    return np.asarray(np.flip(turned, tuple(lead + axis for axis in range(3) if flips[axis])))


def from_ours(values: Array, axes: str) -> Array:
    """Arrays [..., D, H, W] as [..., a, b, c] of such axes; a view of them."""
    order, flips = _way(axes)
    lead = values.ndim - 3
    turned: Array = np.flip(values, tuple(lead + axis for axis in range(3) if flips[axis]))
    return turned.transpose(*range(lead), *(lead + int(axis) for axis in np.argsort(order)))


def _way(axes: str) -> tuple[list[int], list[bool]]:
    """For each of our axes, which of theirs it is and whether that is to be turned round."""
    order = [axes[1::2].index(letter) for letter in OURS[1::2]]
    return order, [axes[2 * axis] != sign for axis, sign in zip(order, OURS[::2], strict=True)]
