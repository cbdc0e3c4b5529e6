"""Rays on the CPU: a bounding volume hierarchy over the faces, then every ray by itself, in float64."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.bodies.bvh import STACK, first_face
from invrender.backends.bodies.target import device
from invrender.backends.cpu.arrays import packed_faces
from invrender.backends.cpu.bvh import build
from invrender.backends.cpu.contour import Floats, Ints
from invrender.backends.cpu.threads import parallel_for
from invrender.jit import kernel

Tensor = torch.Tensor

BLOCK = 1024  # rays per piece of work


def trace(vertices: Tensor, faces: Tensor, origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Face [R] int64 (-1: miss), t (inf: miss), u and v of the first hits of rays with a mesh, both sides of its faces.

    Raises:
        InputError: a face names a vertex that does not exist.
    """
    triangles = packed_faces(faces, len(vertices))
    corners = np.ascontiguousarray(vertices.detach().numpy().astype(np.float64)[triangles])
    bvh = build(corners)
    rays = [np.ascontiguousarray(part.detach().numpy(), np.float64) for part in (origin, direction)]
    face = torch.full((len(origin),), -1, dtype=torch.int64)
    place = np.full((3, len(origin)), ((np.inf,), (0.0,), (0.0,)))
    parts = (bvh.corners, bvh.order, bvh.boxes, bvh.links)
    if len(bvh.order):
        parallel_for(partial(_trace, rays[0], rays[1], *parts, corners, face.numpy(), place), -(-len(origin) // BLOCK))
    t, u, v = torch.from_numpy(place).to(vertices.dtype)
    return face, t, u, v


@kernel
def _trace(
    origin: Floats, direction: Floats, corners: Floats, order: Ints, boxes: Floats, links: Ints,
    triangles: Floats, face: NDArray[np.int64], place: Floats, first: int, step: int,
) -> None:  # fmt: skip
    """Fill face [R] and t, u and v in place [3,R] for every step-th block of rays; what misses stays as it is."""
    stack = np.empty(STACK, np.int32)
    for block in range(first, -(-len(face) // BLOCK), step):
        for ray in range(block * BLOCK, min((block + 1) * BLOCK, len(face))):
            face[ray] = first_face(
                origin[ray, 0], origin[ray, 1], origin[ray, 2], direction[ray, 0], direction[ray, 1],
                direction[ray, 2], corners, order, boxes, links, stack,
            )  # fmt: skip
            if face[ray] >= 0:
                place[0, ray], place[1, ray], place[2, ray] = _located(
                    triangles[face[ray]], origin[ray], direction[ray]
                )


@device
def _located(corners: Floats, origin: Floats, direction: Floats) -> tuple[float, float, float]:
    """t, u and v of a ray and the plane of a triangle [3,3]; see `invrender.kernels.intersect`."""
    ax, ay, az = corners[0, 0], corners[0, 1], corners[0, 2]
    sx, sy, sz = corners[1, 0] - ax, corners[1, 1] - ay, corners[1, 2] - az
    ox, oy, oz = corners[2, 0] - ax, corners[2, 1] - ay, corners[2, 2] - az
    dx, dy, dz = direction[0], direction[1], direction[2]
    across = dy * oz - dz * oy, dz * ox - dx * oz, dx * oy - dy * ox
    det = sx * across[0] + sy * across[1] + sz * across[2]
    px, py, pz = origin[0] - ax, origin[1] - ay, origin[2] - az
    u = (px * across[0] + py * across[1] + pz * across[2]) / det
    crossed = py * sz - pz * sy, pz * sx - px * sz, px * sy - py * sx
    v = (dx * crossed[0] + dy * crossed[1] + dz * crossed[2]) / det
    return (ox * crossed[0] + oy * crossed[1] + oz * crossed[2]) / det, u, v
