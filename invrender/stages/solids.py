"""Closed solids by formula, about the origin and at most 2 wide: what the scenes of primitives are made of."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Solid = tuple[Floats, Ints]

KINDS = ("sphere", "box", "torus", "cylinder", "cone")

AROUND = 48  # vertices on a circle


def solid(kind: str, proportions: tuple[float, float, float]) -> Solid:
    """Vertices [V,3] float64 and faces [F,3] int64, wound counter-clockwise seen from outside; the circumsphere is 1.

    Args:
        kind: one of `KINDS`.
        proportions: three numbers of about 1: of a box's sides; of a cylinder's or cone's height and width (the first
            two); of a torus's ring and tube. A sphere has none.
    """
    a, b, c = proportions
    if kind == "sphere":
        return _sphere()
    if kind == "box":
        corners, faces = _box()
        scaled = corners * [a, b, c]
    elif kind == "torus":
        scaled, faces = _revolved(_circle(0.38 * b / a, 1.0, AROUND // 2), closed=True)
    else:
        top = a if kind == "cylinder" else 0.0
        profile = [(0.0, -b), (a, -b), (top, b), (0.0, b)] if top else [(0.0, -b), (a, -b), (0.0, b)]
        scaled, faces = _revolved(np.array(profile), closed=False)
    return scaled / np.linalg.norm(scaled, axis=1).max(), faces


def _circle(radius: float, away: float, count: int) -> Floats:
    """Distance from the axis and height of points on a circle beside it, counter-clockwise."""
    angle = np.arange(count) * (2 * np.pi / count)
    return np.stack([away + radius * np.cos(angle), radius * np.sin(angle)], 1)


@cache
def _box() -> Solid:
    corners = np.array([(x, y, z) for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])
    sides = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    return corners, np.array([(s[0], s[k], s[k + 1]) for s in sides for k in (1, 2)], np.int64)


@cache
def _sphere() -> Solid:
    angle = np.linspace(-np.pi / 2, np.pi / 2, AROUND // 2 + 1)
    profile = np.stack([np.cos(angle), np.sin(angle)], 1)
    profile[[0, -1], 0] = 0.0
    return _revolved(profile, closed=False)


def _revolved(profile: Floats, closed: bool) -> Solid:
    """A profile (distance from the axis, height) turned about +Y; open ones begin and end on the axis, at one vertex.

    The profile runs so that the solid is on its left.
    """
    angle = np.arange(AROUND) * (2 * np.pi / AROUND)
    rows = profile if closed else profile[1:-1]
    rings = np.stack(
        [
            rows[:, :1] * np.sin(angle),
            np.broadcast_to(rows[:, 1:], (len(rows), AROUND)),
            rows[:, :1] * np.cos(angle),
        ],
        axis=-1,
    ).reshape(-1, 3)
    j = np.arange(AROUND)
    after = (j + 1) % AROUND
    faces = []
    for i in range(len(rows) if closed else len(rows) - 1):
        low, high = i * AROUND, ((i + 1) % len(rows)) * AROUND
        faces += [np.stack([low + j, low + after, high + after], 1), np.stack([low + j, high + after, high + j], 1)]
    if closed:
        return rings, np.concatenate(faces)
    bottom, top, last = len(rings), len(rings) + 1, (len(rows) - 1) * AROUND
    faces += [
        np.stack([np.full_like(j, bottom), after, j], 1),
        np.stack([last + j, last + after, np.full_like(j, top)], 1),
    ]
    ends = np.array([[0.0, profile[0, 1], 0.0], [0.0, profile[-1, 1], 0.0]])
    return np.concatenate([rings, ends]), np.concatenate(faces)
