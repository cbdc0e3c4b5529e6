"""Rules of compositing as the plain numbers that the kernels of the cpu and cuda backends take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from invrender.backends.bodies.volume_composite import COLOUR, LIT, TABLE
from invrender.volume.march import Rules

Numbers = tuple[np.float32, ...]
Triple = tuple[int, int, int]


def plain_rules(rules: Rules, rows: int | None) -> tuple[Numbers, Numbers, tuple[int, bool, bool]]:
    """Window (lowest value, rows per value), the numbers of the lighting, and (kind, mip, early).

    rows: of the table; None where the volume brings its own colours.
    """
    shade = rules.shade
    kind = COLOUR if rows is None else TABLE if shade is None else LIT
    numbers = (0.0,) * 5
    if shade is not None:
        numbers = (shade.ambient, shade.diffuse, shade.specular, shade.shininess, shade.soft)
    scale = ((2 if rows is None else rows) - 1) / (rules.high - rules.low)
    mode = (kind, rules.compositing == "mip", rules.compositing == "early-termination")
    return (np.float32(rules.low), np.float32(scale)), tuple(np.float32(n) for n in numbers), mode


def layout(shape: Sequence[int]) -> tuple[Triple, Triple]:
    """Samples of a grid [D,H,W,C] along x, y, z, and how far apart neighbours along these stand when it is flat."""
    depth, height, width, channels = shape
    return (width, height, depth), (channels, channels * width, channels * width * height)
