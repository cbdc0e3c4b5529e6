"""Rays on a GPU, one thread each, through a bounding volume hierarchy that the CPU builds."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import cuda, int32

from invrender.backends.arguments import check_faces
from invrender.backends.cpu.bvh import build
from invrender.backends.cuda.bodies import bvh
from invrender.backends.cuda.launch import launch
from invrender.backends.cuda.target import kernel
from invrender.kernels.intersect import intersect

Tensor = torch.Tensor

STACK, first_face = bvh.STACK, bvh.first_face


def trace(vertices: Tensor, faces: Tensor, origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Face [R] int64 (-1: miss), t (inf: miss), u and v of rays' first hits, both sides of faces.

    Raises:
        InputError: a face names a vertex that does not exist.
    """
    check_faces(faces, len(vertices))
    built = build(np.ascontiguousarray(vertices.detach().double()[faces].cpu().numpy()))
    face = torch.full((len(origin),), -1, dtype=torch.int64, device=origin.device)
    if len(built.order):
        parts = [torch.as_tensor(part, device=origin.device) for part in (built.corners, built.order, built.boxes)]
        parts.append(torch.as_tensor(built.links, device=origin.device))
        launch(_trace, len(origin), origin.double().contiguous(), direction.double().contiguous(), *parts, face)
    hit = face >= 0
    t, u, v = vertices.new_full((len(face),), torch.inf), vertices.new_zeros(len(face)), vertices.new_zeros(len(face))
    corners = vertices[faces[face[hit]]]
    t[hit], u[hit], v[hit] = intersect(corners, origin[hit].to(vertices.dtype), direction[hit].to(vertices.dtype))
    return face, t, u, v


@kernel
def _trace(origin: Any, direction: Any, corners: Any, order: Any, boxes: Any, links: Any, face: Any) -> None:
    ray = cuda.grid(1)
    if ray >= face.shape[0]:
        return
    stack = cuda.local.array(STACK, int32)
    face[ray] = first_face(
        origin[ray, 0], origin[ray, 1], origin[ray, 2], direction[ray, 0], direction[ray, 1], direction[ray, 2],
        corners, order, boxes, links, stack,
    )  # fmt: skip
