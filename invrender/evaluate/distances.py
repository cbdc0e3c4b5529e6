"""How far two surfaces are from each other: from points sampled on one to the nearest point of the other.

What nobody can know from a run's views is told apart from what is wrong: distances are taken over the whole surfaces,
over what can be seen from outside at all, over what the cameras of the run's input saw, and over what silhouettes can
show. A silhouette shows a point of a surface from where a straight line that touches the surface there meets the object
nowhere else (Laurentini 1994, "The visual hull concept"); what lies deeper, as the inside of a cup, belongs to no
outline, however many views there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from invrender.cameras.parallel import far_pinholes
from invrender.geometry.bvh import Tree, build_tree
from invrender.geometry.closest import Surface
from invrender.geometry.surface_facts import areas_and_volume, facts_of, joined
from invrender.geometry.vectors import Bools, Floats, Ints, area_vectors, norm, unit
from invrender.geometry.visibility import outlined, seen_from, visible_from_outside
from invrender.nouns import Cameras

LIFT = 1e-3  # of the diagonal: where rays towards the outside start
HOLLOW = 0.01  # of the diagonal: bumps lower than that make no hollow
MERGE = 1e-8  # of the diagonal: vertices this close are one


@dataclass(frozen=True)
class Solid:
    """The faces of a mesh that have an area: vertices [V,3] and faces [F,3]."""

    v: Floats
    f: Ints

    @cached_property
    def tree(self) -> Tree:
        """Built once, for all that is asked of these faces."""
        return build_tree(self.v, self.f)

    @cached_property
    def measured(self) -> tuple[Floats, float]:
        """Twice the area of each face [F], and the enclosed volume: see `areas_and_volume`."""
        return areas_and_volume(self.v, self.f)

    @property
    def outward(self) -> float:
        """1 where faces are counter-clockwise seen from outside, as far as the enclosed volume tells; else -1."""
        return 1.0 if self.measured[1] >= 0 else -1.0

    def normals(self, faces: Ints) -> Floats:
        """Of some faces [K], by number; [K,3], of length 1."""
        return unit(area_vectors(self.v, self.f[faces]))


@dataclass(frozen=True)
class Distances:
    """What `distances` measures; lengths are fractions of the reference's diagonal.

    Attributes:
        chamfer: mean of the two mean point-to-surface distances; visible: from points that can be seen from outside,
            outlined: where the reference's point is one that silhouettes can show; None where there are none.
        f1, f05: F-scores at 1 % and 0.5 %.
        cosine: mean |cosine| between the normals at nearest points, both ways.
        seen: (Chamfer, F-score at 1 %, at 0.5 %) from the points that the cameras saw; None without cameras.
        unseen: share of the reference that no camera saw, or None; hollow: share of it that no silhouette shows.
    """

    chamfer: float
    visible: float | None
    f1: float
    f05: float
    cosine: float
    seen: tuple[float | None, float | None, float | None]
    unseen: float | None
    hollow: float
    outlined: float | None


@dataclass(frozen=True)
class _Samples:
    """Points on a surface [K,3] and their faces [K], and which of them are visible and seen, each [K]."""

    points: Floats
    face: Ints
    visible: Bools
    seen: Bools | None


def distances(result: Solid, reference: Solid, samples: int, seed: int, seen_by: Cameras | None = None) -> Distances:
    """Measure how far a surface is from its reference; both have faces.

    Args:
        result, reference: in the same frame.
        samples, seed: points on each surface.
        seen_by: cameras of the views that the result was made from.
    """
    diagonal = reference.tree.diagonal
    p = _samples(result, samples, seed, diagonal, seen_by)
    q = _samples(reference, samples, seed + 1, diagonal, seen_by)
    d1, n1, near = _to_surface(p, result, reference, diagonal)
    d2, n2, _ = _to_surface(q, reference, result, diagonal)
    tight = facts_of(joined(reference.v, reference.f, MERGE * diagonal)).watertight
    shown = _outlined(q, reference, diagonal, tight)
    seen: tuple[float | None, float | None, float | None] = (None, None, None)
    if p.seen is not None and q.seen is not None and p.seen.any() and q.seen.any():
        a, b = d1[p.seen], d2[q.seen]
        seen = (_mean(a, b), f_score(a, b, 0.01), f_score(a, b, 0.005))
    return Distances(
        chamfer=_mean(d1, d2),
        visible=_of(d1, p.visible, d2, q.visible),
        f1=f_score(d1, d2, 0.01),
        f05=f_score(d1, d2, 0.005),
        cosine=_mean(n1, n2),
        seen=seen,
        unseen=None if q.seen is None else float((~q.seen).mean()),
        hollow=float((~shown).mean()),
        outlined=_of(d1, _outlined(near, reference, diagonal, tight), d2, shown),
    )


def _of(one: Floats, of_one: Bools, other: Floats, of_other: Bools) -> float | None:
    return _mean(one[of_one], other[of_other]) if of_one.any() and of_other.any() else None


def _mean(one: Floats, other: Floats) -> float:
    return float(one.mean() + other.mean()) / 2


def _samples(mesh: Solid, n: int, seed: int, diagonal: float, seen_by: Cameras | None) -> _Samples:
    points, face = sample_surface(mesh.v, mesh.f, n, seed, mesh.measured[0])
    normals = mesh.outward * mesh.normals(face)
    visible = visible_from_outside(points, mesh.tree, LIFT * diagonal, normals=normals)
    seen = None if seen_by is None else seen_by_cameras(points, normals, mesh, seen_by, LIFT * diagonal)
    return _Samples(points, face, visible, seen)


def _outlined(samples: _Samples, mesh: Solid, diagonal: float, tight: bool) -> Bools:
    """Which of the points on a surface silhouettes can show, [K]; `tight`: it is watertight."""
    normals = mesh.outward * mesh.normals(samples.face)
    shown = outlined(samples.points, normals, mesh.tree, HOLLOW * diagonal)
    if not tight:  # which side is outside nobody knows
        rest = np.flatnonzero(~shown)
        shown[rest] = outlined(samples.points[rest], -normals[rest], mesh.tree, HOLLOW * diagonal)
    return shown


def seen_by_cameras(points: Floats, normals: Floats, mesh: Solid, cameras: Cameras, lift: float) -> Bools:
    """Whether points [K,3] on a surface are in the picture of at least one camera and nothing is before them; [K]."""
    clip = np.concatenate([points, np.ones((len(points), 1))], 1) @ cameras.clip_from_world.numpy().transpose(0, 2, 1)
    depth = clip[..., 3]
    framed = (depth > 0) & (np.abs(clip[..., :2]) <= depth[..., None]).all(-1)  # [N,K]
    low, high = (torch.from_numpy(np.asarray(pick(mesh.v, axis=0), np.float64)) for pick in (np.min, np.max))
    eyes = far_pinholes(cameras, (low + high) / 2, float((high - low).norm())).position.numpy()
    return seen_from(points, mesh.tree, eyes, framed, lift, normals)


def sample_surface(v: Floats, f: Ints, n: int, seed: int, areas: Floats | None = None) -> tuple[Floats, Ints]:
    """n points spread uniformly by area over the faces (stratified), with their faces: [n,3] and [n].

    `areas` [F] are those of the faces in any unit, where they are known.
    """
    rng = np.random.default_rng(seed)
    total = np.cumsum(norm(area_vectors(v, f)) if areas is None else areas)
    face = np.searchsorted(total, (np.arange(n) + rng.random(n)) / n * total[-1]).clip(0, len(f) - 1)
    s, t = rng.random((2, n))
    over = s + t > 1
    s, t = np.where(over, 1 - s, s)[:, None], np.where(over, 1 - t, t)[:, None]
    a, b, c = (v[f[face, k]] for k in range(3))
    return a + s * (b - a) + t * (c - a), face


def _to_surface(samples: _Samples, own: Solid, other: Solid, diagonal: float) -> tuple[Floats, Floats, _Samples]:
    """Distance [K] from samples of `own` to `other` over the diagonal, |cosine| between the normals [K], and where."""
    feet, distance, face = Surface(other.v, other.f, tree=other.tree).closest(samples.points)
    there, here = other.normals(face), own.normals(samples.face)
    return distance / diagonal, np.abs((here * there).sum(1)), _Samples(feet, face, samples.visible, samples.seen)


def f_score(to_reference: Floats, to_result: Floats, threshold: float) -> float:
    """Harmonic mean of precision and recall: the shares of distances below the threshold."""
    precision, recall = float((to_reference < threshold).mean()), float((to_result < threshold).mean())
    return 2 * precision * recall / max(precision + recall, 1e-12)
