"""Antialiasing of rasterized images along contour edges, and the adjoint that makes visibility differentiable.

A picture holds the colour at every pixel's centre. Where a visible contour edge (an outer silhouette, or one where a
nearer surface ends before a farther one) runs through a pixel, the part of it on the other side of the edge has another
colour. With `area` that part (exact, see `pieces`; of visible pieces alone, see `sight`), and the samples of the next
pixel on the surface's side and of the next one beyond it, `inner` and `outer`,

    image[p] += area * (image[inner] + image[outer] - 2 image[p]).

Just before an edge reaches the centre of p (area 1/2), and just after it, this is the mean of both neighbours: the
picture is a continuous function of positions while the centre's own sample jumps from one surface to the other. Away
from the centre it mixes the colours of both sides by area; all weights are positive up to the mixing of both where
contours are thinner than a pixel. Where the centre shows neither side, image[p] += area * (image[inner] - image[outer])
with the area of the piece's surface.

The derivative with respect to positions is Reynolds' transport theorem on the visible pieces (Li et al. 2018,
"Differentiable Monte Carlo Ray Tracing through Edge Sampling"), with the samples at hand for the colours of both sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.backends.torch.crossings import Segments, contour_segments, screen_adjoint
from invrender.backends.torch.pieces import Pieces, contour_pieces
from invrender.backends.torch.sight import sight
from invrender.nouns.topology import Topology

Tensor = torch.Tensor

_MISJUDGED = -0.4  # an area below it: the rasterizer's rounding put the pixel's centre on the other side of the contour


@dataclass(frozen=True)
class _Blends:
    """One blend for all pieces of a pixel that part the same samples.

    Attributes:
        target, inner, outer: [K] int64, flat pixel indices into [N,H,W].
        amount: [K] float64, the area.
        weight: [K,3] float64, of inner, outer and target.
        sign: [K] float64, d amount / d (area of the surface that ends).
        pieces: the P visible pieces.
        owner: [P] int64, each piece's blend.
    """

    target: Tensor
    inner: Tensor
    outer: Tensor
    amount: Tensor
    weight: Tensor
    sign: Tensor
    pieces: Pieces
    owner: Tensor


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
        [N,H,W,C]; convex combinations of neighbours up to small overshoots where several contours meet in a pixel.
    """
    _, blends = _blends(face_id, depth, clip, faces, topology)
    flat = image.reshape(-1, image.shape[-1])
    change = blends.amount.to(image.dtype)[:, None] * _contrast(flat, blends)
    return flat.index_add(0, blends.target, change).reshape(image.shape)


def antialias_adjoint(
    grad: Tensor, image: Tensor, face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology
) -> tuple[Tensor, Tensor]:
    """d image [N,H,W,C] and d clip [N,V,4] from d output [N,H,W,C]; see `antialias` for the rest."""
    segments, blends = _blends(face_id, depth, clip, faces, topology)
    grad_flat, flat = grad.reshape(-1, grad.shape[-1]), image.reshape(-1, image.shape[-1])
    d_target = grad_flat[blends.target]
    d_image = grad_flat.clone()
    for sample, weight in zip((blends.inner, blends.outer, blends.target), blends.weight.unbind(1), strict=True):
        d_image.index_add_(0, sample, (weight * blends.amount).to(grad.dtype)[:, None] * d_target)
    d_area = (d_target * _contrast(flat, blends)).sum(1).double() * blends.sign
    pieces = blends.pieces
    pull = d_area[blends.owner][:, None] * pieces.outward
    last = (0.5 * (pieces.begin + pieces.end))[:, None]  # the mean share of the second end in the piece's velocity
    d_screen = torch.zeros_like(segments.screen)
    ends = segments.ends[pieces.segment]
    d_screen.index_add_(0, ends[:, 0], (1 - last) * pull).index_add_(0, ends[:, 1], last * pull)
    size = (face_id.shape[1], face_id.shape[2])
    return d_image.reshape(image.shape), screen_adjoint(segments, d_screen, size, clip.shape)


def _contrast(flat: Tensor, blends: _Blends) -> Tensor:
    """What a unit of area changes [K,C] in an image [N*H*W,C]."""
    inner, outer, target = (weight.to(flat.dtype)[:, None] for weight in blends.weight.unbind(1))
    return inner * flat[blends.inner] + outer * flat[blends.outer] + target * flat[blends.target]


