"""The closest point on a triangle mesh, exact on the triangles near each query.

Candidates come from a k-d tree over points spread on the surface; the distance to each candidate triangle is exact
(Ericson, Real-Time Collision Detection, 2005, section 5.1.5, rearranged for arrays).
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from invrender.geometry.vectors import TINY, Bools, Floats, Ints, area_vectors, cross, dot, norm, unit


def _on_segment(p: Floats, a: Floats, b: Floats) -> Floats:
    d = b - a
    t = np.clip(dot(p - a, d) / np.maximum(dot(d, d), TINY), 0.0, 1.0)
    return np.asarray(a + t[:, None] * d)


def _outside(p: Floats, a: Floats, b: Floats, n: Floats) -> Bools:
    """Whether p lies on the outer side of edge a -> b of a triangle with normal n."""
    return np.asarray(dot(cross(b - a, p - a), n) < 0)


def closest_on_triangles(points: Floats, a: Floats, b: Floats, c: Floats) -> Floats:
    """The point of triangle (a, b, c) closest to each point; everything [K,3]. Degenerate triangles are segments."""
    n = cross(b - a, c - a)
    nn = dot(n, n)
    result = points - (dot(points - a, n) / np.maximum(nn, TINY))[:, None] * n
    out = (nn <= TINY) | _outside(points, a, b, n) | _outside(points, b, c, n) | _outside(points, c, a, n)
    k = np.flatnonzero(out)
    if len(k):
        p, pa, pb, pc = points[k], a[k], b[k], c[k]
        best = _on_segment(p, pa, pb)
        least = dot(p - best, p - best)
        for q in (_on_segment(p, pb, pc), _on_segment(p, pc, pa)):
            d = dot(p - q, p - q)
            near = d < least
            best[near], least[near] = q[near], d[near]
        result[k] = best
    return np.asarray(result)


def spread_points(vertices: Floats, faces: Ints, spacing: float, limit: int) -> tuple[Floats, Ints]:
    """Points spread evenly over the faces, at least one each: positions [P,3] and their faces [P].

    A face whose longest edge is s gets a regular pattern with steps of about `spacing`; the steps grow where more
    than `limit` points would come out.
    """
    tri = vertices[faces]
    longest = np.sqrt(
        np.max([dot(tri[:, i] - tri[:, j], tri[:, i] - tri[:, j]) for i, j in ((0, 1), (1, 2), (2, 0))], 0)
    )
    while True:
        m = np.maximum(np.ceil(longest / spacing), 1).astype(np.int64)
        if (m * (m + 1) // 2).sum() <= max(limit, len(faces)) or m.max() == 1:
            break
        spacing *= 1.25
    points, owner = [], []
    for steps in np.unique(m):
        i, j = np.array([(i, j) for i in range(steps) for j in range(steps - i)]).T
        u, v = (i + 1 / 3) / steps, (j + 1 / 3) / steps
        weight = np.stack([1 - u - v, u, v], 1)
        k = np.flatnonzero(m == steps)
        points.append(np.einsum("pc,kcx->kpx", weight, tri[k]).reshape(-1, 3))
        owner.append(np.repeat(k, len(weight)))
    return np.concatenate(points), np.concatenate(owner)


class Surface:
    """A triangle mesh that answers closest-point queries.

    Args:
        vertices: [V,3].
        faces: [F,3].
        spacing: steps of the points that find candidates, in world units; smaller is surer and slower.
        normal_weight: 0 for the plain closest point. Above 0, a query carries a unit normal, and a candidate's
            normal that differs by dn costs like a distance of normal_weight * |dn|: the two sides of a thin sheet
            are kept apart.
        limit: most points to spread.
    """

    def __init__(
        self, vertices: Floats, faces: Ints, spacing: float, normal_weight: float = 0.0, limit: int = 200_000
    ) -> None:
        points, self._owner = spread_points(vertices, faces, spacing, limit)
        self._corners = tuple(np.ascontiguousarray(vertices[faces[:, k]]) for k in range(3))
        self._normals = unit(area_vectors(vertices, faces))
        self._weight = normal_weight
        if normal_weight > 0:
            points = np.concatenate([points, normal_weight * self._normals[self._owner]], 1)
        self._tree = cKDTree(points, balanced_tree=False, compact_nodes=False)

    def closest(self, points: Floats, normals: Floats | None = None, k: int = 6) -> tuple[Floats, Floats, Ints]:
        """Closest points [K,3], distances [K] and faces [K]; `normals` [K,3] where the surface weighs normals."""
        query = points
        if self._weight > 0 and normals is not None:
            query = np.concatenate([points, self._weight * normals], 1)
        k = min(k, len(self._owner))
        _, nearest = self._tree.query(query, k=k, workers=-1)
        face = self._owner[np.asarray(nearest).reshape(len(points), k)]
        repeated = np.repeat(points, k, axis=0)
        a, b, c = (np.take(x, face.ravel(), axis=0) for x in self._corners)
        q = closest_on_triangles(repeated, a, b, c)
        cost = dot(repeated - q, repeated - q)
        if self._weight > 0 and normals is not None:
            dn = np.take(self._normals, face.ravel(), axis=0) - np.repeat(normals, k, axis=0)
            cost = cost + self._weight**2 * dot(dn, dn)
        best = np.arange(len(points)) * k + cost.reshape(-1, k).argmin(1)
        return q[best], norm(points - q[best]), face.ravel()[best]
