"""Antialiasing of rasterized images along contour edges, and the adjoint that makes visibility differentiable.

A picture holds the colour at every pixel's centre. Where a visible contour edge (an outer silhouette, or one where a
nearer surface ends before a farther one) runs through a pixel, the part of it on the other side of the edge has another
colour. With `area` that part and m its centroid (exact, see `pieces`; of visible pieces alone, see `sight`),

    image[p] += area * (near(-m) + far(m) - 2 image[p]),

where near and far are the colours on the centre's side of the edge and on the other one, extrapolated linearly from two
samples of that side: the pixel next to p along the edge's normal, and the one behind it. If colours are linear on both
sides this is the pixel's mean: near(-m) - 2 near(0) = -near(m). Just before an edge reaches the centre of p (area 1/2),
and just after it, image[p] itself does not count: the picture is a continuous function of positions while the centre's
own sample jumps from one surface to the other. Where the centre shows neither side, image[p] += area * (inner(m) -
outer(m)) with the area of the piece's surface. Everything is linear in the area and its moment, area * m.

The derivative with respect to positions is Reynolds' transport theorem on the visible pieces (Li et al. 2018,
"Differentiable Monte Carlo Ray Tracing through Edge Sampling"), with those colours on both sides. It is the picture's
own wherever the pieces of a pixel part the same samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.backends.torch.crossings import Segments, contour_segments, screen_adjoint
from invrender.backends.torch.pieces import Pieces, contour_pieces, doubled
from invrender.backends.torch.sight import sight
from invrender.nouns.topology import Topology

Tensor = torch.Tensor

_MISJUDGED = -0.4  # an area below it: the rasterizer's rounding put the pixel's centre on the other side of the contour


@dataclass(frozen=True)
class _Blends:
    """One blend for all pieces of a pixel that part the same samples: target += sum of shares * image[samples].

    Attributes:
        target: [K] int64, flat pixel index into [N,H,W].
        samples: [K,5] int64: inner and the one behind it, outer and the one behind it, target.
        per_area, per_moment: [K,5] and [K,5,2] float64, the samples' shares for each unit of area and of its moment.
        area: [K] float64; moment: [K,2] float64.
        sign: [K] float64, d area / d (area of the surface that ends).
        pieces: the P visible pieces.
        owner: [P] int64, each piece's blend.
    """

    target: Tensor
    samples: Tensor
    per_area: Tensor
    per_moment: Tensor
    area: Tensor
    moment: Tensor
    sign: Tensor
    pieces: Pieces
    owner: Tensor

    @property
    def shares(self) -> Tensor:
        """[K,5] float64."""
        return self.per_area * self.area[:, None] + (self.per_moment * self.moment[:, None]).sum(2)


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
        [N,H,W,C]; mixed from up to two pixels on both sides of each contour, so values may overshoot a little.
    """
    _, blends = _blends(face_id, depth, clip, faces, topology)
    flat = image.reshape(-1, image.shape[-1])
    change = (blends.shares.to(image.dtype)[:, :, None] * flat[blends.samples]).sum(1)
    return flat.index_add(0, blends.target, change).reshape(image.shape)


def antialias_adjoint(
    grad: Tensor, image: Tensor, face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology
) -> tuple[Tensor, Tensor]:
    """d image [N,H,W,C] and d clip [N,V,4] from d output [N,H,W,C]; see `antialias` for the rest."""
    segments, blends = _blends(face_id, depth, clip, faces, topology)
    grad_flat, flat = grad.reshape(-1, grad.shape[-1]), image.reshape(-1, image.shape[-1])
    d_target = grad_flat[blends.target]
    d_samples = blends.shares.to(grad.dtype)[:, :, None] * d_target[:, None]
    d_image = grad_flat.index_add(0, blends.samples.reshape(-1), d_samples.reshape(-1, grad.shape[-1]))
    d_share = (d_target[:, None] * flat[blends.samples]).sum(2).double() * blends.sign[:, None]
    d_area, d_moment = (d_share * blends.per_area).sum(1), (d_share[:, :, None] * blends.per_moment).sum(1)
    size = (face_id.shape[1], face_id.shape[2])
    d_screen = _transport(d_area, d_moment, blends, segments)
    return d_image.reshape(image.shape), screen_adjoint(segments, d_screen, size, clip.shape)


