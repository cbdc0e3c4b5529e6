"""Normals of vertices, differentiable with the vertices."""

from __future__ import annotations

import torch

Tensor = torch.Tensor


def smooth_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Area-weighted unit normals [V,3] of vertices [V,3] and faces [F,3]; 0 where no face has an area."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    across = torch.linalg.cross(b - a, c - a)
    total = torch.zeros_like(vertices)
    for k in range(3):
        total = total.index_add(0, faces[:, k], across)
    return torch.nn.functional.normalize(total, dim=1, eps=1e-30)
