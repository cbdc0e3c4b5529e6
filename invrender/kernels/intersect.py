"""Where a ray meets a triangle, once the face is known, and where rays from far away start; for all that trace rays."""

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


def approached(origin: Tensor, direction: Tensor, radius: float) -> Tensor:
    """Origins [R,3] of rays moved ahead along their unit directions [R,3] to a sphere about 0, where they are far away.

    What lies within the sphere is met as before; float32, in which some engines compute, would miss it from there.
    """
    ahead = -(origin * direction).sum(-1, keepdim=True) - radius
    return origin + ahead.clamp(min=0) * direction