def _transport(d_area: Tensor, d_moment: Tensor, blends: _Blends, segments: Segments) -> Tensor:
    """The gradient [M,2] of the contour's points: what is swept, integrated over each piece with its ends' shares."""
    pieces, owner = blends.pieces, blends.owner
    first, last = (d_area[owner] + (d_moment[owner] * at).sum(1) for at in (pieces.first, pieces.last))
    # Both factors are linear along the piece: what is swept, and the share of the segment's second end in the motion.
    whole = 0.5 * (first + last)
    second = ((2 * first + last) * pieces.begin + (first + 2 * last) * pieces.end) / 6
    ends = segments.ends[pieces.segment]
    d_screen = torch.zeros_like(segments.screen)
    d_screen.index_add_(0, ends[:, 0], (whole - second)[:, None] * pieces.outward)
    return d_screen.index_add_(0, ends[:, 1], second[:, None] * pieces.outward)


def _blends(
    face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology
) -> tuple[Segments, _Blends]:
    size = (face_id.shape[1], face_id.shape[2])
    segments = contour_segments(clip, faces, topology, size)
    pieces = contour_pieces(segments, size)
    seen, own, behind = sight(pieces, segments, clip, faces, size)
    kept = (seen & torch.isfinite(own)).nonzero()[:, 0]
    kept = kept[~doubled(pieces[kept], own[kept])]
    pieces, own, behind = pieces[kept], own[kept], behind[kept]
    shown = _Rasterized(face_id.reshape(-1), depth.reshape(-1).double(), clip, faces, size)
    samples, role = _samples(pieces, own, behind, shown)
    found = (samples >= 0).all(1).nonzero()[:, 0]
    pieces = pieces[found]
    rows = torch.cat([samples[found], pieces.pixel[:, None], role[found, None]], 1)
    rows, owner = torch.unique(rows, dim=0, return_inverse=True)
    return segments, _blend(rows[:, :5], rows[:, 5], pieces, owner, size)


def _blend(samples: Tensor, role: Tensor, pieces: Pieces, owner: Tensor, size: tuple[int, int]) -> _Blends:
    mixed = role != 0
    sign = torch.where(role == 1, -1.0, 1.0).double()
    area = sign * sign.new_zeros(len(sign)).index_add_(0, owner, pieces.area)
    area = torch.where(mixed & (area < _MISJUDGED), area + 1, area)
    moment = sign[:, None] * sign.new_zeros(len(sign), 2).index_add_(0, owner, pieces.moment)
    per_area, per_moment = sign.new_zeros(len(sign), 5), sign.new_zeros(len(sign), 5, 2)
    per_area[:, 4] = torch.where(mixed, -2.0, 0.0)
    for column, side in ((0, 1), (2, -1)):
        near, far = samples[:, column], samples[:, column + 1]
        weight = torch.where(mixed, 1.0, side).double()
        slant = torch.where(near != far, weight, 0.0)  # how much of the difference of both is extrapolated
        mirrored = torch.where(role == side, 1.0, -1.0).double()
        way = _offset(samples[:, 4], near, size)
        way = way / way.square().sum(1, keepdim=True).clamp(min=1)
        per_area[:, column], per_area[:, column + 1] = weight + slant, -slant
        per_moment[:, column] = (slant * mirrored)[:, None] * way
        per_moment[:, column + 1] = -per_moment[:, column]
    return _Blends(samples[:, 4], samples, per_area, per_moment, area, moment, sign, pieces, owner)


def _offset(pixel: Tensor, other: Tensor, size: tuple[int, int]) -> Tensor:
    """Columns and rows [K,2] float64 from one pixel to another of the same view."""
    rows = torch.div(other, size[1], rounding_mode="floor") - torch.div(pixel, size[1], rounding_mode="floor")
    return torch.stack([other % size[1] - pixel % size[1], rows], 1).double()


@dataclass(frozen=True)
class _Rasterized:
    """The rasterized pixels, flat: face ids and depth, with what is needed to extend a face's depth off its pixel."""

    face_id: Tensor
    depth: Tensor
    clip: Tensor
    faces: Tensor
    size: tuple[int, int]


