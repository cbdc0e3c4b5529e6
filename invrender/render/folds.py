"""Edges of a mesh at which what is seen may jump: contours, borders, and creases or seams of the shading.

An edge is a contour (a fold) as seen from a point where its two faces lie on the same side of it. The point is
homogeneous, (position, 1) or (direction, 0), so that eyes, orthographic cameras and lights of both kinds are alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.nouns.topology import Topology
from invrender.shading.surface import Surface

Tensor = torch.Tensor

_NO_WIDTH = 1e-6  # of a face's longest edge, below which its width is rounding


@dataclass(frozen=True)
class Edges:
    """The E different edges of a mesh.

    Attributes:
        ends: [E,2] int64 vertex ids.
        faces: [E,2] int64 face ids; -1 where there is no second face.
        winding: [E] int8: -1 where the two faces run the edge in opposite directions, as consistently wound ones do,
            +1 where they run it alike.
        open: [E] bool, whether the edge is a contour from everywhere: it has one face only, or three and more.
    """

    ends: Tensor
    faces: Tensor
    winding: Tensor
    open: Tensor


def edges_of(topology: Topology) -> Edges:
    """The edges of a mesh, those of many faces once (a topology lists them in pairs)."""
    new = torch.ones(len(topology.edges), dtype=torch.bool, device=topology.edges.device)
    new[1:] = (topology.edges[1:] != topology.edges[:-1]).any(1)
    first = new.nonzero()[:, 0]
    entries = torch.diff(first, append=first.new_tensor([len(new)]))
    faces = topology.faces[first]
    winding = topology.sign[first].prod(1).to(torch.int8)
    return Edges(topology.edges[first], faces, winding, (faces[:, 1] < 0) | (entries > 1))


def contours(edges: Edges, positions: Tensor, faces: Tensor, eye: Tensor) -> Tensor:
    """[E] bool: the edges that are contours as seen from a homogeneous point [4].

    They form closed chains, since every face counts as seen from one side or the other, those seen edge-on too. Faces
    without width, which fill the gaps where vertices lie on other faces' edges, go with the face at their longest edge:
    a contour runs on one side of them and is not counted on the other.
    """
    if not len(faces):
        return edges.open
    a, b, c = (positions[faces[:, k]] for k in range(3))
    outward = (torch.linalg.cross(b - a, c - a) * (eye[:3] - eye[3] * a)).sum(1)
    side = torch.where(outward >= 0, 1, -1).to(torch.int8)
    spine = _spines(edges, positions, faces)
    for k in range(2):
        own = spine[:, k].nonzero()[:, 0]
        side[edges.faces[own, k]] = -edges.winding[own] * side[edges.faces[own, 1 - k]]
    return edges.open | (side[edges.faces[:, 0]] * side[edges.faces[:, 1]] * edges.winding > 0)


def jumps(surface: Surface, edges: Edges) -> Tensor:
    """[E] bool: edges on whose two sides normals, texture coordinates or colours differ (creases, seams).

    Where there is a face without width between the two sides, its shorter edges stand for all of them.
    """
    two = (~edges.open).nonzero()[:, 0]
    differ = torch.zeros(len(edges.ends), dtype=torch.bool, device=edges.ends.device)
    for end in range(2):
        one, other = (_rows(surface, edges.faces[two, k], edges.ends[two, end]) for k in range(2))
        for values in (surface.normals, surface.uv, surface.colours, surface.finish):
            if values is not None:
                differ[two] |= (values[one] != values[other]).any(1)
    spine = _spines(edges, surface.positions.detach(), surface.faces)
    across = torch.zeros(len(surface.faces), dtype=torch.bool, device=differ.device)
    across[edges.faces[spine & differ[:, None]]] = True
    found: Tensor = (differ | (across[edges.faces] & (edges.faces >= 0)).any(1)) & ~spine.any(1)
    return found


def _spines(edges: Edges, positions: Tensor, faces: Tensor) -> Tensor:
    """[E,2] bool: whether an edge of two faces is the longest one of one of them that has no width."""
    corners = positions[faces]
    longest = (corners - corners.roll(1, 1)).norm(dim=2).amax(1)
    area = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).norm(dim=1)
    flat = (area <= _NO_WIDTH * longest**2)[edges.faces] & ~edges.open[:, None]
    length = (positions[edges.ends[:, 1]] - positions[edges.ends[:, 0]]).norm(dim=1)
    found: Tensor = flat & (length[:, None] >= (1 - 1e-9) * longest[edges.faces])
    return found


def _rows(surface: Surface, face: Tensor, vertex: Tensor) -> Tensor:
    """The rows [K] of attributes at a vertex [K] of faces [K]."""
    corner = (surface.faces[face] == vertex[:, None]).long().argmax(1)
    return surface.attribute_faces[face, corner]
