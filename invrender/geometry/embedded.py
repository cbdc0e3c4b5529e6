"""Keeping a surface embedded (free of self-intersections) through remeshing and optimisation.

Both functions work from something that is known to be embedded: the surface before remeshing, the vertices before they
were moved. They give up a little regularity, or a little of the motion, near the spots in question and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from invrender.geometry.connectivity import unique_edges
from invrender.geometry.intersections import self_intersections
from invrender.geometry.remesh import regular
from invrender.geometry.repair import ATTEMPTS, untangle
from invrender.geometry.vectors import Floats, Ints, as_arrays

RETRIES = 4
QUICK = 2  # attempts at untangling before smaller triangles are tried instead
REACH = 2.5  # edge lengths around a spot in which triangles are halved
HALVINGS = 12  # of the motion, in a spot
RINGS = 2


@dataclass(frozen=True)
class Remeshed:
    """What `remesh_embedded` returns.

    Attributes:
        vertices: [V,3] float64.
        faces: [F,3] int64.
        left: pairs of faces that still intersect.
        changed: False where no attempt was good enough, and the mesh is the one that was given.
    """

    vertices: Floats
    faces: Ints
    left: int
    changed: bool


def remesh_embedded(vertices: Floats, faces: Ints, edge_length: float, tolerated: int = 0) -> Remeshed:
    """Isotropic remeshing; where the new triangles intersect each other they are made smaller, again and again.

    Parts thinner than an edge (a narrow tunnel, two sheets close to each other) cannot be meshed at that length. On
    hulls of many thin parts that touch each other (sheets no thicker than rounding) a few pairs withstand everything.

    Args:
        vertices: [V,3] of a closed manifold mesh.
        faces: [F,3].
        edge_length: the target where nothing is in the way.
        tolerated: pairs of intersecting faces that are better than triangles of the wrong size.

    Returns:
        The mesh with the fewest intersections that was found; the input itself where that has more than `tolerated`,
        and the input fewer (an edge length beyond the size of the object).
    """
    lengths = np.full(len(vertices), edge_length)
    best: Remeshed | None = None
    for _ in range(1 + RETRIES):
        v, f, left = untangle(*regular(vertices, faces, lengths), ATTEMPTS[:QUICK])
        if best is None or left < best.left:
            best = Remeshed(v, f, left, True)
        if best.left <= tolerated:
            return best
        from scipy.spatial import cKDTree

        pairs = self_intersections(v, f)
        near, _ = cKDTree(v[np.unique(f[pairs])]).query(vertices)
        lengths[near < REACH * edge_length] *= 0.5
    assert best is not None
    best = Remeshed(*untangle(best.vertices, best.faces), True)
    given = as_arrays(vertices, faces)
    if best.left <= tolerated or best.left <= (own := len(self_intersections(*given))):
        return best
    return Remeshed(*given, own, False)


def roll_back(before: Floats, after: Floats, faces: Ints) -> tuple[Floats, int]:
    """Take back as much of a motion as it takes to stay embedded.

    Around every intersection the motion is halved, again and again over growing rings of neighbours, and what is taken
    back fades out over the rings. If `before` is embedded the result is, since in the end nothing moves there.

    Args:
        before, after: [V,3], the same vertices before and after the motion.
        faces: [F,3].

    Returns:
        Vertices [V,3] and the number of intersecting pairs that are left.
    """
    share = np.ones(len(before))
    a, b = unique_edges(faces).T
    pairs = self_intersections(after, faces)
    for attempt in range(HALVINGS):
        if not len(pairs):
            break
        spot = np.zeros(len(before), bool)
        spot[faces[pairs].ravel()] = True
        for _ in range(RINGS + attempt // 3):
            spot[b[spot[a]]], spot[a[spot[b]]] = True, True
        share[spot] *= 0.5 if attempt < HALVINGS - 3 else 0.0
        for _ in range(RINGS):  # a vertex keeps at most a little more of its motion than its neighbours do
            np.minimum.at(share, a, share[b] + 0.25)
            np.minimum.at(share, b, share[a] + 0.25)
        pairs = self_intersections(_partly(before, after, share), faces)
    return _partly(before, after, share), len(pairs)


def _partly(before: Floats, after: Floats, share: Floats) -> Floats:
    """A share of the motion per vertex; the whole of it is `after` to the bit."""
    moved: Floats = np.where(share[:, None] == 1, after, before + share[:, None] * (after - before))
    return moved
