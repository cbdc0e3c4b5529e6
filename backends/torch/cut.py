"""Cuts triangles at the near plane and at a wide guard band, so that the rest can be drawn in integers.

Sutherland and Hodgman 1974 ("Reentrant Polygon Clipping"), one plane after the other, on all straddling triangles at
once. A cut point is always computed from the inner to the outer end of an edge, so that two triangles which share the
edge get the same point to the last bit and no crack opens between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.kernels import Size

Tensor = torch.Tensor

GUARD_PIXELS = 2.0**19
"""Nothing is drawn further than this from the image's centre: twelve times the widest image anyone renders."""


@dataclass(frozen=True)
class Projection:
    """Projected vertices.

    Attributes:
        clip: [N,V,4] float64.
        screen: [N,V,3] float64, pixels x right, y down, and NDC depth; meaningless where not safe.
        safe: [N,V] bool, in front of the near plane and within the guard band.
        planes: [P,4] float64, half spaces plane . clip > 0 that make a vertex safe.
        size: (H, W).
    """

    clip: Tensor
    screen: Tensor
    safe: Tensor
    planes: Tensor
    size: Size


def project(clip: Tensor, size: Size) -> Projection:
    """Screen positions of clip positions [N,V,4]."""
    clip = clip.double()
    height, width = size
    right, top = 2 * GUARD_PIXELS / width, 2 * GUARD_PIXELS / height
    # Near plane and the guard band's four sides; two opposite sides together keep w positive.
    planes = clip.new_tensor([[0, 0, 1, 1], [1, 0, 0, right], [-1, 0, 0, right], [0, 1, 0, top], [0, -1, 0, top]])
    safe = torch.isfinite(clip).all(-1)
    for plane in planes:
        safe &= clip @ plane > 0
    return Projection(clip, _screen(clip, size), safe, planes, size)


def screen_triangles(projection: Projection, faces: Tensor, view: Tensor, face: Tensor) -> tuple[Tensor, ...]:
    """Screen triangles of some faces in some views, cut where they are not safe.

    Args:
        projection: of all vertices.
        faces: [F,3] int64.
        view, face: [K] int64, which face in which view.

    Returns:
        screen [T,3,3] float64 (pixels x right, y down, NDC depth), view [T] and face [T].
    """
    corner = faces[face] + (view * projection.safe.shape[1])[:, None]
    safe = projection.safe.reshape(-1)[corner]
    screen = projection.screen.reshape(-1, 3)
    if bool(safe.all()):
        return screen[corner], view, face
    whole = safe.all(1)
    clip = projection.clip.reshape(-1, 4)[corner]
    owner = (~whole & torch.isfinite(clip).all(-1).all(-1)).nonzero()[:, 0]
    pieces = clip[owner]
    for plane in projection.planes:
        pieces, kept = _cut(pieces, plane)
        owner = owner[kept]
    cut = _screen(pieces, projection.size)
    finite = torch.isfinite(cut).all(-1).all(-1)
    cut, owner = cut[finite], owner[finite]
    return (
        torch.cat([screen[corner[whole]], cut]),
        torch.cat([view[whole], view[owner]]),
        torch.cat([face[whole], face[owner]]),
    )


def _screen(clip: Tensor, size: Size) -> Tensor:
    height, width = size
    ndc = clip[..., :3] / clip[..., 3:]
    return torch.stack([(ndc[..., 0] + 1) * (0.5 * width), (1 - ndc[..., 1]) * (0.5 * height), ndc[..., 2]], -1)


def _cut(triangles: Tensor, plane: Tensor) -> tuple[Tensor, Tensor]:
    """The parts of triangles [K,3,4] inside a half space, as triangles, and the row that each came from."""
    distance = triangles @ plane
    inside = distance > 0
    count = inside.sum(1)
    rows = torch.arange(len(triangles), device=triangles.device)
    # Rotate the corners so that the one alone on its side comes first; a rotation keeps the winding.
    odd = torch.where(count[:, None] == 1, inside, ~inside).long().argmax(1)
    rotated = (odd[:, None] + torch.arange(3, device=odd.device)) % 3
    corner = triangles.gather(1, rotated[:, :, None].expand(-1, -1, 4))
    away = distance.gather(1, rotated)
    one, two = count == 1, count == 2
    a, b, c = (corner[one, k] for k in range(3))
    da, db, dc = (away[one, k] for k in range(3))
    tip = torch.stack([a, _point(a, b, da, db), _point(a, c, da, dc)], 1)
    a, b, c = (corner[two, k] for k in range(3))
    da, db, dc = (away[two, k] for k in range(3))
    on_b, on_c = _point(b, a, db, da), _point(c, a, dc, da)
    quad = torch.cat([torch.stack([on_b, b, c], 1), torch.stack([on_b, c, on_c], 1)])
    full = count == 3
    return torch.cat([triangles[full], tip, quad]), torch.cat([rows[full], rows[one], rows[two], rows[two]])


def _point(inner: Tensor, outer: Tensor, d_inner: Tensor, d_outer: Tensor) -> Tensor:
    t = (d_inner / (d_inner - d_outer))[:, None]
    return inner + t * (outer - inner)
