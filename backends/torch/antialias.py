"""Antialiasing of rasterized images along contour edges, and the adjoint that makes visibility differentiable.

Every contour edge (see `crossings`) is intersected with the rows and columns of pixel centres. Between the
two centres around a crossing one pixel lies inside the edge's surface and one outside. With d the distance from the
inner centre to the crossing, the pixel that the crossing lies in moves towards the other one:

    image[target] += weight * (d - 1/2) * (image[inner] - image[outer]),    target = outer if d > 1/2 else inner.

It is the blend of Laine et al. 2020 ("Modular Primitives for High-Performance Differentiable Rendering") but starts
from the edges of the mesh instead of the faces seen in the pixels, so that it also holds where triangles are smaller
than pixels. Rows count with cos^2 and columns with sin^2 of the edge's angle to the vertical, as in `silhouette`.
The adjoint holds that weight constant.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.backends.torch.crossings import Crossings, Segments, contour_segments, scanline_crossings, screen_adjoint
from invrender.nouns.topology import Topology

Tensor = torch.Tensor

_SNAP = (
    1.0 / 128.0
)  # the rasterizer moves edges by up to 1/512 pixel; search the pixel pair that results within this distance
_DEPTH_MARGIN = 1e-6  # NDC


@dataclass(frozen=True)
class _Blends:
    """One blend per pixel pair that a visible contour edge separates.

    Attributes:
        inner, outer: [K] int64, flat pixel indices into [N,H,W].
        d: [K] float64, distance in pixels from the inner centre to the crossing.
        away: [K] float64, +1 where d grows with the position along the scanline, -1 where it falls.
        weight: [K] float64.
        ends: [K,2] int64, rows of the segments' clip.
        slant: [K,2,2] float64, d position / d screen (x, y) of the two ends.
    """

    inner: Tensor
    outer: Tensor
    d: Tensor
    away: Tensor
    weight: Tensor
    ends: Tensor
    slant: Tensor

    @property
    def target(self) -> Tensor:
        return torch.where(self.d > 0.5, self.outer, self.inner)

    @property
    def amount(self) -> Tensor:
        return self.weight * (self.d - 0.5)


def antialias(image: Tensor, face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology) -> Tensor:
    """Blend an image across the silhouettes and the depth discontinuities of the mesh that it shows.

    Args:
        image: [N,H,W,C] float.
        face_id: [N,H,W] int64 from `rasterize`, -1 for a miss.
        depth: [N,H,W] NDC depth from `rasterize`.
        clip: [N,V,4] float, the positions that were rasterized.
        faces: [F,3] int64.
        topology: of `faces`.

    Returns:
        [N,H,W,C]; convex combinations of neighbours up to small overshoots at corners thinner than a pixel.
    """
    _, blends = _blends(face_id, depth, clip, faces, topology)
    flat = image.reshape(-1, image.shape[-1])
    change = blends.amount.to(image.dtype)[:, None] * (flat[blends.inner] - flat[blends.outer])
    return flat.index_add(0, blends.target, change).reshape(image.shape)


def antialias_adjoint(
    grad: Tensor, image: Tensor, face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology
) -> tuple[Tensor, Tensor]:
    """d image [N,H,W,C] and d clip [N,V,4] from d output [N,H,W,C]; see `antialias` for the rest."""
    segments, blends = _blends(face_id, depth, clip, faces, topology)
    grad_flat, flat = grad.reshape(-1, grad.shape[-1]), image.reshape(-1, image.shape[-1])
    d_target = grad_flat[blends.target]
    share = blends.amount.to(grad.dtype)[:, None] * d_target
    d_image = grad_flat.index_add(0, blends.inner, share).index_add_(0, blends.outer, -share)
    d_amount = (d_target * (flat[blends.inner] - flat[blends.outer])).sum(1).double()
    d_position = d_amount * blends.weight * blends.away
    d_screen = torch.zeros_like(segments.screen)
    d_screen.index_add_(0, blends.ends.reshape(-1), (d_position[:, None, None] * blends.slant).reshape(-1, 2))
    size = (face_id.shape[1], face_id.shape[2])
    return d_image.reshape(image.shape), screen_adjoint(segments, d_screen, size, clip.shape)


def _blends(
    face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology
) -> tuple[Segments, _Blends]:
    size = (face_id.shape[1], face_id.shape[2])
    segments = contour_segments(clip, faces, topology, size)
    scene = _Rasterized(face_id.reshape(-1), depth.reshape(-1).double(), clip, faces, size)
    parts = [_along(axis, scanline_crossings(segments, axis, size), segments, scene) for axis in (0, 1)]
    fields = zip(*((b.inner, b.outer, b.d, b.away, b.weight, b.ends, b.slant) for b in parts), strict=True)
    return segments, _Blends(*(torch.cat(field) for field in fields))


@dataclass(frozen=True)
class _Rasterized:
    """The rasterized pixels, flat: face ids and depth, with what is needed to extend a face's depth off its pixel."""

    face_id: Tensor
    depth: Tensor
    clip: Tensor
    faces: Tensor
    size: tuple[int, int]