def _samples(pieces: Pieces, own: Tensor, behind: Tensor, shown: _Rasterized) -> tuple[Tensor, Tensor]:
    """For each piece two pixels that show its surface and two of what lies behind [K,4], and the role of its own [K].

    Asked are the three neighbours along the contour's normal, and then the pixel itself; -1 where none of them fits.
    The second one is as far beyond the first, and the first again where it does not fit. The role is 1 where the pixel
    shows the surface, -1 where it shows what is behind, 0 for neither.
    """
    way = _normals(pieces, len(shown.face_id))
    role = _side(pieces.pixel, pieces.middle, own, behind, shown)
    found = []
    for side in (-1, 1):
        best = torch.where(role == -side, pieces.pixel, -1)
        second = best
        for kind in (2, 1, 0):
            near, far = (_neighbour(pieces.pixel, kind, side, way, shown.size, steps) for steps in (1, 2))
            fits, more = (
                (at >= 0) & (_side(at.clamp(min=0), pieces.middle, own, behind, shown) == -side) for at in (near, far)
            )
            best = torch.where(fits, near, best)
            second = torch.where(fits, torch.where(more, far, near), second)
        found += [best, second]
    return torch.stack(found, 1), role


def _normals(pieces: Pieces, pixels: int) -> Tensor:
    """For each piece [K,2] the sum of all normals in its pixel where they agree, else its own."""
    total = pieces.outward.new_zeros(pixels, 2).index_add_(0, pieces.pixel, pieces.outward)
    length = pieces.outward.new_zeros(pixels).index_add_(0, pieces.pixel, pieces.outward.norm(dim=1))
    agree = total.norm(dim=1) >= 0.5 * length
    return torch.where(agree[pieces.pixel][:, None], total[pieces.pixel], pieces.outward)


def _neighbour(pixel: Tensor, kind: int, side: int, way: Tensor, size: tuple[int, int], steps: int) -> Tensor:
    """The pixel some steps along the normal's larger component (kind 0), its smaller one (1) or both (2); else -1."""
    height, width = size
    level = way[:, 0].abs() >= way[:, 1].abs()
    step = torch.where(way >= 0, side, -side)
    column, row = pixel % width, torch.div(pixel, width, rounding_mode="floor") % height
    along_x, along_y = (level == (kind == 0)) | (kind == 2), (level == (kind == 1)) | (kind == 2)
    across, down = (steps * torch.where(along, step[:, k], 0) for k, along in enumerate((along_x, along_y)))
    inside = (column + across >= 0) & (column + across < width) & (row + down >= 0) & (row + down < height)
    return torch.where(inside, pixel + down * width + across, -1)


def _side(pixel: Tensor, at: Tensor, own: Tensor, behind: Tensor, shown: _Rasterized) -> Tensor:
    """Whether pixels show the surface that ends at the screen points `at` (1), what lies behind it (-1), or neither."""
    hit, empty = shown.face_id[pixel] >= 0, torch.isinf(behind)
    side = torch.where(hit, torch.where(empty, 1, 0), torch.where(empty, -1, 0))
    which = (hit & ~empty).nonzero()[:, 0]
    z = _depth_at(pixel[which], at[which, 0], at[which, 1], shown)
    side[which] = torch.where((z - own[which]).abs() < (z - behind[which]).abs(), 1, -1)
    return side


def _depth_at(pixel: Tensor, x: Tensor, y: Tensor, shown: _Rasterized) -> Tensor:
    """NDC depth of the face seen in a pixel at a nearby screen point, kept within the range of its corners."""
    height, width = shown.size
    corner = shown.faces[shown.face_id[pixel]]
    view = torch.div(pixel, height * width, rounding_mode="floor")
    clip = shown.clip.reshape(-1, 4)[corner + (view * shown.clip.shape[1])[:, None]].double()
    in_front = (clip[..., 2] + clip[..., 3] > 0).all(1)
    ndc = clip[..., :3] / torch.where(clip[..., 3:] == 0, 1e-30, clip[..., 3:])
    px, py = (ndc[..., 0] + 1) * (0.5 * width), (1 - ndc[..., 1]) * (0.5 * height)
    x1, y1, z1 = px[:, 1] - px[:, 0], py[:, 1] - py[:, 0], ndc[:, 1, 2] - ndc[:, 0, 2]
    x2, y2, z2 = px[:, 2] - px[:, 0], py[:, 2] - py[:, 0], ndc[:, 2, 2] - ndc[:, 0, 2]
    area = x1 * y2 - x2 * y1
    good = in_front & (area != 0)
    area = torch.where(good, area, 1)
    dx, dy = x - (pixel % width + 0.5), y - (torch.div(pixel, width, rounding_mode="floor") % height + 0.5)
    z = shown.depth[pixel] + ((z1 * y2 - z2 * y1) * dx + (z2 * x1 - z1 * x2) * dy) / area
    z = torch.minimum(torch.maximum(z, ndc[..., 2].amin(1)), ndc[..., 2].amax(1))
    return torch.where(good, z, shown.depth[pixel])
