"""Shape by search: vertices look along their normals for where the photographs agree best.

Gradients of photographs lead to the nearest agreement, which for real textures lies within a pixel or two; a hull is
farther off than that. So each vertex compares a row of candidates, neighbours settle on similar ones, and the surface
is drawn to those, as far as the photographs tell them apart, and stays smooth elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.geometry.connectivity import unique_edges
from invrender.geometry.embedded import roll_back
from invrender.geometry.vectors import Bools, Floats, Ints, unit, vertex_normals
from invrender.kernels import Backend
from invrender.photometry.consistency import Agreement, disagreement
from invrender.photometry.labels import labelled
from invrender.photometry.photos import Photos
from invrender.photometry.sampling import depth_buffer, look_at_points

Array = NDArray[Any]

GRAZING = 0.15  # cosine below which a photograph sees a point too flatly to be compared
REST = 1e-3  # weight by which vertices stay where nothing is known


@dataclass(frozen=True)
class Search:
    """One round of search.

    Attributes:
        inward, outward: how far candidates reach, in normalised units.
        steps: how many candidates there are; one of them is where the vertex is.
        agreement: how photographs are compared.
        price, limit: of neighbours that differ by one candidate, and the most they can cost, see `labels.py`.
        stay: cost of the farthest inward candidate where all agree equally well.
        evidence: difference of costs that counts as certain.
        smooth: weight of the displacement's smoothness, of that of the surface.
        fair: weight of the surface's bending.
        hold: weight that keeps vertices of outlines where they are.
        normal_rounds: of smoothing of the normals, along which vertices move.
    """

    inward: float
    outward: float
    steps: int = 15
    agreement: Agreement = field(default_factory=Agreement)
    price: float = 0.03
    limit: float = 0.12
    stay: float = 0.02
    evidence: float = 0.3
    smooth: float = 0.05
    fair: float = 0.05
    hold: float = 1.0
    normal_rounds: int = 4


def searched(
    vertices: Floats, faces: Ints, photos: Photos, held: Bools, search: Search, backend: Backend
) -> tuple[Floats, float]:
    """Vertices [V,3] after one round, free of self-intersections if the given ones are, and the mean cost gained.

    Args:
        vertices: [V,3] of a closed mesh of about equal triangles, in the photographs' frame.
        faces: [F,3].
        photos: what to agree with.
        held: [V], vertices of outlines.
        search: how.
        backend: what draws depth buffers.
    """
    edges = unique_edges(faces)
    laplacian = _laplacian(edges, len(vertices))
    normals = _smoothed_normals(vertex_normals(vertices, faces), laplacian, search.normal_rounds)
    offsets = _offsets(search)
    weight = _weights(vertices, normals, faces, photos, backend)
    cost = disagreement(vertices, normals, offsets, weight, photos, search.agreement)
    cost += np.float32(search.stay) * (offsets / search.inward).astype(np.float32) ** 2
    order = np.argsort(vertices[:, int(np.ptp(vertices, 0).argmax())], kind="stable")
    chosen, beliefs = labelled(cost, edges, order, search.price, search.limit)
    target, certain = _between(offsets, chosen, beliefs), _certainty(cost, chosen, search.evidence)
    certain *= (weight > 0).sum(0) >= 2
    moved = _drawn(vertices, normals, target, certain, held, laplacian, search)
    gained = float((cost[:, int(np.abs(offsets).argmin())] - cost[np.arange(len(cost)), chosen]).mean())
    return roll_back(vertices, moved, faces)[0], gained


def _offsets(search: Search) -> Floats:
    """Evenly spaced, with 0 among them."""
    step = (search.inward + search.outward) / (search.steps - 1)
    inward = round(search.inward / step)
    return np.asarray((np.arange(search.steps) - inward) * step, np.float64)


def _weights(vertices: Floats, normals: Floats, faces: Ints, photos: Photos, backend: Backend) -> Array:
    points = torch.from_numpy(vertices)
    depth = depth_buffer(points, torch.from_numpy(faces), photos.clip_from_object, photos.size, backend)
    weight: Array = look_at_points(points, torch.from_numpy(normals), photos, depth).weight.numpy()
    return np.where(weight > GRAZING, weight, 0)


def _laplacian(edges: Ints, count: int) -> Any:
    from scipy.sparse import csr_matrix, diags

    a, b = edges.T
    both = csr_matrix((np.ones(2 * len(a)), (np.concatenate([a, b]), np.concatenate([b, a]))), shape=(count, count))
    return diags(np.asarray(both.sum(1)).ravel()) - both


def _smoothed_normals(normals: Floats, laplacian: Any, rounds: int) -> Floats:
    degree = laplacian.diagonal()[:, None].clip(1)
    for _ in range(rounds):
        normals = unit(normals - 0.5 * (laplacian @ normals) / degree)
    return normals


def _between(offsets: Floats, chosen: Ints, beliefs: Array) -> Floats:
    """Offsets [V] at the lowest point of the parabola through the chosen candidate and those beside it."""
    every, last = np.arange(len(chosen)), len(offsets) - 1
    low, high = beliefs[every, (chosen - 1).clip(0)], beliefs[every, (chosen + 1).clip(max=last)]
    curvature = low + high - 2 * beliefs[every, chosen]
    inner = (chosen > 0) & (chosen < last) & (curvature > 1e-6)
    shift = np.where(inner, (low - high) / (2 * np.where(inner, curvature, 1)), 0).clip(-0.5, 0.5)
    result: Floats = offsets[chosen] + shift * (offsets[1] - offsets[0])
    return result


def _certainty(cost: Array, chosen: Ints, evidence: float) -> Floats:
    """How far the photographs prefer the chosen candidate to others, [V] in [0, 1]."""
    preferred = np.median(cost, 1) - cost[np.arange(len(cost)), chosen]
    result: Floats = (preferred / evidence).clip(0, 1).astype(np.float64)
    return result


def _drawn(
    vertices: Floats, normals: Floats, target: Floats, certain: Floats, held: Bools, laplacian: Any, search: Search
) -> Floats:
    """Vertices moved along their normals towards targets: a least-squares balance with smoothness.

    sum_i certain_i (s_i - target_i)^2 + hold held_i s_i^2 + smooth s' L s + fair |D^-1 L (v + s n)|^2
    """
    from scipy.sparse import diags
    from scipy.sparse.linalg import splu

    degree = laplacian.diagonal().clip(1)
    umbrella = diags(1 / degree) @ laplacian
    bending = (umbrella.T @ umbrella).tocsr()
    system = diags(certain + search.hold * held + REST) + search.smooth * laplacian
    right = certain * target
    for k in range(3):
        across = diags(normals[:, k])
        system = system + search.fair * (across @ bending @ across)
        right = right - search.fair * normals[:, k] * (bending @ vertices[:, k])
    amount = splu(system.tocsc()).solve(right)
    moved: Floats = vertices + amount[:, None] * normals
    return moved
