"""Polygons as triangles: fans where those are right, ear clipping where they are not.

Every polygon of n corners becomes n - 2 triangles over its own corners, so that neighbours still share their edges and
the signed area of a flat polygon is kept, whatever its shape.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from invrender.io.meshes.ears import clip_ears

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Triangles(NamedTuple):
    """T triangles of P polygons.

    Attributes:
        corners: [T,3] positions in the list of all corners; the winding is that of the polygons.
        polygon: [T] which polygon each belongs to, ascending.
        degenerate: [P] whether a polygon has fewer than three different vertices: it is left out.
    """

    corners: Integers
    polygon: Integers
    degenerate: NDArray[np.bool_]


def triangulate(vertices: Floats, corners: Integers, sizes: Integers) -> Triangles:
    """Cut polygons into triangles.

    Args:
        vertices: [V,3] positions.
        corners: [K] vertices of all polygons, one polygon after the other.
        sizes: [P] how many corners each polygon has.
    """
    starts = np.cumsum(sizes) - sizes
    degenerate = np.zeros(len(sizes), bool)
    found: list[Integers] = []
    owners: list[Integers] = []
    for size in np.flatnonzero(np.bincount(sizes)):
        rows = np.flatnonzero(sizes == size)
        places = starts[rows, None] + np.arange(size)
        degenerate[rows] = _distinct(corners[places]) < 3
        good = ~degenerate[rows]
        if good.any():
            found.append(_equal(vertices, corners, places[good]).reshape(-1, 3))
            owners.append(np.repeat(rows[good], size - 2))
    if not found:
        return Triangles(np.zeros((0, 3), np.int64), np.zeros(0, np.int64), degenerate)
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    return Triangles(np.concatenate(found)[order], owner[order], degenerate)


def _distinct(rows: Integers) -> Integers:
    """[P] how many different values each row of [P,n] has."""
    ordered = np.sort(rows, axis=1)
    count: Integers = (np.diff(ordered, axis=1) != 0).sum(axis=1) + min(1, rows.shape[1])
    return count


def _equal(vertices: Floats, corners: Integers, places: Integers) -> Integers:
    """[P,n-2,3] triangles of polygons of one size, whose corners lie at `places` [P,n]."""
    size = places.shape[1]
    if size == 3:
        return places[:, None, :]
    flat = _flatten(vertices[corners[places]])
    fan = np.stack([np.zeros(size - 2, np.int64), np.arange(1, size - 1), np.arange(2, size)], axis=1)
    if size == 4:
        fan[1] = (2, 3, 0)
    turns = np.tile(np.arange(size), (len(places), 1))
    least = _areas(flat, fan).min(axis=1)
    for start in range(1, 2 if size == 4 else size if size < 9 else 1):
        # the fan from another corner: for a quadrangle that is its other diagonal
        turned = np.roll(np.arange(size), -start)
        other = _areas(flat[:, turned], fan).min(axis=1)
        better = (least <= 0) & (other > least)
        turns[better], least[better] = turned, other[better]
    triangles: Integers = np.take_along_axis(places, turns, axis=1)[:, fan]
    for row in np.flatnonzero(least <= 0) if size > 4 else ():
        triangles[row] = places[row][clip_ears(flat[row])]
    return triangles


def _flatten(points: Floats) -> Floats:
    """[P,n,2] polygons [P,n,3] in the plane of their own area, counter-clockwise, shifted and scaled to about 1."""
    points = np.clip(np.nan_to_num(points), -1e30, 1e30)  # what is beyond is refused later, with a better word
    local = points - points[:, :1]
    scale = np.abs(local).max(axis=(1, 2), keepdims=True)
    local = local / np.where(scale > 0, scale, 1)
    normal = np.cross(local, np.roll(local, -1, axis=1)).sum(axis=1)  # Newell's, twice the area
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    normal = np.where(length > 1e-30, normal / np.where(length > 1e-30, length, 1), [0.0, 0.0, 1.0])
    helper = np.eye(3)[np.abs(normal).argmin(axis=1)]
    across = np.cross(helper, normal)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    up = np.cross(normal, across)
    flat: Floats = np.stack([np.einsum("pnk,pk->pn", local, axis) for axis in (across, up)], axis=2)
    return flat


def _areas(flat: Floats, triangles: Integers) -> Floats:
    """[P,T] signed area of the triangles of each polygon, nothing where it is rounding alone."""
    a, b, c = (flat[:, triangles[:, k]] for k in range(3))
    u, v = b - a, c - a
    area = (u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]) / 2
    signed: Floats = np.where(np.abs(area) < 1e-12, 0.0, area)
    return signed
