"""Ear clipping of one plane polygon.

An ear is a convex corner whose triangle holds no other corner; a simple polygon always has two (G. H. Meisters,
Polygons have ears, 1975). Polygons that cross themselves have none at times: then the corner that turns left most is
cut, so that it always ends, and the signed area is the polygon's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FLAT = 1e-12  # twice the area below which a corner of a polygon of size 1 counts as straight
# convex corners tried for each that the polygon has; beyond, it crosses itself so often that any cut will do
_TESTS = 10

Floats = NDArray[np.float64]


def clip_ears(points: Floats) -> NDArray[np.int64]:
    """Cut a polygon into triangles.

    Args:
        points: [n,2] corners, counter-clockwise, in numbers of about 1.

    Returns:
        [n-2,3] corners of the triangles.
    """
    ring = _Ring(points)
    triangles, corner, missed, tests = [], 0, 0, _TESTS * len(points)
    for _ in range(len(points) - 3):
        while tests > 0 and missed < len(points):
            if ring.is_convex(corner):
                tests -= 1
                if ring.is_ear(corner):
                    break
            corner, missed = ring.after[corner], missed + 1
        if missed == len(points):
            corner = ring.most_convex()
        triangles.append((ring.before[corner], corner, ring.after[corner]))
        corner, missed = ring.cut(corner), 0
    return np.array([*triangles, (ring.before[corner], corner, ring.after[corner])])


class _Ring:
    """What is left of a polygon: the neighbours of each corner, and how far it turns left (twice its triangle)."""

    def __init__(self, points: Floats) -> None:
        count = len(points)
        self._points = points
        self.before: list[int] = [count - 1, *range(count - 1)]
        self.after: list[int] = [*range(1, count), 0]
        self._turn: Floats = _cross(points - points[self.before], points[self.after] - points)
        self._reflex = self._turn <= _FLAT
        self._order = np.argsort(points[:, 0])
        self._x = points[self._order, 0]  # sorted, so that an ear is compared with what lies above and below it alone

    def is_convex(self, corner: int) -> bool:
        """Whether a corner turns left, or can go without a loss."""
        return bool(self._turn[corner] > _FLAT) or self._is_idle(corner)

    def _is_idle(self, corner: int) -> bool:
        """Whether a corner lies where one of its neighbours does, or is the tip of a spike without area."""
        a, b, c = (self._points[i] for i in (self.before[corner], corner, self.after[corner]))
        return bool((a == b).all() or (b == c).all() or (c == a).all())

    def is_ear(self, corner: int) -> bool:
        """Whether the triangle of a convex corner holds no other, or an edge from one that lies at its tip."""
        a, b, c = (self._points[i] for i in (self.before[corner], corner, self.after[corner]))
        if self._is_idle(corner):
            return True
        low = np.searchsorted(self._x, min(a[0], b[0], c[0]), "left")
        high = np.searchsorted(self._x, max(a[0], b[0], c[0]), "right")
        band = self._order[low:high]
        near = self._points[band[self._reflex[band]]]
        inside = (_cross(b - a, near - a) >= 0) & (_cross(c - b, near - b) >= 0) & (_cross(a - c, near - c) >= 0)
        if not inside.any():
            return True
        held, near = band[self._reflex[band]][inside], near[inside]
        at = (near == b).all(axis=1)
        if (~at & (near != a).any(axis=1) & (near != c).any(axis=1)).any():
            return False
        return not any(self._parts(a, b, c, int(other)) for other in held[at])

    def _parts(self, a: Floats, b: Floats, c: Floats, other: int) -> bool:
        """Whether an edge of a corner at b runs into the triangle: there the polygon touches itself."""
        ends = self._points[[self.before[other], self.after[other]]] - b
        return bool(((_cross(b - a, ends) > 0) & (_cross(c - b, ends) > 0)).any())

    def most_convex(self) -> int:
        """The corner that turns left most."""
        return int(self._turn.argmax())

    def cut(self, corner: int) -> int:
        """Take a corner out; which to look at next: the one after it, or the one before where that is idle now.

        A spike that is left standing is two edges in one place, of which the wrong side could be taken for the inside.
        """
        a, c = self.before[corner], self.after[corner]
        self.after[a], self.before[c] = c, a
        self._turn[corner], self._reflex[corner] = -np.inf, False
        for i in (a, c):
            p, q, r = (self._points[k] for k in (self.before[i], i, self.after[i]))
            self._turn[i] = _cross(q - p, r - q)
            self._reflex[i] = self._turn[i] <= _FLAT
        return a if self._is_idle(a) else c


def _cross(u: Floats, v: Floats) -> Floats:
    area: Floats = u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
    return area
