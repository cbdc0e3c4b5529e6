"""The exact closest point on a triangle mesh.

Distances to triangles follow Ericson, Real-Time Collision Detection (2005), section 5.1.5.
"""

from __future__ import annotations

import numpy as np

from invrender.geometry.bvh import STACK, build_bvh, morton_codes, squared_distance
from invrender.geometry.triples import Triple, along, area_vector, cross, dot, minus, point
from invrender.geometry.vectors import Floats, Ints, area_vectors, norm, unit
from invrender.jit import body, kernel


class Surface:
    """A triangle mesh that answers closest-point queries.

    Args:
        vertices: [V,3].
        faces: [F,3], F > 0.
        normal_weight: 0 for the plain closest point. Above 0, a query carries a unit normal, and a face's normal that
            differs by dn costs like a distance of normal_weight * |dn|: the two sides of a thin sheet are kept apart.
    """

    def __init__(self, vertices: Floats, faces: Ints, normal_weight: float = 0.0) -> None:
        corners = vertices[faces]
        self._bvh = build_bvh(corners)
        self._corners = corners[self._bvh.order]
        self._normals = unit(area_vectors(vertices, faces[self._bvh.order]))
        self._weight = normal_weight

    def closest(self, points: Floats, normals: Floats | None = None) -> tuple[Floats, Floats, Ints]:
        """Closest points [K,3], distances [K] and faces [K]; `normals` [K,3] where the surface weighs normals."""
        points = np.ascontiguousarray(points, np.float64)
        weighs = self._weight > 0 and normals is not None
        directions = np.ascontiguousarray(normals, np.float64) if weighs else points
        result, row = np.empty((len(points), 3)), np.empty(len(points), np.int64)
        order, weight = np.argsort(morton_codes(points), kind="stable"), self._weight**2 * weighs
        _closest(self._bvh.boxes, self._corners, self._normals, points, directions, order, weight, result, row)
        return result, norm(points - result), self._bvh.order[row]


@kernel
def _closest(
    boxes: Floats, corners: Floats, across: Floats, points: Floats, normals: Floats, order: Ints, weight: float,
    result: Floats, row: Ints,
) -> None:  # fmt: skip
    """Fill result [K,3] and row [K], of faces in the tree's order; `weight` is that of squared differences of normals.

    Queries come in an order (`order`) in which the face of one is a good first guess for the next.
    """
    stack, distances = np.empty(STACK, np.int64), np.empty(STACK)
    inner_nodes = len(boxes) // 2
    found = 0
    for k in order:
        p, n = point(points, k), point(normals, k)
        best, foot = _cost(corners, across, found, p, n, weight)
        stack[0], distances[0], waiting = 0, 0.0, 1
        while waiting > 0:
            waiting -= 1
            node = stack[waiting]
            if distances[waiting] >= best:
                continue
            if node < inner_nodes:
                near, far = 2 * node + 1, 2 * node + 2
                d_near, d_far = squared_distance(boxes, near, p), squared_distance(boxes, far, p)
                if d_far < d_near:
                    near, far, d_near, d_far = far, near, d_far, d_near
                if d_far < best:
                    stack[waiting], distances[waiting] = far, d_far
                    waiting += 1
                if d_near < best:
                    stack[waiting], distances[waiting] = near, d_near
                    waiting += 1
                continue
            cost, q = _cost(corners, across, node - inner_nodes, p, n, weight)
            if cost < best:
                best, found, foot = cost, node - inner_nodes, q
        result[k, 0], result[k, 1], result[k, 2] = foot
        row[k] = found


@body
def _cost(corners: Floats, across: Floats, row: int, p: Triple, n: Triple, weight: float) -> tuple[float, Triple]:
    """The cost of matching p, with normal n, to a face, and the closest point there."""
    q = closest_on_triangle(p, point(corners[row], 0), point(corners[row], 1), point(corners[row], 2))
    step, dn = minus(p, q), minus(point(across, row), n)
    return dot(step, step) + weight * dot(dn, dn), q


@body
def closest_on_triangle(p: Triple, a: Triple, b: Triple, c: Triple) -> Triple:
    """The point of triangle (a, b, c) that is closest to p; a degenerate one is its edges."""
    w = area_vector(a, b, c)
    ww = dot(w, w)
    if (
        ww > 1e-300
        and dot(cross(minus(b, a), minus(p, a)), w) >= 0.0
        and dot(cross(minus(c, b), minus(p, b)), w) >= 0.0
        and dot(cross(minus(a, c), minus(p, c)), w) >= 0.0
    ):
        return along(p, -dot(minus(p, a), w) / ww, w)
    x, y, z = _on_segment(p, a, b), _on_segment(p, b, c), _on_segment(p, c, a)
    dx, dy, dz = minus(p, x), minus(p, y), minus(p, z)
    xx, yy, zz = dot(dx, dx), dot(dy, dy), dot(dz, dz)
    if xx <= yy and xx <= zz:
        return x
    return y if yy <= zz else z


@body
def _on_segment(p: Triple, a: Triple, b: Triple) -> Triple:
    """The point of the segment from a to b that is closest to p."""
    d = minus(b, a)
    t = dot(minus(p, a), d) / max(dot(d, d), 1e-300)
    return along(a, min(max(t, 0.0), 1.0), d)
