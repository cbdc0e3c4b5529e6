"""Lines in which faces pass through each other: no edges of the mesh, but what is seen jumps across them as well."""

from __future__ import annotations

import torch

from invrender.geometry.intersections import self_intersections
from invrender.render.planes import face_planes, lines_of_planes

Tensor = torch.Tensor


def crossings(positions: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
    """Pairs of faces [K,2] int64 that pass through each other, and the ends [K,2,3] of the lines in which they do.

    Faces that only touch do not count; see `geometry.intersections`. There is no gradient.
    """
    at = positions.detach()
    pairs = torch.from_numpy(self_intersections(at.cpu().numpy(), faces.cpu().numpy())).to(faces.device)
    planes = [face_planes(at, faces[pairs[:, k]]) for k in range(2)]
    way = torch.nn.functional.normalize(torch.linalg.cross(planes[0][:, :3], planes[1][:, :3]), dim=1)
    (cuts, cut), (others, other) = (_cuts(at[faces[pairs[:, k]]], planes[1 - k]) for k in range(2))
    one, two = (_span(points, valid, way) for points, valid in ((cuts, cut), (others, other)))
    first, last = torch.maximum(one[0], two[0]), torch.minimum(one[1], two[1])
    base = cuts[torch.arange(len(cuts)), cut.long().argmax(1)]
    offset = (base * way).sum(1)
    ends = torch.stack([base + (t - offset)[:, None] * way for t in (first, last)], 1)
    meet = (first < last) & torch.isfinite(ends).all(2).all(1)
    return pairs[meet], ends[meet]


def _cuts(corners: Tensor, plane: Tensor) -> tuple[Tensor, Tensor]:
    """Points [K,3,3] where planes [K,4] cut the three sides of triangles [K,3,3], and whether they do [K,3]."""
    height = (corners * plane[:, None, :3]).sum(2) + plane[:, 3:]
    step = height - height.roll(-1, 1)
    share = height / torch.where(step == 0, 1, step)
    return corners + share[..., None] * (corners.roll(-1, 1) - corners), (height >= 0) != (height.roll(-1, 1) >= 0)


def _span(points: Tensor, valid: Tensor, way: Tensor) -> tuple[Tensor, Tensor]:
    """From where to where [K] along directions [K,3] the valid ones of points [K,3,3] reach."""
    along = (points * way[:, None]).sum(2)
    return torch.where(valid, along, torch.inf).amin(1), torch.where(valid, along, -torch.inf).amax(1)


def crossing_lines(from_screen: Tensor, positions: Tensor, faces: Tensor, pairs: Tensor) -> Tensor:
    """The lines [K,3] of pictures in which faces [K,2] of [F,3] pass through each other; differentiable."""
    return lines_of_planes(from_screen, *(face_planes(positions, faces[pairs[:, k]]) for k in range(2)))[0]
