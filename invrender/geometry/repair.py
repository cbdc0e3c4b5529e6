"""Remove the self-intersections of a nearly clean closed mesh, spot by spot.

A spot is a connected group of faces that take part in intersections, with some rings around them. Attempts of growing
strength move the vertices of one spot: implicit smoothing (Desbrun et al. 1999) with the surroundings held fixed,
pushes along the normals (outward where a thin sheet has crossed itself, inward where two parts overlap), then both over
wider rings. An attempt is kept only where it lowers the number of intersections, so the count never grows; everything
outside the spots stays exactly as it was, and so does the connectivity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from invrender.geometry.connectivity import unique_edges
from invrender.geometry.intersections import intersections_of, self_intersections
from invrender.geometry.regrid import regrid
from invrender.geometry.vectors import Bools, Floats, Ints, as_arrays, norm, vertex_normals

FEW_SPOTS = 16  # more spots are treated together first: one by one would take too long
PUSH_STEPS = 12
PUSH_STRIDE = 0.15  # of the spot's mean edge, per step
LARGEST_SPOT = 0.5  # of all faces; a wider spot is smoothed gently only, or the object would shrink
GENTLE = 10.0  # the smoothing strength that is gentle


@dataclass(frozen=True)
class Attempt:
    """One way to treat a spot: rings around the offending faces, smoothing strength, and pushes (-1, 0, 1)."""

    rings: int
    strength: float
    push: int = 0


ATTEMPTS = (
    *(Attempt(rings, strength) for rings in (1, 2) for strength in (1.0, 10.0)),
    Attempt(2, 1.0, push=1),
    Attempt(2, 1.0, push=-1),
    *(Attempt(rings, strength) for rings in (2, 3, 5) for strength in (10.0, 1e3)),
    Attempt(4, 10.0, push=1),
    Attempt(4, 10.0, push=-1),
    *(Attempt(rings, 1e4) for rings in (5, 8, 13, 20)),
)


@dataclass(frozen=True)
class Repaired:
    """What `repair` returns.

    Attributes:
        vertices: [V,3] float64.
        faces: [F,3] int64.
        n_left: pairs of faces that still intersect.
        method: "clean" where there was nothing to do, "local" where vertices of some spots moved, "grid" where the
            whole surface had to be extracted anew from a grid (its triangles, and perhaps its topology, changed).
    """

    vertices: Floats
    faces: Ints
    n_left: int
    method: Literal["clean", "local", "grid"]


def untangle(
    vertices: NDArray[Any], faces: NDArray[Any], attempts: Sequence[Attempt] = ATTEMPTS
) -> tuple[Floats, Ints, int]:
    """Move the vertices near self-intersections until there are none.

    Args:
        vertices: [V,3] of a closed manifold mesh.
        faces: [F,3].
        attempts: what to try, in this order; fewer for a quick clean-up.

    Returns:
        Vertices [V,3], the same faces [F,3], and how many intersecting pairs of faces are left (0 wherever the
        attempts suffice). Vertices away from intersections are bit-identical to the input.
    """
    v, f = as_arrays(vertices, faces)
    pairs = self_intersections(v, f)
    v, pairs = _work_through(v, f, pairs, attempts, together=True)
    v, pairs = _work_through(v, f, pairs, attempts, together=False)
    return v, f, len(pairs)


def _work_through(v: Floats, f: Ints, pairs: Ints, attempts: Sequence[Attempt], together: bool) -> tuple[Floats, Ints]:
    """Vertices and intersecting pairs after all attempts, on one spot after the other or on many spots at once."""
    for attempt in attempts:
        while len(pairs):
            before = len(pairs)
            spots = list(_spots(pairs, f))
            if together and len(spots) <= FEW_SPOTS:
                break
            for spot in [np.concatenate(spots)] if together else spots:
                v, pairs = _treat(v, f, pairs, spot, attempt)
            if len(pairs) > 0.7 * before:  # little progress: a stronger attempt is due
                break
    return v, pairs


def repair(
    vertices: NDArray[Any], faces: NDArray[Any], resolution: int = 192, attempts: Sequence[Attempt] = ATTEMPTS
) -> Repaired:
    """A closed mesh of the same shape without self-intersections: `untangle`, and `regrid` where that fails.

    `resolution` is the number of grid cells along the longest side in that last resort.
    """
    v, f = as_arrays(vertices, faces)
    if not len(self_intersections(v, f)):
        return Repaired(v, f, 0, "clean")
    v, f, left = untangle(v, f, attempts)
    if not left:
        return Repaired(v, f, 0, "local")
    v2, f2 = regrid(v, f, resolution)
    left2 = len(self_intersections(v2, f2))
    if len(f2) and left2 < left:
        return Repaired(v2, f2, left2, "grid")
    return Repaired(v, f, left, "local")


def _spots(pairs: Ints, faces: Ints) -> Iterator[Ints]:
    """Groups of offending faces, joined where they intersect or share a vertex."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    offending, index = np.unique(pairs, return_inverse=True)
    index = index.reshape(-1, 2)
    corner = np.unique(faces[offending], return_inverse=True)[1].reshape(-1, 3) + len(offending)
    a = np.concatenate([index[:, 0], np.repeat(np.arange(len(offending)), 3)])
    b = np.concatenate([index[:, 1], corner.ravel()])
    size = int(corner.max()) + 1
    label = connected_components(coo_matrix((np.ones(len(a), np.int8), (a, b)), shape=(size, size)), directed=False)[1]
    for k in np.unique(label[: len(offending)]):
        yield offending[label[: len(offending)] == k]


