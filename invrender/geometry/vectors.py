"""Small vector helpers for arrays of 3-D points, and the normals of a triangle mesh.

Everything here is plain numpy on [K,3] float64 arrays; `cross` and `dot` are written out because `numpy.cross` costs
several times as much on short last axes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

TINY = 1e-300


def as_arrays(vertices: NDArray[Any], faces: NDArray[Any]) -> tuple[Floats, Ints]:
    """Vertices as contiguous [V,3] float64 and faces as contiguous [F,3] int64; copies only where it must."""
    v = np.ascontiguousarray(vertices, dtype=np.float64).reshape(-1, 3)
    f = np.ascontiguousarray(faces, dtype=np.int64).reshape(-1, 3)
    return v, f


def dot(a: Floats, b: Floats) -> Floats:
    """Row-wise inner products, [K,3] and [K,3] -> [K]."""
    return np.asarray(a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2])


def cross(a: Floats, b: Floats) -> Floats:
    """Row-wise cross products, [K,3] and [K,3] -> [K,3]."""
    out = np.empty(np.broadcast_shapes(a.shape, b.shape))
    out[..., 0] = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    out[..., 1] = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    out[..., 2] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return out


def norm(a: Floats) -> Floats:
    """Row-wise lengths, [K,3] -> [K]."""
    return np.asarray(np.sqrt(dot(a, a)))


def unit(a: Floats) -> Floats:
    """Rows scaled to length 1; a zero row stays zero."""
    return np.asarray(a / np.maximum(norm(a), TINY)[..., None])


def area_vectors(vertices: Floats, faces: Ints) -> Floats:
    """Normals times twice the area, [F,3]."""
    a, b, c = (np.take(vertices, faces[:, k], axis=0) for k in range(3))
    return cross(b - a, c - a)


def scatter_sum(values: Floats, index: Ints, size: int) -> Floats:
    """Sums of rows that share an index: [K,C] and [K] -> [size,C]."""
    return np.stack([np.bincount(index, values[:, c], size) for c in range(values.shape[1])], axis=1)


def vertex_normals(vertices: Floats, faces: Ints, face_vectors: Floats | None = None) -> Floats:
    """Area-weighted unit normals [V,3]; zero where a vertex has no face with an area.

    `face_vectors` are the faces' area vectors where they are known already.
    """
    w = area_vectors(vertices, faces) if face_vectors is None else face_vectors
    return unit(scatter_sum(np.concatenate([w, w, w]), faces.T.ravel(), len(vertices)))


def shape_quality(vertices: Floats, faces: Ints, face_vectors: Floats | None = None) -> Floats:
    """Triangle shape [F]: 4 sqrt(3) area / sum of squared edges; 1 equilateral, 0 degenerate."""
    w = area_vectors(vertices, faces) if face_vectors is None else face_vectors
    a, b, c = (np.take(vertices, faces[:, k], axis=0) for k in range(3))
    squares = dot(b - a, b - a) + dot(c - b, c - b) + dot(a - c, a - c)
    return np.asarray(2 * np.sqrt(3) * norm(w) / np.maximum(squares, TINY))
