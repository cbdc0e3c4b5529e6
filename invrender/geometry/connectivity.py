"""Connectivity of triangle meshes: edges and their faces, components, genus, watertightness.

Array operations but for `groups`, so that inspecting a mesh starts at once; remeshing uses half_edges.py. The edge
table is built by one sort of packed integers: (lower vertex, upper vertex, half-edge) in a single int64, which sorts
several times faster than an argsort.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from invrender.errors import InputError
from invrender.geometry.groups import groups
from invrender.geometry.vectors import Bools, Floats, Ints, cross, dot


@dataclass(frozen=True)
class EdgeTable:
    """The E edges of a closed, consistently wound manifold mesh.

    Attributes:
        vertices: [E,2] vertex indices, lower first; rows in ascending order.
        faces: [E,2]; column 0 is the face that runs lower -> upper, column 1 the one that runs back.
        opposite: [E,2] the third vertex of each of those faces.
        half_edges: [E,2] as corner * F + face: edge `corner -> corner + 1` of `face`.
    """

    vertices: Ints
    faces: Ints
    opposite: Ints
    half_edges: Ints


def _sorted_half_edges(faces: Ints, n_vertices: int) -> tuple[Ints, Ints]:
    """(edge key, half-edge) of all 3F half-edges in ascending order of the key lower * V + upper."""
    a, b = faces.T.ravel(), faces[:, [1, 2, 0]].T.ravel()
    key = np.minimum(a, b) * n_vertices + np.maximum(a, b)
    bits = int(max(len(key), 2) - 1).bit_length()
    if int(n_vertices * n_vertices).bit_length() + bits < 63:
        packed = (key << bits) | np.arange(len(key))
        packed.sort()
        return packed >> bits, packed & ((1 << bits) - 1)
    order = np.argsort(key, kind="stable")
    return key[order], order


def edge_table(faces: Ints, n_vertices: int) -> EdgeTable:
    """The edge table of [F,3] faces.

    Raises:
        InputError: an edge does not have exactly two faces that run it in opposite directions.
    """
    key, half = _sorted_half_edges(faces, n_vertices)
    count = len(faces)
    even, odd = half[0::2], half[1::2]
    closed = (
        len(key) > 0 and len(key) % 2 == 0 and bool((key[0::2] == key[1::2]).all() and (key[1:-1:2] != key[2::2]).all())
    )
    source = faces.T.ravel()
    lower, upper = np.divmod(key[0::2], n_vertices)
    if not closed or bool((source[even] == source[odd]).any()) or bool((lower == upper).any()):
        raise InputError(
            "the mesh is not a closed manifold: some edge does not have exactly two faces of consistent winding",
            "close the mesh first, or start from the visual hull (--init hull)",
        )
    forward = source[even] == lower
    first, second = np.where(forward, even, odd), np.where(forward, odd, even)
    third = faces[:, [2, 0, 1]].T.ravel()
    return EdgeTable(
        np.stack([lower, upper], 1),
        np.stack([first % count, second % count], 1),
        np.stack([third[first], third[second]], 1),
        np.stack([first, second], 1),
    )


def unique_edges(faces: Ints) -> Ints:
    """The undirected edges [E,2] of any triangle soup, lower vertex first, without repeats."""
    if not len(faces):
        return np.zeros((0, 2), np.int64)
    n = int(faces.max()) + 1
    a, b = faces.T.ravel(), faces[:, [1, 2, 0]].T.ravel()
    key = np.unique(np.minimum(a, b) * n + np.maximum(a, b))
    return np.stack(np.divmod(key, n), 1)


def edge_face_counts(faces: Ints) -> Ints:
    """How many faces meet at each undirected edge, [E], in the order of `unique_edges`."""
    if not len(faces):
        return np.zeros(0, np.int64)
    key, _ = _sorted_half_edges(faces, int(faces.max()) + 1)
    return np.unique(key, return_counts=True)[1].astype(np.int64)


def is_watertight(faces: Ints) -> bool:
    """Whether every edge has exactly two faces (whatever their winding)."""
    return len(faces) > 0 and bool((edge_face_counts(faces) == 2).all())


def is_closed_manifold(faces: Ints) -> bool:
    """Whether every edge has two faces of opposite winding and every vertex one fan of faces."""
    if not len(faces):
        return False
    try:
        edge_table(faces, int(faces.max()) + 1)
    except InputError:
        return False
    return bool(len(np.unique(faces)) == corner_fans(faces).max() + 1)


def corner_fans(faces: Ints) -> Ints:
    """The fan that each of the 3F corners belongs to, [3F] (corner-major: corner * F + face).

    Corners at one vertex belong to one fan if a path across shared edges around the vertex connects them. A mesh with
    more fans than used vertices has vertices at which sheets merely touch.
    """
    count = len(faces)
    key, half = _sorted_half_edges(faces, int(faces.max()) + 1)
    same = np.flatnonzero(key[1:] == key[:-1])
    h, g = half[same], half[same + 1]
    vertex = faces.T.ravel()

    def after(x: Ints) -> Ints:  # the corner at the far end of half-edge x
        return (x + count) % (3 * count)

    straight = vertex[h] == vertex[g]  # inconsistent winding: tails meet tails
    a = np.concatenate([h, after(h)])
    b = np.concatenate([np.where(straight, g, after(g)), np.where(straight, after(g), g)])
    return groups(a, b, 3 * count)


def split_fans(vertices: Floats, faces: Ints) -> tuple[Floats, Ints]:
    """The mesh with touching vertices split, so that every vertex has one fan of faces; positions are unchanged."""
    fan = corner_fans(faces)
    _, first, inverse = np.unique(fan, return_index=True, return_inverse=True)
    order = np.argsort(faces.T.ravel()[first], kind="stable")  # keep the vertex order of the input
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return vertices[faces.T.ravel()[first[order]]], rank[inverse].reshape(3, -1).T.copy()


def components(faces: Ints) -> Ints:
    """The component of each face [F], numbered from 0 in order of first appearance; faces meet through vertices."""
    if not len(faces):
        return np.zeros(0, np.int64)
    n = int(faces.max()) + 1
    a, b = faces[:, [0, 1]].T.ravel(), faces[:, [1, 2]].T.ravel()
    label = groups(a, b, n)[faces[:, 0]]
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[inverse], np.int64)


def euler_characteristic(faces: Ints) -> int:
    """V - E + F over the vertices that are used."""
    return len(np.unique(faces)) - len(unique_edges(faces)) + len(faces)


def genus(faces: Ints) -> float | None:
    """The sum of the components' genera (handles), or None for a mesh with boundary.

    Half-integers can occur only where the mesh is not an orientable manifold.
    """
    if not is_watertight(faces):
        return None
    return float(components(faces).max() + 1) - euler_characteristic(faces) / 2


def signed_volume(vertices: Floats, faces: Ints) -> float:
    """The volume enclosed, positive where the winding is counter-clockwise seen from outside."""
    origin = vertices[faces].reshape(-1, 3).mean(0) if len(faces) else np.zeros(3)
    a, b, c = (vertices[faces[:, k]] - origin for k in range(3))
    return float(dot(a, cross(b, c)).sum() / 6)


def orient_outward(vertices: Floats, faces: Ints) -> Ints:
    """Faces of a closed mesh, all reversed if its volume is negative."""
    return faces[:, ::-1].copy() if signed_volume(vertices, faces) < 0 else faces


def drop_unused(vertices: Floats, faces: Ints) -> tuple[Floats, Ints]:
    """The mesh without the vertices that no face uses; the order is kept."""
    used = np.zeros(len(vertices), bool)
    used[faces.ravel()] = True
    return vertices[used], (np.cumsum(used) - 1)[faces]


def merge_vertices(vertices: Floats, faces: Ints, tolerance: float = 0.0) -> tuple[Floats, Ints]:
    """The mesh with vertices at the same position joined, collapsed faces dropped and unused vertices dropped.

    `tolerance` is in world units; 0 joins exactly equal positions only. Positions are compared after rounding to
    multiples of the tolerance.
    """
    used_v, f = drop_unused(vertices, faces)
    rounded = np.round(used_v / tolerance) if tolerance > 0 else used_v + 0.0  # + 0.0 turns -0 into 0
    _, first, inverse = np.unique(rounded, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    joined = rank[inverse.ravel()][f]
    return used_v[first[order]], joined[~collapsed(joined)]


def collapsed(faces: Ints) -> Bools:
    """Which faces name a vertex twice, [F]."""
    return np.asarray((faces[:, 0] == faces[:, 1]) | (faces[:, 1] == faces[:, 2]) | (faces[:, 2] == faces[:, 0]))


def largest_component(vertices: Floats, faces: Ints) -> tuple[Floats, Ints]:
    """The component with the largest enclosed volume (in magnitude), by itself."""
    label = components(faces)
    origin = vertices.mean(0)
    a, b, c = (vertices[faces[:, k]] - origin for k in range(3))
    volume = np.abs(np.bincount(label, dot(a, cross(b, c))))
    return drop_unused(vertices, faces[label == int(volume.argmax())])
