"""Smoothing of triangle meshes that does not shrink them."""

from __future__ import annotations

import numpy as np

from invrender.geometry.connectivity import edge_face_counts, unique_edges
from invrender.geometry.vectors import Floats, Ints

LAMBDA, MU = 0.5, -0.53  # Taubin's pass band: what is coarser than about 10 edges stays


def smoothed(vertices: Floats, faces: Ints, steps: int) -> Floats:
    """Positions [V,3] after steps of Taubin 1995, "A signal processing approach to fair surface design".

    Each step moves vertices towards the mean of their neighbours and then a little more away from it. Vertices on the
    border of an open mesh stay where they are.

    Args:
        vertices: [V,3].
        faces: [F,3].
        steps: how many; ten take the stairs out of an isosurface of labels.
    """
    from scipy.sparse import csr_matrix

    edges = unique_edges(faces)
    both = np.concatenate([edges, edges[:, ::-1]])
    degree = np.bincount(both[:, 0], minlength=len(vertices)).astype(np.float64)
    weights = 1 / degree[both[:, 0]]
    mean = csr_matrix((weights, (both[:, 0], both[:, 1])), shape=(len(vertices), len(vertices)))
    free = degree > 0
    free[edges[edge_face_counts(faces) == 1]] = False
    moved = np.array(vertices, np.float64)
    for factor in (LAMBDA, MU) * steps:
        moved[free] += factor * ((mean @ moved) - moved)[free]
    return moved
