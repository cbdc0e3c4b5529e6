"""Which pieces of the contour are seen, and what lies behind them.

Each piece is probed beside its middle, on the side away from its own faces. A face that covers the probe and is as near
as the piece hides it or continues its surface; the nearest of the others is what the piece stands before. This asks the
mesh and not the picture, so that it holds for triangles and gaps smaller than pixels.
"""

from __future__ import annotations

import torch

from invrender.backends.torch.crossings import Segments
from invrender.backends.torch.cut import project, screen_triangles
from invrender.backends.torch.expand import chunks, expand
from invrender.backends.torch.pieces import Pieces

Tensor = torch.Tensor

REACH = 1e-3  # pixels from a piece to its probe
DEPTH_MARGIN = 1e-7  # NDC
_TRIANGLES, _PAIRS = 2**16, 2**17


def sight(
    pieces: Pieces, segments: Segments, clip: Tensor, faces: Tensor, size: tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor]:
    """Whether each piece is seen [K], its NDC depth [K], and that of the nearest face behind it [K], inf for none."""
    depth = _depth(pieces, segments)
    probe = pieces.middle + REACH * torch.nn.functional.normalize(pieces.outward, dim=1, eps=1e-300)
    seen, behind = torch.ones_like(depth, dtype=torch.bool), torch.full_like(depth, torch.inf)
    order = torch.argsort(pieces.pixel)
    count = torch.bincount(pieces.pixel, minlength=len(clip) * size[0] * size[1])
    start = count.cumsum(0) - count
    projection = project(clip, size)
    for first in range(0, len(clip) * len(faces), _TRIANGLES):
        item = torch.arange(first, min(first + _TRIANGLES, len(clip) * len(faces)), device=clip.device)
        view = torch.div(item, len(faces), rounding_mode="floor")
        corner, view, _ = screen_triangles(projection, faces, view, item - view * len(faces))
        for triangle, pixel in _boxes(corner, view, size, count):
            which, step = expand(count[pixel])
            piece = order[start[pixel[which]] + step]
            covers, z = _look(corner[triangle[which]], probe[piece], pieces.middle[piece])
            piece, z = piece[covers], z[covers]
            before = z <= depth[piece] + DEPTH_MARGIN
            seen[piece[before]] = False
            behind.scatter_reduce_(0, piece[~before], z[~before], "amin")
    return seen, depth, behind


def _depth(pieces: Pieces, segments: Segments) -> Tensor:
    """NDC depth [K] of the pieces' middles."""
    ends = segments.clip[segments.ends[pieces.segment]].double()
    z = ends[..., 2] / ends[..., 3]
    return z[:, 0] + 0.5 * (pieces.begin + pieces.end) * (z[:, 1] - z[:, 0])


def _boxes(corner: Tensor, view: Tensor, size: tuple[int, int], count: Tensor):  # type: ignore[no-untyped-def]
    """Triangles and those pixels of their bounding boxes in which there are pieces, in chunks."""
    limit = torch.tensor([size[1], size[0]], device=corner.device, dtype=torch.float64)
    low = torch.floor(corner[..., :2].amin(1) - REACH).clamp(min=0)
    high = torch.minimum(torch.floor(corner[..., :2].amax(1) + REACH), limit - 1)
    low, extent = torch.minimum(low, limit).long(), (high - low + 1).clamp(min=0).long()
    cells = extent.prod(1)
    for part in chunks(cells, _PAIRS):
        triangle, step = expand(cells[part])
        triangle += part.start
        across = torch.div(step, extent[triangle, 0], rounding_mode="floor")
        row, column = low[triangle, 1] + across, low[triangle, 0] + step - across * extent[triangle, 0]
        pixel = (view[triangle] * size[0] + row) * size[1] + column
        touched = (count[pixel] > 0).nonzero()[:, 0]
        yield triangle[touched], pixel[touched]


def _look(corner: Tensor, probe: Tensor, middle: Tensor) -> tuple[Tensor, Tensor]:
    """Whether screen triangles [K,3,3] cover probes [K,2], and their planes' depth at middles [K,2]."""
    a, b, c = corner.unbind(1)
    x1, y1, z1 = (b - a).unbind(1)
    x2, y2, z2 = (c - a).unbind(1)
    area = x1 * y2 - x2 * y1
    x, y = (probe - a[:, :2]).unbind(1)
    v, w = torch.sign(area) * (x * y2 - x2 * y), torch.sign(area) * (x1 * y - x * y1)
    x, y = (middle - a[:, :2]).unbind(1)
    z = a[:, 2] + (z1 * (x * y2 - x2 * y) + z2 * (x1 * y - x * y1)) / area
    return (area != 0) & (v >= 0) & (w >= 0) & (v + w <= area.abs()), z