def _along(axis: int, crossings: Crossings, segments: Segments, seen: _Rasterized) -> _Blends:
    """Blends along rows (axis 0) or columns (axis 1)."""
    height, width = seen.size
    length, stride = (width, 1) if axis == 0 else (height, width)
    which, first = _pairs(crossings.position)
    fits = (first >= 0) & (first + 1 < length)
    which, first = which[fits], first[fits]
    line, segment = crossings.line[which], crossings.segment[which]
    row, column = (line, first) if axis == 0 else (first, line)
    low = (segments.view[segment] * height + row) * width + column
    begins = crossings.step[which] > 0  # the edge's surface starts here, so the inner pixel is the second of the pair
    inner, outer = torch.where(begins, low + stride, low), torch.where(begins, low, low + stride)
    offset = crossings.position[which] - (first + 0.5)
    d = torch.where(begins, 1 - offset, offset)

    visible = (seen.face_id[inner] >= 0) & (seen.face_id[inner] != seen.face_id[outer])
    checked = (visible & (seen.face_id[outer] >= 0)).nonzero()[:, 0]
    visible[checked] = _in_front(crossings, which[checked], inner[checked], outer[checked], axis, segments, seen)
    picked = visible.nonzero()[:, 0]
    picked = picked[_outermost(low[picked], d[picked], seen.face_id.numel())]
    which = which[picked]
    slope, t = crossings.slope[which], crossings.t[which]
    share = torch.stack([1 - t, t], 1)  # position = p_a + t (p_b - p_a) at a fixed line
    across = -slope[:, None] * share
    return _Blends(
        inner=inner[picked],
        outer=outer[picked],
        d=d[picked],
        away=torch.where(begins[picked], -1.0, 1.0).double(),
        weight=1 / (1 + slope**2),
        ends=segments.ends[crossings.segment[which]],
        slant=torch.stack([share, across] if axis == 0 else [across, share], 2),
    )


def _pairs(position: Tensor) -> tuple[Tensor, Tensor]:
    """Pixel pairs that a crossing may separate: (crossing, first pixel of the pair).

    Usually the pair around the position. Very close to a centre the rasterizer may have rounded the edge to the
    other side of it, so the neighbouring pair is offered as well; only one of them shows the edge.
    """
    first = torch.floor(position - 0.5)
    gap = position - 0.5 - first
    early, late = (gap < _SNAP).nonzero()[:, 0], (gap > 1 - _SNAP).nonzero()[:, 0]
    every = torch.arange(len(position), device=position.device)
    first = first.clamp(-2, 2**31).long()
    return torch.cat([every, early, late]), torch.cat([first, first[early] - 1, first[late] + 1])


def _in_front(
    crossings: Crossings, which: Tensor, inner: Tensor, outer: Tensor, axis: int, segments: Segments, seen: _Rasterized
) -> Tensor:
    """Whether the edge, where both of its sides show a face, lies before the outer and not before the inner one."""
    ends = segments.clip[segments.ends[crossings.segment[which]]].double()
    z = ends[..., 2] / ends[..., 3]
    edge = z[:, 0] + crossings.t[which] * (z[:, 1] - z[:, 0])
    along, across = crossings.position[which], crossings.line[which] + 0.5
    x, y = (along, across) if axis == 0 else (across, along)
    behind, _ = _depth_at(outer, x, y, seen)
    own, reach = _depth_at(inner, x, y, seen)
    # Where triangles are small the inner pixel shows a neighbour of the edge's own face, so allow for its reach.
    return (edge < behind - _DEPTH_MARGIN) & (own < edge + 4 * reach + _DEPTH_MARGIN)


def _depth_at(pixel: Tensor, x: Tensor, y: Tensor, seen: _Rasterized) -> tuple[Tensor, Tensor]:
    """NDC depth of the face seen in a pixel at a nearby screen point, kept within its corners' range, and that range.

    The face's plane decides more reliably than the depth at the pixel's centre whether an edge lies in front of it.
    """
    height, width = seen.size
    corner = seen.faces[seen.face_id[pixel]]
    clip = seen.clip.reshape(-1, 4)[corner + (pixel // (height * width) * seen.clip.shape[1])[:, None]].double()
    in_front = (clip[..., 2] + clip[..., 3] > 0).all(1)
    ndc = clip[..., :3] / torch.where(clip[..., 3:] == 0, 1e-30, clip[..., 3:])
    px, py = (ndc[..., 0] + 1) * (0.5 * width), (1 - ndc[..., 1]) * (0.5 * height)
    x1, y1, z1 = px[:, 1] - px[:, 0], py[:, 1] - py[:, 0], ndc[:, 1, 2] - ndc[:, 0, 2]
    x2, y2, z2 = px[:, 2] - px[:, 0], py[:, 2] - py[:, 0], ndc[:, 2, 2] - ndc[:, 0, 2]
    area = x1 * y2 - x2 * y1
    good = in_front & (area != 0)
    area = torch.where(good, area, 1)
    dx = x - (pixel % width + 0.5)
    dy = y - (pixel // width % height + 0.5)
    z = seen.depth[pixel] + ((z1 * y2 - z2 * y1) * dx + (z2 * x1 - z1 * x2) * dy) / area
    low, high = ndc[..., 2].amin(1), ndc[..., 2].amax(1)
    z = torch.minimum(torch.maximum(z, low), high)
    return torch.where(good, z, seen.depth[pixel]), torch.where(good, high - low, 0)


def _outermost(pair: Tensor, d: Tensor, pixels: int) -> Tensor:
    """Of all crossings of the same pixel pair the one furthest from the inner pixel; ties go to the first."""
    furthest = torch.full((pixels,), -torch.inf, dtype=d.dtype, device=d.device)
    furthest.scatter_reduce_(0, pair, d, "amax")
    best = (d == furthest[pair]).nonzero()[:, 0]
    first = torch.full((pixels,), len(pair), dtype=torch.int64, device=d.device)
    first.scatter_reduce_(0, pair[best], best, "amin")
    return best[first[pair[best]] == best]
