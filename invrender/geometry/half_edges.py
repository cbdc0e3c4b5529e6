"""Half-edges of a closed triangle mesh, for compiled kernels that change it one edge at a time.

Half-edge 3 f + k of face f runs from its corner k to the next one. Each has a twin in the face across the edge, which
runs the other way; from one half-edge that leaves a vertex, twins lead around that vertex.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from invrender.errors import InputError
from invrender.geometry.triples import Triple, area_vector, normalized, point, shape
from invrender.geometry.vectors import Floats, Ints
from invrender.jit import body, kernel

SLIVER = 0.02  # below this shape quality a face's own normal is noise
MOST_AROUND = 32  # faces that give a vertex its normal: a fan of thousands would cost their square


@dataclass(frozen=True)
class HalfEdges:
    """Connectivity of a closed manifold mesh.

    Attributes:
        twin: [3F] the half-edge across from each.
        leaving: [V] a half-edge that leaves each vertex; -1 for a vertex that no face uses.
        valence: [V] faces around each vertex.
        is_manifold: whether each vertex has one fan of faces; else sheets touch at some.
    """

    twin: Ints
    leaving: Ints
    valence: Ints
    is_manifold: bool


def half_edges(faces: Ints, n_vertices: int) -> HalfEdges:
    """Connectivity of [F,3] faces.

    Raises:
        InputError: an edge does not have exactly two faces that run it in opposite directions.
    """
    twin, leaving = np.empty(faces.size, np.int64), np.full(n_vertices, -1)
    valence = np.bincount(faces.ravel(), minlength=n_vertices)
    fans = _link(faces, valence, twin, leaving) if len(faces) else -1
    if fans < 0:
        raise InputError(
            "the mesh is not a closed manifold: some edge does not have exactly two faces of consistent winding",
            "close the mesh first, or start from the visual hull (--init hull)",
        )
    return HalfEdges(twin, leaving, valence, fans == 1)


@kernel
def _link(faces: Ints, valence: Ints, twin: Ints, leaving: Ints) -> int:
    """Fill twin [3F] and leaving [V]; 1 if every vertex has one fan, 0 if not, -1 if an edge is not closed."""
    # Each half-edge is listed at that end of its edge which has fewer faces, so that lists are short; its key there is
    # 2 * other end + direction.
    first, after = np.full(len(leaving), -1), np.empty(3 * len(faces), np.int64)
    owner, key = np.empty_like(after), np.empty_like(after)
    for f in range(len(faces)):
        for k in range(3):
            h, a, b = 3 * f + k, faces[f, k], faces[f, (k + 1) % 3]
            back = valence[b] < valence[a] or (valence[b] == valence[a] and b < a)
            owner[h], key[h] = (b, 2 * a + 1) if back else (a, 2 * b)
            after[h], first[owner[h]] = first[owner[h]], h
            leaving[a] = h
    for h in range(len(key)):
        same = across = 0
        at = first[owner[h]]
        while at >= 0:
            same += key[at] == key[h]
            if key[at] == key[h] ^ 1:
                twin[h] = at
                across += 1
            at = after[at]
        if same != 1 or across != 1 or owner[h] == key[h] // 2:
            return -1
    for v in range(len(leaving)):
        if leaving[v] >= 0:
            at, seen = leaving[v], 0
            while seen == 0 or at != leaving[v]:
                at, seen = next_around(twin, at), seen + 1
            if seen != valence[v]:
                return 0
    return 1


@body
def following(h: int) -> int:
    """The next half-edge of the same face."""
    return h + 1 if h % 3 < 2 else h - 2


@body
def tail_of(faces: Ints, h: int) -> int:
    """The vertex where h begins."""
    return int(faces[h // 3, h % 3])


@body
def head_of(faces: Ints, h: int) -> int:
    """The vertex where h ends."""
    return int(faces[h // 3, (h + 1) % 3])


@body
def apex_of(faces: Ints, h: int) -> int:
    """The third vertex of the face of h."""
    return int(faces[h // 3, (h + 2) % 3])


@body
def next_around(twin: Ints, h: int) -> int:
    """The next half-edge around the vertex that h leaves."""
    return int(twin[following(following(h))])


@body
def join(twin: Ints, h: int, g: int) -> None:
    """Make twins of two half-edges."""
    twin[h], twin[g] = g, h


@body
def are_neighbours(faces: Ints, twin: Ints, leaving: Ints, a: int, b: int) -> bool:
    """Whether an edge joins a and b."""
    at = leaving[a]
    while True:
        if head_of(faces, at) == b:
            return True
        at = next_around(twin, at)
        if at == leaving[a]:
            return False


@body
def area_of(v: Floats, faces: Ints, f: int) -> Triple:
    """The area vector of face f."""
    return area_vector(point(v, faces[f, 0]), point(v, faces[f, 1]), point(v, faces[f, 2]))


@body
def shape_of(v: Floats, faces: Ints, f: int) -> float:
    """The shape quality of face f."""
    return shape(point(v, faces[f, 0]), point(v, faces[f, 1]), point(v, faces[f, 2]))


@body
def normal_around(v: Floats, faces: Ints, twin: Ints, leaving: Ints, a: int) -> Triple:
    """The area-weighted unit normal of vertex a."""
    x = y = z = 0.0
    at = leaving[a]
    for _ in range(MOST_AROUND):
        w = area_of(v, faces, at // 3)
        x, y, z = x + w[0], y + w[1], z + w[2]
        at = next_around(twin, at)
        if at == leaving[a]:
            break
    return normalized((x, y, z))


@body
def reference_normal(v: Floats, faces: Ints, twin: Ints, leaving: Ints, f: int) -> Triple:
    """The unit normal of face f; that of a sliver, whose own is noise, is the mean of its vertices' normals."""
    if shape_of(v, faces, f) >= SLIVER:
        return normalized(area_of(v, faces, f))
    p = normal_around(v, faces, twin, leaving, faces[f, 0])
    q = normal_around(v, faces, twin, leaving, faces[f, 1])
    r = normal_around(v, faces, twin, leaving, faces[f, 2])
    return normalized((p[0] + q[0] + r[0], p[1] + q[1] + r[1], p[2] + q[2] + r[2]))
