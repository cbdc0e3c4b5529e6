"""Fewer triangles for the same surface: collapse of edges by quadric error, which keeps a sound mesh sound.

Quadrics (Garland and Heckbert 1997, "Surface simplification using quadric error metrics") are those of the package
fast-simplification. It knows nothing of topology: with few triangles it closes handles, tears surfaces and lets them
cross. So what it gives is checked, tried again more carefully, freed of crossings where that can be done, and otherwise
not taken: then the answer is the least number of triangles that was sound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from invrender.geometry.connectivity import (
    collapsed,
    components,
    drop_unused,
    edge_face_counts,
    genus,
    is_closed_manifold,
    signed_volume,
    split_fans,
)
from invrender.geometry.intersections import self_intersections
from invrender.geometry.repair import ATTEMPTS, untangle
from invrender.geometry.vectors import Floats, Ints, area_vectors, norm

CARE = (7.0, 5.0, 3.0)  # how boldly the package raises its threshold; the last keeps shape best, and may not get there
SEARCH = 7  # halvings of the number of triangles where the one asked for cannot be had
CRUMB = 1e-3  # of the surface: smaller parts may go
FEWEST = 4  # triangles of a closed surface
MENDED = ATTEMPTS[:8]  # of crossings: what leaves the surroundings as they are


@dataclass(frozen=True)
class Decimated:
    """A mesh with fewer triangles.

    Attributes:
        vertices: [V,3] float64.
        faces: [F,3] int64.
        reached: whether there are as few as were asked for; else fewer would not have been sound.
        crumbs: how many small parts were left out for that.
    """

    vertices: Floats
    faces: Ints
    reached: bool
    crumbs: int = 0


@dataclass(frozen=True)
class _State:
    """What must not be lost: closed, with its handles and parts, free of crossings, facing outward.

    `forks` tells whether edges have more than two faces.
    """

    closed: bool
    genus: float | None
    parts: int
    crossed: bool
    forks: bool
    volume: float


def decimated(vertices: Floats, faces: Ints, target: int) -> Decimated:
    """Reduce a mesh to `target` triangles, or to as few as can be had without harm.

    A closed mesh stays closed, with its parts and handles; one without self-intersections gets none; edges that two
    faces share get no third one. Parts with less than a thousandth of the surface are left out where that helps.

    Args:
        vertices: [V,3], joined: faces that adjoin share theirs.
        faces: [F,3].
        target: how many triangles, at least 4.

    Returns:
        The mesh; the given one, where it has no more triangles than that.
    """
    if len(faces) <= target:
        return Decimated(vertices, faces, True)
    low, high = vertices[faces].min((0, 1)), vertices[faces].max((0, 1))
    scale = float((high - low).max()) or 1.0
    inside = (vertices - low) / scale
    found = _sound(inside, faces, target, _state(inside, faces))
    crumbs = 0
    if found is None:
        inside, faces, crumbs = _without_crumbs(inside, faces)
        before = _state(inside, faces)
        found = _sound(inside, faces, target, before) if crumbs else None
    reached = found is not None
    if found is None:
        found = _least(inside, faces, target, before)
    return Decimated(found[0] * scale + low, found[1], reached, crumbs)


def _without_crumbs(v: Floats, f: Ints) -> tuple[Floats, Ints, int]:
    """The mesh without its smallest parts, and how many these are."""
    part = components(f)
    areas = np.bincount(part, weights=norm(area_vectors(v, f)))
    small = areas < CRUMB * areas.sum()
    return *drop_unused(v, f[~small[part]]), int(small.sum())


def _least(v: Floats, f: Ints, target: int, before: _State) -> tuple[Floats, Ints]:
    """The mesh of the least number of triangles that was sound in a bisection of its logarithm."""
    best, low, high = (v, f), float(np.log(target)), float(np.log(len(f)))
    for _ in range(SEARCH):
        middle = (low + high) / 2
        found = _sound(v, f, round(np.exp(middle)), before)
        if found is None:
            low = middle
        else:
            best, high = found, float(np.log(len(found[1])))
            if high <= low:
                break
    return best


def _sound(v: Floats, f: Ints, target: int, before: _State) -> tuple[Floats, Ints] | None:
    """A mesh of `target` triangles (one more where faces collapse in pairs) that is as sound as the given one."""
    for care in CARE:
        p, q = _collapsed(v, f, target, care)
        if not FEWEST <= len(q) <= target + 1:
            continue
        after = _state(p, q)
        if after.crossed and not before.crossed and _alike(before, after):
            p, q, left = untangle(p, q, MENDED)
            after = _state(p, q) if not left else after
        if _alike(before, after) and (before.crossed or not after.crossed):
            return p, q
    return None


def _collapsed(v: Floats, f: Ints, target: int, care: float) -> tuple[Floats, Ints]:
    import fast_simplification

    p, q = fast_simplification.simplify(v, f.astype(np.int32), target_count=target, agg=care)
    p, q = np.asarray(p, np.float64), np.asarray(q, np.int64)
    q = q[~collapsed(q)]
    q = _without_flaps(q[norm(area_vectors(p, q)) > 0])
    return split_fans(*drop_unused(p, q)) if len(q) else (p, q)


def _without_flaps(f: Ints) -> Ints:
    """Faces [F,3] without those that lie on one another, where a thin part has been pressed flat."""
    _, number, times = np.unique(np.sort(f, 1), axis=0, return_inverse=True, return_counts=True)
    kept: Ints = f[times[number.reshape(-1)] == 1]
    return kept


def _state(v: Floats, f: Ints) -> _State:
    return _State(
        closed=is_closed_manifold(f),
        genus=genus(f),
        parts=int(components(f).max(initial=-1)) + 1,
        crossed=len(self_intersections(v, f)) > 0,
        forks=bool((edge_face_counts(f) > 2).any()),
        volume=signed_volume(v, f),
    )


def _alike(before: _State, after: _State) -> bool:
    """Whether nothing was lost; parts of an open mesh may vanish, as crumbs do."""
    if before.closed:
        same = (after.genus, after.parts) == (before.genus, before.parts)
        return after.closed and same and after.volume * before.volume > 0
    return before.forks or not after.forks
