"""Rays through meshes as a differentiable operation: any backend finds the face, algebra gives where it is hit."""

from __future__ import annotations

from typing import NamedTuple

import torch

from invrender.errors import InputError
from invrender.kernels import Backend
from invrender.kernels.intersect import intersect

Tensor = torch.Tensor


class Hits(NamedTuple):
    """First hits of R rays.

    Attributes:
        face: [R] int64, -1 where a ray misses.
        t: [R] in lengths of the ray's direction, inf on a miss.
        u, v: [R] barycentrics, 0 on a miss: the hit is origin + t direction = (1-u-v) a + u b + v c, with a, b, c the
            corners of the face.
    """

    face: Tensor
    t: Tensor
    u: Tensor
    v: Tensor


def first_hits(backend: Backend, vertices: Tensor, faces: Tensor, origin: Tensor, direction: Tensor) -> Hits:
    """The first hits of rays with a mesh, both sides of its faces; t, u and v are differentiable in vertices and rays.

    Which face is hit is discrete and has no gradient: that of visibility comes from `render.edges`.

    Args:
        backend: finds the faces; tensors live on its device.
        vertices: [P,3] float; t, u and v have its dtype.
        faces: [F,3] int64.
        origin, direction: [R,3] float, of any length but 0.

    Raises:
        InputError: a vertex is not a finite number, or a face names one that does not exist.
    """
    check_finite(vertices)
    with torch.no_grad():
        face = backend.trace(vertices.detach(), faces, origin.detach(), direction.detach())[0]
    hit = (face >= 0).nonzero()[:, 0]
    corners = vertices[faces[face[hit]]]
    found = intersect(corners, origin[hit].to(vertices.dtype), direction[hit].to(vertices.dtype))
    missed = (vertices.new_full((len(face),), value) for value in (torch.inf, 0.0, 0.0))
    return Hits(face, *(empty.index_put((hit,), value) for empty, value in zip(missed, found, strict=True)))


def check_finite(vertices: Tensor) -> None:
    """
    Raises:
        InputError: a coordinate of vertices [P,3] is NaN or infinite.
    """
    if not bool(torch.isfinite(vertices.detach()).all()):
        raise InputError(
            "the mesh has vertices that are not finite numbers", "look at the mesh with `invrender inspect`"
        )