def _grow(faces: Ints, inside: Bools, rings: int) -> Bools:
    """Vertices [V] within so many rings of the given ones."""
    for _ in range(rings):
        wider = inside.copy()
        wider[faces[inside[faces].any(1)]] = True
        inside = wider
    return inside


def _treat(v: Floats, f: Ints, pairs: Ints, spot: Ints, attempt: Attempt) -> tuple[Floats, Ints]:
    """Vertices and intersecting pairs after the attempt on one spot, or the given ones where it does not help."""
    seeds = np.zeros(len(v), bool)
    seeds[f[spot]] = True
    free = _grow(f, seeds, attempt.rings)
    touched = np.asarray(free[f].any(1))
    mine = np.asarray(touched[pairs].any(1))
    wide = touched.sum() > max(LARGEST_SPOT * len(f), 200)
    if not mine.any() or (wide and attempt.strength > GENTLE):
        return v, pairs
    patch = _Patch(f[touched], np.flatnonzero(free))
    if attempt.push:
        moved, left = _push_apart(v, f, patch, seeds, touched, attempt)
    else:
        moved = patch.smoothed(v, attempt.strength)
        left = _pairs_near(moved, f, touched)
    if len(left) < mine.sum():
        return moved, np.concatenate([pairs[~mine], left])
    return v, pairs


def _push_apart(
    v: Floats, f: Ints, patch: _Patch, seeds: Bools, touched: Bools, attempt: Attempt
) -> tuple[Floats, Ints]:
    """Vertices after pushes along the normals, and the pairs that still intersect near them."""
    for _ in range(PUSH_STEPS):
        v = patch.pushed(v, seeds, attempt)
        left = _pairs_near(v, f, touched)
        if not len(left):
            break
        seeds = np.zeros(len(v), bool)
        seeds[f[left]] = True
    return v, left


def _pairs_near(v: Floats, f: Ints, touched: Bools) -> Ints:
    """Intersecting pairs of faces of which one is touched; only faces that reach into its box are looked at."""
    corners = v[f]
    box = corners[touched].reshape(-1, 3)
    near = np.flatnonzero(((corners.min(1) <= box.max(0)) & (corners.max(1) >= box.min(0))).all(1))
    return near[intersections_of(v, f[near], touched[near])]


class _Patch:
    """The free vertices of a spot with the graph Laplacian of the faces around them."""

    def __init__(self, faces: Ints, free: Ints) -> None:
        from scipy.sparse import coo_matrix, diags, identity

        self.faces, self.free = faces, free
        undirected = unique_edges(faces)
        edges = np.concatenate([undirected, undirected[:, ::-1]])
        used = np.unique(faces)
        self.used, self.edges = used, edges
        a, b = np.searchsorted(used, edges).T
        adjacency = coo_matrix((np.ones(len(a)), (a, b)), shape=(len(used), len(used))).tocsr()
        degree = np.asarray(adjacency.sum(1)).ravel()
        laplacian = (identity(len(used)) - diags(1 / degree) @ adjacency).tocsr()
        self.rows = np.searchsorted(used, free)
        self.fixed = np.setdiff1d(np.arange(len(used)), self.rows)
        self.inner = laplacian[self.rows][:, self.rows].tocsc()
        self.outer = laplacian[self.rows][:, self.fixed]

    def smoothed(self, v: Floats, strength: float) -> Floats:
        """Solve x + strength L x = v for the free vertices, the others held fixed."""
        from scipy.sparse import identity
        from scipy.sparse.linalg import splu

        system = (identity(len(self.free)) + strength * self.inner).tocsc()
        held = self.outer @ v[self.used[self.fixed]] if len(self.fixed) else 0.0
        out = v.copy()
        out[self.free] = splu(system).solve(v[self.free] - strength * held)
        return out

    def pushed(self, v: Floats, seeds: Bools, attempt: Attempt) -> Floats:
        """One step of the seeds along (or against) their normals; the others follow smoothly."""
        from scipy.sparse import identity
        from scipy.sparse.linalg import splu

        normal = np.zeros_like(v)
        local = vertex_normals(v[self.used], np.searchsorted(self.used, self.faces))
        normal[self.used] = local
        stride = PUSH_STRIDE * float(norm(v[self.edges[:, 0]] - v[self.edges[:, 1]]).mean())
        desired = np.where(seeds[:, None], attempt.push * stride * normal, 0.0)
        system = (identity(len(self.free)) + attempt.strength * self.inner).tocsc()
        step = splu(system).solve(desired[self.free])
        largest = float(norm(step).max())
        out = v.copy()
        out[self.free] += step * (stride / largest if largest > 0 else 0.0)
        return out
