"""Isotropic remeshing: regular triangles of a given size on the same surface.

The algorithm is Botsch & Kobbelt, "A Remeshing Approach to Multiresolution Modeling" (SGP 2004): split long edges,
collapse short ones, flip towards valence 6, smooth tangentially, project back. What goes from edge to edge, and the way
back to the surface, is compiled (local_operations.py, closest.py); the rest is done on whole arrays.

A closed manifold stays a closed manifold of the same genus and number of components. An operation that would fold the
surface is left out, so a thin part may keep edges that are too short or too long. Sheets much thinner than an edge can
still cross; such spots are untangled at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import UsageError
from invrender.geometry.closest import Surface
from invrender.geometry.connectivity import drop_unused, split_fans
from invrender.geometry.half_edges import SLIVER, half_edges
from invrender.geometry.local_operations import collapse_short, flip_edges, split_long
from invrender.geometry.repair import ATTEMPTS, Attempt, untangle
from invrender.geometry.vectors import (
    Floats,
    Ints,
    area_vectors,
    as_arrays,
    dot,
    norm,
    scatter_sum,
    shape_quality,
    unit,
    vertex_normals,
)

FOLD_COSINE = 0.5  # smoothing may not rotate a face normal by more than 60 degrees
MOST_FACES = 10_000_000
LONGEST_MOVE = 0.5  # of the target length, in one smoothing step


def remesh(
    vertices: NDArray[Any],
    faces: NDArray[Any],
    edge_length: float | NDArray[Any],
    iterations: int = 5,
    project: bool = True,
    attempts: Sequence[Attempt] = ATTEMPTS,
) -> tuple[Floats, Ints]:
    """A mesh of the same surface whose edges are about `edge_length` long.

    Args:
        vertices: [V,3] of a closed, consistently wound manifold mesh.
        faces: [F,3].
        edge_length: the target in the units of the vertices; or [V], one target per input vertex.
        iterations: rounds of split, collapse, flip, smooth (and project).
        project: move vertices back to the input surface in each round; without it the surface shrinks a little.
        attempts: what `untangle` may try on intersections at the end.

    Returns:
        Vertices [V',3] float64 and faces [F',3] int64; free of self-intersections wherever `untangle`
        suffices.

    Raises:
        InputError: the mesh is not a closed manifold.
        UsageError: an edge length is not positive, or so small that millions of faces would come out.
    """
    v, f, _ = untangle(*regular(vertices, faces, edge_length, iterations, project), attempts)
    return v, f


def regular(
    vertices: NDArray[Any],
    faces: NDArray[Any],
    edge_length: float | NDArray[Any],
    iterations: int = 5,
    project: bool = True,
) -> tuple[Floats, Ints]:
    """`remesh` without the untangling at the end."""
    v, f = as_arrays(vertices, faces)
    v, lengths, f = _with_lengths(v, f, edge_length)
    _check_size(v, f, lengths)
    if not half_edges(f, len(v)).is_manifold:  # sheets touch at a vertex: each gets its own
        rows, f = split_fans(np.column_stack([v, lengths]), f)
        v, lengths = np.ascontiguousarray(rows[:, :3]), rows[:, 3].copy()
    surface = Surface(v, f, normal_weight=float(np.median(lengths))) if project else None
    for _ in range(iterations):
        v, lengths, f = split_long(v, lengths, f)
        v, f = collapse_short(v, lengths, f)
        v, lengths, f = _compact(v, lengths, f)
        f = flip_edges(v, f)
        v = smooth_tangentially(v, f, lengths, surface)
    return v, f


def _with_lengths(v: Floats, f: Ints, edge_length: float | NDArray[Any]) -> tuple[Floats, Floats, Ints]:
    given = np.asarray(edge_length, np.float64)
    if not (np.isfinite(given) & (given > 0)).all():
        raise UsageError("the edge length of remeshing must be a positive number", "pass a length above 0")
    lengths = np.full(len(v), float(given)) if given.ndim == 0 else given.reshape(-1).copy()
    if len(lengths) != len(v):
        raise UsageError(
            f"{len(lengths)} edge lengths were given for {len(v)} vertices", "pass one number, or one per vertex"
        )
    return _compact(v, lengths, f)


def _check_size(v: Floats, f: Ints, lengths: Floats) -> None:
    """Refuse a length that would ask for more faces than the machine should be asked for."""
    areas = norm(area_vectors(v, f)) / 2
    expected = float((areas / (np.sqrt(3) / 4 * lengths[f].mean(1) ** 2)).sum()) if len(f) else 0.0
    if expected > MOST_FACES:
        raise UsageError(
            f"remeshing to edges of {float(np.median(lengths)):g} would make about {expected:.1e} faces",
            f"use longer edges: at most {MOST_FACES:.0e} faces are made",
        )


def _compact(v: Floats, lengths: Floats, f: Ints) -> tuple[Floats, Floats, Ints]:
    used = np.zeros(len(v), bool)
    used[f.ravel()] = True
    v, f = drop_unused(v, f)
    return v, lengths[used], f


def smooth_tangentially(v: Floats, f: Ints, lengths: Floats, surface: Surface | None) -> Floats:
    """Vertices moved to the centre of their neighbours within the tangent plane, then onto the surface.

    A vertex whose move would fold one of its faces stays where it was.
    """
    a, b = f.ravel(), f[:, [1, 2, 0]].ravel()
    total, degree = scatter_sum(v[b], a, len(v)), np.bincount(a, minlength=len(v))
    n = vertex_normals(v, f)
    move = total / degree[:, None] - v
    target = v + move - dot(move, n)[:, None] * n
    if surface is not None:
        target, _, _ = surface.closest(target, n)
    step = target - v
    too_far = np.maximum(norm(step) / (LONGEST_MOVE * lengths), 1.0)
    return without_folds(v, v + step / too_far[:, None], f)


def reference_normals(vertices: Floats, faces: Ints) -> Floats:
    """Unit normals [F,3]; slivers, whose own normal is noise, take the mean of their vertices' normals."""
    w = area_vectors(vertices, faces)
    sliver = np.flatnonzero(shape_quality(vertices, faces, w) < SLIVER)
    n = unit(w)
    if len(sliver):
        around = vertex_normals(vertices, faces, w)
        n[sliver] = unit(around[faces[sliver]].sum(1))
    return n


def without_folds(before: Floats, after: Floats, f: Ints) -> Floats:
    """`after`, with the vertices of faces whose normal would rotate by more than 60 degrees put back to `before`."""
    normal = reference_normals(before, f)
    moved = after.copy()
    suspects = np.arange(len(f))
    while len(suspects):
        w = area_vectors(moved, f[suspects])
        folded = suspects[dot(w, normal[suspects]) < FOLD_COSINE * norm(w)]
        back = np.unique(f[folded])
        back = back[(moved[back] != before[back]).any(1)]
        if not len(back):
            break
        moved[back] = before[back]
        touched = np.zeros(len(before), bool)
        touched[back] = True
        suspects = np.flatnonzero(touched[f].any(1))
    return moved
