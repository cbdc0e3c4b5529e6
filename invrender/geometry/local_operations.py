"""The three topological operations of remeshing.

Split uses conforming templates, so that all long edges split together. Collapse and flip are compiled and go from edge
to edge, each of them checked on the mesh as the ones before have left it. An operation that would fold the surface,
pinch it or change its topology is left out.
"""

from __future__ import annotations

import math

import numpy as np

from invrender.geometry.half_edges import (
    apex_of,
    are_neighbours,
    following,
    half_edges,
    head_of,
    join,
    next_around,
    reference_normal,
    shape_of,
    tail_of,
)
from invrender.geometry.triples import Triple, along, area_vector, dot, minus, point, shape
from invrender.geometry.vectors import Floats, Ints, norm
from invrender.jit import body, kernel

SPLIT_ABOVE, COLLAPSE_BELOW = 4 / 3, 4 / 5  # times the target length (Botsch & Kobbelt 2004)
COLLAPSE_COSINE = 0.5  # no face normal may rotate by more than 60 degrees
FLIP_COSINE = 0.75  # creases sharper than about 40 degrees keep their edges
COST_STEPS = 1
LOWEST_QUALITY = 0.1  # no operation makes a face worse than this, unless it was
MOST_NEIGHBOURS = 10


def split_long(vertices: Floats, lengths: Floats, faces: Ints, passes: int = 8) -> tuple[Floats, Floats, Ints]:
    """Split edges longer than 4/3 of the target at their midpoints until none is left (or `passes` are over).

    Args:
        vertices: [V,3].
        lengths: [V] target edge length at each vertex; an edge's target is the mean of its ends.
        faces: [F,3].
    """
    for _ in range(passes):
        long = relative_lengths(vertices, lengths, faces) > SPLIT_ABOVE
        if not long.any():
            break
        twin = half_edges(faces, len(vertices)).twin
        half = np.flatnonzero(long & (np.arange(len(twin)) < twin))
        a, b = faces.ravel()[half], faces[:, [1, 2, 0]].ravel()[half]
        middle = np.full(faces.size, -1)
        middle[half] = middle[twin[half]] = len(vertices) + np.arange(len(half))
        vertices = np.concatenate([vertices, (vertices[a] + vertices[b]) / 2])
        lengths = np.concatenate([lengths, (lengths[a] + lengths[b]) / 2])
        faces = _subdivide(vertices, faces, middle.reshape(-1, 3))
    return vertices, lengths, faces


def relative_lengths(vertices: Floats, lengths: Floats, faces: Ints) -> Floats:
    """Length over target of each half-edge, [3F]."""
    a, b = faces.ravel(), faces[:, [1, 2, 0]].ravel()
    step = np.take(vertices, b, axis=0) - np.take(vertices, a, axis=0)
    return 2 * norm(step) / (lengths[a] + lengths[b])


def _subdivide(vertices: Floats, faces: Ints, middle: Ints) -> Ints:
    """Faces replaced by their pieces; `middle` [F,3] is the new vertex on edge corner -> corner + 1, or -1."""
    count = (middle >= 0).sum(1)
    first = np.where(count == 2, (np.argmin(middle, 1) + 1) % 3, np.argmax(middle >= 0, 1))
    rotation = (first[:, None] + np.arange(3)) % 3  # so that one split edge comes first, two come first and second
    f, m = np.take_along_axis(faces, rotation, 1), np.take_along_axis(middle, rotation, 1)
    pieces = [faces[count == 0]]
    (a, b, c), (x, _, _) = f[count == 1].T, m[count == 1].T
    pieces += [np.stack(t, 1) for t in ((a, x, c), (x, b, c))]
    (a, b, c), (x, y, _) = f[count == 2].T, m[count == 2].T
    pieces.append(np.stack([x, b, y], 1))
    other = norm(vertices[a] - vertices[y]) > norm(vertices[x] - vertices[c])  # the shorter diagonal of a, x, y, c
    pieces.append(np.where(other[:, None], np.stack([a, x, c], 1), np.stack([a, x, y], 1)))
    pieces.append(np.where(other[:, None], np.stack([x, y, c], 1), np.stack([a, y, c], 1)))
    (a, b, c), (x, y, z) = f[count == 3].T, m[count == 3].T
    pieces += [np.stack(t, 1) for t in ((a, x, z), (x, b, y), (z, y, c), (x, y, z))]
    return np.concatenate(pieces)


