"""Checks on the size of what a mesh file holds: coordinates that numbers cannot carry, and strays that hide the rest.

A single vertex far away makes the frame so large that the object in it falls below a pixel. It is told from a large
scene (a figure on a wide plane, a mast) by what would be seen: how much of the frame the surface covers.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.meshes.parts import Part

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]

LARGEST, SMALLEST = 1e18, 1e-18  # their squares still fit into float32, which pictures are drawn with

# (extent over the distance of a middling vertex, share of the frame that the surface covers), beyond which a mesh is
# refused or warned about. Of a frame of 512 pixels, 1 / 300 is less than two.
_BLANK = (1e4, 1e-3)
_TINY = (300.0, 1e-2)
_HIDDEN = 1e6  # a ratio at which most vertices share a pixel, whatever else is seen
_NOTHING = 1e-9  # a surface of which nothing shows, however its vertices lie


class _Spread(NamedTuple):
    """How the vertices that faces use lie.

    Attributes:
        ratio: the farthest one's distance from the median over the median of these distances.
        cover: the surface's area over the square of the extent.
        extent: of the bounding box.
        stray: the farthest one, [3].
        outside: how many lie farther than a hundred times the median distance.
    """

    ratio: float
    cover: float
    extent: float
    stray: Floats
    outside: int


def check_extent(parts: Sequence[Part], path: Path) -> None:
    """Refuse a mesh of which a picture would show nothing, and warn of one that would be tiny.

    Raises:
        InputError: coordinates beyond 1e18; an extent below 1e-18; faces without area alone; or vertices so far from
            the rest that it would be below a pixel.
    """
    used = np.concatenate([part.vertices[part.used] for part in parts])
    largest = float(np.abs(used).max())
    if largest > LARGEST:
        raise InputError(f"{path} has coordinates up to {largest:.3g}", f"scale it down: {LARGEST:g} is the largest")
    spread = _spread(used, parts)
    if spread is None:
        raise InputError(f"{path}: all vertices of its faces coincide", "use a mesh that has an extent")
    if spread.extent < SMALLEST:
        raise InputError(f"{path} is only {spread.extent:.3g} wide", f"scale it up: {SMALLEST:g} is the smallest")
    if spread.cover < _NOTHING and max(_roundest(part) for part in parts) < _NOTHING:
        cause = f"{path}: its faces have no area: the corners of each lie on a line, or nearly so"
        raise InputError(cause, "use a mesh with a surface: wires and axes need a thickness")
    x, y, z = spread.stray
    cause = (
        f"{path}: {spread.outside or 'some'} of {len(used)} vertices lie far from all others, one at"
        f" ({x:.6g}, {y:.6g}, {z:.6g}): in a frame of {spread.extent:.3g} the rest"
    )
    remedy = "remove these vertices and their faces, or move them back, in the program that made it"
    if (spread.ratio > _BLANK[0] and spread.cover < _BLANK[1]) or spread.cover < _NOTHING:
        raise InputError(f"{cause} is smaller than a pixel", remedy)
    if (spread.ratio > _TINY[0] and spread.cover < _TINY[1]) or spread.ratio > _HIDDEN:
        log.warning("%s is a few pixels wide at most. If that is not meant, %s.", cause, remedy)


def _spread(used: Floats, parts: Sequence[Part]) -> _Spread | None:
    """None where all lie in one place."""
    extent = float((used.max(axis=0) - used.min(axis=0)).max())
    if extent == 0:
        return None
    distance = np.abs(used - np.median(used, axis=0)).max(axis=1)
    middling = max(float(np.median(distance)), 1e-12 * extent)
    area: float = sum(_area(part) for part in parts)
    outside = int((distance > 100 * middling).sum())
    stray = used[distance.argmax()]
    return _Spread(float(distance.max()) / middling, area / extent / extent, extent, stray, outside)


def _area(part: Part) -> float:
    a, b, c = (part.vertices[part.faces[:, k]] for k in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()) / 2


def _roundest(part: Part) -> float:
    """The largest area of a face over the square of its longest edge; 0 where all are points or lines."""
    corners = part.vertices[part.faces]
    edges = np.roll(corners, -1, axis=1) - corners
    longest = np.linalg.norm(edges, axis=2).max(axis=1, initial=0.0)[:, None, None]
    edges = edges / np.where(longest > 0, longest, 1.0)
    return float(np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1).max(initial=0.0)) / 2
