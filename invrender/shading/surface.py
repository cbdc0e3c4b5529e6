"""What the shading of a surface needs: normals that are smooth up to creases, albedo, and Lambert's law.

Positions and attributes are indexed separately. Triangles meet at positions (merged where a file repeats them along
seams), which is what visibility and silhouettes need. Normals, texture coordinates and colours are attributes of the
corners of triangles; corners that agree in all of them share one row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from invrender.geometry.groups import groups
from invrender.nouns import Material, Mesh
from invrender.nouns.topology import Topology, topology

Tensor = torch.Tensor

CREASE_DEGREES = 40.0


@dataclass(frozen=True)
class Surface:
    """A mesh made ready for drawing.

    Attributes:
        positions: [P,3] float64, all different.
        faces: [F,3] int64 into positions.
        topology: of `faces`.
        attribute_faces: [F,3] int64 into the rows of the attributes below.
        position_of: [A] int64, the position of each row of attributes.
        normals: [A,3] float64 unit (0 where only degenerate faces meet).
        face_normals: [F,3] float64 unit (0 for degenerate faces).
        uv: [A,2] float64 or None.
        colours: [A,3] float64 linear RGB or None.
        material: of the mesh.
        finish: [A,11] float64 (`shading.finish`) or None.
        openness: [A,2] float64, the share of the light from everywhere that arrives at the front and at the back
            (`render.baked`); None: all of it.
    """

    positions: Tensor
    faces: Tensor
    topology: Topology
    attribute_faces: Tensor
    position_of: Tensor
    normals: Tensor
    face_normals: Tensor
    uv: Tensor | None
    colours: Tensor | None
    material: Material
    finish: Tensor | None = None
    openness: Tensor | None = None


def surface(mesh: Mesh, crease_degrees: float = CREASE_DEGREES) -> Surface:
    """Merge equal positions and give each smooth patch of a vertex its own normal.

    Args:
        mesh: any triangle soup.
        crease_degrees: edges with a larger angle between the normals of their faces stay sharp.
    """
    vertices = mesh.vertices
    positions, faces, merged = welded(mesh)
    edges = topology(faces)
    flat = face_normals(positions, faces)
    patch = _smooth_patches(faces, edges, flat.detach(), crease_degrees)
    normals = _patch_normals(positions, faces, flat, patch)
    # One row of attributes per pair (patch, vertex of the file): the latter keeps seams in uv and colour.
    key, attribute = torch.unique(patch * max(len(vertices), 1) + mesh.faces.reshape(-1), return_inverse=True)
    source, patch_of = key % max(len(vertices), 1), torch.div(key, max(len(vertices), 1), rounding_mode="floor")
    return Surface(
        positions=positions,
        faces=faces,
        topology=edges,
        attribute_faces=attribute.reshape(-1, 3),
        position_of=merged[source],
        normals=normals[patch_of],
        face_normals=flat,
        uv=None if mesh.uv is None else mesh.uv.double()[source],
        colours=None if mesh.colours is None else mesh.colours.double()[source],
        material=mesh.material,
        finish=None if mesh.finish is None else mesh.finish.double()[source],
    )


def welded(mesh: Mesh) -> tuple[Tensor, Tensor, Tensor]:
    """Vertices at the same place made one.

    Returns:
        Positions [W,3] float64, faces [F,3] of them, and the new number [V] of each of the mesh's vertices.
    """
    vertices = mesh.vertices.double()
    merged = equal_rows(vertices)
    first = torch.full((int(merged.max()) + 1 if len(merged) else 0,), len(vertices), device=merged.device)
    first.scatter_reduce_(0, merged, torch.arange(len(merged), device=merged.device), "amin")
    return vertices[first], merged[mesh.faces], merged


def surface_on(device: torch.device, mesh: Mesh) -> Surface:
    """The surface of a mesh, with all its tensors on a device; the material's own follow when they are used."""

    def move(values: Tensor | None) -> Tensor | None:
        return None if values is None else values.to(device)

    vertices, faces = mesh.vertices.to(device), mesh.faces.to(device)
    return surface(Mesh(vertices, faces, move(mesh.uv), move(mesh.colours), mesh.material, move(mesh.finish)))


def equal_rows(points: Tensor) -> Tensor:
    """A number [V] int64 per row of points [V,3], the same for equal rows; several times as fast as torch.unique."""
    rows = points.detach().cpu().numpy()
    order = np.lexsort(rows.T)
    ordered = rows[order]
    new = np.concatenate([[False], (ordered[1:] != ordered[:-1]).any(1)]) if len(rows) else np.zeros(0, bool)
    number = np.empty(len(rows), np.int64)
    number[order] = np.cumsum(new)
    return torch.from_numpy(number).to(points.device)


def face_normals(positions: Tensor, faces: Tensor) -> Tensor:
    """Unit normals [F,3] of faces, counter-clockwise seen from outside; 0 for degenerate ones."""
    a, b, c = (positions[faces[:, k]] for k in range(3))
    return _unit(torch.linalg.cross(b - a, c - a))


def _unit(vectors: Tensor) -> Tensor:
    length = vectors.norm(dim=-1, keepdim=True)
    return vectors / torch.where(length == 0, 1, length)


def _smooth_patches(faces: Tensor, edges: Topology, normals: Tensor, crease_degrees: float) -> Tensor:
    """A patch number [3F] per corner: corners at one vertex share it where a fan of soft edges connects their faces."""
    face = edges.faces
    alike = (normals[face[:, 0]] * normals[face[:, 1]]).sum(1) >= math.cos(math.radians(crease_degrees))
    soft = (face[:, 1] >= 0) & (edges.sign.sum(1) == 0) & alike
    face, end = face[soft], edges.edges[soft]
    joined = []
    for k in range(2):
        # The corner of a face at a vertex: 3 face + its index in the face.
        corners = [3 * face[:, j] + (faces[face[:, j]] == end[:, k : k + 1]).long().argmax(1) for j in range(2)]
        joined.append(torch.stack(corners))
    pairs = torch.cat(joined, 1).cpu().numpy()
    return torch.from_numpy(groups(pairs[0], pairs[1], 3 * len(faces))).to(faces.device)


def _patch_normals(positions: Tensor, faces: Tensor, flat: Tensor, patch: Tensor) -> Tensor:
    """Unit normals per patch: face normals weighted by the angle at the corner (Thuermer and Wuethrich 1998)."""
    corner = positions[faces]
    to_next, to_last = _unit(corner.roll(-1, 1) - corner), _unit(corner.roll(1, 1) - corner)
    angle = torch.arccos((to_next * to_last).sum(-1).clamp(-1 + 1e-12, 1 - 1e-12))
    total = flat.new_zeros(int(patch.max()) + 1 if len(patch) else 0, 3)
    return _unit(total.index_add(0, patch, (angle[:, :, None] * flat[:, None, :]).reshape(-1, 3)))
