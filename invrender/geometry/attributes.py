"""Attributes of vertices (colours, albedo, coordinates) carried from one mesh of a surface to another one."""

from __future__ import annotations

import numpy as np

from invrender.errors import UsageError
from invrender.geometry.closest import Surface
from invrender.geometry.vectors import Floats, Ints, area_vectors, cross, dot, norm, vertex_normals


def transferred(values: Floats, vertices: Floats, faces: Ints, to_vertices: Floats, to_faces: Ints) -> Floats:
    """Values of the vertices of another mesh of (nearly) the same surface.

    Each takes what the closest point of the given surface has, linear over its face. Normals count in what is close,
    at the length of an edge, so that the two sides of a thin sheet do not exchange values.

    Args:
        values: [V,K], attributes of the given vertices.
        vertices: [V,3].
        faces: [F,3], F > 0.
        to_vertices: [W,3].
        to_faces: [G,3].

    Returns:
        [W,K] float64; what is constant stays so to the bit.

    Raises:
        UsageError: there is not one row of values per vertex.
    """
    if len(values) != len(vertices):
        raise UsageError(f"{len(values)} rows of attributes were given for {len(vertices)} vertices", "pass one each")
    lengths = norm(vertices[faces] - vertices[faces[:, [1, 2, 0]]])
    surface = Surface(vertices, faces, normal_weight=float(np.median(lengths)))
    points, _, found = surface.closest(to_vertices, vertex_normals(to_vertices, to_faces))
    _, v, w = barycentric(points, vertices[faces[found]]).T[..., None]
    a, b, c = (np.asarray(values, np.float64)[faces[found, k]] for k in range(3))
    mixed: Floats = a + v * (b - a) + w * (c - a)  # written so that a constant stays one to the bit
    return mixed


def barycentric(points: Floats, corners: Floats) -> Floats:
    """Weights [N,3] of points [N,3] on triangles [N,3,3]; where a triangle has no area its nearest corner has all."""
    whole = area_vectors(corners.reshape(-1, 3), np.arange(3 * len(corners)).reshape(-1, 3))
    to_a, to_b, to_c = (corners[:, k] - points for k in range(3))
    pairs = ((to_b, to_c), (to_c, to_a), (to_a, to_b))
    weights = np.stack([np.maximum(dot(cross(one, other), whole), 0.0) for one, other in pairs], 1)
    sums = weights.sum(1)
    flat = sums < np.finfo(np.float64).tiny
    weights[flat] = np.eye(3)[norm(corners[flat] - points[flat, None]).argmin(1)]
    result: Floats = weights / np.where(flat, 1.0, sums)[:, None]
    return result
