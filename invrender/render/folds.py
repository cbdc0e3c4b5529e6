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


def facing(positions: Tensor, faces: Tensor, eye: Tensor) -> Tensor:
    """Which side of each face is seen from a homogeneous point [4]: [F] int8, +1 or -1.

    Faces seen edge-on, and those without area, count as one of the two, so that contours are closed chains all the
    same and no contour is counted twice.
    """
    a, b, c = (positions[faces[:, k]] for k in range(3))
    side = (torch.linalg.cross(b - a, c - a) * (eye[:3] - eye[3] * a)).sum(1)
    return torch.where(side >= 0, 1, -1).to(torch.int8)


def folds(edges: Edges, side: Tensor) -> Tensor:
    """[E] bool: the contours as seen from where the faces show the sides [F] of `facing`."""
    if not len(side):
        return edges.open
    return edges.open | (side[edges.faces[:, 0]] * side[edges.faces[:, 1]] * edges.winding > 0)


def jumps(surface: Surface, edges: Edges) -> Tensor:
    """[E] bool: edges on whose two sides normals, texture coordinates or colours differ (creases, seams)."""
    two = (~edges.open).nonzero()[:, 0]
    differ = torch.zeros(len(edges.ends), dtype=torch.bool, device=edges.ends.device)
    for end in range(2):
        one, other = (_rows(surface, edges.faces[two, k], edges.ends[two, end]) for k in range(2))
        for values in (surface.normals, surface.uv, surface.colours):
            if values is not None:
                differ[two] |= (values[one] != values[other]).any(1)
    return differ


def _rows(surface: Surface, face: Tensor, vertex: Tensor) -> Tensor:
    """The rows [K] of attributes at a vertex [K] of faces [K]."""
    corner = (surface.faces[face] == vertex[:, None]).long().argmax(1)
    return surface.attribute_faces[face, corner]