def collapse_short(vertices: Floats, lengths: Floats, faces: Ints, passes: int = 10) -> tuple[Floats, Ints]:
    """Collapse edges shorter than 4/5 of the target where that is safe: into their midpoints, else into an end.

    Vertices that go stay in the array, unused. Returns (vertices, faces).
    """
    cost = relative_lengths(vertices, lengths, faces)
    if not (cost < COLLAPSE_BELOW).any():
        return vertices, faces
    vertices, faces = vertices.copy(), faces.copy()
    mesh = half_edges(faces, len(vertices))
    short = np.flatnonzero((cost < COLLAPSE_BELOW) & (np.arange(len(cost)) < mesh.twin))
    # The shortest first, equals in random (but repeatable) order: in that of their index they would go in rows.
    rank = np.round(cost[short] * COST_STEPS) + np.random.default_rng(0).random(len(short))
    order = short[np.argsort(rank)]
    _collapse(vertices, lengths, faces, mesh.twin, mesh.leaving, mesh.valence, order, passes)
    return vertices, faces[faces[:, 0] >= 0]


@kernel
def _collapse(
    v: Floats, lengths: Floats, faces: Ints, twin: Ints, leaving: Ints, valence: Ints, order: Ints, passes: int
) -> None:
    """Collapse the given half-edges where that is safe. Faces that go become -1.

    In one pass a vertex takes in one neighbour only, so that no vertex drifts far.
    """
    grown = np.zeros(len(v), np.int64)  # the pass in which a vertex has taken in another one
    for n in range(1, passes + 1):
        count = 0
        for h in order:
            a, b = tail_of(faces, h), head_of(faces, h)
            if a < 0 or grown[a] == n or grown[b] == n:
                continue
            if _collapse_one(v, lengths, faces, twin, leaving, valence, h):
                grown[a] = n
                count += 1
        if count == 0:
            break


@body
def _collapse_one(v: Floats, lengths: Floats, faces: Ints, twin: Ints, leaving: Ints, valence: Ints, h: int) -> bool:
    """Collapse h if it is short and that is safe; whether it was done."""
    a, b, c, d = tail_of(faces, h), head_of(faces, h), apex_of(faces, h), apex_of(faces, twin[h])
    pa, pb, target = point(v, a), point(v, b), (lengths[a] + lengths[b]) / 2
    step = minus(pa, pb)
    if dot(step, step) >= (COLLAPSE_BELOW * target) ** 2:
        return False
    if valence[c] < 4 or valence[d] < 4 or valence[a] + valence[b] - 4 > MOST_NEIGHBOURS:
        return False
    if _common_neighbours(faces, twin, leaving, a, b) != 2:  # the link condition (Dey et al. 1999)
        return False
    longest = SPLIT_ABOVE * target
    for t in (0.5, 0.0, 1.0):  # an end where the middle would fold what is around
        position = along(pa, -t, step)
        if _fits(v, faces, twin, leaving, a, b, position, longest) and _fits(
            v, faces, twin, leaving, b, a, position, longest
        ):
            _merge(faces, twin, leaving, valence, h)
            v[a, 0], v[a, 1], v[a, 2] = position
            return True
    return False


@body
def _common_neighbours(faces: Ints, twin: Ints, leaving: Ints, a: int, b: int) -> int:
    """How many vertices are neighbours of both a and b."""
    count, at = 0, leaving[a]
    while True:
        count += are_neighbours(faces, twin, leaving, b, head_of(faces, at))
        at = next_around(twin, at)
        if at == leaving[a]:
            return count


