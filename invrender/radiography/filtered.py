"""Filtered back-projection: of parallel beams, of fans, and of cones by Feldkamp, Davis and Kress (1984).

    f(x) = sum over views of  share (R / U(x))^2  [p(u, v) R / sqrt(R^2 + u^2 + v^2) c] * ramp  at x's place (u, v)

with the detector moved to the axis, U the distance of x from the source along the ray to the axis, and c the share of a
ray among those that measure the same line: 1/2 in a whole turn (Kak and Slaney 1988, equations 3.32, 3.107, 3.176).
"""

from __future__ import annotations

import math

import torch

from invrender.kernels import Backend
from invrender.nouns import Cameras
from invrender.radiography.beyond import continued, cut_sides
from invrender.radiography.filters import Filter, filtered_rows
from invrender.radiography.redundancy import Arc, arc_of, displaced, parker
from invrender.radiography.rows import Rows, upright_rows

Tensor = torch.Tensor

HELD = 1 << 23  # samples of rows, with their padding, that are filtered at a time


def filtered_back_projection(
    depth: Tensor,
    known: Tensor,
    cameras: Cameras,
    shape: tuple[int, int, int],
    bounds: Tensor,
    backend: Backend,
    name: Filter = "ram-lak",
) -> Tensor:
    """The density [D,H,W] float32 on the backend's device, in units of 1 / length; it may turn negative.

    Args:
        depth: [N,H,W] line integrals, on the CPU.
        known: [N,H,W] bool; what is not known is filled in along its row.
        cameras: on a circle, at any angles: each counts by the gaps beside it.
        shape, bounds: of the grid.
        backend: what projects back.
        name: of the filter.

    Raises:
        InputError: the views do not lie on a circle.
    """
    rows = upright_rows(cameras)
    places = rows.places(shape, bounds, cameras)
    depth = filled(depth, known)
    sides = cut_sides(depth if rows.fan or rows.resampled is None else rows.views(depth, slice(None)))
    short = rows.lacks(sides)
    height, width = rows.size
    before, after = (width if side and short != number else 0 for number, side in enumerate(sides))
    # What a ramp brings to where a displaced detector does not reach counts, too.
    spare = rows.missing if short is not None else 0
    left, right = (spare if short == number else 0 for number in (0, 1))
    places[:, 0] += left * places[:, 3]
    weights = _weights(rows, short is not None)
    count = max(1, HELD // (4 * height * (before + width + after + spare)))
    total = torch.zeros(shape, dtype=torch.float32, device=backend.device)
    for begin in range(0, len(rows.order), count):
        part = slice(begin, begin + count)
        lines = continued(rows.views(depth, part), before, after)
        lines *= torch.nn.functional.pad(weights[part], (before, after), mode="replicate")
        lines = torch.nn.functional.pad(lines * _slant(rows, before, after), (left, right))
        lines = filtered_rows(lines.float(), abs(rows.pitch[0]), name)[..., before : lines.shape[-1] - after]
        total += backend.backproject(lines.contiguous().to(backend.device), places[part].to(backend.device), shape)
    return total


def filled(depth: Tensor, known: Tensor) -> Tensor:
    """Depths [N,H,W] with what is not known between its neighbours along the row; 0 in rows of which nothing is."""
    gaps = ~known
    if not bool(gaps.any()):
        return depth
    found, width = depth.clone(), depth.shape[2]
    column = torch.arange(width)
    for n, row in gaps.any(2).nonzero().tolist():
        there = known[n, row]
        if not bool(there.any()):
            found[n, row] = 0
            continue
        at = column[there]
        right = torch.searchsorted(at, column).clamp(max=len(at) - 1)
        left = (right - (at[right] > column).long()).clamp(min=0)
        span = (at[right] - at[left]).clamp(min=1)
        share = ((column - at[left]) / span).clamp(0, 1)
        values = depth[n, row][there]
        found[n, row] = torch.where(there, depth[n, row], torch.lerp(values[left], values[right], share))
    return found


def _weights(rows: Rows, lopsided: bool) -> Tensor:
    """[N,1,W] what rays count before the filter."""
    orbit, columns = rows.orbit, rows.columns
    turn = arc_of(rows.angles, 2 * math.pi)
    square = 1.0 if orbit.parallel else orbit.radius**2
    if lopsided:
        return _shared(turn, square * displaced(columns, orbit.radius)[None])
    if orbit.parallel:
        half = arc_of(rows.angles, math.pi)  # lines that are seen from both sides
        return _shared(half, torch.ones(1, len(columns), dtype=torch.float64))
    if turn.whole:
        return _shared(turn, torch.full((1, len(columns)), square / 2, dtype=torch.float64))
    # Columns count along t, the way of the source.
    return _shared(turn, square * parker(turn, -(columns / orbit.radius).atan()))


def _shared(arc: Arc, weights: Tensor) -> Tensor:
    return (arc.share[:, None] * weights).float()[:, None]


def _slant(rows: Rows, before: int, after: int) -> Tensor:
    """[H,W] the cosine between a ray and the one to the axis."""
    if rows.orbit.parallel:
        return torch.ones(1, 1)
    width, radius = rows.size[1], rows.orbit.radius
    at = torch.arange(-before, width + after, dtype=torch.float64) + 0.5
    u = rows.corner[0] + at * rows.pitch[0]
    v = torch.zeros(1, dtype=torch.float64) if rows.fan else rows.rows
    return (radius / (radius**2 + u[None] ** 2 + v[:, None] ** 2).sqrt()).float()
