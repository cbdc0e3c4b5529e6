"""Self-intersections of a triangle mesh: pairs of faces where an edge of one pierces the other.

Broad phase: a bounding volume hierarchy gives the pairs of leaves whose boxes overlap. Narrow phase: signs of signed
volumes in float64. Faces that merely touch (a shared vertex or edge, a vertex that lies in a plane) do not count.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.geometry.bvh import STACK, build_bvh, overlap
from invrender.geometry.triples import Triple, area_vector, cross, dot, minus, point
from invrender.geometry.vectors import Bools, Floats, Ints, as_arrays
from invrender.jit import body, kernel

FIRST_ROOM = 4096  # pairs; where there are more they are looked for once again, with room for all


def self_intersections(vertices: NDArray[Any], faces: NDArray[Any]) -> Ints:
    """Pairs of faces (lower, higher) [K,2] in ascending order, of which one has an edge that pierces the other.

    An edge and a face that share a vertex never count, so the folds of a closed surface are found but neighbours
    are not. On a transversal crossing of closed surfaces K equals the number of piercing (edge, face) pairs.
    Vertices are compared by index: join duplicates first (`merge_vertices`) where a file has split them.
    """
    v, f = as_arrays(vertices, faces)
    return intersections_of(v, f, np.ones(len(f), bool))


def intersections_of(vertices: Floats, faces: Ints, some: Bools) -> Ints:
    """The pairs of `self_intersections` in which at least one face is among `some` [F]."""
    if len(faces) < 2 or not some.any():
        return np.zeros((0, 2), np.int64)
    bvh = build_bvh(vertices[faces])
    ordered, chosen = faces[bvh.order], some[bvh.order]
    pairs = np.empty((FIRST_ROOM, 2), np.int64)
    while True:
        count = _pierced(vertices, ordered, bvh.boxes, chosen, pairs)
        if count <= len(pairs):
            break
        pairs = np.empty((count, 2), np.int64)
    found = np.sort(bvh.order[pairs[:count]], 1)
    return found[np.lexsort((found[:, 1], found[:, 0]))]


@kernel
def _pierced(v: Floats, f: Ints, boxes: Floats, chosen: Bools, pairs: Ints) -> int:
    """Fill `pairs` as far as there is room; how many there are. Everything is in the tree's order."""
    stack = np.zeros((3 * STACK, 2), np.int64)  # pairs of nodes of the same level, the left one first
    inner_nodes = len(boxes) // 2
    count, waiting = 0, 1
    while waiting > 0:
        waiting -= 1
        a, b = stack[waiting]
        if not overlap(boxes, a, b):
            continue
        if a < inner_nodes:
            for i in range(2 * a + 1, 2 * a + 3):
                for j in range(max(2 * b + 1, i), 2 * b + 3):
                    stack[waiting, 0], stack[waiting, 1] = i, j
                    waiting += 1
            continue
        i, j = a - inner_nodes, b - inner_nodes
        if i != j and (chosen[i] or chosen[j]) and _pierce(v, f, i, j):
            if count < len(pairs):
                pairs[count, 0], pairs[count, 1] = i, j
            count += 1
    return count


@body
def _pierce(v: Floats, f: Ints, i: int, j: int) -> bool:
    """Whether an edge of face i pierces face j or the other way round."""
    shared = 0
    for k in range(3):
        shared += f[i, k] == f[j, 0] or f[i, k] == f[j, 1] or f[i, k] == f[j, 2]
    if shared >= 2:
        return False
    over = _heights(v, f, i, j)
    if min(over) >= 0.0 or max(over) <= 0.0:
        return False
    under = _heights(v, f, j, i)
    if min(under) >= 0.0 or max(under) <= 0.0:
        return False
    return _edges_pierce(v, f, i, j, over) or _edges_pierce(v, f, j, i, under)


@body
def _heights(v: Floats, f: Ints, base: int, other: int) -> Triple:
    """Signed distances, up to scale, of the corners of face `other` from the plane of `base`; shared ones are 0."""
    a = point(v, f[base, 0])
    n = area_vector(a, point(v, f[base, 1]), point(v, f[base, 2]))
    p, q, r = f[other, 0], f[other, 1], f[other, 2]
    return _height(v, f, base, p, a, n), _height(v, f, base, q, a, n), _height(v, f, base, r, a, n)


@body
def _height(v: Floats, f: Ints, base: int, vertex: int, origin: Triple, n: Triple) -> float:
    if vertex == f[base, 0] or vertex == f[base, 1] or vertex == f[base, 2]:
        return 0.0
    return dot(minus(point(v, vertex), origin), n)


@body
def _edges_pierce(v: Floats, f: Ints, base: int, other: int, h: Triple) -> bool:
    """Whether an edge of `other`, whose corners have the heights h, passes through `base` (its border included)."""
    p, q, r = f[other, 0], f[other, 1], f[other, 2]
    return (  # a shared vertex has height 0: never
        (h[0] * h[1] < 0 and _line_meets(v, f, p, q, base))
        or (h[1] * h[2] < 0 and _line_meets(v, f, q, r, base))
        or (h[2] * h[0] < 0 and _line_meets(v, f, r, p, base))
    )


@body
def _line_meets(v: Floats, f: Ints, p: int, q: int, base: int) -> bool:
    """Whether the line through p and q passes through the face (border included), by three signed volumes."""
    origin = point(v, p)
    d = minus(point(v, q), origin)
    a, b, c = (
        minus(point(v, f[base, 0]), origin),
        minus(point(v, f[base, 1]), origin),
        minus(point(v, f[base, 2]), origin),
    )
    x, y, z = dot(d, cross(a, b)), dot(d, cross(b, c)), dot(d, cross(c, a))
    return min(x, y, z) >= 0 or max(x, y, z) <= 0
