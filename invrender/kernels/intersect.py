"""Where a ray meets a triangle: what `Trace` returns once the face is known, for backends and for gradients alike."""

from __future__ import annotations

import torch

Tensor = torch.Tensor


def intersect(corners: Tensor, origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where rays meet the planes of triangles: t, u, v of corners [...,3,3] and rays [...,3] (broadcast).

    Moeller and Trumbore 1997 ("Fast, Minimum Storage Ray/Triangle Intersection"); not finite for parallel ones.
    """
    a, b, c = corners.unbind(-2)
    side, other = b - a, c - a
    across = torch.linalg.cross(direction, other)
    det = (side * across).sum(-1)
    to_origin = origin - a
    u = (to_origin * across).sum(-1) / det
    crossed = torch.linalg.cross(to_origin, side)
    v = (direction * crossed).sum(-1) / det
    return (other * crossed).sum(-1) / det, u, v
