"""Rays on the CPU: a bounding volume hierarchy over the faces, then every ray by itself, in float64."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.bodies.bvh import STACK, first_face
from invrender.backends.cpu.arrays import packed_faces
from invrender.backends.cpu.bvh import build
from invrender.backends.cpu.contour import Floats, Ints
from invrender.backends.cpu.threads import parallel_for
from invrender.jit import kernel
from invrender.kernels.intersect import intersect

Tensor = torch.Tensor

BLOCK = 1024  # rays per piece of work


def trace(vertices: Tensor, faces: Tensor, origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Face [R] int64 (-1: miss), t (inf: miss), u and v of the first hits of rays with a mesh, both sides of its faces.

    Raises:
        InputError: a face names a vertex that does not exist.
    """
    triangles = packed_faces(faces, len(vertices))
    bvh = build(np.ascontiguousarray(vertices.detach().numpy().astype(np.float64)[triangles]))
    rays = [np.ascontiguousarray(part.detach().numpy(), np.float64) for part in (origin, direction)]
    face = torch.full((len(origin),), -1, dtype=torch.int64)
    parts = (bvh.corners, bvh.order, bvh.boxes, bvh.links)
    if len(bvh.order):
        parallel_for(partial(_trace, rays[0], rays[1], *parts, face.numpy()), -(-len(origin) // BLOCK))
    hit = face >= 0
    t, u, v = vertices.new_full((len(face),), torch.inf), vertices.new_zeros(len(face)), vertices.new_zeros(len(face))
    corners = vertices[faces[face[hit]]]
    t[hit], u[hit], v[hit] = intersect(corners, origin[hit].to(vertices.dtype), direction[hit].to(vertices.dtype))
    return face, t, u, v


@kernel
def _trace(
    origin: Floats, direction: Floats, corners: Floats, order: Ints, boxes: Floats, links: Ints,
    face: NDArray[np.int64], first: int, step: int,
) -> None:  # fmt: skip
    stack = np.empty(STACK, np.int32)
    for block in range(first, -(-len(face) // BLOCK), step):
        for ray in range(block * BLOCK, min((block + 1) * BLOCK, len(face))):
            face[ray] = first_face(
                origin[ray, 0], origin[ray, 1], origin[ray, 2], direction[ray, 0], direction[ray, 1],
                direction[ray, 2], corners, order, boxes, links, stack,
            )  # fmt: skip
