"""Antialiased silhouettes from contour edges alone, and their adjoint.

Pixel-row and pixel-column centres are intersected with the contour (see `crossings`). Along one scanline the sorted
crossings and the running sum of their layer steps give the union of all triangles as exact intervals. A pixel's value
is whether its centre is covered, corrected by the piece of scanline between the pixel's border and the interval's end:

    coverage(p) = [centre of p inside] + sum over interval ends x in p of +- weight * (1/2 - |x - centre of p|),

summed over rows with weight cos^2 and over columns with weight sin^2 of the edge's angle to the vertical. It is the
antialiasing of Laine et al. 2020 ("Modular Primitives for High-Performance Differentiable Rendering") with two changes.
It is driven by edges, so nothing is lost where triangles are smaller than pixels, no triangle has to be rasterized, and
structures thinner than a pixel keep their exact width. And the smooth weight replaces the choice of one axis per edge,
which jumps where the contour passes 45 degrees: area and its derivative become unbiased, and the derivative's scatter
falls from 0.4 % to 0.06 % (bumpy sphere, 20k and 80k triangles, 256^2).

The adjoint holds the weight constant. Its own derivative multiplies a zero-mean remainder, so what is left out averages
to zero along a contour.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.backends.torch.crossings import (
    Crossings,
    Segments,
    contour_segments,
    scanline_crossings,
    screen_adjoint,
)
from invrender.nouns.topology import Topology

Tensor = torch.Tensor


@dataclass(frozen=True)
class SilhouetteTape:
    """What the adjoint needs: per visible interval end its pixel, its weights and its segment.

    Attributes:
        segments: the contour.
        shape: of clip, [N,V,4].
        size: (H, W).
        pixel: [K] int64 flat index into [N,H,W].
        ends: [K,2] int64 rows of segments.clip.
        weight: [K,2,2] float64, d coverage(pixel) / d screen (x, y) of the two ends.
    """

    segments: Segments
    shape: torch.Size
    size: tuple[int, int]
    pixel: Tensor
    ends: Tensor
    weight: Tensor


def silhouette(clip: Tensor, faces: Tensor, topology: Topology, size: tuple[int, int]) -> Tensor:
    """Coverage [N,H,W] of clip positions [N,V,4]; see `silhouette_taped`."""
    return silhouette_taped(clip, faces, topology, size)[0]


def silhouette_taped(
    clip: Tensor, faces: Tensor, topology: Topology, size: tuple[int, int]
) -> tuple[Tensor, SilhouetteTape]:
    """Coverage of every pixel by the union of all triangles.

    Args:
        clip: [N,V,4] float clip positions.
        faces: [F,3] int64.
        topology: of `faces`.
        size: (H, W).

    Returns:
        coverage [N,H,W] of clip's dtype (in [0, 1] up to small overshoots at sharp corners), and the adjoint's tape.
    """
    segments = contour_segments(clip, faces, topology, size)
    rows = _interval_ends(scanline_crossings(segments, 0, size), segments.view, size[0])
    columns = _interval_ends(scanline_crossings(segments, 1, size), segments.view, size[1])
    centres = _centres(*rows, segments.view, torch.Size([len(clip), *size]))
    parts = [_corrections(*ends, segments, axis, centres) for axis, ends in enumerate((rows, columns))]
    pixel, correction, ends, weight = (torch.cat(column) for column in zip(*parts, strict=True))
    image = centres.reshape(-1).index_add(0, pixel, correction).reshape(centres.shape)
    return image.to(clip.dtype), SilhouetteTape(segments, clip.shape, size, pixel, ends, weight)


def silhouette_adjoint(grad: Tensor, tape: SilhouetteTape) -> Tensor:
    """d clip [N,V,4] from d coverage [N,H,W]."""
    d_ends = grad.reshape(-1)[tape.pixel].double()[:, None, None] * tape.weight
    screen = torch.zeros_like(tape.segments.screen)
    screen.index_add_(0, tape.ends.reshape(-1), d_ends.reshape(-1, 2))
    return screen_adjoint(tape.segments, screen, tape.size, tape.shape)


def _interval_ends(crossings: Crossings, view: Tensor, lines: int) -> tuple[Crossings, Tensor]:
    """Those crossings alone where the union begins or ends, and whether it begins there."""
    line_id = view[crossings.segment] * lines + crossings.line
    # Where two coincide, layers begin before others end, so that parts which touch leave no gap.
    by_step = torch.argsort(crossings.step, descending=True, stable=True)
    by_position = by_step[torch.argsort(crossings.position[by_step], stable=True)]
    order = by_position[torch.argsort(line_id[by_position], stable=True)]
    after = crossings.step[order].cumsum(0)  # a line's steps sum to zero, so no reset is needed between lines
    before = after - crossings.step[order]
    visible = (before > 0) != (after > 0)
    kept = order[visible]
    fields = (crossings.segment, crossings.line, crossings.position, crossings.t, crossings.slope, crossings.step)
    return Crossings(*(field[kept] for field in fields)), after[visible] > 0


def _centres(crossings: Crossings, start: Tensor, view: Tensor, shape: torch.Size) -> Tensor:
    """Point samples [N,H,W] at pixel centres from row crossings: a running sum of interval starts and ends."""
    views, height, width = shape
    jumps = torch.zeros(views * height, width + 1, dtype=torch.float64, device=start.device)
    column = torch.ceil(crossings.position - 0.5).clamp(0, width).long()
    row = view[crossings.segment] * height + crossings.line
    sign = torch.where(start, 1.0, -1.0).double()
    jumps.view(-1).index_add_(0, row * (width + 1) + column, sign)
    return jumps[:, :-1].cumsum(1).reshape(shape)


def _corrections(
    crossings: Crossings, start: Tensor, segments: Segments, axis: int, centres: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The fractional parts of interval ends along `axis`: pixels, what to add there, ends, weights."""
    _, height, width = centres.shape
    length = width if axis == 0 else height
    # The centre at or right of an interval's end, as in `_centres`, and how far left of it the end lies.
    right = torch.ceil(crossings.position - 0.5)
    before = right - (crossings.position - 0.5)
    along = right.long() - (before > 0.5).long()
    seen = (along >= 0) & (along < length)
    segment, t, slope, before, along = (
        f[seen] for f in (crossings.segment, crossings.t, crossings.slope, before, along)
    )
    sign = torch.where(start[seen], 1.0, -1.0).double()
    row, column = (crossings.line[seen], along) if axis == 0 else (along, crossings.line[seen])
    pixel = (segments.view[segment] * height + row) * width + column
    # Where an edge runs exactly through a centre, rows decide whether that is inside; columns must follow.
    uncovered = 0.5 - centres.reshape(-1)[pixel]
    amount = torch.where(before == 0, uncovered, sign * (before - 0.5)) / (1 + slope**2)
    # position = p_a + t (p_b - p_a), so d position = (1 - t) (dp_a - slope dq_a) + t (dp_b - slope dq_b).
    share = -(sign / (1 + slope**2))[:, None] * torch.stack([1 - t, t], 1)
    across = -slope[:, None] * share
    weight = torch.stack([share, across] if axis == 0 else [across, share], 2)
    return pixel, amount, segments.ends[segment], weight