@body
def _fits(
    v: Floats, faces: Ints, twin: Ints, leaving: Ints, a: int, b: int, position: Triple, longest: float
) -> bool:  # fmt: skip
    """Whether the faces of a without b stay unfolded, well shaped and of fitting size when a moves to a position."""
    at = leaving[a]
    while True:
        if head_of(faces, at) != b and apex_of(faces, at) != b:
            p, q = point(v, head_of(faces, at)), point(v, apex_of(faces, at))
            spoke = minus(p, position)
            if dot(spoke, spoke) > longest * longest:
                return False
            w = area_vector(position, p, q)
            normal = reference_normal(v, faces, twin, leaving, at // 3)
            if dot(normal, w) < COLLAPSE_COSINE * math.sqrt(dot(w, w)):
                return False
            quality = shape(position, p, q)
            if quality < LOWEST_QUALITY and quality < shape_of(v, faces, at // 3):
                return False
        at = next_around(twin, at)
        if at == leaving[a]:
            return True


@body
def _merge(faces: Ints, twin: Ints, leaving: Ints, valence: Ints, h: int) -> None:
    """Remove the head of h with the two faces at h; its other faces go to the tail."""
    g = twin[h]
    a, b, c, d = tail_of(faces, h), head_of(faces, h), apex_of(faces, h), apex_of(faces, g)
    at = g
    while True:
        faces[at // 3, at % 3] = a
        at = next_around(twin, at)
        if at == g:
            break
    for half in (h, g):
        x, y = twin[following(half)], twin[following(following(half))]
        join(twin, x, y)
        leaving[tail_of(faces, x)] = x
        leaving[tail_of(faces, y)] = y
        faces[half // 3, :] = -1
    leaving[b] = -1
    valence[a] += valence[b] - 4
    valence[c] -= 1
    valence[d] -= 1


def flip_edges(vertices: Floats, faces: Ints, passes: int = 12) -> Ints:
    """Flip edges where that brings valences closer to 6 and the surface is smooth enough there."""
    faces = faces.copy()
    mesh = half_edges(faces, len(vertices))
    _flip(vertices, faces, mesh.twin, mesh.leaving, mesh.valence, passes)
    return faces


@kernel
def _flip(v: Floats, faces: Ints, twin: Ints, leaving: Ints, valence: Ints, passes: int) -> None:
    """Sweep over all edges until none flips."""
    for _ in range(passes):
        count = 0
        for h in range(3 * len(faces)):
            a, b, c, d = tail_of(faces, h), head_of(faces, h), apex_of(faces, h), apex_of(faces, twin[h])
            # The sum of (valence - 6)^2 has to fall.
            if valence[a] + valence[b] - valence[c] - valence[d] <= 2 or min(valence[a], valence[b]) <= 3:
                continue
            if are_neighbours(faces, twin, leaving, c, d) or not _flip_fits(v, faces, twin, leaving, h):
                continue
            _flip_edge(faces, twin, leaving, h)
            valence[a] -= 1
            valence[b] -= 1
            valence[c] += 1
            valence[d] += 1
            count += 1
        if count == 0:
            break


@body
def _flip_fits(v: Floats, faces: Ints, twin: Ints, leaving: Ints, h: int) -> bool:
    """Whether the edge of h can flip: nearly flat there, no fold afterwards, no bad triangle."""
    f, g = h // 3, twin[h] // 3
    n0, n1 = reference_normal(v, faces, twin, leaving, f), reference_normal(v, faces, twin, leaving, g)
    if dot(n0, n1) <= FLIP_COSINE:
        return False
    a, b = point(v, tail_of(faces, h)), point(v, head_of(faces, h))
    c, d = point(v, apex_of(faces, h)), point(v, apex_of(faces, twin[h]))
    for w in (area_vector(a, d, c), area_vector(d, b, c)):
        if min(dot(w, n0), dot(w, n1)) <= FLIP_COSINE * math.sqrt(dot(w, w)):
            return False
    old = min(shape_of(v, faces, f), shape_of(v, faces, g))
    return min(shape(a, d, c), shape(d, b, c)) >= min(old, 4 * LOWEST_QUALITY)


@body
def _flip_edge(faces: Ints, twin: Ints, leaving: Ints, h: int) -> None:
    """Replace the edge a-b of h by the one between the apexes c and d of its faces."""
    t = twin[h]
    f, g = h // 3, t // 3
    a, b, c, d = tail_of(faces, h), head_of(faces, h), apex_of(faces, h), apex_of(faces, t)
    bc, ca = twin[following(h)], twin[following(following(h))]
    ad, db = twin[following(t)], twin[following(following(t))]
    faces[f, 0], faces[f, 1], faces[f, 2] = a, d, c
    faces[g, 0], faces[g, 1], faces[g, 2] = d, b, c
    join(twin, 3 * f, ad)
    join(twin, 3 * f + 1, 3 * g + 2)
    join(twin, 3 * f + 2, ca)
    join(twin, 3 * g, db)
    join(twin, 3 * g + 1, bc)
    leaving[a], leaving[b], leaving[c], leaving[d] = 3 * f, 3 * g + 1, 3 * g + 2, 3 * g
