"""Contour segments cut into pieces, each in one pixel and crossed by no other, and how much of it they hide.

A pixel sees its colour at its centre. A piece from a to b (relative to the centre) hides from the centre a cone of the
pixel less a triangle,

    S(a, b) = (u(b) - u(a)) / 4 - (a x b) / 2,

where u(d) in [0, 4) is where the ray along d leaves the pixel, measured along its border. S is positive where the piece
turns from +x to +y about the centre. Summed over the border of a region, S is the region's exact area less 1 if the
centre lies in it: every point of the pixel is joined to the centre by a line in the pixel, and what counts is how often
that line enters the region and leaves it.

Likewise for the integral of position over what is hidden, with F(d) that of the cone from +x to the ray along d:

    M(a, b) = F(b) - F(a) - (a x b) (a + b) / 6.

In the derivative the cones' sides cancel where borders are closed. What remains is Reynolds' transport theorem,

    d area = sum over pieces of the integral of (outward normal) . (velocity) along the piece,

and the same with position in the integrand for the moment.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch

from invrender.backends.torch.crossings import Segments
from invrender.backends.torch.expand import expand

Tensor = torch.Tensor

_APART = 1e-9  # of two pieces: nearer to an end they touch and do not cross
_TOGETHER = 1e-6  # pixels: pieces whose ends are nearer than this are the same


@dataclass(frozen=True)
class Pieces:
    """K pieces, segment by segment.

    Attributes:
        segment: [K] int64, row of the Segments.
        pixel: [K] int64, flat index into [N,H,W].
        begin, end: [K] float64 in [0, 1], where on the segment.
        first, last: [K,2] float64, both ends relative to the pixel's centre.
        middle: [K,2] float64, screen position.
        area: [K] float64, S, of that sign in which it adds to the area of the surface that ends here.
        moment: [K,2] float64, M, with the same sign.
        outward: [K,2] float64, normal away from that surface, as long as the piece.
    """

    segment: Tensor
    pixel: Tensor
    begin: Tensor
    end: Tensor
    first: Tensor
    last: Tensor
    middle: Tensor
    area: Tensor
    moment: Tensor
    outward: Tensor

    def __getitem__(self, which: Tensor) -> Pieces:
        """Some of them."""
        return Pieces(*(getattr(self, field.name)[which] for field in fields(self)))


def contour_pieces(segments: Segments, size: tuple[int, int]) -> Pieces:
    """The pieces of all segments inside the image of (H, W) pixels."""
    cuts = _grid_cuts(segments, size)
    whole = _pieces(segments, *cuts, size)
    crossed = _mutual_cuts(whole)
    segment, t = (torch.cat(pair) for pair in zip(cuts, crossed, strict=True))
    return _pieces(segments, segment, t, size)


def _pieces(segments: Segments, segment: Tensor, t: Tensor, size: tuple[int, int]) -> Pieces:
    """What lies between neighbouring cuts (segment, t) of the same segment."""
    by_t = torch.argsort(t)
    order = by_t[torch.argsort(segment[by_t], stable=True)]
    segment, t = segment[order], t[order]
    kept = ((segment[1:] == segment[:-1]) & (t[1:] > t[:-1])).nonzero()[:, 0]
    segment, begin, end = segment[kept], t[kept], t[kept + 1]
    start, stop = segments.screen[segments.ends[segment]].unbind(1)
    run = stop - start
    middle = start + (0.5 * (begin + end))[:, None] * run
    cell = torch.floor(middle)
    inside = (torch.isfinite(run) & (cell >= 0) & (cell < cell.new_tensor([size[1], size[0]]))).all(1).nonzero()[:, 0]
    segment, begin, end, middle, cell = (x[inside] for x in (segment, begin, end, middle, cell))
    first, last = ((start[inside] + at[:, None] * run[inside] - cell - 0.5).clamp(-0.5, 0.5) for at in (begin, end))
    sign = torch.sign(segments.coefficient[segment]).double()
    outward = torch.stack([first[:, 1] - last[:, 1], last[:, 0] - first[:, 0]], 1) * sign[:, None]
    column, row = cell.long().unbind(1)
    pixel = (segments.view[segment] * size[0] + row) * size[1] + column
    area, moment = sign * hidden_area(first, last), sign[:, None] * hidden_moment(first, last)
    return Pieces(segment, pixel, begin, end, first, last, middle, area, moment, outward)


def _grid_cuts(segments: Segments, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Where segments begin, end and cross borders of pixels: segment [M] and t [M] in [0, 1]."""
    start, stop = segments.screen[segments.ends].unbind(1)
    rows = torch.arange(len(start), device=start.device)
    which, parameters = [rows, rows], [torch.zeros_like(start[:, 0]), torch.ones_like(start[:, 0])]
    for axis, lines in ((0, size[1]), (1, size[0])):
        a, b = start[:, axis], stop[:, axis]
        low = torch.ceil(torch.minimum(a, b)).clamp(0, lines + 1)
        high = torch.floor(torch.maximum(a, b)).clamp(-1, lines)
        segment, step = expand((high - low + 1).nan_to_num(0, 0, 0).clamp(min=0).long())
        rise = (b - a)[segment]
        level = rise == 0
        t = (low[segment] + step - a[segment]) / torch.where(level, 1, rise)
        which.append(segment[~level])
        parameters.append(t[~level].clamp(0, 1))
    return torch.cat(which), torch.cat(parameters)


