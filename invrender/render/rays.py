"""The mesh as rays meet it: in a frame about its middle, where they meet it, and where they start from it.

Every ray that leaves the surface starts a little above it, or it would meet the face that it comes from. Coordinates in
the frame are at most 1, whatever the world's offset and units, so that a distance of `LIFT` is far above the rounding
of float32, in which some backends compute, and far below anything that is seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from invrender.kernels import Backend
from invrender.kernels.intersect import approached
from invrender.kernels.paths import FLAT, GRAZING, LIFT
from invrender.ops import first_hits
from invrender.shading.points import facing_normals
from invrender.shading.surface import Surface

Tensor = torch.Tensor

_AROUND = 1.75  # radius of a sphere that holds the frame's cube


@dataclass(frozen=True)
class Body:
    """What rays meet.

    Attributes:
        backend: that traces them.
        surface: of the mesh.
        vertices: [P,3] the positions in the frame: (world - centre) / unit.
        normals, face_normals: [A,3] and [F,3], those of the surface, with the dtype of `vertices`.
        centre: [3] float64, the middle of the mesh in the world.
        unit: world units per unit of the frame, a power of two, so that the coordinates are in [-1, 1].
        side: the mesh's longest side, in the frame.
    """

    backend: Backend
    surface: Surface
    vertices: Tensor
    normals: Tensor
    face_normals: Tensor
    centre: Tensor
    unit: float
    side: float

    def local(self, points: Tensor) -> Tensor:
        """Points [...,3] of the world in the frame."""
        return self._local(points).to(self.vertices)

    def near(self, origin: Tensor, direction: Tensor) -> Tensor:
        """Where rays [R,3] of the world with unit directions enter the sphere about the frame, or start within it."""
        return approached(self._local(origin), direction, _AROUND).to(self.vertices)

    def _local(self, points: Tensor) -> Tensor:
        return (points.to(self.centre) - self.centre) / self.unit


@dataclass(frozen=True)
class Places:
    """Where R rays meet the surface.

    Attributes:
        face: [R] int64.
        weights: [R,3] of its corners.
        point: [R,3] in the frame.
        normal: [R,3] unit, of the smooth surface, on the side that the ray comes from.
        flat: [R,3] unit, of the face, likewise.
    """

    face: Tensor
    weights: Tensor
    point: Tensor
    normal: Tensor
    flat: Tensor

    def some(self, chosen: Tensor | slice) -> Places:
        """Those of a slice or an index tensor."""
        parts = (self.face, self.weights, self.point, self.normal, self.flat)
        return Places(*(part[chosen] for part in parts))


def body(surface: Surface, backend: Backend, dtype: torch.dtype = torch.float32) -> Body:
    """The surface in its frame."""
    at = surface.positions.double()
    used = at.detach()[surface.faces.reshape(-1)] if len(surface.faces) else at.new_zeros(1, 3)
    low, high = used.amin(0), used.amax(0)
    centre = (low + high) / 2
    half = float((high - low).max()) / 2
    unit = math.ldexp(1.0, math.frexp(half)[1]) if half > 0 else 1.0
    vertices = ((at - centre) / unit).to(dtype)
    normals, flat = surface.normals.to(dtype), surface.face_normals.to(dtype)
    return Body(backend, surface, vertices, normals, flat, centre, unit, 2 * half / unit)


def meet(body: Body, origin: Tensor, direction: Tensor) -> tuple[Tensor, Places]:
    """The rays [R,3] of the frame that meet the surface, [H] int64 of R, and where these meet it; differentiable."""
    hits = first_hits(body.backend, body.vertices, body.surface.faces, origin, direction)
    found = (hits.face >= 0).nonzero()[:, 0]
    u, v = hits.u[found], hits.v[found]
    return found, places(body, hits.face[found], torch.stack([1 - u - v, u, v], -1), -direction[found])


def places(body: Body, face: Tensor, weights: Tensor, to_eye: Tensor) -> Places:
    """Points of faces [R], with weights [R,3] on their corners, as seen from the unit vectors `to_eye` [R,3]."""
    prepared = body.surface
    point = between(body.vertices, prepared.faces, face, weights)
    flat = body.face_normals[face]
    smooth = between(body.normals, prepared.attribute_faces, face, weights)
    normal, own_side = facing_normals(smooth, flat, to_eye), facing_normals(flat, flat, to_eye)
    return Places(face, weights, point, normal, own_side)


def between(rows: Tensor, faces: Tensor, face: Tensor, weights: Tensor) -> Tensor:
    """Values [R,C] at points of faces, of rows [A,C] at their corners."""
    return (rows[faces[face]] * weights[..., None]).sum(1)


def start(body: Body, at: Places, towards: Tensor) -> tuple[Tensor, Tensor]:
    """Where rays along unit vectors [R,3] leave the surface, and whether they leave it at all.

    Facets of a smooth surface shade each other where light grazes them, which shows as dark triangles. There rays start
    from the surface that the normals at the corners describe (Hanika 2021, "Hacking the shadow terminator"), blended in
    by how much they graze the facet (as Blender's Cycles does), so that all others start where they should.

    Returns:
        origin [R,3] in the frame; and [R] bool, False where the direction lies behind the face.
    """
    cosine = (at.flat * towards).sum(-1, keepdim=True)
    bulge, curved = _bulge(body, at)
    share = (1 - cosine / GRAZING).clamp(0, 1)
    return at.point + share * bulge + LIFT * at.flat, (cosine[:, 0] > 0) | curved


def _bulge(body: Body, at: Places) -> tuple[Tensor, Tensor]:
    """From points of facets to the smooth surface above them [R,3], and whether [R] there is one; else 0."""
    prepared = body.surface
    corners = body.vertices[prepared.faces[at.face]]
    normals = body.normals[prepared.attribute_faces[at.face]]
    outside = (body.face_normals[at.face] * at.flat).sum(-1) >= 0
    normals = torch.where(outside[:, None, None], normals, -normals)
    away = at.point[:, None] - corners
    below = (away * normals).sum(-1, keepdim=True).clamp(max=0)
    curved = (-below[..., 0] > FLAT * away.norm(dim=-1)).any(1)
    return -(at.weights[..., None] * below * normals).sum(1), curved


def escapes(body: Body, origin: Tensor, towards: Tensor, distance: Tensor | float = math.inf) -> Tensor:
    """[R] bool: whether rays in the frame meet nothing within a distance [R]; no gradient."""
    with torch.no_grad():
        face, t, _, _ = body.backend.trace(
            body.vertices.detach(), body.surface.faces, origin.detach(), towards.detach()
        )
    return (face < 0) | (t >= distance)
