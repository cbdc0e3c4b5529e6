"""Which face is nearest behind every pixel centre: a scanline rasterizer in exact integers.

Vertices snap to 1/256 pixel. Every (triangle, row) pair becomes a span whose ends follow from the three integer edge
functions (Pineda 1988, "A Parallel Algorithm for Polygon Rasterization") by exact division, with the
top-left rule for centres on an edge. Only covered pixels are expanded; the nearest fragment wins a scatter-min over
64-bit keys that hold the depth above the face id. Memory stays bounded because each stage works in chunks.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.backends.arguments import check_faces
from invrender.backends.torch.cut import project, screen_triangles
from invrender.backends.torch.expand import chunks, expand
from invrender.kernels import Size

Tensor = torch.Tensor

SUBPIXEL = 256
_ID_BITS = 31
DEPTH_STEPS = 2**32 - 1
_EMPTY = 2**63 - 1
# Chunks stay below the size at which torch starts threads: waking them costs more than it saves here.
_TRIANGLES, _SPANS, _FRAGMENTS = 2**15, 30_000, 30_000


@dataclass(frozen=True)
class Triangles:
    """Screen triangles, snapped, oriented to positive area.

    Attributes:
        x, y: [3,T] int64 in 1/256 pixel.
        z, z_x, z_y: [T] float64, NDC depth at corner 0 and its slope per subpixel.
        z_low, z_high: [T] float64, range over the corners.
        view, face: [T] int64.
        top, rows: [T] int64, first pixel row and number of rows (0 where the area is).
    """

    x: Tensor
    y: Tensor
    z: Tensor
    z_x: Tensor
    z_y: Tensor
    z_low: Tensor
    z_high: Tensor
    view: Tensor
    face: Tensor
    top: Tensor
    rows: Tensor


def rasterize(clip: Tensor, faces: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    """Nearest face and its depth behind every pixel centre.

    Triangles are cut at the near plane (a piece keeps its face's id); what lies beyond the far plane (z > w) is dropped
    pixel by pixel. Faces that are degenerate after snapping, or have a corner that is not finite, are not drawn.

    Args:
        clip: [N,V,4] float32 or float64 clip positions.
        faces: [F,3] int64.
        size: (H, W) in pixels.

    Returns:
        face id [N,H,W] int64, -1 where nothing is hit, and NDC depth z/w [N,H,W] of clip's dtype, inf where nothing is
        hit. Depth is resolved to 2^-31; equal depths go to the lowest face id.

    Raises:
        InputError: a face names a vertex that does not exist.
    """
    check_faces(faces, clip.shape[1])
    views, (height, width) = len(clip), size
    keys = torch.full((views * height * width,), _EMPTY, dtype=torch.int64, device=clip.device)
    projection = project(clip.detach(), size)
    for begin in range(0, views * len(faces), _TRIANGLES):
        index = torch.arange(begin, min(begin + _TRIANGLES, views * len(faces)), device=clip.device)
        screen, view, face = screen_triangles(projection, faces, index // len(faces), index % len(faces))
        _draw(snapped(screen, view, face, size), size, keys)
    hit = keys != _EMPTY
    face_id = torch.where(hit, keys & (2**_ID_BITS - 1), -1)
    depth = torch.where(hit, (keys >> _ID_BITS).double() * (2.0 / DEPTH_STEPS) - 1.0, torch.inf)
    return face_id.reshape(views, height, width), depth.to(clip.dtype).reshape(views, height, width)


def snapped(screen: Tensor, view: Tensor, face: Tensor, size: Size) -> Triangles:
    """Snap, drop what covers no pixel centre, orient to positive area, and fit the depth plane."""
    height, width = size
    across, down, z = screen.permute(2, 1, 0).contiguous()
    x, y = torch.round(across * SUBPIXEL).long(), torch.round(down * SUBPIXEL).long()
    left, right = _centres_within(x, width)
    top, bottom = _centres_within(y, height)
    keep = ((left <= right) & (top <= bottom)).nonzero()[:, 0]
    x, y, z, top, bottom = x[:, keep], y[:, keep], z[:, keep], top[keep], bottom[keep]
    x1, y1, z1, x2, y2, z2 = x[1] - x[0], y[1] - y[0], z[1] - z[0], x[2] - x[0], y[2] - y[0], z[2] - z[0]
    area = x1 * y2 - x2 * y1
    flip = area < 0
    x[1], x[2] = torch.where(flip, x[2], x[1]), torch.where(flip, x[1], x[2])
    y[1], y[2] = torch.where(flip, y[2], y[1]), torch.where(flip, y[1], y[2])
    scale = 1 / torch.where(area == 0, 1, area).double()
    return Triangles(
        x=x,
        y=y,
        z=z[0],
        z_x=(z1 * y2 - z2 * y1) * scale,
        z_y=(z2 * x1 - z1 * x2) * scale,
        z_low=_smallest(z),
        z_high=-_smallest(-z),
        view=view[keep],
        face=face[keep],
        top=top,
        rows=torch.where(area == 0, 0, bottom - top + 1),
    )


def _centres_within(corner: Tensor, pixels: int) -> tuple[Tensor, Tensor]:
    """First and last pixel whose centre lies within the range of the corners [3,T] along one axis, in the image."""
    # Pixel q has its centre at 256 q + 128: from ceil((low - 128) / 256) to floor((high - 128) / 256).
    half = SUBPIXEL // 2
    first, last = (_smallest(corner) + half - 1) >> 8, (-_smallest(-corner) - half) >> 8
    return first.clamp(min=0), last.clamp(max=pixels - 1)


def _smallest(corner: Tensor) -> Tensor:
    return torch.minimum(torch.minimum(corner[0], corner[1]), corner[2])


def _draw(triangles: Triangles, size: Size, keys: Tensor) -> None:
    for which in chunks(triangles.rows, _SPANS):
        owner, step = expand(triangles.rows[which])
        triangle = owner + which.start
        row = triangles.top[triangle] + step
        left, count = _columns(triangles, triangle, row, size[1])
        spans = (count > 0).nonzero()[:, 0]
        triangle, row, left, count = triangle[spans], row[spans], left[spans], count[spans]
        for part in chunks(count, _FRAGMENTS):
            span, step = expand(count[part])
            span += part.start
            _scatter(triangles, triangle[span], row[span], left[span] + step, size, keys)


def _columns(triangles: Triangles, triangle: Tensor, row: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """First covered column and number of columns of the spans (triangle, row), by exact integer division."""
    x, y = triangles.x[:, triangle], triangles.y[:, triangle]
    at_y = row * SUBPIXEL + SUBPIXEL // 2
    left, right = torch.zeros_like(row), torch.full_like(row, width - 1)
    for k, after in ((0, 1), (1, 2), (2, 0)):
        dx, dy = x[after] - x[k], y[after] - y[k]
        # E(q) = at_zero + slope q is the edge function at the centre of column q, inside where E >= 0. Centres on an
        # edge count for top edges (run right, inside below) and left edges (run up) only: others are moved in by one.
        top_left = (dy < 0) | ((dy == 0) & (dx > 0))
        at_zero = dx * (at_y - y[k]) - dy * (SUBPIXEL // 2 - x[k]) - (~top_left).long()
        level = dy == 0
        slope = torch.where(level, 1, dy.abs() * SUBPIXEL)
        quotient = torch.div(at_zero, slope, rounding_mode="floor")
        left = torch.where(dy < 0, torch.maximum(left, -quotient), left)
        bound = torch.where(level, torch.where(at_zero < 0, -1, width), quotient)
        right = torch.where(dy < 0, right, torch.minimum(right, bound))
    return left, right - left + 1


def _scatter(triangles: Triangles, triangle: Tensor, row: Tensor, column: Tensor, size: Size, keys: Tensor) -> None:
    """Offer fragments to the depth buffer."""
    x = column * SUBPIXEL + SUBPIXEL // 2 - triangles.x[0, triangle]
    y = row * SUBPIXEL + SUBPIXEL // 2 - triangles.y[0, triangle]
    z = triangles.z[triangle] + triangles.z_x[triangle] * x + triangles.z_y[triangle] * y
    z = torch.minimum(torch.maximum(z, triangles.z_low[triangle]), triangles.z_high[triangle])
    depth = torch.round((z.clamp(min=-1) + 1) * (DEPTH_STEPS / 2)).long()
    key = (depth.clamp(max=DEPTH_STEPS) << _ID_BITS) | triangles.face[triangle]
    key = torch.where(z <= 1, key, _EMPTY)
    height, width = size
    pixel = (triangles.view[triangle] * height + row) * width + column
    keys.scatter_reduce_(0, pixel, key, "amin")