def _mutual_cuts(pieces: Pieces) -> tuple[Tensor, Tensor]:
    """Where pieces of the same pixel cross each other: segment [M] and t [M], for both of each pair."""
    i, j = _pairs(pieces.pixel)
    d, e = (pieces.last - pieces.first)[i], (pieces.last - pieces.first)[j]
    gap = pieces.first[j] - pieces.first[i]
    cross = d[:, 0] * e[:, 1] - d[:, 1] * e[:, 0]
    cross = torch.where(cross == 0, torch.inf, cross)
    s = (gap[:, 0] * e[:, 1] - gap[:, 1] * e[:, 0]) / cross
    r = (gap[:, 0] * d[:, 1] - gap[:, 1] * d[:, 0]) / cross
    met = ((s > _APART) & (s < 1 - _APART) & (r > _APART) & (r < 1 - _APART)).nonzero()[:, 0]
    i, s = i[met], s[met]
    return pieces.segment[i], pieces.begin[i] + s * (pieces.end - pieces.begin)[i]


def doubled(pieces: Pieces, depth: Tensor) -> Tensor:
    """Pieces [K] bool that lie on others which end a surface on the same side and are as near or, with `depth`, nearer.

    Of surfaces that are there twice, or that end behind each other exactly, only one ends in the picture.
    """
    i, j = _pairs(pieces.pixel)
    order = torch.arange(len(depth), device=depth.device)
    later = (i != j) & ((depth[j] < depth[i]) | ((depth[j] == depth[i]) & (order[j] < order[i])))
    i, j = i[later], j[later]
    turned = (pieces.outward[i] * pieces.outward[j]).sum(1) > 0
    gaps = [(a[i] - b[j]).abs().amax(1) for a in (pieces.first, pieces.last) for b in (pieces.first, pieces.last)]
    near = torch.minimum(torch.maximum(gaps[0], gaps[3]), torch.maximum(gaps[1], gaps[2])) < _TOGETHER
    found = torch.zeros_like(depth, dtype=torch.bool)
    found[i[turned & near]] = True
    return found


def _pairs(pixel: Tensor) -> tuple[Tensor, Tensor]:
    """All ordered pairs of pieces of the same pixel, each with itself too."""
    order = torch.argsort(pixel, stable=True)
    _, number = torch.unique_consecutive(pixel[order], return_counts=True)
    start = (number.cumsum(0) - number).repeat_interleave(number)
    which, step = expand(number.repeat_interleave(number))
    return order[which], order[start[which] + step]


def hidden_area(a: Tensor, b: Tensor) -> Tensor:
    """S(a, b) [K] of points [K,2] in the square from -1/2 to 1/2."""
    cross = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    turn = _border(b) - _border(a)
    turn = torch.where(turn > 2, turn - 4, torch.where(turn < -2, turn + 4, turn))
    return 0.25 * turn - 0.5 * cross


def _border(d: Tensor) -> Tensor:
    """u(d), here from -1/2: the sides to the right, below, to the left and above, each of length 1."""
    x, y = d.unbind(1)
    level = x.abs() >= y.abs()
    ratio = 0.5 * torch.where(level, y / torch.where(x == 0, 1, x), -x / torch.where(y == 0, 1, y))
    return torch.where(level, torch.where(x >= 0, 0, 2), torch.where(y >= 0, 1, 3)) + ratio


def hidden_moment(a: Tensor, b: Tensor) -> Tensor:
    """M(a, b) [K,2] of points [K,2] in the square from -1/2 to 1/2."""
    cross = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return _cone_moment(b) - _cone_moment(a) - (cross / 6)[:, None] * (a + b)


def _cone_moment(d: Tensor) -> Tensor:
    """F(d): what lies between the middle of a side and the ray, and before it the sides passed so far."""
    x, y = d.unbind(1)
    level = x.abs() >= y.abs()
    ratio = 0.5 * torch.where(level, y / torch.where(x == 0, 1, x), -x / torch.where(y == 0, 1, y))
    side = torch.where(torch.where(level, x, y) >= 0, 1.0, -1.0)
    along, across = side * ratio / 12, side * ratio.square() / 12
    right = torch.stack([along, across + (1 - side) / 16], 1)
    below = torch.stack([side / 16 - across, along + 1 / 16], 1)
    return torch.where(level[:, None], right, below)
