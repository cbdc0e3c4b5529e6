"""Normals at the corners of faces: smooth within parts of a surface, apart where it has a crease."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.jit import body, kernel

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

SEED = 0x9E3779B97F4A7C15  # of numbers that tell edges apart: 2^64 by the golden ratio
MOST_AROUND = 48  # faces at a vertex of which smooth parts are told apart; more are rather a cone's


@kernel
def corner_normals(points: Floats, faces: Ints, least: float) -> tuple[Floats, Ints]:
    """Unit normals [R,3] float32, and which of them [F,3] corners have: the mean of the faces at a vertex that edges
    softer than `least`, a cosine, connect with the corner's own, weighted as Max 1999 ("Weights for computing vertex
    normals from facet normals") has it, the sine of the angle there over the lengths of both sides; 0 at degenerate
    ones. The first are those of the points; corners at creases have more of their own.

    Args:
        points: [P,3].
        faces: [F,3] into them.
        least: cosine of the angle from which on an edge is a crease.
    """
    flat = np.zeros((len(faces), 3), np.float32)
    weights = np.zeros((len(faces), 3), np.float32)
    means, rough = np.zeros((len(points), 3), np.float32), np.zeros(len(points), np.uint8)
    _keep_flat(points, faces, flat, weights)
    if _keep_means(faces, flat, weights, least, means, rough):
        return _with_parts(faces, flat, weights, least, rough, means)
    return means, faces.copy()


@body
def _keep_means(faces: Ints, flat: Floats, weights: Floats, least: float, means: Floats, rough: Ints) -> bool:
    """Fill `means` with that at each vertex, and mark those of them that may have a crease; whether any has.

    No two faces have one that are all within half its angle of the mean.
    """
    half, found = np.sqrt((1 + least) / 2), False
    for f in range(len(faces)):
        for k in range(3):
            v = faces[f, k]
            for axis in range(3):
                means[v, axis] += weights[f, k] * flat[f, axis]
    for v in range(len(means)):
        size = np.sqrt(means[v, 0] ** 2 + means[v, 1] ** 2 + means[v, 2] ** 2)
        one = 1 / size if size > 0 else 0.0
        for axis in range(3):
            means[v, axis] *= one
    for f in range(len(faces)):
        for k in range(3):
            v = faces[f, k]
            cosine = flat[f, 0] * means[v, 0] + flat[f, 1] * means[v, 1] + flat[f, 2] * means[v, 2]
            if not cosine >= half:
                rough[v], found = 1, True
    return found


@body
def _with_parts(
    faces: Ints, flat: Floats, weights: Floats, least: float, rough: Ints, means: Floats
) -> tuple[Floats, Ints]:
    """The means, those of smooth parts at the corners of rough vertices behind them, and which corners have which."""
    begin = np.zeros(len(rough) + 1, np.int64)
    for f in range(len(faces)):
        for k in range(3):
            begin[faces[f, k] + 1] += rough[faces[f, k]]
    for v in range(len(rough)):
        begin[v + 1] += begin[v]
    corners, filled, count = np.empty(begin[-1], np.int64), begin.copy(), len(means)
    normals, row_of = np.zeros((count + begin[-1], 3), np.float32), faces.copy()
    normals[:count] = means
    for f in range(len(faces)):
        for k in range(3):
            v = faces[f, k]
            if rough[v]:
                row_of[f, k] = count + filled[v]
                corners[filled[v]] = 3 * f + k
                filled[v] += 1
    part = np.empty(MOST_AROUND, np.int64)
    for v in range(len(rough)):
        around, own = corners[begin[v] : begin[v + 1]], normals[count + begin[v] : count + begin[v + 1]]
        if len(around) > MOST_AROUND:
            _as_cone(flat, weights, around, least, own)
        elif len(around):
            _by_parts(faces, flat, weights, around, least, part, own)
    return normals, row_of


@kernel
def is_solid(points: Floats, faces: Ints) -> bool:
    """Whether faces [F,3] of points [P,3] are closed, each edge used as often one way as the other, and face outwards.

    Edges are held against each other by a sum of products modulo 2^64, which is 0 where all have their like, and
    almost never otherwise.
    """
    total, volume = np.int64(0), 0.0
    for f in range(len(faces)):
        for k in range(3):
            a, b = np.int64(faces[f, k]), np.int64(faces[f, k - 2])
            total += _mixed(a) * _mixed(b + len(points)) - _mixed(b) * _mixed(a + len(points))
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        x = points[b, 1] * points[c, 2] - points[b, 2] * points[c, 1]
        y = points[b, 2] * points[c, 0] - points[b, 0] * points[c, 2]
        z = points[b, 0] * points[c, 1] - points[b, 1] * points[c, 0]
        volume += points[a, 0] * x + points[a, 1] * y + points[a, 2] * z
    return bool(total == 0 and volume > 0)


@body
def _mixed(number: Any) -> Any:
    """Another number of 64 bits, far from its neighbours' (Stafford's variant 13 of MurmurHash3's finalizer)."""
    mixed = np.uint64(number) * np.uint64(SEED)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.int64(mixed ^ (mixed >> np.uint64(31)))


