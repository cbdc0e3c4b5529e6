"""What a large mesh is like, each in one pass of a compiled kernel: areas, volume, joined vertices, topology.

`connectivity.py` answers more, and the same, without compilation; this is for meshes of up to millions of faces, and
for soups of any kind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from invrender.geometry.triples import area_vector, cross, dot, minus, point
from invrender.geometry.vectors import Floats, Ints
from invrender.jit import body, kernel

FEW = 48  # entries that sorting by insertion is the fastest for


@dataclass(frozen=True)
class Facts:
    """Of any triangle soup, its vertices compared by index.

    Attributes:
        watertight: every edge has exactly two faces, whatever their winding.
        components: connected parts; faces meet through vertices.
        euler: V - E + F over the vertices that are used.
    """

    watertight: bool
    components: int
    euler: int

    @property
    def genus(self) -> float | None:
        """The sum of the components' genera (handles), or None for a mesh with a boundary."""
        return self.components - self.euler / 2 if self.watertight else None


def facts_of(faces: Ints) -> Facts:
    """The topology of faces [F,3]."""
    if not len(faces):
        return Facts(False, 0, 0)
    faces = np.ascontiguousarray(faces, np.int64)
    edges, tight, parts, used = _topology(faces, int(faces.max()) + 1)
    return Facts(bool(tight), int(parts), int(used - edges + len(faces)))


def areas_and_volume(vertices: Floats, faces: Ints) -> tuple[Floats, float]:
    """Twice the area of each face [F] (0 where a corner is not finite), and the volume enclosed, as its sign tells.

    The volume is positive where faces are counter-clockwise seen from outside.
    """
    areas = np.empty(len(faces))
    vertices, faces = np.ascontiguousarray(vertices, np.float64), np.ascontiguousarray(faces, np.int64)
    return areas, float(_areas(vertices, faces, areas))


def joined(vertices: Floats, faces: Ints, tolerance: float) -> Ints:
    """Faces [F',3] with vertices at the same position joined; those that collapse are dropped.

    Positions are compared after rounding to multiples of the tolerance, in world units. Vertices that no face uses keep
    their numbers.
    """
    places = np.round(vertices / tolerance) + 0.0 if tolerance > 0 else vertices + 0.0  # + 0.0 turns -0 into 0
    room = 1 << max(2 * len(places), 2).bit_length()
    label = np.empty(len(places), np.int64)
    _join(np.ascontiguousarray(places).view(np.int64), np.full(room, -1, np.int32), label)
    out = np.empty((len(faces), 3), np.int64)
    return out[: _relabelled(np.ascontiguousarray(faces, np.int64), label, out)]


@kernel
def _areas(v: Floats, f: Ints, areas: Floats) -> float:
    origin, volume, begun = (0.0, 0.0, 0.0), 0.0, False
    for face in range(len(f)):
        a, b, c = point(v, f[face, 0]), point(v, f[face, 1]), point(v, f[face, 2])
        n = area_vector(a, b, c)
        area = np.sqrt(dot(n, n))
        if not area < np.inf:
            areas[face] = 0.0
            continue
        areas[face] = area
        if not begun:
            origin, begun = a, True
        volume += dot(minus(a, origin), cross(minus(b, origin), minus(c, origin))) / 6
    return volume


@kernel
def _join(places: Ints, table: NDArray[np.int32], label: Ints) -> None:
    """The first vertex at the place of each; `table` has twice as many slots at least, all -1, a power of two."""
    last = len(table) - 1
    for k in range(len(places)):
        x, y, z = np.uint64(places[k, 0]), np.uint64(places[k, 1]), np.uint64(places[k, 2])
        key = x * np.uint64(0x9E3779B97F4A7C15) ^ y * np.uint64(0xC2B2AE3D27D4EB4F) ^ z * np.uint64(0x165667B19E3779F9)
        key = (key ^ (key >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
        slot = np.int64(key >> np.uint64(32)) & last
        while True:
            other = table[slot]
            if other < 0:
                table[slot] = label[k] = k
                break
            if (
                places[other, 0] == places[k, 0]
                and places[other, 1] == places[k, 1]
                and places[other, 2] == places[k, 2]
            ):
                label[k] = other
                break
            slot = (slot + 1) & last


@kernel
def _relabelled(f: Ints, label: Ints, out: Ints) -> int:
    count = 0
    for face in range(len(f)):
        a, b, c = label[f[face, 0]], label[f[face, 1]], label[f[face, 2]]
        if (a != b) & (b != c) & (c != a):
            out[count, 0], out[count, 1], out[count, 2] = a, b, c
            count += 1
    return count


@body
def _unite(parent: NDArray[np.int32], a: int, b: int) -> int:
    """Join the sets of two vertices; how many sets that makes less."""
    while parent[a] != a:
        parent[a] = parent[parent[a]]
        a = parent[a]
    while parent[b] != b:
        parent[b] = parent[parent[b]]
        b = parent[b]
    if a == b:
        return 0
    parent[max(a, b)] = min(a, b)
    return 1


@body
def _sort(row: NDArray[np.int32]) -> None:
    if len(row) > FEW:
        row.sort()
        return
    for k in range(1, len(row)):
        value, m = row[k], k
        while m > 0 and row[m - 1] > value:
            row[m] = row[m - 1]
            m -= 1
        row[m] = value


@kernel
def _topology(f: Ints, vertices: int) -> tuple[int, bool, int, int]:
    """(edges, watertight, components, used vertices). Edges are sorted into the rows of their lower vertices."""
    start = np.zeros(vertices + 1, np.int64)
    parent = np.full(vertices, -1, np.int32)  # of the sets of connected vertices; -1: not used
    for face in range(len(f)):
        for k in range(3):
            a, b = f[face, k], f[face, (k + 1) % 3]
            start[min(a, b) + 1] += 1
            parent[a] = a
    for vertex in range(vertices):
        start[vertex + 1] += start[vertex]
    upper, at = np.empty(3 * len(f), np.int32), start[:-1].copy()
    used = components = 0
    for vertex in range(vertices):
        used += parent[vertex] >= 0
    components = used
    for face in range(len(f)):
        for k in range(3):
            a, b = f[face, k], f[face, (k + 1) % 3]
            low = min(a, b)
            upper[at[low]] = max(a, b)
            at[low] += 1
            if k < 2:
                components -= _unite(parent, a, b)
    edges, tight = 0, True
    for vertex in range(vertices):
        row = upper[start[vertex] : start[vertex + 1]]
        _sort(row)
        begin = 0
        for k in range(1, len(row) + 1):
            if k == len(row) or row[k] != row[begin]:
                edges += 1
                tight &= k - begin == 2
                begin = k
    return edges, tight, components, used