def _blends(
    face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology
) -> tuple[Segments, _Blends]:
    size = (face_id.shape[1], face_id.shape[2])
    segments = contour_segments(clip, faces, topology, size)
    pieces = contour_pieces(segments, size)
    seen, own, behind = sight(pieces, segments, clip, faces, size)
    kept = seen.nonzero()[:, 0]
    pieces, own, behind = pieces[kept], own[kept], behind[kept]
    shown = _Rasterized(face_id.reshape(-1), depth.reshape(-1).double(), clip, faces, size)
    inner, outer, role = _samples(pieces, own, behind, shown)
    found = ((inner >= 0) & (outer >= 0)).nonzero()[:, 0]
    pieces = pieces[found]
    rows = torch.stack([pieces.pixel, inner[found], outer[found], role[found]], 1)
    rows, owner = torch.unique(rows, dim=0, return_inverse=True)
    target, inner, outer, role = rows.unbind(1)
    area = torch.zeros(len(rows), dtype=torch.float64, device=clip.device).index_add_(0, owner, pieces.area)
    sign = torch.where(role == 1, -1.0, 1.0).double()
    mixed = role != 0
    amount = sign * area
    amount = torch.where(mixed & (amount < _MISJUDGED), amount + 1, amount)
    weight = torch.stack([torch.ones_like(sign), torch.where(mixed, 1.0, -1.0), torch.where(mixed, -2.0, 0.0)], 1)
    return segments, _Blends(target, inner, outer, amount, weight, sign, pieces, owner)


@dataclass(frozen=True)
class _Rasterized:
    """The rasterized pixels, flat: face ids and depth, with what is needed to extend a face's depth off its pixel."""

    face_id: Tensor
    depth: Tensor
    clip: Tensor
    faces: Tensor
    size: tuple[int, int]


def _samples(pieces: Pieces, own: Tensor, behind: Tensor, shown: _Rasterized) -> tuple[Tensor, Tensor, Tensor]:
    """For each piece the pixels that show its surface and what lies behind, -1 where none does; the role of its own.

    Asked are the three neighbours along the contour's normal, and then the pixel itself. Its role is 1 where it shows
    the surface, -1 where it shows what is behind, 0 for neither.
    """
    way = _normals(pieces, len(shown.face_id))
    role = _side(pieces.pixel, pieces.middle, own, behind, shown)
    found = []
    for side in (-1, 1):
        best = torch.where(role == -side, pieces.pixel, -1)
        for kind in (2, 1, 0):
            near = _neighbour(pieces.pixel, kind, side, way, shown.size)
            fits = (near >= 0) & (_side(near.clamp(min=0), pieces.middle, own, behind, shown) == -side)
            best = torch.where(fits, near, best)
        found.append(best)
    return found[0], found[1], role


def _normals(pieces: Pieces, pixels: int) -> Tensor:
    """For each piece [K,2] the sum of all normals in its pixel where they agree, else its own."""
    total = pieces.outward.new_zeros(pixels, 2).index_add_(0, pieces.pixel, pieces.outward)
    length = pieces.outward.new_zeros(pixels).index_add_(0, pieces.pixel, pieces.outward.norm(dim=1))
    agree = total.norm(dim=1) >= 0.5 * length
    return torch.where(agree[pieces.pixel][:, None], total[pieces.pixel], pieces.outward)


def _neighbour(pixel: Tensor, kind: int, side: int, way: Tensor, size: tuple[int, int]) -> Tensor:
    """The pixel beside one along the normal's larger component (kind 0), its smaller one (1) or both (2); else -1."""
    height, width = size
    level = way[:, 0].abs() >= way[:, 1].abs()
    step = torch.where(way >= 0, side, -side)
    column, row = pixel % width, torch.div(pixel, width, rounding_mode="floor") % height
    along_x, along_y = (level == (kind == 0)) | (kind == 2), (level == (kind == 1)) | (kind == 2)
    across, down = torch.where(along_x, step[:, 0], 0), torch.where(along_y, step[:, 1], 0)
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