@body
def _keep_flat(points: Floats, faces: Ints, flat: Floats, weights: Floats) -> None:
    """Fill the unit normal of each face and the weights at its corners; both stay 0 where it has no area."""
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay, az = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        bx, by, bz = points[c, 0] - points[b, 0], points[c, 1] - points[b, 1], points[c, 2] - points[b, 2]
        cx, cy, cz = points[a, 0] - points[c, 0], points[a, 1] - points[c, 1], points[a, 2] - points[c, 2]
        x, y, z = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        size = np.sqrt(x * x + y * y + z * z)
        if not size > 0:
            continue
        one = 1 / size
        flat[f, 0], flat[f, 1], flat[f, 2] = x * one, y * one, z * one
        first, second, third = ax * ax + ay * ay + az * az, bx * bx + by * by + bz * bz, cx * cx + cy * cy + cz * cz
        whole = size / (first * second * third)
        weights[f, 0], weights[f, 1], weights[f, 2] = whole * second, whole * third, whole * first


@body
def _alike(flat: Floats, f: int, g: int) -> float:
    """The cosine between two faces' normals."""
    cosine: float = flat[f, 0] * flat[g, 0] + flat[f, 1] * flat[g, 1] + flat[f, 2] * flat[g, 2]
    return cosine


@body
def _share_edge(faces: Ints, c: int, d: int) -> bool:
    """Whether the faces of two corners at one vertex share an edge there."""
    f, g = c // 3, d // 3
    next_c, last_c = faces[f, (c % 3 + 1) % 3], faces[f, (c % 3 + 2) % 3]
    next_d, last_d = faces[g, (d % 3 + 1) % 3], faces[g, (d % 3 + 2) % 3]
    return bool(next_c == last_d or last_c == next_d)


@body
def _find_parts(faces: Ints, flat: Floats, around: Ints, least: float, part: Ints) -> None:
    """Fill part [count] with the first face of the smooth part that each face at a vertex belongs to."""
    for i in range(len(around)):
        part[i] = i
        for j in range(i):
            c, d = around[i], around[j]
            if part[i] != part[j] and _alike(flat, c // 3, d // 3) >= least and _share_edge(faces, c, d):
                old, new = max(part[i], part[j]), min(part[i], part[j])
                for k in range(i + 1):
                    if part[k] == old:
                        part[k] = new


@body
def _by_parts(
    faces: Ints, flat: Floats, weights: Floats, around: Ints, least: float, part: Ints, normals: Floats
) -> None:
    count = len(around)
    _find_parts(faces, flat, around, least, part)
    for i in range(count):
        if part[i] != i:
            continue
        x, y, z = 0.0, 0.0, 0.0
        for j in range(count):
            if part[j] == i:
                f, k = around[j] // 3, around[j] % 3
                x += weights[f, k] * flat[f, 0]
                y += weights[f, k] * flat[f, 1]
                z += weights[f, k] * flat[f, 2]
        for j in range(count):
            if part[j] == i:
                _keep(normals, j, x, y, z)


@body
def _as_cone(flat: Floats, weights: Floats, around: Ints, least: float, normals: Floats) -> None:
    """At a vertex of very many faces: the mean of all for those that are near it, their own for others."""
    x, y, z = 0.0, 0.0, 0.0
    for c in around:
        x += weights[c // 3, c % 3] * flat[c // 3, 0]
        y += weights[c // 3, c % 3] * flat[c // 3, 1]
        z += weights[c // 3, c % 3] * flat[c // 3, 2]
    size = np.sqrt(x * x + y * y + z * z)
    for i in range(len(around)):
        f = around[i] // 3
        if x * flat[f, 0] + y * flat[f, 1] + z * flat[f, 2] >= least * size:
            _keep(normals, i, x, y, z)
        else:
            _keep(normals, i, flat[f, 0], flat[f, 1], flat[f, 2])


@body
def _keep(normals: Floats, row: int, x: float, y: float, z: float) -> None:
    size = np.sqrt(x * x + y * y + z * z)
    if size > 0:
        normals[row, 0], normals[row, 1], normals[row, 2] = x / size, y / size, z / size
