"""Ear clipping of one plane polygon.

An ear is a convex corner whose triangle holds no other corner; a simple polygon always has two (G. H. Meisters,
Polygons have ears, 1975). Polygons that cross themselves have none at times: then the corner that turns left most is
cut, so that it always ends, and the signed area is the polygon's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FLAT = 1e-12  # twice the area below which a corner of a polygon of size 1 counts as straight


def clip_ears(points: NDArray[np.float64]) -> NDArray[np.int64]:
    """Cut a polygon into triangles.

    Args:
        points: [n,2] corners, counter-clockwise, in numbers of about 1.

    Returns:
        [n-2,3] corners of the triangles.
    """
    left = np.arange(len(points))
    triangles = []
    start = 0
    while len(left) > 3:
        ear = _next_ear(points[left], start)
        before, after = left[ear - 1], left[(ear + 1) % len(left)]
        triangles.append((before, left[ear], after))
        left = np.delete(left, ear)
        start = ear % len(left)
    return np.array([*triangles, tuple(left)])


def _next_ear(ring: NDArray[np.float64], start: int) -> int:
    """The first ear from `start` on, else the corner that turns left most."""
    before, after = np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0)
    turn = _cross(ring - before, after - ring)
    reflex = ring[turn <= _FLAT]
    convex = np.flatnonzero(turn > _FLAT)
    for ear in np.roll(convex, -int(np.searchsorted(convex, start))):
        if not _any_inside(reflex, before[ear], ring[ear], after[ear]):
            return int(ear)
    return int(turn.argmax())


def _any_inside(
    points: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]
) -> bool:
    """Whether a point lies in a triangle or on its border; points at its very corners do not count."""
    inside = (_cross(b - a, points - a) >= 0) & (_cross(c - b, points - b) >= 0) & (_cross(a - c, points - c) >= 0)
    if not inside.any():
        return False
    near = points[inside]
    return bool(((near != a).any(axis=1) & (near != b).any(axis=1) & (near != c).any(axis=1)).any())


def _cross(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
