"""The exact closest point on a triangle mesh.

Boxes in float32 decide which faces are looked at, with a margin for their rounding; distances to faces are float64.
Distances to triangles follow Ericson, Real-Time Collision Detection (2005), section 5.1.5.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from invrender.geometry.bvh import LEAF, Tree, along_a_curve, build_tree
from invrender.geometry.bvh_growth import F32, STACK, WIDE, Singles
from invrender.geometry.lanes import faces_within, lowest, within
from invrender.geometry.triples import Triple, along, area_vector, cross, dot, minus, point
from invrender.geometry.vectors import Floats, Ints, area_vectors, norm, unit
from invrender.jit import body, kernel

ZERO = F32(0)
MARGIN = 2.0**-20  # of a distance in the tree's frame: more than float32 rounds, for points about as large as the mesh


class Surface:
    """A triangle mesh that answers closest-point queries.

    Args:
        vertices: [V,3].
        faces: [F,3], F > 0.
        normal_weight: 0 for the plain closest point. Above 0, a query carries a unit normal, and a face's normal that
            differs by dn costs like a distance of normal_weight * |dn|: the two sides of a thin sheet are kept apart.
        tree: over these faces, where there is one already.
    """

    def __init__(self, vertices: Floats, faces: Ints, normal_weight: float = 0.0, tree: Tree | None = None) -> None:
        self._tree = tree or build_tree(vertices, faces)
        self._weight = normal_weight
        self._normals = unit(area_vectors(vertices, faces)) if normal_weight > 0 else np.zeros((0, 3))

    def closest(self, points: Floats, normals: Floats | None = None) -> tuple[Floats, Floats, Ints]:
        """Closest points [K,3], distances [K] and faces [K]; `normals` [K,3] where the surface weighs normals."""
        points = np.ascontiguousarray(points, np.float64)
        weighs = self._weight > 0 and normals is not None
        directions = np.ascontiguousarray(normals, np.float64) if weighs else np.zeros((0, 3))
        result, face, tree = np.empty((len(points), 3)), np.empty(len(points), np.int64), self._tree
        parts = (tree.boxes, tree.children, tree.counts, tree.leaves, tree.order)
        _closest(
            parts, (tree.vertices, tree.faces), self._normals, points, tree.placed(points), directions,
            along_a_curve(points), self._weight**2 * weighs, tree.scale, result, face,
        )  # fmt: skip
        return result, norm(points - result), face


@kernel
def _closest(
    tree: Any, mesh: Any, across: Floats, points: Floats, placed: Floats, normals: Floats, order: Ints, weight: float,
    scale: float, result: Floats, face: Ints,
) -> int:  # fmt: skip
    """Fill result [K,3] and face [K]; `weight` is that of squared differences of normals. How many faces
    were looked at, beside one a query.

    Queries come in an order (`order`) in which the face of one is a good first guess for the next.
    """
    boxes, children, counts, leaves, rows = tree
    stack, distances = np.empty(STACK + WIDE, np.int32), np.empty(STACK + WIDE, np.float32)
    keys = np.empty(WIDE, np.float32)
    found, looked_at = rows[0], 0
    for k in order:
        p, n = point(points, k), (0.0, 0.0, 0.0)
        if weight > 0.0:
            n = point(normals, k)
        x, y, z = F32(placed[k, 0]), F32(placed[k, 1]), F32(placed[k, 2])
        slack = MARGIN * (1.0 + abs(x) + abs(y) + abs(z))
        best, foot = _cost(mesh, across, found, p, n, weight)
        reach = F32((np.sqrt(best) * scale + slack) ** 2)
        stack[0], distances[0], waiting = 0, ZERO, 1
        while waiting > 0:
            waiting -= 1
            if distances[waiting] > reach:
                continue
            node = stack[waiting]
            if node >= 0:
                waiting = _push(boxes, children, counts, node, x, y, z, reach, keys, stack, distances, waiting)
                continue
            leaf = ~node
            mask = faces_within(leaves, leaf, x, y, z, reach, keys)
            while mask != 0:
                row = rows[leaf * LEAF + lowest(mask)]
                mask &= mask - 1
                cost, q = _cost(mesh, across, row, p, n, weight)
                looked_at += 1
                if cost < best:
                    best, found, foot = cost, row, q
                    reach = F32((np.sqrt(best) * scale + slack) ** 2)
        result[k, 0], result[k, 1], result[k, 2] = foot
        face[k] = found
    return looked_at


@body
def _push(
    boxes: Singles, children: Any, counts: Any, node: int, x: F32, y: F32, z: F32, reach: F32, keys: Singles,
    stack: Any, distances: Singles, waiting: int,
) -> int:  # fmt: skip
    """Put the children of a node that are within reach on the stack, the nearest on top; how many wait then."""
    at = np.uint64(node)
    mask = within(boxes, node, x, y, z, reach, keys) & ((1 << counts[at]) - 1)
    nearest, first = F32(np.inf), waiting
    while mask != 0:
        k = np.uint64(lowest(mask))
        mask &= mask - 1
        stack[waiting], distances[waiting] = children[at, k], keys[k]
        if keys[k] < nearest:
            nearest, first = keys[k], waiting
        waiting += 1
    if waiting > first:
        top = waiting - 1
        stack[first], stack[top] = stack[top], stack[first]
        distances[first], distances[top] = distances[top], distances[first]
    return waiting


@body
def _cost(mesh: Any, across: Floats, face: int, p: Triple, n: Triple, weight: float) -> tuple[float, Triple]:
    """The cost of matching p, with normal n, to a face, and the closest point there."""
    v, f = mesh
    q = closest_on_triangle(p, point(v, f[face, 0]), point(v, f[face, 1]), point(v, f[face, 2]))
    step = minus(p, q)
    cost = dot(step, step)
    if weight > 0.0:
        dn = minus(point(across, face), n)
        cost += weight * dot(dn, dn)
    return cost, q


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
