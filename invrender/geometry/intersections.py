"""Self-intersections of a triangle mesh: pairs of faces where an edge of one pierces the other.

Broad phase: spheres around the triangles, sorted into size classes, joined through k-d trees; so a mesh with triangles
of very different sizes costs no more memory than its close pairs need. Narrow phase: signs of signed volumes in
float64. Faces that merely touch (a shared vertex or edge, a vertex that lies in a plane) do not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from invrender.geometry.vectors import TINY, Bools, Floats, Ints, as_arrays, cross, dot, norm

MOST_PAIRS = 8_000_000  # close pairs held at a time
NARROW_CHUNK = 400_000


def self_intersections(vertices: NDArray[Any], faces: NDArray[Any]) -> Ints:
    """Pairs of faces (lower, higher) [K,2] in ascending order, of which one has an edge that pierces the other.

    An edge and a face that share a vertex never count, so the folds of a closed surface are found but neighbours
    are not. On a transversal crossing of closed surfaces K equals the number of piercing (edge, face) pairs.
    Vertices are compared by index: join duplicates first (`merge_vertices`) where a file has split them.
    """
    v, f = as_arrays(vertices, faces)
    return _intersections(v, f, None)


def intersections_of(vertices: Floats, faces: Ints, some: Bools) -> Ints:
    """The pairs of `self_intersections` in which at least one face is among `some` [F]."""
    return _intersections(vertices, faces, some)


def _intersections(v: Floats, f: Ints, some: Bools | None) -> Ints:
    corners = v[f]
    low, high = corners.min(1), corners.max(1)
    found = [np.zeros((0, 2), np.int64)]
    for pairs in _close_pairs(corners):
        wanted = np.ones(len(pairs), bool) if some is None else some[pairs].any(1)
        i, j = pairs.T
        for axis in range(3):
            wanted &= (low[i, axis] <= high[j, axis]) & (low[j, axis] <= high[i, axis])
        near = pairs[wanted]
        found += [_piercing(v, f, near[s : s + NARROW_CHUNK]) for s in range(0, len(near), NARROW_CHUNK)]
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


def _bounding_spheres(corners: Floats) -> tuple[Floats, Floats]:
    """Centres [F,3] and radii [F] of small enclosing spheres: about the centroid or the middle of the longest edge."""
    edges = corners[:, [1, 2, 0]] - corners
    longest = np.argmax(np.stack([dot(edges[:, k], edges[:, k]) for k in range(3)], 1), 1)
    rows = np.arange(len(corners))
    choices = []
    for centre in (corners.mean(1), corners[rows, longest] + edges[rows, longest] / 2):
        radius = np.max([norm(corners[:, k] - centre) for k in range(3)], axis=0)
        choices.append((centre, radius))
    (c0, r0), (c1, r1) = choices
    return np.where((r1 < r0)[:, None], c1, c0), np.minimum(r0, r1)


def _close_pairs(corners: Floats) -> Iterator[Ints]:
    """Pairs [K,2] of faces whose spheres may meet, each pair once, in pieces of bounded size."""
    if len(corners) < 2:
        return
    centre, radius = _bounding_spheres(corners)
    smallest = max(float(np.median(radius)) / 2, float(radius.max()) * 2.0**-30, TINY)
    level = np.ceil(np.log2(np.maximum(radius / smallest, 1.0))).astype(np.int64)
    classes = [np.flatnonzero(level == x) for x in np.unique(level)]
    trees = [cKDTree(centre[k]) for k in classes]
    for a, (small, tree) in enumerate(zip(classes, trees, strict=True)):
        reach = float(radius[small].max())
        if tree.count_neighbors(tree, 2 * reach) < 2 * MOST_PAIRS:
            pairs = tree.query_pairs(2 * reach * (1 + 1e-9), output_type="ndarray")
            yield small[np.asarray(pairs, np.int64).reshape(-1, 2)]
        else:
            for pairs in _across(tree, small, centre[small], radius[small] + reach, small):
                yield pairs[pairs[:, 0] < pairs[:, 1]]
        for large in classes[a + 1 :]:
            yield from _across(tree, small, centre[large], radius[large] + reach, large)


def _across(tree: cKDTree, members: Ints, points: Floats, reach: Floats, names: Ints) -> Iterator[Ints]:
    """Pairs (member, name) where a point lies within its reach of a member of the tree."""
    count = np.asarray(tree.query_ball_point(points, reach, return_length=True), np.int64)
    piece = (np.cumsum(count) - 1) // MOST_PAIRS
    for k in np.unique(piece[count > 0]):
        rows = np.flatnonzero((piece == k) & (count > 0))
        lists = tree.query_ball_point(points[rows], reach[rows], return_sorted=False)
        near = np.concatenate([np.asarray(x, np.int64) for x in lists])
        yield np.stack([members[near], np.repeat(names[rows], [len(x) for x in lists])], 1)


def _piercing(v: Floats, f: Ints, pairs: Ints) -> Ints:
    """The pairs [K,2] of which one face has an edge that pierces the other."""
    a, b = f[pairs[:, 0]], f[pairs[:, 1]]
    pairs = pairs[(a[:, :, None] == b[:, None, :]).sum((1, 2)) < 2]
    for first, second in ((0, 1), (1, 0)):  # drop pairs that a plane separates
        height = _heights(v, f[pairs[:, first]], f[pairs[:, second]])
        pairs = pairs[(height.min(1) < 0) & (height.max(1) > 0)]
    hit = np.zeros(len(pairs), bool)
    for first, second in ((0, 1), (1, 0)):
        a, b = f[pairs[:, first]], f[pairs[:, second]]
        height = _heights(v, a, b)
        for k in range(3):
            p, q = b[:, k], b[:, (k + 1) % 3]
            through = height[:, k] * height[:, (k + 1) % 3] < 0  # a shared vertex has height 0: never
            rows = np.flatnonzero(through & ~hit)
            hit[rows] = _line_meets(v, p[rows], q[rows], a[rows])
    return pairs[hit]


def _heights(v: Floats, base: Ints, other: Ints) -> Floats:
    """Signed distances, up to scale, of the vertices of `other` from the planes of `base`; [K,3]. Shared ones are 0."""
    origin = v[base[:, 0]]
    n = cross(v[base[:, 1]] - origin, v[base[:, 2]] - origin)
    height = np.stack([dot(v[other[:, k]] - origin, n) for k in range(3)], 1)
    height[(other[:, :, None] == base[:, None, :]).any(2)] = 0.0
    return height


def _line_meets(v: Floats, p: Ints, q: Ints, face: Ints) -> Bools:
    """Whether the line through p and q passes through the face (border included), by three signed volumes."""
    d = v[q] - v[p]
    r = [v[face[:, k]] - v[p] for k in range(3)]
    s = np.stack([dot(d, cross(r[k], r[(k + 1) % 3])) for k in range(3)], 1)
    return np.asarray((s.min(1) >= 0) | (s.max(1) <= 0))
