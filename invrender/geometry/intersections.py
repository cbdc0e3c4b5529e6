"""Self-intersections of a triangle mesh: pairs of faces where an edge of one pierces the other.

Broad phase: a bounding volume hierarchy gives the pairs of faces whose boxes overlap. Narrow phase: signs of signed
volumes in float64. Faces that merely touch (a shared vertex or edge, a vertex that lies in a plane) do not count.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from invrender.geometry.bvh import LEAF, Tree, build_tree
from invrender.geometry.bvh_growth import STACK, Singles
from invrender.geometry.lanes import faces_overlapping, lowest, overlapping
from invrender.geometry.triples import Triple, area_vector, cross, dot, minus, point
from invrender.geometry.vectors import Bools, Floats, Ints, as_arrays
from invrender.jit import body, kernel

Corners: TypeAlias = Any  # three unsigned numbers

FIRST_ROOM = 4096  # pairs; where there are more they are looked for once again, with room for all


def self_intersections(vertices: NDArray[Any], faces: NDArray[Any], tree: Tree | None = None) -> Ints:
    """Pairs of faces (lower, higher) [K,2] in ascending order, of which one has an edge that pierces the other.

    An edge and a face that share a vertex never count, so the folds of a closed surface are found but neighbours
    are not. On a transversal crossing of closed surfaces K equals the number of piercing (edge, face) pairs.
    Vertices are compared by index: join duplicates first (`merge_vertices`) where a file has split them.
    `tree` is one over faces in the same places, where there is one already: they may name other vertices there.
    """
    v, f = as_arrays(vertices, faces)
    return intersections_of(v, f, np.ones(len(f), bool), tree)


def intersections_of(vertices: Floats, faces: Ints, some: Bools, tree: Tree | None = None) -> Ints:
    """The pairs of `self_intersections` in which at least one face is among `some` [F]."""
    if len(faces) < 2 or not some.any():
        return np.zeros((0, 2), np.int64)
    vertices, faces = as_arrays(vertices, faces)
    tree = tree or build_tree(vertices, faces)
    pairs = np.empty((FIRST_ROOM, 2), np.int64)
    while True:
        parts = (tree.boxes, tree.children, tree.counts, tree.leaves, tree.order)
        count = _pierced(vertices, faces, parts, some, pairs)
        if count <= len(pairs):
            break
        pairs = np.empty((count, 2), np.int64)
    found = np.sort(pairs[:count], 1)
    return found[np.lexsort((found[:, 1], found[:, 0]))]


@kernel
def _pierced(v: Floats, f: Ints, tree: Any, chosen: Bools, pairs: Ints) -> int:
    """Fill `pairs` as far as there is room; how many there are. Each leaf looks for those that it overlaps."""
    boxes, children, counts, leaves, rows = tree
    stack, count = np.empty(STACK, np.int32), 0
    asks = np.zeros(len(leaves), np.bool_)
    for row in range(len(rows)):
        asks[row // LEAF] |= chosen[rows[row]]
    for one in range(len(leaves)):
        if not asks[one]:
            continue
        b = leaves[one]
        x0, x1 = min(b[0, 0], b[0, 1], b[0, 2], b[0, 3]), max(b[3, 0], b[3, 1], b[3, 2], b[3, 3])
        y0, y1 = min(b[1, 0], b[1, 1], b[1, 2], b[1, 3]), max(b[4, 0], b[4, 1], b[4, 2], b[4, 3])
        z0, z1 = min(b[2, 0], b[2, 1], b[2, 2], b[2, 3]), max(b[5, 0], b[5, 1], b[5, 2], b[5, 3])
        stack[0], waiting = 0, 1
        while waiting > 0:
            waiting -= 1
            node = np.uint64(stack[waiting])
            mask = overlapping(boxes, node, x0, y0, z0, x1, y1, z1) & ((1 << counts[node]) - 1)
            while mask != 0:
                child = children[node, np.uint64(lowest(mask))]
                mask &= mask - 1
                if child >= 0:
                    stack[waiting] = child
                    waiting += 1
                elif ~child >= one or not asks[~child]:  # of two that ask, the first
                    count = _pierced_of(v, f, leaves, rows, chosen, one, ~child, pairs, count)
    return count


@body
def _pierced_of(
    v: Floats, f: Ints, leaves: Singles, rows: Ints, chosen: Bools, one: int, other: int, pairs: Ints, count: int
) -> int:
    """Add the pairs of faces of two leaves, or of one; how many pairs there are now."""
    for k in range(LEAF):
        i = rows[one * LEAF + k]
        if k > 0 and rows[one * LEAF + k - 1] == i:  # the last face is repeated to fill its leaf
            break
        b = leaves[one]
        mask = faces_overlapping(leaves, other, b[0, k], b[1, k], b[2, k], b[3, k], b[4, k], b[5, k])
        if one == other:
            mask &= -2 << k
        if mask == 0:
            continue
        corners = _corners(f, i)
        origin = point(v, corners[0])
        n = area_vector(origin, point(v, corners[1]), point(v, corners[2]))
        while mask != 0:
            m = lowest(mask)
            mask &= mask - 1
            j = rows[other * LEAF + m]
            if m > 0 and rows[other * LEAF + m - 1] == j:
                break
            if (chosen[i] or chosen[j]) and _pierce(v, f, i, j, corners, origin, n):
                if count < len(pairs):
                    pairs[count, 0], pairs[count, 1] = i, j
                count += 1
    return count


@body
def _corners(f: Ints, face: int) -> Corners:
    """Its vertices, as unsigned numbers: these need no test for negative ones."""
    return np.uint64(f[face, 0]), np.uint64(f[face, 1]), np.uint64(f[face, 2])


@body
def _pierce(v: Floats, f: Ints, i: int, j: int, corners: Corners, origin: Triple, n: Triple) -> bool:
    """Whether an edge of face i (its corners, the first one's place, its normal) pierces face j, or vice versa."""
    p, q, r = _corners(f, j)
    first, second, third = _among(p, corners), _among(q, corners), _among(r, corners)
    if (first & second) | (second & third) | (third & first):
        return False
    over = (
        0.0 if first else dot(minus(point(v, p), origin), n),
        0.0 if second else dot(minus(point(v, q), origin), n),
        0.0 if third else dot(minus(point(v, r), origin), n),
    )
    if min(over) >= 0.0 or max(over) <= 0.0:
        return False
    under = _heights(v, f, j, i)
    if min(under) >= 0.0 or max(under) <= 0.0:
        return False
    return _edges_pierce(v, f, i, j, over) or _edges_pierce(v, f, j, i, under)


@body
def _among(vertex: Any, corners: Corners) -> bool:
    return bool((vertex == corners[0]) | (vertex == corners[1]) | (vertex == corners[2]))


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
